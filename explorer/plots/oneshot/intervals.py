"""Means with their uncertainty, from a handful of numbers: Student's t, and Welch's difference of two means."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import mean, variance

# Two-sided 95 % quantiles of Student's t for 1 to 30 degrees of freedom, from any statistics table.
_T95 = (
    *(12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228),
    *(2.201, 2.179, 2.160, 2.145, 2.131, 2.120, 2.110, 2.101, 2.093, 2.086),
    *(2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042),
)


def t95(freedom: float) -> float:
    """How many standard errors hold 95 % at so many degrees of freedom; fractions are rounded down, to be careful."""
    whole = max(1, math.floor(freedom))
    return _T95[whole - 1] if whole <= len(_T95) else 1.96 + 2.45 / whole


@dataclass(frozen=True)
class Estimate:
    """A mean over `count` values; `half` is half its 95 % interval, None with a single value."""

    mean: float
    half: float | None
    count: int

    def __str__(self) -> str:
        return f"{self.mean:.1f}" if self.half is None else f"{self.mean:.1f} ± {self.half:.1f}"


def estimate(values: Sequence[float]) -> Estimate:
    """The mean of at least one value, and how far it may be off."""
    count = len(values)
    if count < 2:
        return Estimate(mean(values), None, count)
    return Estimate(mean(values), t95(count - 1) * math.sqrt(variance(values) / count), count)


def difference(ours: Sequence[float], theirs: Sequence[float]) -> Estimate | None:
    """Mean of `ours` minus mean of `theirs` with Welch's 95 % interval; None where one of them has no spread to show.

    Welch 1947, The generalization of Student's problem when several different population variances are involved.
    """
    if len(ours) < 2 or len(theirs) < 2:
        return None
    one, two = variance(ours) / len(ours), variance(theirs) / len(theirs)
    apart = mean(ours) - mean(theirs)
    if one + two == 0:
        return Estimate(apart, 0.0, len(ours) + len(theirs))
    freedom = (one + two) ** 2 / (one**2 / (len(ours) - 1) + two**2 / (len(theirs) - 1))
    return Estimate(apart, t95(freedom) * math.sqrt(one + two), len(ours) + len(theirs))
