"""SPOS: paths are drawn uniformly, and counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
import torch
from scipy.stats import chisquare
from torch import Tensor

from explorer.catalogue import METHODS
from explorer.nets.supernet.network import build_supernet
from explorer.oneshot.contract import ARCHITECTURE, BOTH, WEIGHTS, Batch, Context
from explorer.oneshot.methods.spos import Spos, uniform_architecture, uniform_probabilities
from explorer.space import Architecture, CellSpace, DartsSpace, Input, SearchSpace, decisions, path_of, preset
from explorer.space.shapes import Shape

TOY = CellSpace(
    "toy",
    Input(1, 8),
    nodes=3,
    edges=((0, 1), (0, 2), (1, 2)),
    operations=("none", "skip_connect", "avg_pool_3x3"),
    channels=2,
)
OPERATIONS = DartsSpace("darts", Input(1, 8), nodes=1, operations=("none", "skip_connect", "max_pool_3x3"))
INPUTS = DartsSpace("darts", Input(1, 8), nodes=3, operations=("none", "skip_connect"))


def _batch(seed: int, shape: Shape = (1, 8, 8)) -> Batch:
    generator = torch.Generator().manual_seed(seed)
    return Batch(torch.randn(8, *shape, generator=generator), torch.arange(8) % 10)


def _method(space: SearchSpace = TOY, seed: int = 0, **settings: Any) -> Spos:
    torch.manual_seed(seed)
    net = build_supernet(space)
    complete = METHODS["spos"].settings(settings)
    return Spos(Context(net, complete, torch.Generator().manual_seed(seed), epochs=4, batches=3))


def _uniformity(draw: Callable[[torch.Generator], Architecture], draws: int = 2700) -> float:
    """The p-value of a chi-square test over all 27 architectures."""
    generator = torch.Generator().manual_seed(1)
    seen = Counter(TOY.index_of(draw(generator)) for _ in range(draws))
    return float(chisquare([seen[at] for at in range(TOY.size)]).pvalue)


def test_paths_are_drawn_uniformly() -> None:
    """Mutant: each operation by its rank in a random order of two draws, the larger of which wins."""
    assert _uniformity(lambda generator: uniform_architecture(TOY, generator)) > 1e-4

    def larger_of_two(generator: torch.Generator) -> Architecture:
        drawn = torch.randint(TOY.size, (2,), generator=generator)
        return TOY.architecture_at(int(drawn.max()))

    assert _uniformity(larger_of_two) < 1e-4


def test_a_space_beyond_64_bits_can_be_drawn_from() -> None:
    """Architectures are numbered with whole numbers of any length."""
    edges = tuple((source, target) for target in range(1, 12) for source in range(target))
    space = CellSpace("large", Input(1, 8), nodes=12, edges=edges, operations=tuple("abcde"))
    generator = torch.Generator().manual_seed(0)
    assert space.size > 2**64
    drawn = [space.index_of(uniform_architecture(space, generator)) for _ in range(50)]
    assert len(set(drawn)) == 50 and max(drawn) > space.size // 2


@pytest.mark.parametrize("space", [TOY, OPERATIONS, INPUTS], ids=["cell", "operations", "inputs"])
def test_probabilities_are_those_of_a_uniform_draw(space: SearchSpace) -> None:
    """Counted over all architectures; an edge of a DARTS cell that is not taken counts as none."""
    found = {each.label: torch.zeros(len(each.candidates)) for each in decisions(space)}
    for architecture in space:
        for label, choice in path_of(space, architecture).items():
            assert not isinstance(choice, tuple)
            found[label][0 if choice is None else choice] += 1 / space.size
    for label, row in uniform_probabilities(space, decisions(space)).items():
        torch.testing.assert_close(row, found[label], rtol=0, atol=1e-4)
        assert float(row.sum()) == pytest.approx(1)


def test_a_step_trains_one_path_and_counts_it() -> None:
    """One candidate a decision; in the phase of the architecture nothing happens at all."""
    method = _method()
    before = {name: value.clone() for name, value in method.net.state_dict().items()}
    assert method.step(ARCHITECTURE, _batch(0), _batch(1)).extra == {}
    assert all(torch.equal(value, before[name]) for name, value in method.net.state_dict().items())
    for at, phase in enumerate((WEIGHTS, BOTH), start=1):
        counts = method.step(phase, _batch(0), _batch(1)).extra["counts"]
        assert [sum(row) for row in counts.values()] == [at, at, at]
    assert any(not torch.equal(value, before[name]) for name, value in method.net.state_dict().items())


def test_validation_is_looked_at_once_a_snapshot_and_changes_nothing() -> None:
    """It costs a third of a step; the weights' course is the same without it."""

    def played(every: int) -> tuple[list[bool], dict[str, Tensor]]:
        method = _method(snapshot_every=every)
        seen = [method.step(BOTH, _batch(at), _batch(9)).validation_loss is not None for at in range(4)]
        return seen, method.net.state_dict()

    every, weights = played(2)
    assert every == [False, True, False, True]
    never, others = played(100)
    assert never == [False] * 4
    assert all(torch.equal(value, others[name]) for name, value in weights.items())


def test_going_on_from_a_state_ends_where_an_undisturbed_search_ends() -> None:
    """Bit for bit; and asking for samples in between changes nothing."""
    whole, begun, later = _method(), _method(), _method(seed=5)
    for at in range(4):
        whole.step(BOTH, _batch(at), _batch(9))
    for at in range(2):
        begun.step(BOTH, _batch(at), _batch(9))
    later.net.load_state_dict(begun.net.state_dict())
    later.load(begun.state())
    for at in (2, 3):
        assert len(later.sample(3)) == 3
        later.step(BOTH, _batch(at), _batch(9))
    assert later.counts == whole.counts
    assert all(
        torch.equal(value, later.net.state_dict()[name]) for name, value in whole.net.state_dict().items()
    )


@pytest.mark.slow
@pytest.mark.parametrize("name", ["cell", "enas-macro", "darts-cell", "notes-net"])
def test_spos_serves_every_family(name: str) -> None:
    """Some steps on each."""
    space = preset(name).bound_to(1, 8, 10)
    method = _method(space)
    for at in range(5):
        seen = method.step(BOTH, _batch(at, space.input.shape), _batch(9, space.input.shape))
        assert torch.isfinite(torch.as_tensor(seen.train_loss))
    assert all(float(row.sum()) == pytest.approx(1, abs=1e-5) for row in method.probabilities().values())
