"""The controller's probabilities are a distribution over the space, and what is said of them is so."""

from __future__ import annotations

import math

import pytest
import torch
from scipy.stats import chi2
from torch import Tensor

from explorer.errors import SpaceError
from explorer.nets import controller as module
from explorer.nets.controller import (
    Controller,
    Rollout,
    bernoulli_divergence,
    skip_divergence,
    turns,
)
from explorer.space import (
    Architecture,
    CellSpace,
    DartsSpace,
    Input,
    InputChoice,
    Layer,
    LayerChoice,
    MacroSpace,
    Operation,
    SearchSpace,
    decisions,
    path_of,
)

TOY = CellSpace(
    "toy",
    Input(1, 8),
    nodes=3,
    edges=((0, 1), (0, 2), (1, 2)),
    operations=("none", "skip_connect", "avg_pool_3x3"),
)
ONE_NODE = DartsSpace("darts", Input(1, 8), nodes=1, operations=("none", "skip_connect", "max_pool_3x3"))
CELL = DartsSpace("darts", Input(1, 8), nodes=2, operations=("none", "skip_connect", "max_pool_3x3"))
ONE_OPERATION = DartsSpace("darts", Input(1, 8), nodes=2, operations=("none", "skip_connect"))
NO_NONE = DartsSpace("darts", Input(1, 8), nodes=2, operations=("skip_connect", "max_pool_3x3"))


def _macro(n_chosen: int | None, layers: int = 3) -> MacroSpace:
    """Two candidates a layer, a fixed layer behind each, and skips between those; the last skip into layer 3."""
    chain: list[Layer] = []
    skips = []
    for at in range(1, layers + 1):
        candidates = (("a", Operation("relu")), ("b", Operation("identity")))
        chain += [Layer(f"layer_{at}", LayerChoice(f"layer_{at}", candidates))]
        chain += [Layer(f"norm_{at}", Operation("relu"))]
        sources = tuple(f"norm_{before}" for before in range(1, at))
        if len(sources) >= (n_chosen or 1):
            skips.append(InputChoice(f"skip_{at}", sources, f"layer_{at}", n_chosen, "none"))
    return MacroSpace("macro", Input(4, 8), layers=tuple(chain), skips=tuple(skips))


SPACES = {
    "cell": TOY,
    "darts operations": ONE_NODE,
    "darts inputs": ONE_OPERATION,
    "any skips": _macro(None),
    "one input": _macro(1),
    "two inputs": _macro(2, layers=4),
}


def _controller(space: SearchSpace, seed: int = 0, sharp: float = 8.0) -> Controller:
    """In float64, with parameters large enough that the policy is far from uniform."""
    built = Controller(space, torch.Generator().manual_seed(seed), units=8).double()
    with torch.no_grad():
        for parameter in built.parameters():
            parameter.mul_(sharp)
    return built


@pytest.fixture(params=SPACES)
def controller(request: pytest.FixtureRequest) -> Controller:
    """One for every kind of decision."""
    return _controller(SPACES[request.param])


def test_the_probabilities_of_all_architectures_sum_to_one(controller: Controller) -> None:
    """Exactly one probability for each architecture, and none is left over."""
    chances = controller.teach(list(controller.space)).log_probability.detach().exp()
    assert abs(float(chances.sum()) - 1) < 1e-12
    assert float(chances.max() / chances.min()) > 1.1  # a uniform policy would prove little


def test_an_architecture_told_has_the_log_probability_it_was_sampled_with(controller: Controller) -> None:
    """Teacher forcing walks the same way as sampling."""
    sampled = controller.sample(50, torch.Generator().manual_seed(1))
    told = controller.teach(sampled.architectures)
    assert told.architectures == sampled.architectures
    torch.testing.assert_close(told.log_probability, sampled.log_probability, rtol=0, atol=1e-12)
    torch.testing.assert_close(told.entropy, sampled.entropy, rtol=0, atol=1e-12)


@torch.no_grad()
def _joint_and_expected_entropy(controller: Controller) -> tuple[float, float]:
    everything = controller.teach(list(controller.space))
    chances = everything.log_probability.exp()
    return -float(chances @ everything.log_probability), float(chances @ everything.entropy)


def test_the_expected_sum_of_conditional_entropies_is_the_joint_entropy(controller: Controller) -> None:
    """The chain rule of entropy."""
    joint, expected = _joint_and_expected_entropy(controller)
    assert joint == pytest.approx(expected, abs=1e-12)


def test_the_authors_macro_entropy_is_rejected_by_the_chain_rule(monkeypatch: pytest.MonkeyPatch) -> None:
    """Mutant: -p log p of the drawn candidate alone, which for K equal candidates is H / K."""
    plain = module._one_of

    def drawn_only(logits: Tensor, pick: Tensor | None, generator: torch.Generator | None) -> module._Drawn:
        drawn = plain(logits, pick, generator)
        return drawn._replace(entropy=-drawn.log_probability * drawn.log_probability.exp())

    monkeypatch.setattr(module, "_one_of", drawn_only)
    joint, expected = _joint_and_expected_entropy(_controller(TOY))
    assert abs(joint - expected) > 0.1
    even = drawn_only(torch.zeros(1, 4), torch.tensor([2]), None)
    assert float(even.entropy) == pytest.approx(math.log(4) / 4)


def _chi_square_p(controller: Controller, draws: int = 4000) -> float:
    """How likely sampling as uneven as this is, were it by the controller's own probabilities."""
    space = controller.space
    with torch.no_grad():
        expected = draws * controller.teach(list(space)).log_probability.exp()
        sampled = controller.sample(draws, torch.Generator().manual_seed(5))
    seen = torch.zeros(space.size, dtype=torch.float64)
    for architecture in sampled.architectures:
        seen[space.index_of(architecture)] += 1
    often = expected >= 5
    rest = expected[~often].sum()
    terms = ((seen - expected) ** 2 / expected)[often].sum()
    if rest > 0:
        terms = terms + (seen[~often].sum() - rest) ** 2 / rest
    return float(chi2.sf(float(terms), int(often.sum())))


def test_architectures_are_drawn_as_often_as_the_policy_says(controller: Controller) -> None:
    """Chi-square over the whole space."""
    assert _chi_square_p(controller) > 1e-4


def test_a_greedy_controller_is_rejected_by_the_frequencies(monkeypatch: pytest.MonkeyPatch) -> None:
    """Mutant: the most probable candidate instead of a draw."""
    monkeypatch.setattr(module, "draw", lambda probabilities, generator: probabilities.argmax(-1))
    assert _chi_square_p(_controller(TOY)) < 1e-4


def test_no_logit_leaves_the_tanh_constant() -> None:
    """The largest probability of one among K is 1 / (1 + (K - 1) exp(-2 c)): nas.md 2.5 has K = 5."""

    def largest(constant: float, candidates: int) -> float:
        space = CellSpace(
            "one", Input(1, 8), nodes=2, edges=((0, 1),), operations=tuple("abcdefgh"[:candidates])
        )
        built = Controller(space, torch.Generator().manual_seed(0), 8, 5.0, constant).double()
        bias = built.softmaxes.get_parameter("0.bias")
        with torch.no_grad():
            bias.copy_(torch.tensor([1e6] + [-1e6] * (candidates - 1)))
        return float(built.marginals()["edge_0_1"].max())

    assert largest(2.5, 5) == pytest.approx(0.9738, abs=5e-5)
    assert largest(1.5, 5) == pytest.approx(0.8339, abs=5e-5)
    assert largest(1.1 / 2.5, 5) == pytest.approx(0.376, abs=5e-4)
    assert largest(2.5, 2) == pytest.approx(1 / (1 + math.exp(-5)), abs=1e-9)


def test_a_higher_temperature_makes_the_policy_more_even() -> None:
    """Logits are divided by it."""
    entropies = []
    for temperature in (1.0, 5.0, 50.0):
        built = _controller(TOY)
        built.temperature = temperature
        entropies.append(_joint_and_expected_entropy(built)[0])
    assert entropies == sorted(entropies)
    assert entropies[-1] == pytest.approx(3 * math.log(3), abs=0.05)


def test_eight_units_over_three_times_three_candidates_are_635_parameters() -> None:
    """Embedding and softmax are shared by turns with the same candidates; every one starts in U(-0.1, 0.1)."""
    built = Controller(TOY, torch.Generator().manual_seed(0), units=8)
    values = torch.cat([parameter.detach().flatten() for parameter in built.parameters()])
    assert len(values) == 635
    assert -0.1 <= float(values.min()) < -0.095 and 0.095 < float(values.max()) <= 0.1


def _marginals_by_counting(controller: Controller) -> dict[str, Tensor]:
    """Each architecture's path, weighted with its probability."""
    space = controller.space
    found = {each.label: torch.zeros(len(each.candidates), dtype=torch.float64) for each in decisions(space)}
    chances = controller.teach(list(space)).log_probability.exp().tolist()
    for architecture, chance in zip(space, chances, strict=True):
        for label, choice in path_of(space, architecture).items():
            if choice is None:
                found[label][0] += chance  # none stands first
            for at in (choice,) if isinstance(choice, int) else choice or ():
                found[label][at] += chance
    return {label: row / row.sum() for label, row in found.items()}


def test_marginals_of_a_small_space_are_exact(controller: Controller) -> None:
    """Equal to the sum over all architectures; every row sums to 1."""
    marginals = controller.marginals()
    counted = _marginals_by_counting(controller)
    assert list(marginals) == list(counted)
    for label, row in counted.items():
        torch.testing.assert_close(marginals[label], row, rtol=0, atol=1e-12)
        assert float(marginals[label].sum()) == pytest.approx(1, abs=1e-12)


@pytest.mark.parametrize(
    "space", [_macro(None), ONE_NODE, ONE_OPERATION], ids=["macro", "operations", "inputs"]
)
def test_marginals_of_a_large_space_are_near_and_steady(
    space: SearchSpace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The average over a fixed number of samples: the same at every call, close to the truth, without a trace."""
    built = _controller(space, sharp=4.0)
    monkeypatch.setattr(module, "EXACT", 0)
    first, second = built.marginals(), built.marginals()
    for label, row in _marginals_by_counting(built).items():
        assert torch.equal(first[label], second[label])
        assert float(first[label].sum()) == pytest.approx(1, abs=1e-12)
        assert float((first[label] - row).abs().max()) < 0.08


def test_an_edge_without_none_has_the_row_that_holds_when_it_is_taken() -> None:
    """There is nowhere to put the rest."""
    for label, row in _controller(NO_NONE).marginals().items():
        assert row.shape == (2,), label
        assert float(row.sum()) == pytest.approx(1, abs=1e-12)


def test_a_macro_controller_decides_in_the_order_of_the_network_with_an_anchor_for_each_layer() -> None:
    """ENAS: the operation of a layer, then its skips; the space's own order has the skips last."""
    order = [(turn.mutable.label, turn.anchors) for turn in turns(_macro(None))]
    assert order == [
        ("layer_1", ()),
        ("layer_2", ()),
        ("skip_2", (1,)),
        ("layer_3", ()),
        ("skip_3", (1, 3)),
    ]


def test_a_darts_controller_decides_inputs_then_operations_of_each_node_of_either_cell() -> None:
    """A node's anchor is the state after its last operation; the two inputs stand at the cell's beginning."""
    order = [(turn.mutable.label, turn.anchors) for turn in turns(CELL)]
    assert order[0] == ("normal/inputs_2", (0, 0))
    assert order[3] == ("normal/inputs_3", (0, 0, 3))
    assert order[6:9] == [("reduce/inputs_2", (6, 6)), ("reduce/op_2_0", ()), ("reduce/op_2_1", ())]


def _rollout(on: float) -> Rollout:
    chances = torch.tensor([[on]], dtype=torch.float64)
    return Rollout(
        (Architecture({}),), torch.zeros(1), torch.zeros(1), {"skip": chances}, {"skip": chances.logit()}
    )


def _least(divergence: object, target: float) -> float:
    """The probability that skips are drawn with where the penalty is least, over queries q."""
    queries = torch.linspace(-2, 2, 40_001, dtype=torch.float64)
    values = [divergence(queries, target)]  # type: ignore[operator]
    return float((2 * queries[values[0].argmin()]).sigmoid())


def test_the_skip_penalty_is_least_where_skips_are_drawn_with_the_target() -> None:
    """Ours looks at sigmoid(2 q); the authors' variant, at sigmoid(q), settles at 0.3077 for a target of 0.4."""
    assert float(skip_divergence(_rollout(0.4), 0.4)) == pytest.approx(0, abs=1e-15)
    assert float(skip_divergence(_rollout(0.3077), 0.4)) > 0.01
    assert _least(lambda q, t: bernoulli_divergence(2 * q, t), 0.4) == pytest.approx(0.4, abs=1e-4)
    authors = _least(lambda q, t: bernoulli_divergence(q, t), 0.4)
    assert authors == pytest.approx(0.3077, abs=1e-4)


def _by_probability(logits: Tensor, target: float) -> Tensor:
    """The definition, from the probability itself."""
    on = logits.sigmoid()
    return on * (on / target).log() + (1 - on) * ((1 - on) / (1 - target)).log()


@pytest.mark.parametrize("target", [0.01, 0.4, 0.99])
def test_the_divergence_stays_finite_where_skips_are_certain(target: float) -> None:
    """At logits of +- 40 a probability rounds to 1 in single precision. Mutant: the logarithm of 1 - on."""
    mild = torch.linspace(-5, 5, 21, dtype=torch.float64)
    torch.testing.assert_close(bernoulli_divergence(mild, target), _by_probability(mild, target))
    certain = torch.tensor([-200.0, -40.0, 40.0, 200.0], requires_grad=True)
    found = bernoulli_divergence(certain, target)
    limits = [-math.log(1 - target)] * 2 + [-math.log(target)] * 2
    assert found.tolist() == pytest.approx(limits, rel=1e-5)
    found.sum().backward()
    assert certain.grad is not None and bool(certain.grad.isfinite().all())
    assert not bool(_by_probability(certain, target).isfinite().all())


def test_a_saturated_controller_has_a_finite_penalty_and_gradient() -> None:
    """The largest tanh constant and a small temperature."""
    built = Controller(_macro(None), torch.Generator().manual_seed(0), 8, 1e-3, 20.0)
    rollout = built.sample(8, torch.Generator().manual_seed(1))
    assert any(float(rollout.conditionals[label].detach().max()) == 1 for label in rollout.switched)
    loss = skip_divergence(rollout, 0.4).mean() + rollout.log_probability.mean()
    for gradient in torch.autograd.grad(loss, list(built.parameters()), materialize_grads=True):
        assert bool(gradient.isfinite().all())
    assert bool(loss.isfinite())


def test_the_penalty_alone_leads_the_sampled_skip_rate_to_the_target() -> None:
    """Through the LSTM and the attention, with the probabilities that skips are really drawn with."""
    built = Controller(_macro(None), torch.Generator().manual_seed(0), units=8)
    generator = torch.Generator().manual_seed(1)
    parameters = list(built.parameters())
    for _ in range(40):
        rollout = built.sample(4, generator)
        gradients = torch.autograd.grad(
            skip_divergence(rollout, 0.2).mean(), parameters, allow_unused=True, materialize_grads=True
        )
        with torch.no_grad():
            for parameter, gradient in zip(parameters, gradients, strict=True):
                parameter.sub_(4 * gradient)
    with torch.no_grad():
        drawn = built.sample(4000, generator)
    rate = sum(len(each["skip_2"]) + len(each["skip_3"]) for each in drawn.architectures) / (3 * 4000)
    assert rate == pytest.approx(0.2, abs=0.03)  # the authors' variant would lead to 0.059


def test_a_set_of_inputs_has_one_probability_whatever_its_order() -> None:
    """Even logits give every set the same chance, which drawing one input after the other and sorting would too
    only if every order were summed up."""
    sets = module._sets(InputChoice("inputs", ("a", "b", "c", "d"), "e", 2))
    drawn = module._set_of(torch.zeros(1, 4), sets, torch.tensor([3]), None)
    assert float(drawn.log_probability.exp()) == pytest.approx(1 / 6)
    torch.testing.assert_close(drawn.row, torch.full((1, 4), 0.5))


def test_too_many_sets_of_inputs_are_refused_in_one_sentence() -> None:
    """A table over all sets would not fit."""
    many = InputChoice("inputs", tuple(str(at) for at in range(30)), "x", 15)
    with pytest.raises(SpaceError, match="155,117,520 sets of inputs, and ENAS weighs at most 20,000"):
        module._sets(many)
