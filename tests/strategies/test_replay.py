"""Replays: what a search sees of a table, what it costs, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest

from explorer.catalogue import OWN_STRATEGIES
from explorer.errors import LimitReached, SpecError, UnknownName
from explorer.strategies.replay import replay
from explorer.strategies.table import Table
from explorer.strategies.trace import trace_of
from tests.strategies.tables import EPOCHS, SMALL, table_of

TABLE = table_of(SMALL)
ROWS = table_of(SMALL, rows=3)


@pytest.mark.parametrize("name", OWN_STRATEGIES)
def test_every_strategy_can_be_replayed_and_repeats_exactly(name: str) -> None:
    first, again, other = (replay(name, ROWS, 15, 4, seed) for seed in (1, 1, 2))
    assert np.array_equal(first.places, again.places) and np.array_equal(first.seen, again.seen)
    assert name == "grid" or not np.array_equal(first.places, other.places)
    assert first.repeats == 4
    assert name == "grid" or not np.array_equal(first.places[0], first.places[1])
    assert (first.evaluations[:, -1] <= 15 + 1e-9).all() and first.evaluations[0, -1] > 14
    assert np.array_equal(first.truth, ROWS.truth[first.incumbents])


def test_each_repeat_sees_one_row_and_all_strategies_the_same() -> None:
    grid, random = replay("grid", ROWS, 120, 6, 3), replay("random", ROWS, 120, 6, 3)
    for places, seen, ordered in zip(random.places, random.seen, grid.seen, strict=True):
        assert np.array_equal(seen, ordered[places])
    rows = (ROWS.values[:, None, :] == grid.seen[None]).argmax(axis=0)  # (repeats, size)
    assert set(np.unique(rows)) == {0, 1, 2}
    assert np.isin(grid.seen, ROWS.values).all()


def test_partial_trainings_see_their_epochs_and_are_paid_by_them() -> None:
    trace = replay("successive_halving", TABLE, 10, 5, 0, {"architectures": 9})
    assert TABLE.curves is not None and TABLE.seconds is not None
    assert trace.epochs[:14].tolist() == [1] * 9 + [3] * 3 + [9] + [1]
    assert np.array_equal(trace.seen, TABLE.curves[trace.places, trace.epochs - 1])
    assert trace.evaluations[0, [8, 11, 12]] == pytest.approx([9 / 9, 15 / 9, 21 / 9])
    assert trace.seconds is not None
    spent = TABLE.seconds[trace.places[:, 0]] / EPOCHS
    assert trace.seconds[:, 0] == pytest.approx(spent)


def test_a_whole_training_is_worth_its_final_value_not_the_end_of_its_curve() -> None:
    curves = np.stack([np.linspace(0.1, 0.3, 3)] * 4)
    table = Table((4,), np.array([0.5, 0.6, 0.7, 0.8]), np.zeros(4), curves)
    trace = replay("successive_halving", table, 4, 1, 0, {"architectures": 4, "eta": 3})
    whole = trace.epochs == 3
    assert whole.any() and np.array_equal(trace.seen[:, whole], table.values[trace.places[:, whole]])
    assert set(trace.seen[0, ~whole]) == {0.1}


def test_the_best_so_far_is_what_the_search_saw_and_its_truth_is_told() -> None:
    table = Table(
        (4,), np.array([0.5, 0.7, 0.7, 0.6]), np.array([0.9, 0.2, 0.3, 0.1]), seconds=np.full(4, 2.0)
    )
    trace = trace_of(
        "grid",
        {},
        0,
        table,
        places=np.array([[3, 0, 2, 1], [0, 1, 2, 3]]),
        seen=np.array([[0.6, 0.5, 0.7, 0.7], [0.5, 0.7, 0.7, 0.6]]),
        epochs=np.ones(4, int),
        extra=np.ones(4, int),
    )
    assert trace.incumbents.tolist() == [[3, 3, 2, 2], [0, 1, 1, 1]]
    assert trace.truth_after([1, 2, 3, 9]).tolist() == [[0.1, 0.1, 0.3, 0.3], [0.9, 0.2, 0.2, 0.2]]
    assert trace.bands([1])[:, 0] == pytest.approx(np.quantile([0.1, 0.9], [0.05, 0.25, 0.5, 0.75, 0.95]))
    assert trace.final_ranks(table.truth).tolist() == [2, 3]
    early = trace.truth_after([1.0, 2.0], "seconds")
    assert np.isnan(early[:, 0]).all() and early[:, 1].tolist() == [0.1, 0.9]


def test_equal_truths_share_the_better_rank() -> None:
    table = Table((4,), np.arange(4.0), np.array([0.5, 0.9, 0.9, 0.7]))
    assert replay("grid", table, 4).final_ranks(table.truth).tolist() == [3]
    assert replay("grid", table, 3).final_ranks(table.truth).tolist() == [1]


def test_what_cannot_be_replayed_is_said_in_one_sentence() -> None:
    with pytest.raises(UnknownName, match="No strategy is called 'rnd'"):
        replay("rnd", TABLE, 10)
    with pytest.raises(
        SpecError, match="A budget of 121 trainings is more than the table's 120 architectures"
    ):
        replay("random", TABLE, 121)
    with pytest.raises(SpecError, match="The budget is 0 and there are 3 repeats; give at least 1"):
        replay("random", TABLE, 0, 3)
    with pytest.raises(LimitReached, match=r"1000000 repeats .* give at most 20000 repeats"):
        replay("random", TABLE, 100, 1_000_000)
    with pytest.raises(SpecError, match="max_epochs is 10; give at most the table's 9"):
        replay("hyperband", TABLE, 10, parameters={"max_epochs": 10})
    with pytest.raises(SpecError, match="Hyperband trains in part, and this table has no learning curves"):
        replay("hyperband", Table(SMALL, TABLE.values, TABLE.truth), 10)
    with pytest.raises(SpecError, match=r"truth have the shape \(3,\); give \(4,\)"):
        Table((4,), np.zeros(4), np.zeros(3))
    with pytest.raises(SpecError, match="values hold what is no finite number"):
        Table((2,), np.array([0.0, np.nan]), np.zeros(2))
