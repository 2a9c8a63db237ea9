"""How far two lists of numbers are in the same order: Kendall's tau-b and Spearman's rho, -1 .. 1, ties allowed."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def rank_correlations(one: Sequence[float], other: Sequence[float]) -> tuple[float | None, float | None]:
    """tau-b (Kendall 1945, The treatment of ties in ranking problems) and rho of n pairs, by all n * n comparisons.

    None, None where all of one side are equal.
    """
    first, second = (np.asarray(side, dtype=float) for side in (one, other))
    if len(np.unique(first)) < 2 or len(np.unique(second)) < 2:
        return None, None
    signs = [np.sign(side[:, None] - side[None, :]) for side in (first, second)]  # (n, n)
    below = [np.sum(sign, axis=1) / 2 for sign in signs]  # (n,) mean ranks, centred
    return _cosine(*signs), _cosine(*below)


def _cosine(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    return float((one * other).sum() / np.sqrt((one**2).sum() * (other**2).sum()))
