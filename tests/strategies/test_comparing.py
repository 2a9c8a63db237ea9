"""Intervals, verdicts and the closed form, each against an oracle."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import permutations

import numpy as np
import pytest
from scipy import stats

from explorer.errors import SpecError
from explorer.strategies.comparing import compare, mann_whitney, mean_interval
from explorer.strategies.replay import replay
from explorer.strategies.table import Table
from explorer.strategies.trace import Trace, trace_of
from tests.strategies.closed_form import expected_random
from tests.strategies.tables import SMALL, table_of

TABLE = table_of(SMALL, rows=3)


def test_the_closed_form_is_the_mean_over_all_orders() -> None:
    values, truth = np.array([0.3, 0.5, 0.5, 0.1, 0.2]), np.array([0.9, 0.1, 0.4, 0.2, 0.3])
    best, true = np.zeros(5), np.zeros(5)
    for order in permutations(range(5)):
        for k in range(1, 6):
            winner = max(order[:k], key=values.__getitem__)  # the first of equals
            best[k - 1] += values[winner] / math.factorial(5)
            true[k - 1] += truth[winner] / math.factorial(5)
    found = expected_random(values, truth, range(1, 6))
    assert found[0] == pytest.approx(best, abs=1e-12) and found[1] == pytest.approx(true, abs=1e-12)


@pytest.mark.slow
def test_random_searchs_replays_agree_with_the_closed_form() -> None:
    table = table_of((5, 5, 5), seed=3)
    budgets = np.array([1, 2, 5, 20, 60, 124, 125])
    trace = replay("random", table, 125, 2000, 8)
    best, truth = expected_random(table.values, table.truth, budgets)
    seen = np.maximum.accumulate(trace.seen, axis=1)[:, budgets - 1]
    for told, expected in ((seen, best), (trace.truth_after(budgets), truth)):
        error = told.std(axis=0, ddof=1) / math.sqrt(2000)
        assert (abs(told.mean(axis=0) - expected) <= 4 * error + 1e-12).all()
    wrong, _ = expected_random(table.values, table.truth, [4])  # the check sees one draw too few
    assert abs(seen[:, 2].mean() - wrong[0]) > 4 * seen[:, 2].std() / math.sqrt(2000)


def test_mann_whitney_is_scipys() -> None:
    rng = np.random.default_rng(1)
    for shift in (0.0, 0.4, 3.0):
        a, b = rng.normal(shift, 1, 40).round(1), rng.normal(0, 1, 55).round(1)
        ahead, p = mann_whitney(a, b)
        theirs = stats.mannwhitneyu(a, b, method="asymptotic")
        assert ahead == pytest.approx(theirs.statistic / (40 * 55)) and p == pytest.approx(theirs.pvalue)
    assert mann_whitney(np.ones(4), np.ones(4)) == (0.5, 1.0)


def test_the_interval_of_a_mean_is_near_students() -> None:
    values = np.random.default_rng(2).normal(5, 2, 300)
    low, high = mean_interval(values, np.random.default_rng(0))
    half = stats.t.ppf(0.975, 299) * values.std(ddof=1) / math.sqrt(300)
    assert (low, high) == pytest.approx((values.mean() - half, values.mean() + half), abs=0.05)


def test_intervals_hold_the_mean_in_nineteen_of_twenty_cases() -> None:
    rng = np.random.default_rng(4)
    draws = rng.normal(size=(60, 400))  # 400 columns are 400 experiments
    low, high = mean_interval(draws, rng)
    held = ((low < 0) & (high > 0)).mean()
    assert 0.90 < held < 0.98


def test_who_is_ahead_is_said_with_its_certainty() -> None:
    random, evolution = replay("random", TABLE, 60, 300, 1), replay("aging_evolution", TABLE, 60, 300, 1)
    local = replay("local_search", TABLE, 60, 300, 1)
    start, later = compare(local, random, [1, 40])
    assert start.verdict == "open" and abs(start.ahead - 0.5) < 0.1
    assert later.verdict == "A" and later.ahead > 0.5 and later.p < 0.05 and later.difference > 0
    mirrored = compare(random, local, [40])[0]
    assert mirrored.verdict == "B"
    assert (mirrored.low, mirrored.high) == pytest.approx((-later.high, -later.low), abs=0.002)
    assert mirrored.ahead == pytest.approx(1 - later.ahead)
    assert [one.spent for one in compare(random, evolution, [0, 0.5, 1, 2])] == [1, 2]


@pytest.mark.slow
def test_two_searches_that_are_the_same_are_seldom_called_different() -> None:
    verdicts = [
        compare(replay("random", TABLE, 20, 60, 2 * one), replay("random", TABLE, 20, 60, 2 * one + 1), [20])[
            0
        ]
        for one in range(60)
    ]
    assert sum(one.verdict != "open" for one in verdicts) <= 9  # 3 are expected


def luck_of(seed: int, more: float) -> Trace:
    """A trace whose truth is its repeat's luck and a little `more`."""
    luck = np.random.default_rng(9).random((50, 1)) + more
    table = Table((1,), np.zeros(1), np.zeros(1))
    zeros, ones = np.zeros((50, 1), int), np.ones(1, int)
    trace = trace_of("grid", {}, seed, table, places=zeros, seen=luck, epochs=ones, extra=ones)
    return replace(trace, truth=luck)


def test_repeats_of_one_seed_are_compared_in_pairs_and_others_are_not() -> None:
    (paired,) = compare(luck_of(1, 0.01), luck_of(1, 0.0), [1])
    assert paired.verdict == "A" and paired.high - paired.low < 1e-9
    (apart,) = compare(luck_of(1, 0.01), luck_of(2, 0.0), [1])
    assert apart.verdict == "open" and apart.high - apart.low > 0.1
    assert apart.difference == pytest.approx(paired.difference) == pytest.approx(0.01)


def test_one_repeat_is_an_anecdote() -> None:
    one, many = replay("random", TABLE, 5), replay("random", TABLE, 5, 20)
    with pytest.raises(SpecError, match="1 and 20 repeats; give at least 2"):
        compare(one, many, [1])
