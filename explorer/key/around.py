"""What lies around a cell: every edit of one edge, the best within k edits, and how soon luck alone matches it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from explorer.errors import SpecError
from explorer.key.look import CONFIDENCE, margin
from explorer.key.record import Cell, Key


@dataclass(frozen=True)
class Neighbour:
    """The cell after one edit: `operation` on edge `label`. `difference` of test means is positive when it is better.

    `significant` says that the difference exceeds the luck of the two cells' seeds with 95 % confidence.
    """

    label: str
    operation: str
    place: int
    mean: float
    difference: float
    significant: bool


@dataclass(frozen=True)
class Reached:
    """The best cell within some edits of another: its mean test accuracy, what was won, and the edits it takes."""

    place: int
    mean: float
    gain: float
    edits: int


@dataclass(frozen=True)
class Luck:
    """Random search without replacement among `of` cells, `good` of which are at least as good.

    `expected` draws find the first of these on average; `enough` draws find one with `confidence`.
    """

    good: int
    of: int
    expected: float
    enough: int
    confidence: float


def neighbours(key: Key, cell: Cell) -> tuple[Neighbour, ...]:
    """All trained cells one edit away, the largest gain first."""
    place = key.place(cell)
    at, digits = key.position[place], key.digits(np.array([place]))[0]
    found = []
    for label, weight, here in zip(key.labels, key.weights, digits, strict=True):
        for digit, operation in enumerate(key.space.operations):
            there = int(place + (digit - here) * weight)
            beside = key.position[there]
            if digit == here or beside < 0:
                continue
            difference = float(key.means[beside] - key.means[at])
            resolved = abs(difference) > margin(key, key.seeds[at], key.seeds[beside])
            found.append(
                Neighbour(label, operation, there, float(key.means[beside]), difference, bool(resolved))
            )
    return tuple(sorted(found, key=lambda each: -each.difference))


def best_within(key: Key, cell: Cell, edits: int) -> Reached:
    """The best trained cell that at most `edits` edges differ from; of equally good ones that with fewest edits."""
    if edits < 0:
        raise SpecError(f"The number of edits is {edits}; give 0 or more.")
    place = key.place(cell)
    far = (key.digits(key.cells) != key.digits(np.array([place]))).sum(axis=1)  # (m,)
    near = np.flatnonzero(far <= edits)
    best = near[np.lexsort((far[near], -key.means[near]))[0]]
    mean = float(key.means[best])
    gain = mean - float(key.means[key.position[place]])
    return Reached(int(key.cells[best]), mean, gain, int(far[best]))


def trials_to_match(key: Key, cell: Cell, confidence: float = CONFIDENCE) -> Luck:
    """How many cells random search must train to find one at least as good by mean test accuracy.

    With N cells and K good ones the first good one comes after (N + 1) / (K + 1) draws on average, and k draws miss all
    of them with probability prod_{i<k} (N - K - i) / (N - i): the negative hypergeometric distribution.
    """
    if not 0 < confidence < 1:
        raise SpecError(f"The confidence is {confidence}; give a number between 0 and 1.")
    mean = key.means[key.position[key.place(cell)]]
    of, good = len(key.means), int((key.means >= mean).sum())
    draws = np.arange(of - good + 1)  # after so many all others are used up
    missed = np.cumprod((of - good - draws) / (of - draws))
    enough = int(np.argmax(missed <= (1 - confidence) * (1 + 1e-9))) + 1
    return Luck(good, of, (of + 1) / (good + 1), enough, confidence)
