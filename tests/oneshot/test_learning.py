"""What the gradient-based methods share, and what each of them promises: phases, warm-up, state, samples."""

from __future__ import annotations

import io
from collections import Counter
from typing import Any

import pytest
import torch
from scipy.stats import chisquare
from torch import Tensor

from explorer.catalogue import METHODS
from explorer.nets.optimizers import Adam, Sgd
from explorer.nets.supernet.network import build_supernet
from explorer.oneshot.contract import ARCHITECTURE, BOTH, WEIGHTS, Batch, Method
from explorer.oneshot.drawing import draw_architectures
from explorer.oneshot.learning import Logits, Weights, accuracy, cosine, largest, linear, path_mixture
from explorer.space import Decision, decisions, path_of, preset
from tests.oneshot.toys import ToySupernet, batch, context, method

VARIANTS: dict[str, tuple[str, dict[str, Any]]] = {
    "darts": ("darts", {}),
    "darts second": ("darts", {"order": "second"}),
    "gumbel": ("gumbel", {}),
    "gdas": ("gdas", {}),
    "gdas correct": ("gdas", {"gradient": "correct"}),
    "pc-darts": ("pc-darts", {}),
    "drnas": ("drnas", {}),
    "drnas kl": ("drnas", {"regularizer": "kl"}),
    "proxyless": ("proxyless", {}),
    "proxyless two": ("proxyless", {"mode": "two"}),
    "snas": ("snas", {}),
}
every_variant = pytest.mark.parametrize("variant", VARIANTS)


def made_of(variant: str, **given: Any) -> Any:
    name, settings = VARIANTS[variant]
    return method(name, settings | given)


def everything(made: Any) -> list[Tensor]:
    return [made.logits.flat.detach().clone(), *(one.detach().clone() for one in made.net.parameters())]


def walk(made: Method, first: int, count: int) -> None:
    """Steps of two an epoch."""
    for step in range(first, first + count):
        if step % 2 == 0:
            made.begin_epoch(step // 2)
        made.step(BOTH, batch(2 * step), batch(2 * step + 1))


@every_variant
def test_rows_sum_to_one_and_the_mixture_is_without_noise(variant: str) -> None:
    made = made_of(variant)
    walk(made, 0, 3)
    assert list(made.probabilities()) == [each.label for each in made.net.decisions]
    for row in made.probabilities().values():
        assert float(row.sum()) == pytest.approx(1.0, abs=1e-6)
        assert not row.requires_grad
    first, second = made.mixture(), made.mixture()
    assert all(torch.equal(first[label], second[label]) for label in first)
    assert list(made.alphas()) == list(made.scores()) == list(made.probabilities())


@every_variant
def test_going_on_from_a_state_is_going_on_bit_for_bit(variant: str) -> None:
    """Through a file, as checkpoints are, from the middle of an epoch, in a method that went elsewhere meanwhile."""
    made = made_of(variant)
    walk(made, 0, 3)
    file = io.BytesIO()
    torch.save({"method": made.state(), "net": made.net.state_dict()}, file)
    walk(made, 3, 3)

    other = made_of(variant)
    walk(other, 20, 2)
    kept = torch.load(io.BytesIO(file.getvalue()), weights_only=True)
    other.net.load_state_dict(kept["net"])
    other.load(kept["method"])
    walk(other, 3, 3)

    assert all(map(torch.equal, everything(made), everything(other)))
    assert made.sample(3) == other.sample(3)


@every_variant
def test_a_state_kept_in_memory_can_be_gone_back_to_twice(variant: str) -> None:
    made = made_of(variant)
    walk(made, 0, 2)
    state, net = made.state(), {name: one.clone() for name, one in made.net.state_dict().items()}
    walk(made, 2, 2)
    wanted = everything(made)
    for _ in range(2):
        made.load(state)
        made.net.load_state_dict(net)
        walk(made, 2, 2)
        assert all(map(torch.equal, wanted, everything(made)))


@every_variant
def test_a_phase_moves_its_own_side_alone(variant: str) -> None:
    for phase, moves_alphas in ((WEIGHTS, False), (ARCHITECTURE, True)):
        made = made_of(variant)
        alphas, *weights = everything(made)
        for number in range(3):
            made.step(phase, batch(number), batch(number + 1))
        alphas_now, *weights_now = everything(made)
        assert torch.equal(alphas, alphas_now) != moves_alphas
        assert all(map(torch.equal, weights, weights_now)) == moves_alphas


@every_variant
def test_the_warm_up_is_for_the_weights(variant: str) -> None:
    made = made_of(variant, warmup_epochs=2)
    start, *_ = everything(made)
    for epoch, moves in enumerate((False, False, True)):
        made.begin_epoch(epoch)
        report = made.step(BOTH, batch(0), batch(1))
        assert (report.alpha_gradient is not None) == moves
        assert torch.equal(made.logits.flat, start) != moves
        assert report.train_loss is not None


@every_variant
def test_asking_for_samples_leaves_the_training_alone(variant: str) -> None:
    asked, quiet = made_of(variant), made_of(variant)
    assert len(asked.sample(5)) == 5
    walk(asked, 0, 2)
    walk(quiet, 0, 2)
    assert all(map(torch.equal, everything(asked), everything(quiet)))


@every_variant
def test_no_gradients_are_left_behind_and_reports_hang_on_no_graph(variant: str) -> None:
    made = made_of(variant)
    report = made.step(BOTH, batch(0), batch(1))
    assert all(one.grad is None for one in [made.logits.flat, *made.net.parameters()])
    numbers = [getattr(report, name) for name in ("train_loss", "train_accuracy", "alpha_gradient")]
    assert not any(number.requires_grad for number in numbers)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["cell", "darts-cell", "notes-net", "enas-macro"])
@every_variant
def test_every_method_takes_steps_on_every_space_that_it_serves(variant: str, name: str) -> None:
    """With the supernet that the catalogue names."""
    which, settings = VARIANTS[variant]
    space = preset(name)
    facts = METHODS.find(which).facts
    if space.family not in facts["families"]:
        return
    net = build_supernet(space.for_classes(3), facts["supernet"], 2)
    made: Any = method(which, settings, net)
    images = torch.rand(4, 3, *(2 * [net.space.input.side]))[:, : net.space.input.channels]
    one = Batch(images, torch.tensor([0, 1, 2, 0]))
    start, *weights = everything(made)
    for _ in range(2):
        report = made.step(BOTH, one, one)
        assert torch.isfinite(report.train_loss)
        assert torch.isfinite(report.weight_gradient)
        assert report.alpha_gradient > 0
    now, *weights_now = everything(made)
    assert not torch.equal(start, now)
    assert not all(map(torch.equal, weights, weights_now))
    assert net.space.architecture(made.sample(1)[0])
    made.net.eval()
    with torch.no_grad():
        assert made.net(images, made.mixture()).isfinite().all()


class TestSchedules:
    def test_the_cosine(self) -> None:
        found = [cosine(0.1, 0.02, step, 4) for step in range(6)]
        assert found == pytest.approx([0.1, 0.0882843, 0.06, 0.0317157, 0.02, 0.02])

    def test_the_line(self) -> None:
        assert [linear(3.0, 1.0, at, 3) for at in range(4)] == [3.0, 2.0, 1.0, 1.0]
        assert linear(3.0, 1.0, 0, 1) == 3.0


def test_accuracy_is_the_share_of_right_answers() -> None:
    assert float(accuracy(torch.eye(4), torch.tensor([0, 1, 2, 0]))) == 0.75


class TestWeights:
    def test_they_follow_torchs_sgd_with_clip_and_cosine(self) -> None:
        """A linear layer's gradient comes transposed, which the fused step would misread."""
        ours, theirs = torch.nn.Linear(4, 3), torch.nn.Linear(4, 3)
        theirs.load_state_dict(ours.state_dict())
        given = {"momentum": 0.9, "weight_decay": 0.01, "gradient_clip": 0.3, "weight_learning_rate": 0.5}
        ours.decisions = ()  # type: ignore[assignment]
        made = Weights(context("darts", given, ours, epochs=3, batches=2))
        oracle = torch.optim.SGD(theirs.parameters(), lr=0.5, momentum=0.9, weight_decay=0.01)
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(oracle, 6, eta_min=0.001)
        for number in range(6):
            x = batch(number).images.flatten(1)
            assert made.rate == pytest.approx(oracle.param_groups[0]["lr"])
            length = made.descend(ours(x).square().mean())
            theirs(x).square().mean().backward()
            wanted = torch.nn.utils.clip_grad_norm_(theirs.parameters(), 0.3)
            assert float(length) == pytest.approx(float(wanted))
            oracle.step()
            oracle.zero_grad()
            schedule.step()
            for one, two in zip(ours.parameters(), theirs.parameters(), strict=True):
                torch.testing.assert_close(one, two)

    def test_a_branch_with_other_batches_goes_on_at_its_place_of_the_cosine(self) -> None:
        """Epoch 10 of 20 at batch size 16, then 8, 32 or 64: the rate of half-way, and the end's at the end."""
        images = 150

        def of(size: int, epochs: int = 20) -> Weights:
            net = torch.nn.Linear(1, 1)
            net.decisions = ()  # type: ignore[assignment]
            return Weights(context("darts", {}, net, epochs=epochs, batches=images // size))

        parent = of(16)
        parent.steps = 10 * (images // 16)
        state = parent.state()
        half, end = (parent.start + parent.end) / 2, parent.end
        for size in (8, 16, 32, 64):
            child = of(size)
            child.load(state)
            assert child.rate == pytest.approx(half)
            assert isinstance(child.steps, int)  # others count by it
            child.steps += 10 * child.batches - 1
            assert child.rate > end
            child.steps += 1
            assert child.rate == pytest.approx(end)
            mutant = of(size)
            mutant.steps = state["steps"]  # of the parent, as they are
            assert (mutant.rate == pytest.approx(half)) == (size == 16)
        longer = of(16, epochs=40)
        longer.load(state)
        assert longer.rate == cosine(parent.start, end, 1, 4)  # as if it had had 40 from its beginning

    @pytest.mark.parametrize("steps", [0, 1, 37, 1234567])
    def test_with_the_same_batches_the_very_number_comes_back(self, steps: int) -> None:
        net = torch.nn.Linear(1, 1)
        net.decisions = ()  # type: ignore[assignment]
        one, other = (Weights(context("darts", {}, net, epochs=20, batches=7)) for _ in range(2))
        one.steps = steps
        other.load(one.state())
        assert other.steps == steps

    def test_what_did_not_run_stays_and_keeps_its_momentum(self) -> None:
        one, two = (torch.nn.Parameter(torch.ones(2)) for _ in range(2))
        made = Sgd([one, two], 0.9, 0.1, nesterov=False)
        made.apply([torch.ones(2), None], 0.1)
        made.apply([None, torch.ones(2)], 0.1)
        assert one.tolist() == two.tolist() == pytest.approx([0.89, 0.89])
        assert made.momenta[one].tolist() == pytest.approx([1.1, 1.1])  # type: ignore[union-attr]

    def test_adams_betas_are_torchs(self) -> None:
        ours, theirs = torch.nn.Linear(4, 3), torch.nn.Linear(4, 3)
        theirs.load_state_dict(ours.state_dict())
        made = Adam(ours.parameters(), 0.01, betas=(0.0, 0.99), epsilon=1e-3)
        oracle = torch.optim.Adam(theirs.parameters(), 0.1, (0.0, 0.99), 1e-3, 0.01)
        for number in range(4):
            x = batch(number).images.flatten(1)
            made.apply(torch.autograd.grad(ours(x).square().mean(), list(ours.parameters())), 0.1)
            oracle.zero_grad()
            theirs(x).square().mean().backward()
            oracle.step()
            for one, two in zip(ours.parameters(), theirs.parameters(), strict=True):
                torch.testing.assert_close(one, two)


class TestLogits:
    def test_rows_of_several_widths_come_in_order_and_are_worked_on_row_by_row(self) -> None:
        sizes = {"a": 2, "b": 3, "c": 2, "d": 1}
        made = Logits(context("darts"), sizes)
        made.flat.data.copy_(torch.arange(8.0))
        found = made.probabilities()
        parts = torch.arange(8.0).split(list(sizes.values()))
        assert list(found) == list(sizes)
        for row, part in zip(found.values(), parts, strict=True):
            torch.testing.assert_close(row, part.softmax(-1))
        assert torch.equal(made.flatten(made.values()), made.flat)

    def test_they_begin_near_zero_by_the_given_generator(self) -> None:
        one, two = Logits(context("darts"), {"a": 1000}), Logits(context("darts"), {"a": 1000})
        assert torch.equal(one.flat, two.flat)
        assert float(one.flat.detach().std()) == pytest.approx(1e-3, rel=0.1)


def test_the_largest_are_as_many_as_a_decision_chooses() -> None:
    made = (Decision("one", ("a", "b")), Decision("two", ("0", "1", "2"), "inputs", chosen=2))
    path = largest(made, {"one": torch.tensor([0.1, 0.9]), "two": torch.tensor([0.5, 0.1, 0.4])})
    assert path == {"one": (1,), "two": (0, 2)}
    assert path_mixture(made, path) == {"one": 1, "two": (0, 2)}


class TestDrawnArchitectures:
    def test_choices_of_a_cell_follow_their_rows(self) -> None:
        net = ToySupernet()
        rows = {each.label: torch.tensor([0.1, 0.2, 0.3, 0.4]) for each in net.decisions}
        drawn = draw_architectures(net.space, net.decisions, rows, 1000, torch.Generator().manual_seed(0))
        counts = Counter(architecture["edge_1_2"] for architecture in drawn)
        observed = [counts[name] for name in net.space.operations]
        assert chisquare(observed, [100, 200, 300, 400]).pvalue > 1e-4

    def test_a_darts_node_keeps_two_inputs_by_their_best_operation_and_never_none(self) -> None:
        space = preset("darts-cell")
        rows = {each.label: torch.full((8,), 0.1) for each in decisions(space)}
        rows["normal/edge_0_3"] = torch.tensor([0.9, *7 * [0.1 / 7]])  # none first
        rows["normal/edge_1_3"] = torch.tensor([0.0, 0.8, *6 * [0.0]])
        drawn = draw_architectures(space, decisions(space), rows, 300, torch.Generator().manual_seed(0))
        kept = Counter(source for one in drawn for source in one["normal/inputs_3"])
        assert kept[1] > kept[2] > kept[0]
        for one in drawn:
            path = path_of(space, one)
            assert sum(at is not None for at in path.values()) == 2 * 2 * len(space.targets)
            assert 0 not in path.values()
            assert path["normal/edge_1_3"] in (None, 1)

    @pytest.mark.parametrize("name", ["notes-net", "enas-macro"])
    def test_macro_spaces(self, name: str) -> None:
        space = preset(name)
        rows = {each.label: torch.ones(len(each.candidates)) for each in decisions(space)}
        drawn = draw_architectures(space, decisions(space), rows, 20, torch.Generator().manual_seed(0))
        assert all(space.architecture(one) == one for one in drawn)
        assert len({str(one) for one in drawn}) > 3
