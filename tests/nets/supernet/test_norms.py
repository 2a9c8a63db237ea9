"""Batch norms side by side: gradients against finite differences, statistics against torch's own modules."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
import torch
from torch import Tensor, nn
from torch.autograd import gradcheck, gradgradcheck

from explorer.nets.supernet.norms import Shared, Statistics, mixed, normalised

BATCH, CHANNELS, SIDE = 3, 2, 2


def norms(rows: int, edges: int) -> list[list[nn.BatchNorm2d]]:
    """`rows` rows of `edges` batch norms."""
    return [[nn.BatchNorm2d(CHANNELS, affine=False).double() for _ in range(edges)] for _ in range(rows)]


def noise(*shape: int, seed: int = 0) -> Tensor:
    """Normal, a leaf of the graph."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(shape, generator=generator, dtype=torch.double).requires_grad_()


def value(edges: int = 1, seed: int = 0) -> Tensor:
    """(b, edges * c, side, side)"""
    return noise(BATCH, edges * CHANNELS, SIDE, SIDE, seed=seed)


WINDOW = noise(SIDE * SIDE, SIDE * SIDE, seed=9).detach()


CASES = [  # edges, windows, other images, whether by the batch's statistics
    (1, (), 0, True),
    (2, (), 1, True),
    (1, (None, WINDOW), 0, True),
    (2, (WINDOW, None, WINDOW), 1, True),
    (2, (None, WINDOW), 1, False),
]


@pytest.mark.parametrize(("edges", "windows", "others", "training"), CASES)
def test_the_gradient_is_that_of_finite_differences(
    edges: int, windows: Sequence[Tensor | None], others: int, training: bool
) -> None:
    made = norms(2, edges)
    statistics = Statistics(made)
    for row in made:
        for norm in row:
            norm.train(training)

    def whole(weights: Tensor, one: Tensor, *given: Tensor) -> tuple[Tensor, ...]:
        rows = [row * 1.0 for row in given[others:]]  # rows are used up
        return tuple(mixed(statistics, weights, Shared(one, tuple(windows), given[:others]), rows))

    images = len(windows) + others
    weights = noise(images + 2, edges, seed=1)
    given = [value(seed=2)] * others + [value(edges, seed=3), value(edges, seed=4)]
    assert gradcheck(whole, (weights, value(), *given))


def chained(one: Tensor, weights: Tensor, statistics: Statistics) -> Tensor:
    """A row that hangs on the value beside it, as in a cell."""
    row = torch.cat([one.sin(), one.square()], 1)
    first, second = mixed(statistics, weights, Shared(one, (None, WINDOW)), [row])
    return (first * second).sum() + normalised(Statistics(norms(1, 1)), one.cos()).pow(3).sum()


def test_the_gradient_can_be_differentiated() -> None:
    statistics = Statistics(norms(1, 2))
    assert gradgradcheck(lambda *given: chained(*given, statistics), (value(), noise(3, 2, seed=1)))


def by_modules(
    rows: Sequence[Tensor], made: Sequence[Sequence[nn.BatchNorm2d]], weights: Tensor
) -> list[Tensor]:
    """`mixed` without images, module by module."""
    parts = [
        [
            norm(part) * weight
            for norm, part, weight in zip(norms, row.split(CHANNELS, 1), factors, strict=True)
        ]
        for row, norms, factors in zip(rows, made, weights, strict=True)
    ]
    return [sum(each[1:], each[0]) for each in zip(*parts, strict=True)]


def apart(momentum: float | None, other_momentum: float | None = None) -> float:
    """Greatest difference from torch's modules, of values and statistics, over two batches and one after."""
    ours, theirs = norms(2, 3), norms(2, 3)
    statistics = Statistics(ours)
    for made, factor in ((ours, momentum), (theirs, momentum if other_momentum is None else other_momentum)):
        for norm in (norm for row in made for norm in row):
            norm.momentum = factor
    weights, found = noise(2, 3, seed=1), []
    for step in range(3):
        for norm in (norm for made in (ours, theirs) for row in made for norm in row):
            norm.train(step < 2)
        rows = [value(3, seed=10 + 2 * step + at).detach() + 3 * at for at in range(2)]
        expected = by_modules(rows, theirs, weights)
        given = mixed(statistics, weights, Shared(value(), ()), [row.clone() for row in rows])
        found += [(one - other).abs().max().item() for one, other in zip(given, expected, strict=True)]
    for mine, other in zip([n for row in ours for n in row], [n for row in theirs for n in row], strict=True):
        assert mine.num_batches_tracked == other.num_batches_tracked
        for name in ("running_mean", "running_var"):
            found.append((getattr(mine, name) - getattr(other, name)).abs().max().item())
    return max(found)


@pytest.mark.parametrize("momentum", [0.1, 0.7, None])
def test_values_and_statistics_are_those_of_torchs_modules(momentum: float | None) -> None:
    assert apart(momentum) < 1e-12


def test_the_comparison_sees_another_rate() -> None:
    assert apart(0.1, 0.2) > 1e-2


def test_large_means_do_not_blur_the_variance() -> None:
    """In float32 the mean square less the squared mean would."""
    row = value(seed=5).detach().float() + 1000
    expected = (row.double() - row.double().mean((0, 2, 3), keepdim=True)) / (
        row.double().var((0, 2, 3), correction=0, keepdim=True) + 1e-5
    ).sqrt()
    given = normalised(Statistics([[nn.BatchNorm2d(CHANNELS, affine=False)]]), row.clone())
    assert (given - expected).abs().max() < 1e-3
    variance = row.square().mean((0, 2, 3), keepdim=True) - row.mean((0, 2, 3), keepdim=True).square()
    mutant = (row - row.mean((0, 2, 3), keepdim=True)) / (variance.clamp(min=0) + 1e-5).sqrt()
    assert (mutant - expected).abs().max() > 1e-2


def test_one_pixel_of_one_image_has_no_variance() -> None:
    statistics = Statistics(norms(1, 1))
    with pytest.raises(ValueError, match="more than 1 value per channel"):
        normalised(statistics, torch.zeros(1, CHANNELS, 1, 1).double())
