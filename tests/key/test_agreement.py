"""Retrained cells are held against the key by its own luck: what agrees passes, what was trained otherwise does not."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import chi2, norm

from explorer.errors import OutsideKey, SpecError
from explorer.key import spearman
from explorer.key.agreement import agreement, fit
from explorer.key.record import Key
from tests.key import tables

SIGMA = 0.029


def read(truth: np.ndarray, seeds: int, seed: int = 77) -> np.ndarray:
    """(seeds, cells) test images that new trainings would read."""
    rng = np.random.default_rng(seed)
    lucky = truth + SIGMA * rng.standard_normal((seeds, len(truth)))
    return (lucky * tables.SIZES[1]).round().clip(0, tables.SIZES[1])


@pytest.mark.parametrize("seeds", [1, 4])
def test_differences_of_what_agrees_are_standard_normal(whole: Key, truth: np.ndarray, seeds: int) -> None:
    live = whole.cells[whole.alive][::7]
    new = read(truth[live], seeds)
    found = [agreement(whole, int(cell), counts) for cell, counts in zip(live, new.T, strict=True)]
    errors = np.array([each.errors for each in found])
    assert abs(errors.mean()) < 4 / len(live) ** 0.5
    assert abs(errors.std() - 1) < 4 / (2 * len(live)) ** 0.5
    outside = np.mean([not each.within_luck for each in found])
    assert abs(outside - 0.05) < 4 * (0.05 * 0.95 / len(live)) ** 0.5


def test_one_cell_by_hand(whole: Key) -> None:
    cell = int(np.flatnonzero(whole.seeds == 16)[0])
    found = agreement(whole, cell, [448, 449])
    mean = 448.5 / 897
    assert found.retrained.mean == mean and found.retrained.seeds == 2 and found.recorded.seeds == 16
    assert found.difference == mean - whole.means[cell]
    assert found.errors == pytest.approx(found.difference / (whole.sigma * (1 / 16 + 1 / 2) ** 0.5))
    assert found.retrained.high - mean == pytest.approx(norm.ppf(0.975) * whole.sigma / 2**0.5)


def test_without_luck_to_compare_with_there_is_no_verdict() -> None:
    found = agreement(tables.key(np.full(tables.SIZE, 0.5), sizes=tables.SIZES), 900, [450])
    assert found.within_luck is None and np.isnan(found.errors) and np.isnan(found.retrained.low)


def test_a_sample_that_agrees_fits_and_one_trained_otherwise_does_not(whole: Key, truth: np.ndarray) -> None:
    cells = np.random.default_rng(3).choice(whole.cells[whole.alive], 4_000, replace=False)
    found = fit(whole, cells, read(truth[cells], 2))
    assert chi2.ppf(0.001, 4_000) < found.squares < chi2.ppf(0.999, 4_000)
    assert abs(found.shift) < 4 * found.shift_error
    means = read(truth[cells], 2).mean(axis=0)
    assert found.cells == 4_000 and found.spearman == spearman(means, whole.means[cells])
    worse = fit(whole, cells[:32], read(truth[cells[:32]] - 0.047, 1))  # what half the learning rate costs
    assert worse.squares > chi2.ppf(0.999, 32) and worse.shift < -4 * worse.shift_error


def test_the_sample_is_the_sum_of_its_cells(whole: Key, truth: np.ndarray) -> None:
    cells = whole.cells[whole.alive][[5, 500, 5_000]]
    new = read(truth[cells], 3)
    each = [agreement(whole, int(cell), counts) for cell, counts in zip(cells, new.T, strict=True)]
    together = fit(whole, cells, new)
    assert together.squares == pytest.approx(sum(one.errors**2 for one in each))
    assert together.shift == pytest.approx(np.mean([one.difference for one in each]))
    errors = [one.difference / one.errors for one in each]
    assert together.shift_error == pytest.approx(np.sqrt(np.square(errors).sum()) / 3)


@pytest.mark.parametrize("counts", [[], [898], [-1], [[400]]])
def test_counts_that_cannot_be_are_refused(whole: Key, counts: list[int]) -> None:
    with pytest.raises(SpecError, match="counts 0 to 897 test images"):
        agreement(whole, 900, counts)


def test_every_place_needs_a_count(whole: Key) -> None:
    with pytest.raises(SpecError, match="counts of 2 cells for 3 places"):
        fit(whole, [1, 2, 3], [[400, 401]])
    with pytest.raises(OutsideKey):
        agreement(tables.key(np.full(tables.SIZE, 0.5), np.arange(tables.SIZE) < 9), 10, [400])
