"""How good one architecture really is: accuracy, rank, regret, each with the luck that is in it.

Intervals are normal: mean plus and minus 1.96 sigma / sqrt(seeds), where sigma is what a seed makes on average of all
live cells (`Key.sigma`), because two or three seeds of one cell say little about their own spread. Comparisons are of
two cells at a time; nothing is corrected for making many of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

import numpy as np

from explorer.key.record import Cell, Floats, Ints, Key

CONFIDENCE = 0.95
Z = NormalDist().inv_cdf((1 + CONFIDENCE) / 2)  # 1.96


@dataclass(frozen=True)
class Estimate:
    """A mean over seeds with its 95 % interval, cut at 0 and 1; NaN bounds when no cell has two seeds."""

    mean: float
    low: float
    high: float
    seeds: int


@dataclass(frozen=True)
class Accuracy:
    """`test` judges; `validation` is what a search would have seen."""

    test: Estimate
    validation: Estimate


@dataclass(frozen=True)
class Rank:
    """Place among all trained cells by mean test accuracy, 1 is the best and ties share the better one.

    `low` - 1 cells are better, `of` - `high` are worse with 95 % confidence: the truth lies between the two.
    """

    rank: int
    low: int
    high: int
    of: int

    @property
    def percentile(self) -> float:
        """The share of the other cells that it is at least as good as, in per cent; 100 for the best."""
        return 100.0 * (self.of - self.rank) / (self.of - 1) if self.of > 1 else 100.0


@dataclass(frozen=True)
class Regret:
    """What is missing to the best cell, as a difference of test accuracies (0 .. 1).

    The best of many noisy means was also lucky (the winner's curse), so `observed` is too large on average;
    `shrunken` is the same difference between shrunken means.
    """

    observed: float
    shrunken: float


def accuracies(key: Key, places: Ints) -> Floats:
    """Mean test accuracy of many places at once, NaN where a cell was not trained."""
    return np.append(key.means, np.nan)[key.position[places]]


def accuracy(key: Key, cell: Cell) -> Accuracy:
    """What it reaches on test and on validation images."""
    at = key.position[key.place(cell)]
    seeds = int(key.seeds[at])
    return Accuracy(
        _estimate(float(key.means[at]), key.sigma, seeds),
        _estimate(float(key.validation_means[at]), key.validation_sigma, seeds),
    )


def _estimate(mean: float, sigma: float, seeds: int) -> Estimate:
    half = Z * sigma / seeds**0.5
    low, high = np.clip([mean - half, mean + half], 0.0, 1.0)
    return Estimate(mean, float(low), float(high), seeds)


def margin(key: Key, seeds: Any, others: Any) -> Any:
    """The difference that two cells with so many seeds must exceed to differ with 95 % confidence."""
    return Z * key.sigma * np.sqrt(1 / np.asarray(seeds) + 1 / np.asarray(others))


def bands(key: Key, places: Ints) -> tuple[Ints, Ints, Ints]:
    """(n,) rank, low and high of many places at once, as `Rank` has them."""
    at = key.positions(places)
    means, seeds = key.means[at], key.seeds[at]
    rank, low = np.ones(len(at), dtype=np.int64), np.ones(len(at), dtype=np.int64)
    high = np.zeros(len(at), dtype=np.int64)
    for count, ladder in key.ladders:
        beyond = np.nan_to_num(margin(key, seeds, count), nan=np.inf)  # without sigma nothing is resolved
        rank += len(ladder) - np.searchsorted(ladder, means, "right")
        low += len(ladder) - np.searchsorted(ladder, means + beyond, "right")
        high += len(ladder) - np.searchsorted(ladder, means - beyond, "left")
    return rank, low, high


def rank(key: Key, cell: Cell) -> Rank:
    """Where it stands among all trained cells, and how sure that is."""
    found, low, high = bands(key, np.array([key.place(cell)]))
    return Rank(int(found[0]), int(low[0]), int(high[0]), len(key.cells))


def posterior(key: Key) -> tuple[Floats, Floats]:
    """(m,) test means drawn towards the mean of all live cells as far as they are luck, and their standard deviations.

    Empirical Bayes: grand + B (mean - grand) with variance B sigma^2 / seeds, B = tau^2 / (tau^2 + sigma^2 / seeds),
    tau^2 the variance between live cells (Efron & Morris 1975, Data analysis using Stein's estimator and its
    generalizations). Dead cells are another kind and stay.
    """
    live, noise = key.alive, key.sigma**2 / key.seeds
    if not live.any() or np.isnan(key.sigma):
        return key.means, np.sqrt(noise)
    grand = key.means[live].mean()
    between = max(0.0, key.means[live].var() - noise[live].mean())
    kept = np.divide(between, between + noise, out=np.ones(len(noise)), where=between + noise > 0)
    drawn = np.where(live, grand + kept * (key.means - grand), key.means)
    return drawn, np.sqrt(np.where(live, kept, 1.0) * noise)


def regret(key: Key, cell: Cell) -> Regret:
    """How far it is from the best cell of the key."""
    at, drawn = key.position[key.place(cell)], posterior(key)[0]
    return Regret(float(key.means.max() - key.means[at]), float(drawn.max() - drawn[at]))


def answer(key: Key, cell: Cell) -> Mapping[str, Any]:
    """Everything about one architecture as plain data, for `python -m explorer key`."""
    place = key.place(cell)
    scored, stands = accuracy(key, place), rank(key, place)
    bounds = [scored.test.low, scored.test.high]
    return {
        "architecture": key.text(place),
        "dataset": key.dataset,
        "seeds": scored.test.seeds,
        "validation": scored.validation.mean,
        "test": scored.test.mean,
        "interval": None if np.isnan(bounds).any() else bounds,
        "rank": stands.rank,
        "rank_low": stands.low,
        "rank_high": stands.high,
        "of": stands.of,
        "percentile": stands.percentile,
        "regret": regret(key, place).observed,
    }
