"""Whether cells that were trained again end where the answer key says, as far as luck lets one tell."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from explorer.errors import SpecError
from explorer.key.look import Estimate, Z, accuracy
from explorer.key.record import Cell, Key
from explorer.key.truth import spearman


@dataclass(frozen=True)
class Agreement:
    """One cell's mean test accuracy in the key and trained again with seeds that the key has not.

    `errors` is `difference`, retrained minus recorded, in its standard errors sigma * sqrt(1/n + 1/m), where sigma is
    the key's and n and m are the seeds of either side; NaN when no cell of the key has two seeds.
    """

    recorded: Estimate
    retrained: Estimate
    difference: float
    errors: float

    @property
    def within_luck(self) -> bool | None:
        """Whether 95 of 100 cells that agree differ by less than this allows; None when the luck is not known."""
        return None if math.isnan(self.errors) else abs(self.errors) <= Z


@dataclass(frozen=True)
class Fit:
    """Several cells, each trained again with the same new seeds.

    `squares` is the sum of their squared `errors`: chi-square with so many `cells` degrees of freedom when they agree.
    `shift` is the mean difference of accuracies, `shift_error` its standard error; `spearman` is of the means.
    """

    cells: int
    squares: float
    shift: float
    shift_error: float
    spearman: float


def agreement(key: Key, cell: Cell, read: ArrayLike) -> Agreement:
    """What `read` says, counts of rightly read test images, one a seed; raises OutsideKey, SpecError."""
    counts = _counts(key, read, 1)
    recorded, mean = accuracy(key, cell).test, float(counts.mean() / key.sizes[1])
    half, difference = Z * key.sigma / len(counts) ** 0.5, mean - recorded.mean
    low, high = np.clip([mean - half, mean + half], 0.0, 1.0)
    errors = difference / _error(key, recorded.seeds, len(counts)) if key.sigma > 0 else float("nan")
    return Agreement(
        recorded, Estimate(mean, float(low), float(high), len(counts)), difference, float(errors)
    )


def fit(key: Key, places: ArrayLike, read: ArrayLike) -> Fit:
    """The same of many cells at once; `read` (seeds, cells) counts rightly read test images.

    Cells count as independent, though they share their seeds: what a seed does to all alike is too small to measure.
    """
    at, counts = key.positions(places), _counts(key, read, 2)
    means = counts.mean(axis=0) / key.sizes[1]
    if len(means) != len(at):
        raise SpecError(f"There are counts of {len(means)} cells for {len(at)} places.")
    difference, error = means - key.means[at], _error(key, key.seeds[at], len(counts))
    return Fit(
        len(at),
        float(((difference / error) ** 2).sum()),
        float(difference.mean()),
        float(np.sqrt((error**2).sum()) / len(at)),
        spearman(means, key.means[at]),
    )


def _error(key: Key, recorded: Any, retrained: int) -> Any:
    return key.sigma * np.sqrt(1 / np.asarray(recorded) + 1 / retrained)


def _counts(key: Key, read: ArrayLike, axes: int) -> Any:
    counts = np.asarray(read)
    if counts.ndim != axes or not counts.size or counts.min() < 0 or counts.max() > key.sizes[1]:
        raise SpecError(
            f"A retraining counts 0 to {key.sizes[1]} test images for every seed; there is another."
        )
    return counts
