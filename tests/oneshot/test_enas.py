"""ENAS against enumeration: its estimator is the exact gradient, its baseline follows the authors' order."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

import pytest
import torch
from torch import Tensor

from explorer.catalogue import METHODS
from explorer.errors import TrialFailed
from explorer.nets import controller as controller_module
from explorer.nets.controller import Controller
from explorer.nets.policy import advantages, policy_loss, rewards
from explorer.nets.supernet.network import build_supernet
from explorer.oneshot.contract import ARCHITECTURE, BOTH, WEIGHTS, Batch, Context
from explorer.oneshot.methods import enas as enas_module
from explorer.oneshot.methods.enas import Enas, skip_rate
from explorer.space import Architecture, CellSpace, Input, SearchSpace, decisions, path_of, preset
from explorer.space.shapes import Shape

TOY = CellSpace(
    "toy",
    Input(1, 8),
    nodes=3,
    edges=((0, 1), (0, 2), (1, 2)),
    operations=("none", "skip_connect", "avg_pool_3x3"),
    channels=2,
)


@cache
def _controller() -> Controller:
    built = Controller(TOY, torch.Generator().manual_seed(0), units=8).double()
    with torch.no_grad():
        for parameter in built.parameters():
            parameter.mul_(8)
    return built


@cache
def _table() -> Tensor:
    """(27,) a reward for every architecture."""
    return torch.rand(TOY.size, dtype=torch.float64, generator=torch.Generator().manual_seed(3))


def _flat(loss: Tensor) -> Tensor:
    """The gradient by all of the controller's parameters, in one piece."""
    parameters = list(_controller().parameters())
    return torch.cat([each.flatten() for each in torch.autograd.grad(loss, parameters)])


@cache
def _chances() -> Tensor:
    return _controller().teach(list(TOY)).log_probability.detach().exp()


@cache
def _exact() -> Tensor:
    """The gradient of sum_a p(a) R(a), by autograd."""
    return _flat((_controller().teach(list(TOY)).log_probability.exp() * _table()).sum())


def _estimate(architecture: Architecture, advantage: float) -> Tensor:
    """What one sample's update climbs."""
    rollout = _controller().teach([architecture])
    return -_flat(policy_loss(rollout, torch.tensor([advantage], dtype=torch.float64), 0.4, 0.8))


def _expected(advantage_of: Sequence[float]) -> Tensor:
    """The estimator's expectation over the policy, by enumeration."""
    terms = [
        chance * _estimate(architecture, advantage)
        for architecture, chance, advantage in zip(TOY, _chances().tolist(), advantage_of, strict=True)
    ]
    return torch.stack(terms).sum(0)


@pytest.mark.parametrize("baseline", [0.0, 0.5, None])
def test_the_estimator_is_the_exact_gradient_whatever_the_baseline(baseline: float | None) -> None:
    """REINFORCE is unbiased; None stands for the expected reward."""
    held = float(_chances() @ _table()) if baseline is None else baseline
    estimated = _expected((_table() - held).tolist())
    torch.testing.assert_close(estimated, _exact(), rtol=0, atol=1e-12)
    assert float(_exact().norm()) > 0.01


def _order_ratio(order: str, decay: float, baseline: float = 0.3) -> Tensor:
    """The estimator's expectation over the exact gradient, parameter by parameter where that is not tiny."""
    given = [advantages([reward], baseline, decay, order)[0][0] for reward in _table().tolist()]
    large = _exact().abs() > 1e-4
    assert int(large.sum()) > 100
    return (_expected(given) / _exact())[large]


@pytest.mark.parametrize("decay", [0.999, 0.95])
def test_the_authors_order_scales_the_expected_gradient_by_the_decay(decay: float) -> None:
    """The baseline takes the reward in first. Mutant: it does so after the loss, which gives the ratio 1."""
    before = _order_ratio("before", decay)
    torch.testing.assert_close(before, torch.full_like(before, decay), rtol=0, atol=1e-9)
    after = _order_ratio("after", decay)
    torch.testing.assert_close(after, torch.ones_like(after), rtol=0, atol=1e-9)
    assert float((after - decay).abs().min()) > 1e-4  # what the check above would say to the mutant


def test_the_baseline_starts_at_zero_and_crawls() -> None:
    """nas.md 2.5: decay 0.999 and a constant reward of 0.5."""
    following = []
    baseline = 0.0
    for count in (20, 80, 900, 2000):
        _, baseline = advantages([0.5] * count, baseline, 0.999, "before")
        following.append(round(baseline, 4))
    assert following == [0.0099, 0.0476, 0.3162, 0.4751]


def test_each_sample_of_an_update_moves_the_baseline_for_the_next() -> None:
    """By hand, decay 0.9."""
    before, end = advantages([1.0, 0.0], 0.5, 0.9, "before")
    assert before == pytest.approx([1 - 0.55, 0 - 0.495]) and end == pytest.approx(0.495)
    after, same = advantages([1.0, 0.0], 0.5, 0.9, "after")
    assert after == pytest.approx([0.5, -0.55]) and same == end


@cache
def _estimates() -> Tensor:
    """(27, parameters): the estimate from each architecture, without baseline."""
    pairs = zip(TOY, _table().tolist(), strict=True)
    return torch.stack([_estimate(architecture, reward) for architecture, reward in pairs])


def _largest_z(draws: int) -> float:
    """How far the mean of sampled estimates is from the exact gradient, in standard errors of each parameter."""
    with torch.no_grad():
        sampled = _controller().sample(draws, torch.Generator().manual_seed(7))
    counts = torch.zeros(TOY.size, dtype=torch.float64)
    for architecture in sampled.architectures:
        counts[TOY.index_of(architecture)] += 1
    share = counts / draws
    mean = share @ _estimates()  # (parameters,)
    spread = (_chances() @ (_estimates() - _exact()) ** 2).sqrt() / draws**0.5
    used = spread > 1e-12
    return float(((mean - _exact()).abs() / spread)[used].max())


def test_sampled_estimates_average_to_the_exact_gradient() -> None:
    """Monte Carlo over all 635 parameters, within five standard errors."""
    assert _largest_z(20_000) < 5


def test_a_greedy_policy_is_rejected_by_monte_carlo(monkeypatch: pytest.MonkeyPatch) -> None:
    """Mutant: the most probable candidate instead of a draw."""
    monkeypatch.setattr(controller_module, "draw", lambda probabilities, generator: probabilities.argmax(-1))
    assert _largest_z(20_000) > 5


def test_entropy_is_a_reward_and_leaks_no_gradient() -> None:
    """The estimator stays the exact gradient for the rewards as numbers; the mutant without detach does not."""
    weight = 0.1
    entropy = _controller().teach(list(TOY)).entropy.detach()
    exact = _flat(
        (_controller().teach(list(TOY)).log_probability.exp() * (_table() + weight * entropy)).sum()
    )

    def expected(leaking: bool) -> Tensor:
        terms = []
        for architecture, chance, reward in zip(TOY, _chances().tolist(), _table().tolist(), strict=True):
            rollout = _controller().teach([architecture])
            accuracy = torch.tensor([reward], dtype=torch.float64)
            got = accuracy + weight * rollout.entropy if leaking else rewards(accuracy, rollout, weight)
            terms.append(-chance * _flat(policy_loss(rollout, got, 0.4, 0.8)))
        return torch.stack(terms).sum(0)

    torch.testing.assert_close(expected(leaking=False), exact, rtol=0, atol=1e-12)
    assert float((expected(leaking=True) - exact).norm() / exact.norm()) > 0.1


# -- on a supernet ----------------------------------------------------------------------------------------------------


def _batch(seed: int, shape: Shape = (1, 8, 8)) -> Batch:
    generator = torch.Generator().manual_seed(seed)
    return Batch(torch.randn(16, *shape, generator=generator), torch.arange(16) % 10)


def _method(space: SearchSpace = TOY, seed: int = 0, **settings: Any) -> Enas:
    torch.manual_seed(seed)
    net = build_supernet(space)
    complete = METHODS["enas"].settings(settings)
    return Enas(Context(net, complete, torch.Generator().manual_seed(seed), epochs=4, batches=3))


def _copied(state: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name: value.detach().clone() for name, value in state.items()}


def _same(one: dict[str, Tensor], other: dict[str, Tensor]) -> bool:
    return all(torch.equal(value, other[name]) for name, value in one.items())


def test_an_epoch_trains_the_weights_and_then_the_controller() -> None:
    """So many batches, so many controller steps; neither phase moves what is the other's."""
    method = _method(controller_steps=2)
    assert method.phases() == (WEIGHTS,) * 3 + (ARCHITECTURE,) * 2
    net, policy = _copied(method.net.state_dict()), _copied(method.controller.state_dict())
    seen = method.step(WEIGHTS, _batch(0), _batch(1))
    assert not _same(net, method.net.state_dict()) and _same(policy, method.controller.state_dict())
    assert seen.train_loss is not None and seen.validation_loss is None
    net = _copied(method.net.state_dict())
    seen = method.step(ARCHITECTURE, _batch(0), _batch(1))
    assert _same(net, method.net.state_dict()) and not _same(policy, method.controller.state_dict())
    assert seen.train_loss is None and seen.validation_loss is not None
    seen = method.step(BOTH, _batch(0), _batch(1))
    assert seen.train_loss is not None and seen.validation_loss is not None


@pytest.mark.parametrize("order", ["before", "after"])
def test_a_snapshot_tells_of_every_sample_its_reward_advantage_and_log_probability(order: str) -> None:
    """In the order in which the baseline met them."""
    method = _method(samples=3, baseline_order=order, entropy_weight=0.01)
    told = method.step(ARCHITECTURE, _batch(0), _batch(1)).extra
    assert set(told) == {"sampled", "baseline", "reward", "policy_entropy"}
    given = [each["reward"] for each in told["sampled"]]
    expected, baseline = advantages(given, 0.0, 0.95, order)
    assert [each["advantage"] for each in told["sampled"]] == pytest.approx(expected, abs=1e-4)
    assert told["baseline"] == pytest.approx(baseline, abs=1e-4)
    assert told["reward"] == pytest.approx(sum(given) / 3, abs=1e-4)
    assert 0 < told["policy_entropy"] < 3.2959
    for each in told["sampled"]:
        architecture = TOY.from_code(each["architecture"])
        assert each["skip_rate"] in (0.0, 0.33333, 0.66667, 1.0)
        assert architecture in list(TOY) and each["log_probability"] < 0


def test_going_on_from_a_state_ends_where_an_undisturbed_search_ends() -> None:
    """Bit for bit; and asking for samples and probabilities in between changes nothing."""
    phases = (WEIGHTS, ARCHITECTURE, WEIGHTS, ARCHITECTURE)
    whole = _method()
    for at, phase in enumerate(phases):
        whole.step(phase, _batch(at), _batch(10 + at))
    begun = _method()
    for at in range(2):
        begun.step(phases[at], _batch(at), _batch(10 + at))
    state, weights = begun.state(), _copied(begun.net.state_dict())
    later = _method(seed=5)
    later.net.load_state_dict(weights)
    later.load(state)
    for at in (2, 3):
        later.sample(3)
        later.probabilities()
        later.step(phases[at], _batch(at), _batch(10 + at))
    assert later.baseline == whole.baseline
    assert _same(_copied(whole.controller.state_dict()), later.controller.state_dict())
    assert _same(_copied(whole.net.state_dict()), later.net.state_dict())


def test_a_policy_that_is_no_number_fails_in_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    """At the step that it happens in, before torch refuses to draw from it."""
    method = _method()
    method.begin_epoch(2)
    monkeypatch.setattr(
        enas_module, "policy_loss", lambda rollout, *_: (rollout.log_probability * torch.nan).mean()
    )
    with pytest.raises(
        TrialFailed, match=r"^The controller's loss was no finite number any more in epoch 3; .*\.$"
    ):
        method.step(ARCHITECTURE, _batch(0), _batch(1))
    monkeypatch.undo()
    _method().step(ARCHITECTURE, _batch(0), _batch(1))


def test_adam_has_no_momentum_and_a_large_epsilon() -> None:
    """melodyguan/enas, `utils.py:218`."""
    optimizer = _method().optimizer
    assert optimizer.betas == (0.0, 0.999) and optimizer.epsilon == 1e-3


def test_the_policy_finds_what_is_rewarded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Accuracy replaced by a rule: as many skips as possible; the rarest architecture becomes the most probable."""

    def rule(self: Enas, architectures: Sequence[Architecture], batch: Batch) -> tuple[Tensor, Tensor]:
        right = [sum(each == "skip_connect" for each in one.values()) / 3 for one in architectures]
        return torch.tensor(right), torch.zeros(())

    monkeypatch.setattr(Enas, "_validated", rule)
    method = _method(controller_learning_rate=0.02, controller_units=16)
    for _ in range(120):
        method.step(ARCHITECTURE, _batch(0), _batch(0))
    for label, row in method.probabilities().items():
        assert float(row[1]) > 0.8, label


@pytest.mark.slow
@pytest.mark.parametrize("name", ["enas-macro", "darts-cell", "notes-net"])
def test_enas_serves_every_family(name: str) -> None:
    """An epoch on each; rows of probabilities sum to 1, samples are architectures of the space."""
    space = preset(name).bound_to(1, 8, 10)
    method = _method(space)
    for phase in method.phases()[2:5]:
        method.step(phase, _batch(0, space.input.shape), _batch(1, space.input.shape))
    rows = method.probabilities()
    assert list(rows) == [each.label for each in decisions(space)]
    for row in rows.values():
        assert float(row.sum()) == pytest.approx(1, abs=1e-5)
    for architecture in method.sample(3):
        assert space.architecture(architecture) == architecture


def test_the_skip_rate_is_that_of_switches_or_of_operations_that_only_pass_on() -> None:
    """ENAS counts switches; where there are none, identities among the running operations."""
    chosen = Architecture({"edge_0_1": "skip_connect", "edge_0_2": "none", "edge_1_2": "avg_pool_3x3"})
    assert skip_rate(decisions(TOY), path_of(TOY, chosen)) == pytest.approx(1 / 3)
    macro = preset("enas-macro").bound_to(1, 8, 10)
    everything = macro.architecture_at(macro.size - 1)
    assert skip_rate(decisions(macro), path_of(macro, everything)) == 1.0
    assert skip_rate(decisions(macro), path_of(macro, macro.default)) == 0.0


def test_an_architecture_sampled_twice_runs_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A settled policy samples the same again and again."""
    method = _method()
    runs = []
    forward = method.net.forward

    def counted(*given: Any) -> Tensor:
        runs.append(given)
        return forward(*given)

    monkeypatch.setattr(method.net, "forward", counted)
    one, other = TOY.architecture_at(4), TOY.architecture_at(5)
    accuracies, _ = method._validated([one, other, one], _batch(0))
    assert len(runs) == 2 and accuracies.shape == (3,) and accuracies[0] == accuracies[2]
