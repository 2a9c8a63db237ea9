"""What the charts and words of a race state, against numbers worked out by hand, and that a stranger's file draws."""

from __future__ import annotations

import copy
import dataclasses
import json
import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from explorer.catalogue import STRATEGIES
from explorer.nas.race import told_of
from explorer.plots.nas.best import LEAST_POINTS
from explorer.plots.nas.race import (
    lines,
    lines_figure,
    look_of,
    ranks,
    ranks_figure,
    strips,
    strips_figure,
)
from explorer.plots.nas.race_story import (
    AHEAD,
    BEHIND,
    OPEN,
    SECONDS,
    TRAININGS,
    Race,
    answer,
    beside,
    points,
    race_of,
    standings,
)
from explorer.runs.spec import RunSpec
from explorer.runs.state import RunState
from explorer.strategies.replay import replay
from explorer.strategies.table import Table

SPEC = RunSpec(kind="race", space="cell", dataset="noisy-digits", seed=7)


def racer(name: str, final: list[float], **instead: Any) -> dict[str, Any]:
    """What the engine tells of a strategy at 1, 2 and 4 trainings; every line ends at the middle of `final`."""
    middle = sorted(final)[len(final) // 2]
    rows = [[middle - 0.2 + gap, middle - 0.1 + gap, middle + gap] for gap in (-0.02, -0.01, 0, 0.01, 0.02)]
    return {
        "strategy": name,
        "label": STRATEGIES[name].label,
        "repeats": len(final),
        "best": 0.8,
        "points": [1, 2, 4],
        "bands": rows,
        "mean": rows[2],
        "interval": [[each - 0.01 for each in rows[2]], [each + 0.01 for each in rows[2]]],
        "final": sorted(final),
        "ranks": sorted(round(1 + 1000 * (0.8 - one)) for one in final),
        "seconds": [0.5, 5.0, 50.0],
        "bands_by_seconds": rows,
    } | instead


def pair(one: str, other: str, difference: list[float], verdict: list[str]) -> dict[str, Any]:
    """The engine's words on two strategies: the interval reaches 0.02 down and 0.01 up."""
    return {
        "one": one,
        "other": other,
        "points": [1, 2, 4],
        "difference": difference,
        "low": [each - 0.02 for each in difference],
        "high": [each + 0.01 for each in difference],
        "ahead": [0.5] * 3,
        "verdict": verdict,
    }


FINAL = {
    "random": [0.6, 0.7, 0.62],
    "local_search": [0.78, 0.7, 0.74],
    "hyperband": [0.6, 0.6, 0.61],
    "grid": [0.3, 0.3, 0.3],
}
PAIRS = (
    pair("random", "local_search", [0, -0.05, -0.12], ["", "local_search", "local_search"]),
    pair("hyperband", "random", [0, 0, -0.01], ["", "", ""]),
    pair("random", "grid", [0.1, 0.2, 0.32], ["random"] * 3),
    pair("local_search", "grid", [0.1, 0.2, 0.44], ["local_search"] * 3),
)


def told(*data: Mapping[str, Any]) -> RunState:
    named = [
        {"name": "race_pair" if "one" in each else "race", "step": at, "data": each}
        for at, each in enumerate(data)
    ]
    return RunState("r", SPEC, measurements=tuple(named))


def whole() -> Race:
    return race_of(told(*(racer(name, final) for name, final in FINAL.items()), *PAIRS))


def test_verdicts_and_differences_are_the_strategys_own_whoever_was_named_first() -> None:
    race = whole()
    assert [one.name for one in race.racers] == ["local_search", "random", "hyperband", "grid"]
    ours = race.duels["local_search"]
    assert (ours.difference[-1], ours.low[-1], ours.high[-1]) == pytest.approx((12, 11, 14))
    assert ours.verdict == (OPEN, AHEAD, AHEAD)
    other = race.duels["hyperband"]
    assert (other.difference[-1], other.low[-1], other.high[-1]) == pytest.approx((-1, -3, 0))
    assert set(race.duels["grid"].verdict) == {BEHIND} and "random" not in race.duels


def test_the_answer_names_who_is_ahead_not_told_apart_and_behind() -> None:
    assert answer(whole()) == (
        "**Yes**: Local search (+12.00 points, +11.00 to +14.00) is ahead of random search with 95 % confidence after "
        "4 trainings. Not told apart from it: Hyperband (-1.00 points, -3.00 to +0.00). Behind it: Grid search "
        "(-32.00 points, -33.00 to -30.00)."
    )


def test_a_race_that_nobody_wins_says_no() -> None:
    losing = race_of(told(*(racer(name, FINAL[name]) for name in ("random", "grid")), PAIRS[2]))
    assert answer(losing).startswith("**No**: none is ahead") and "Behind it: Grid" in answer(losing)


@pytest.mark.parametrize(
    ("names", "words"),
    [
        ((), ""),
        (("random",), "Only random search has raced"),
        (("grid", "hyperband"), "Random search did not race"),
        (("random", "grid"), "Nothing is compared yet"),
    ],
)
def test_what_cannot_be_answered_is_said(names: tuple[str, ...], words: str) -> None:
    said = answer(race_of(told(*(racer(name, FINAL[name]) for name in names))))
    assert said.startswith(words) and "Yes" not in said and "No**" not in said


def test_the_table_is_how_the_repeats_ended() -> None:
    row = standings(whole())[0]
    assert (row.label, row.repeats, row.rank) == ("Local search", 3, 61)
    assert (row.median, row.mean) == pytest.approx((74, 74))
    assert row.interval == pytest.approx((73, 75))
    alone = standings(race_of(told(racer("random", [0.6]))))[0]
    assert alone.interval is None and alone.duel is None


def test_of_a_strategy_told_twice_the_newer_counts() -> None:
    race = race_of(told(racer("random", [0.3, 0.3]), racer("random", [0.6, 0.6, 0.6])))
    assert [one.repeats for one in race.racers] == [3]


def test_regret_is_what_lacks_to_the_best_and_stands_at_the_bottom_when_nothing_does() -> None:
    race = race_of(told(racer("random", [0.8, 0.8, 0.8])))
    (line,) = lines(race, regret=True).lines
    assert line.band.middle == pytest.approx((20, 10, LEAST_POINTS))
    assert line.band.low[0] == pytest.approx(19) and line.band.high[0] == pytest.approx(21)
    axis = lines_figure(lines(race, regret=True)).layout.yaxis
    assert axis.type == "log" and axis.range[0] < math.log10(LEAST_POINTS) and "≤" in axis.ticktext[0]


def test_lines_go_by_trainings_or_by_simulated_seconds() -> None:
    race = whole()
    assert lines(race).lines[0].band.spent == (1, 2, 4)
    assert lines(race, SECONDS).lines[0].band.spent == (0.5, 5, 50)
    without = race_of(
        told({key: value for key, value in racer("random", [0.6]).items() if "seconds" not in key})
    )
    assert len(lines(without, SECONDS).lines) == 0
    assert len(lines(without).lines) == 1


def test_points_before_the_first_result_are_not_drawn() -> None:
    rows = [[None, 0.5, 0.6]] * 5
    (line,) = lines(race_of(told(racer("random", [0.6], bands=rows)))).lines
    assert line.band.spent == (2, 4) and line.band.middle == pytest.approx((50, 60))


def test_a_ladder_counts_the_repeats_at_a_rank_or_better() -> None:
    (ladder,) = ranks(race_of(told(racer("random", [0.6, 0.6, 0.7, 0.5], ranks=[3, 8, 8, 90])))).ladders
    assert ladder.steps == ((3, 25), (8, 75), (90, 100))


def test_a_verdict_is_a_shape_and_a_colour_and_every_point_has_one() -> None:
    figure = strips_figure(strips(whole()))
    drawn = {trace.name: (trace.marker.symbol, trace.marker.color, len(trace.x)) for trace in figure.data}
    assert {name: count for name, (_, _, count) in drawn.items()} == {AHEAD: 2, OPEN: 4, BEHIND: 3}
    assert (
        len({symbol for symbol, _, _ in drawn.values()})
        == len({color for _, color, _ in drawn.values()})
        == 3
    )


def test_no_two_strategies_look_alike() -> None:
    assert len({look_of(name) for name in STRATEGIES}) == len(STRATEGIES)


@pytest.mark.parametrize("names", [(), ("random",), tuple(FINAL)])
def test_every_chart_draws_with_any_number_of_strategies(names: tuple[str, ...]) -> None:
    race = race_of(told(*(racer(name, FINAL[name]) for name in names), *PAIRS))
    drawn: list[tuple[Any, Any]] = [
        *(
            (lines(race, unit, regret), lines_figure)
            for unit in ("trainings", SECONDS)
            for regret in (True, False)
        ),
        (strips(race), strips_figure),
        (ranks(race), ranks_figure),
    ]
    for info, figure in drawn:
        assert info.question.endswith("?") and info.alt
        assert figure(info).to_json()


def test_what_the_engine_tells_is_read_whole() -> None:
    rng = np.random.default_rng(0)
    values = rng.random((3, 81))
    table = Table(counts=(3, 3, 3, 3), values=values, truth=values.mean(0), curves=None, seconds=np.ones(81))
    trace = replay("random", table, 20, 5, 1, {})
    (one,) = race_of(told(json.loads(json.dumps(told_of(trace, table, 20))))).racers
    assert one.repeats == 5 and one.final[-1] == pytest.approx(100 * trace.truth[:, -1].max(), abs=1e-3)
    assert one.bands["trainings"].spent[-1] == 20 and one.bands[SECONDS].spent[-1] == pytest.approx(20)
    assert one.mean == pytest.approx(100 * trace.truth[:, -1].mean(), abs=1e-3)


def spoilt(data: dict[str, Any]) -> list[dict[str, Any]]:
    """The data with each of its entries gone, empty or of another type."""
    found = []
    for key in data:
        for value in (None, [], "x", 3.5, {"a": 1}, [[1], "y"], float("nan"), True):
            found.append(copy.deepcopy(data) | {key: value})
        found.append({name: value for name, value in data.items() if name != key})
    return found


def test_a_strangers_measurements_are_left_out_where_they_do_not_fit() -> None:
    good = racer("random", FINAL["random"]), racer("local_search", FINAL["local_search"])
    for bad in [*spoilt(racer("grid", FINAL["grid"])), *spoilt(PAIRS[0])]:
        race = race_of(told(*good, bad))
        assert {one.name for one in race.racers} >= {"random", "local_search"}
        for info, figure in (
            (lines(race), lines_figure),
            (strips(race), strips_figure),
            (ranks(race), ranks_figure),
        ):
            assert figure(info).to_json()  # type: ignore[arg-type]
        assert answer(race) and standings(race)


# -- a budget in seconds, one-shot searches --------------------------------------------------------

SEARCHES = [
    ("DARTS, 100 epochs", 2.0, 4.0, 0.5),
    ("DARTS, 100 epochs", 3.0, 8.0, 0.6),
    ("DARTS, 100 epochs", 4.0, 12.0, 0.4),
    ("ENAS, 100 epochs", 9.0, 90.0, 0.7),
]


def in_seconds() -> Race:
    spec = dataclasses.replace(SPEC, settings={"race": {"seconds": 50.0}})
    duel = PAIRS[0] | {"points": [0.5, 5.0, 50.0]}
    state = told(racer("random", FINAL["random"]), racer("local_search", FINAL["local_search"]), duel)
    return race_of(dataclasses.replace(state, spec=spec))


def test_a_race_by_seconds_says_so_everywhere() -> None:
    race = in_seconds()
    assert race.unit == SECONDS and "after 50 simulated seconds" in answer(race)
    assert strips(race).x.title == SECONDS and whole().unit == TRAININGS


def test_a_point_is_the_mean_of_its_runs_with_students_interval() -> None:
    darts, enas = points(SEARCHES, whole())
    assert (darts.words, darts.runs, darts.spent) == ("DARTS, 100 epochs", 3, {TRAININGS: 3.0, SECONDS: 8.0})
    assert darts.accuracy == pytest.approx(50) and darts.reached == pytest.approx((40, 50, 60))
    # 4.303 x 10 / sqrt(3), from a table of Student's t with 2 degrees of freedom
    assert darts.interval == pytest.approx((50 - 24.84, 50 + 24.84), abs=0.01)
    assert enas.interval is None and enas.label == "ENAS, 100 epochs (1 run)"


def test_many_runs_take_students_value_of_their_number() -> None:
    many = [("SPOS", 1.0, 1.0, 0.5 + 0.01 * (-1) ** at) for at in range(22)]
    (point,) = points(many, whole())
    assert point.interval is not None
    half = 2.0796 * math.sqrt(22 / 21) / math.sqrt(22)  # 21 degrees of freedom
    assert point.interval[1] - point.accuracy == pytest.approx(half, abs=1e-3)


def test_random_search_at_the_same_cost_is_its_line_there_and_nothing_beyond_it() -> None:
    darts, enas = points(SEARCHES, whole())
    assert darts.random == pytest.approx(52)  # after 2 of its 1, 2 and 4 trainings
    assert enas.random is None
    sentences = beside(whole(), (darts, enas))
    assert "DARTS, 100 epochs (3 runs), 3.0 trainings: 50.0 % (25.2 to 74.8)" in sentences
    assert (
        "random search at the same cost 52.0 % (median)" in sentences and "not followed that far" in sentences
    )
    (darts, _) = points(SEARCHES, in_seconds())
    assert darts.random == pytest.approx(52) and "8.0 simulated seconds" in beside(in_seconds(), [darts])


@pytest.mark.parametrize("unit", [TRAININGS, SECONDS])
def test_a_mark_stands_at_its_cost_between_its_worst_and_best_run(unit: str) -> None:
    found = points(SEARCHES, whole())
    plain = lines(whole(), unit, False, found)
    mark = plain.marks[0]
    assert mark.spent == found[0].spent[unit] and (mark.low, mark.height, mark.high) == pytest.approx(
        (40, 50, 60)
    )
    lost = lines(whole(), unit, True, found).marks[0]
    assert (lost.low, lost.height, lost.high) == pytest.approx((20, 30, 40))  # the best is 80
    figure = lines_figure(plain)
    drawn = [trace for trace in figure.data if trace.mode == "markers"]
    assert [trace.name for trace in drawn] == ["DARTS, 100 epochs (3 runs)", "ENAS, 100 epochs (1 run)"]
    assert len({trace.marker.symbol for trace in drawn}) == 2 and "one-shot" in plain.basis
