"""What random search comes to, exactly: the oracle of its replays and races."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]


def expected_random(values: Floats, truth: Floats, budgets: ArrayLike) -> tuple[Floats, Floats]:
    """Random search without replacement, exactly: (expected best value, expected truth of that best) after each budget.

    The largest of k out of S is among the i smallest with C(i, k) / C(S, k); of equal values each is as likely to have
    come first.
    """
    asked = np.atleast_1d(np.asarray(budgets, np.int64))
    levels, at, counts = np.unique(values, return_inverse=True, return_counts=True)
    mean_truth = np.bincount(at, truth) / counts
    upto = np.cumsum(counts)  # (levels,)
    factorials = np.concatenate([[0.0], np.cumsum(np.log(np.arange(1, len(values) + 1)))])
    best, true = np.empty(len(asked)), np.empty(len(asked))
    for point, k in enumerate(asked.tolist()):
        inside = np.maximum(upto - k, 0)
        ways = factorials[upto] - factorials[inside] + factorials[len(values) - k] - factorials[len(values)]
        chance = np.diff(np.where(upto < k, 0.0, np.exp(ways)), prepend=0.0)  # that the best has this level
        best[point], true[point] = chance @ levels, chance @ mean_truth
    return best, true
