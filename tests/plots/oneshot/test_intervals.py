"""Intervals of means against scipy's."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from statistics import mean, variance

import pytest
from scipy import stats

from explorer.plots.oneshot.intervals import Estimate, difference, estimate, t95

OURS, THEIRS = [61.2, 58.9, 60.3], [52.1, 57.0, 49.9, 55.4, 51.0, 60.2]
Difference = Callable[[Sequence[float], Sequence[float]], Estimate | None]


@pytest.mark.parametrize("freedom", [1, 2, 5, 17, 30, 31, 60, 1000])
def test_the_table_of_students_t_is_right(freedom: int) -> None:
    assert t95(freedom) == pytest.approx(stats.t.ppf(0.975, freedom), rel=0.003)


def check_against_welch(found: Difference) -> None:
    """scipy rounds no degrees of freedom down, so its interval is a little shorter."""
    ours = found(OURS, THEIRS)
    assert ours is not None and ours.half is not None
    low, high = stats.ttest_ind(OURS, THEIRS, equal_var=False).confidence_interval(0.95)
    assert ours.mean == pytest.approx((low + high) / 2)
    assert (high - low) / 2 <= ours.half <= 1.05 * (high - low) / 2


def pooled(ours: Sequence[float], theirs: Sequence[float]) -> Estimate:
    """The mutant: one variance for both."""
    freedom = len(ours) + len(theirs) - 2
    both = ((len(ours) - 1) * variance(ours) + (len(theirs) - 1) * variance(theirs)) / freedom
    half = t95(freedom) * math.sqrt(both * (1 / len(ours) + 1 / len(theirs)))
    return Estimate(mean(ours) - mean(theirs), half, freedom)


def test_a_difference_has_welchs_interval() -> None:
    check_against_welch(difference)


def test_an_interval_of_one_variance_for_both_is_rejected() -> None:
    with pytest.raises(AssertionError):
        check_against_welch(pooled)


def test_a_mean_has_students_interval_and_a_single_value_none() -> None:
    low, high = stats.t.interval(0.95, 2, mean(OURS), stats.sem(OURS))
    found = estimate(OURS)
    assert found.half == pytest.approx((high - low) / 2, rel=1e-3)
    assert estimate([3.0]) == Estimate(3.0, None, 1)
    assert difference([3.0], THEIRS) is None


def test_equal_values_leave_no_doubt() -> None:
    found = difference([2.0, 2.0], [1.0, 1.0])
    assert found is not None and (found.mean, found.half) == (1.0, 0.0)
