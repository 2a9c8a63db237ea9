"""Who is ahead, and how sure that is: intervals of means, differences of two traces.

Intervals are percentile bootstraps over repeats (Efron & Tibshirani 1993, An introduction to the bootstrap, section
13.3), all points of a trace with the same draws. The chance to be ahead is that of one repeat of A against one of B,
a tie counting half: U / (n m) of Mann & Whitney 1947. A verdict at many points, or of many pairs, is not corrected for
their number.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from explorer.errors import SpecError
from explorer.strategies.table import Floats
from explorer.strategies.trace import Trace

DRAWS = 2000
LEVEL = (0.025, 0.975)


@dataclass(frozen=True)
class Comparison:
    """A against B once `spent` is spent: the mean difference of truth, A minus B, with its 95 % interval.

    `ahead` is the chance that one repeat of A is ahead of one of B, `p` Mann and Whitney's two-sided p-value.
    """

    spent: float
    difference: float
    low: float
    high: float
    ahead: float
    p: float

    @property
    def verdict(self) -> str:
        """ "A", "B", or "open" where the interval holds 0."""
        if self.low > 0:
            return "A"
        return "B" if self.high < 0 else "open"


def mean_interval(values: Floats, rng: np.random.Generator) -> Floats:
    """(points,) or (repeats, points) over its first axis: (2, points) or (2,), the 95 % interval of the mean."""
    return np.quantile(_means(values, _weights(len(values), rng)), LEVEL, axis=0)


def compare(
    a: Trace, b: Trace, spent: npt.ArrayLike, *, unit: str = "evaluations", seed: int = 0
) -> tuple[Comparison, ...]:
    """One comparison a point of `spent`; points at which a repeat has no result yet are left out.

    Repeats are compared in pairs where both traces were made with one seed and as many repeats, since they saw the same
    rows of the table; the chance to be ahead and `p` never are. Raises SpecError with fewer than 2 repeats.
    """
    if min(a.repeats, b.repeats) < 2:
        raise SpecError(
            f"There are {a.repeats} and {b.repeats} repeats; give at least 2 of each to compare them."
        )
    points = np.atleast_1d(np.asarray(spent, np.float64))
    ours, theirs = a.truth_after(points, unit), b.truth_after(points, unit)  # (repeats, points)
    told = ~(np.isnan(ours).any(axis=0) | np.isnan(theirs).any(axis=0))
    ours, theirs, points = ours[:, told], theirs[:, told], points[told]
    rng = np.random.default_rng(seed)
    weights = _weights(a.repeats, rng)
    paired = a.seed == b.seed and a.repeats == b.repeats
    others = weights if paired else _weights(b.repeats, rng)
    low, high = np.quantile(_means(ours, weights) - _means(theirs, others), LEVEL, axis=0)
    found = []
    for at, point in enumerate(points.tolist()):
        ahead, p = mann_whitney(ours[:, at], theirs[:, at])
        difference = float(ours[:, at].mean() - theirs[:, at].mean())
        found.append(Comparison(point, difference, float(low[at]), float(high[at]), ahead, p))
    return tuple(found)


def mann_whitney(a: Floats, b: Floats) -> tuple[float, float]:
    """(U / nm, two-sided p) of two samples, by the normal approximation with correction for ties and continuity."""
    n, m = len(a), len(b)
    _, at, counts = np.unique(np.concatenate([a, b]), return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[at]  # equals share their mean rank
    above = float(ranks[:n].sum() - n * (n + 1) / 2)
    ties = float((counts**3.0 - counts).sum()) / ((n + m) * (n + m - 1))
    spread = math.sqrt(n * m / 12 * max(0.0, n + m + 1 - ties))
    if spread == 0:
        return above / (n * m), 1.0
    distance = max(0.0, abs(above - n * m / 2) - 0.5) / spread
    return above / (n * m), math.erfc(distance / math.sqrt(2))


def _weights(repeats: int, rng: np.random.Generator) -> Floats:
    """(draws, repeats): how often each repeat is in each bootstrap sample, over the sample's size."""
    return rng.multinomial(repeats, np.full(repeats, 1 / repeats), DRAWS) / repeats


def _means(values: Floats, weights: Floats) -> Floats:
    """(draws,) or (draws, points): the mean of every bootstrap sample."""
    return weights @ values
