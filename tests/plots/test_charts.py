"""What charts state: from runs told in words, compared with numbers worked out by hand."""

from __future__ import annotations

import csv
import io
import xml.etree.ElementTree as ElementTree
from dataclasses import replace
from statistics import mean, stdev
from typing import Any

import pytest

from explorer.plots.charts import accuracy_against_parameters, learning_curves
from explorer.plots.estimate import estimated_seconds
from explorer.plots.figures import curves_figure, pareto_figure
from explorer.plots.leaderboard import TRUE_COLUMNS, leaderboard, space_of, to_csv
from explorer.plots.nas.truth import Place, Truth
from explorer.plots.progress import duration, most_trials, progress
from explorer.plots.sketch import curves_svg, pareto_svg, ticks
from explorer.runs.events import Event
from explorer.runs.spec import RunSpec
from explorer.runs.state import RunState, fold
from explorer.space import CellSpace, preset

SPEC = RunSpec(space="notes-net", trials=4, epochs=2)
SPACE = preset("notes-net")
Words = list[tuple[str, dict[str, object]]]


def trial(number: int, code: str, value: float | None, repeat_of: int | None = None) -> Words:
    """A whole trial of two epochs; without a value it fails."""
    begin = {
        "trial_id": number,
        "parameters": None,
        "architecture": SPACE.from_code(code).to_json(),
        "seed": 1,
    }
    words: Words = [("trial_started", begin | ({} if repeat_of is None else {"repeat_of": repeat_of}))]
    if value is None:
        return [*words, ("trial_ended", {"trial_id": number, "status": "failed", "reason": "no number"})]
    for step in (1, 2):
        result = {"trial_id": number, "step": step, "value": value / (3 - step), "metrics": {}}
        words.append(("intermediate_result", result))
    final = {"trial_id": number, "value": value, "metrics": {"test_accuracy": value - 0.1}}
    ending = {"trial_id": number, "status": "succeeded", "reason": None}
    return [*words, ("final_result", final), ("trial_ended", ending)]


def told(*trials: Words, end: str | None = "run_finished", spec: RunSpec = SPEC) -> RunState:
    """The state after these trials, one event a second."""
    words: Words = [("run_queued", {"spec": spec.to_json()}), ("run_started", {})]
    words += [word for words_of_trial in trials for word in words_of_trial]
    words += [(end, {})] if end else []
    return fold(Event("r", seq, float(seq), kind, data) for seq, (kind, data) in enumerate(words, start=1))


def test_the_leaderboard_ranks_by_validation_accuracy_and_lists_failures_last() -> None:
    rows = leaderboard(told(trial(0, "000", 0.5), trial(1, "111", None), trial(2, "101", 0.9)), SPACE)
    assert [(row.rank, row.code, row.status) for row in rows] == [
        (1, "101", "succeeded"),
        (2, "000", "succeeded"),
        (None, "111", "failed"),
    ]
    assert rows[0].parameters == SPACE.lower(SPACE.from_code("101")).parameters
    assert rows[2].reason == "no number"


def test_test_accuracy_is_told_only_at_the_end() -> None:
    assert leaderboard(told(trial(0, "000", 0.5), end=None), SPACE)[0].test is None
    tested = leaderboard(told(trial(0, "000", 0.5)), SPACE)[0].test
    assert tested is not None and tested.value == pytest.approx(0.4)


def test_the_mean_of_retrainings_leaves_out_the_result_that_was_picked() -> None:
    fresh = [0.7, 0.8, 0.75]
    again = [trial(10 + at, "000", value, repeat_of=0) for at, value in enumerate(fresh)]
    row = leaderboard(told(trial(0, "000", 0.95), *again), SPACE)[0]
    assert row.retrained is not None and row.validation == 0.95
    assert (row.retrained.value, row.retrained.spread, row.retrained.seeds) == (
        pytest.approx(mean(fresh)),
        pytest.approx(stdev(fresh)),
        3,
    )


def test_all_seeds_of_a_pinned_architecture_count() -> None:
    pinned = RunSpec(space="notes-net", architecture=SPACE.default.to_json(), trials=3, epochs=2)
    again = [trial(at, "000", value, repeat_of=0) for at, value in ((1, 0.8), (2, 0.7))]
    row = leaderboard(told(trial(0, "000", 0.9), *again, spec=pinned), SPACE)[0]
    assert row.retrained is not None and row.retrained.seeds == 3
    assert row.retrained.value == pytest.approx(0.8)


def test_csv_reads_back_and_no_cell_is_a_formula() -> None:
    rows = leaderboard(told(trial(0, "001", 0.5)), SPACE)
    read = list(csv.DictReader(io.StringIO(to_csv(rows))))
    assert read[0]["code"] == "001" and float(read[0]["validation_accuracy"]) == 0.5
    assert read[0]["conv1"] == "conv3x3" and read[0]["skip"] == "0"
    evil = to_csv([rows[0].__class__(**(vars(rows[0]) | {"code": "=1+1"}))])
    assert "'=1+1" in evil


PLACES = {0: Place(0.6, 0.1, 7, 3, 12, 15_625)}


def truth(ghosts: dict[int, tuple[float, ...]] | None = None) -> Truth:
    """What a key says of trial 0."""
    return Truth("noisy-digits", PLACES, 0.7, 0.01, 4, None, ghosts=ghosts or {})


def test_true_ranks_stand_in_the_rows_and_in_four_columns_of_the_csv() -> None:
    state = told(trial(0, "001", 0.5), trial(1, "111", 0.6))
    rows = leaderboard(state, SPACE, truth())
    assert {row.trial_id: row.place for row in rows} == {0: PLACES[0], 1: None}
    unknown, known = csv.DictReader(io.StringIO(to_csv(rows)))
    assert [known[name] for name in TRUE_COLUMNS] == ["7", "3", "12", "0.6"]
    assert [unknown[name] for name in TRUE_COLUMNS] == [""] * 4 and known["conv1"] == "conv3x3"
    assert not set(TRUE_COLUMNS) & set(
        next(iter(csv.DictReader(io.StringIO(to_csv(leaderboard(state, SPACE))))))
    )


def with_budget(words: Words, epochs: int) -> Words:
    """The trial with so many epochs given."""
    words[0][1]["budget"] = epochs
    return words


def test_longer_trainings_lead_whatever_shorter_ones_reached() -> None:
    short = [with_budget(trial(at, "000", value), 1) for at, value in enumerate((0.9, 0.95))]
    state = told(*short, with_budget(trial(2, "111", 0.5), 2))
    rows = leaderboard(state, SPACE)
    assert [(row.trial_id, row.rank, row.is_whole) for row in rows] == [
        (2, 1, True),
        (1, 2, False),
        (0, 3, False),
    ]
    assert state.best is not None and state.best.trial_id == rows[0].trial_id
    assert [dot.trial_id for dot in accuracy_against_parameters(state, rows).dots] == [2]


def test_a_ghost_goes_on_from_the_last_point_with_the_keys_mean() -> None:
    state = told(trial(0, "000", 0.5), trial(1, "111", 0.9), spec=replace(SPEC, epochs=4))
    known = {0: (0.2, 0.4, 0.6, 0.7), 1: (0.3, 0.5)}  # the key knows no more of trial 1 than was trained
    info = learning_curves(state, leaderboard(state, SPACE), truth(known))
    (ghost,) = info.ghosts
    assert (ghost.trial_id, ghost.steps) == (0, (2, 3, 4))
    assert ghost.values == (50.0, 60.0, 70.0) and "had it finished: 70.0 %" in ghost.words
    assert "Dashed" in info.basis and "1 ended early" in info.alt
    dashed = [trace for trace in curves_figure(info).data if trace.line.dash == "dash"]
    assert [list(trace.y) for trace in dashed] == [[50.0, 60.0, 70.0]]
    root = ElementTree.fromstring(curves_svg(info))
    assert sum(ghost.words in (element.text or "") for element in root.iter()) == 1
    assert any(element.text == "had it finished" for element in root.iter())


def test_without_ghosts_nothing_is_said_of_them() -> None:
    state = told(trial(0, "000", 0.5))
    info = learning_curves(state, leaderboard(state, SPACE), truth())
    assert not info.ghosts and "Dashed" not in info.basis and "had it finished" not in curves_svg(info)


def test_of_many_curves_the_newest_and_the_best_are_drawn_and_the_others_counted() -> None:
    state = told(*(trial(at, "000", value) for at, value in enumerate((0.9, 0.5, 0.6, 0.7))))
    info = learning_curves(state, leaderboard(state, SPACE), most=2)
    assert [curve.trial_id for curve in info.curves] == [
        3,
        0,
    ] and "2 older trials are not drawn" in info.basis


def test_curves_are_in_percent_and_the_best_lies_on_top() -> None:
    state = told(trial(0, "111", 0.9), trial(1, "000", 0.5))
    info = learning_curves(state, leaderboard(state, SPACE))
    assert [curve.name for curve in info.curves] == ["000", "111"]
    assert info.curves[-1].is_best and info.curves[-1].values == (45.0, 90.0)
    assert "one seed" in info.basis and info.y.better == "higher"


def test_the_pareto_front_holds_what_nothing_beats() -> None:
    sizes = {code: SPACE.lower(SPACE.from_code(code)).parameters for code in ("000", "101", "111")}
    assert sizes["000"] < sizes["101"] < sizes["111"]
    state = told(trial(0, "000", 0.5), trial(1, "101", 0.4), trial(2, "111", 0.9))
    info = accuracy_against_parameters(state, leaderboard(state, SPACE))
    assert [dot.name for dot in info.front] == ["000", "111"]


def test_error_bars_appear_with_several_seeds_only() -> None:
    again = [trial(10 + at, "000", value, repeat_of=0) for at, value in enumerate((0.7, 0.8))]
    state = told(trial(0, "000", 0.9), *again)
    info = accuracy_against_parameters(state, leaderboard(state, SPACE))
    assert info.dots[0].spread is None
    assert info.retrained[0].spread == pytest.approx(100 * stdev((0.7, 0.8)))
    assert any(trace.error_y.visible for trace in pareto_figure(info).data)


def test_figures_say_axes_units_and_direction() -> None:
    state = told(trial(0, "000", 0.5), trial(1, "111", 0.9))
    rows = leaderboard(state, SPACE)
    curves, pareto = learning_curves(state, rows), accuracy_against_parameters(state, rows)
    assert curves_figure(curves).layout.yaxis.title.text == "validation accuracy (%) · higher is better"
    assert curves_figure(curves).layout.xaxis.title.text == "epoch"
    assert pareto_figure(pareto).layout.xaxis.title.text == "parameters · lower is better"


@pytest.mark.parametrize("count", [0, 1, 3])
def test_sketches_are_well_formed_with_any_number_of_trials(count: int) -> None:
    trials = [trial(at, code, 0.5) for at, code in enumerate(("000", "101", "111")[:count])]
    state = told(*trials, end=None)
    rows = leaderboard(state, SPACE)
    for text in (
        curves_svg(learning_curves(state, rows)),
        pareto_svg(accuracy_against_parameters(state, rows)),
    ):
        root = ElementTree.fromstring(text)
        assert root.get("role") == "img" and root.get("aria-label")


@pytest.mark.parametrize(("low", "high"), [(0, 1), (45.2, 97.7), (84_000, 86_000), (3, 3), (0.001, 0.002)])
def test_ticks_are_few_round_and_inside(low: float, high: float) -> None:
    found = ticks(low, high)
    assert 1 <= len(found) <= 8
    assert all(low - 1e-9 <= tick <= high + 1e-9 for tick in found)


def test_progress_counts_epochs_and_tells_the_time_left_at_the_pace_so_far() -> None:
    state = told(trial(0, "000", 0.5), trial(1, "111", 0.9), end=None)  # started at 2, the last event at 12
    assert state.attempt_started == 2.0
    now = progress(state, now=12.0)
    assert (now.share, now.trials_done, now.trials) == (0.5, 2, 4)
    assert now.seconds_left == pytest.approx((12 - 2) / 4 * 4)


def test_progress_reaches_the_end_where_a_space_holds_fewer_than_asked() -> None:
    spec = RunSpec(space="notes-net", trials=20, epochs=2)
    state = told(trial(0, "000", 0.5), trial(1, "111", 0.9), end=None, spec=spec)
    assert progress(state, 12.0, size=2).share == 1.0


@pytest.mark.parametrize(
    ("strategy", "settings", "most"),
    [
        ("random", {}, 8),
        ("nni-tpe", {}, 8),
        ("proxy", {"pool": 5}, 5),
        ("aging_evolution", {}, 100),
        ("aging_evolution", {"duplicates": "redraw"}, 8),
        ("reinforce", {}, 100),
        ("hyperband", {}, 100),  # what goes on to the next rung is a trial of its own
    ],
)
def test_only_a_search_without_repeats_is_bounded_by_the_space(
    strategy: str, settings: dict[str, object], most: int
) -> None:
    asked: dict[str, Any] = {
        "trials": 100,
        "method": {"strategy": strategy},
        "settings": {"strategy": settings},
    }
    assert most_trials(RunSpec(kind="nas", space="notes-net", **asked), 8) == most


def test_a_short_training_is_done_when_its_own_epochs_are() -> None:
    spec = RunSpec(kind="nas", space="notes-net", method={"strategy": "hyperband"}, trials=4, epochs=8)
    words = trial(0, "000", 0.5)
    words[0][1]["budget"] = 2
    going = trial(1, "111", 0.5)[:2]
    going[0][1]["budget"] = 2
    state = told(
        words, going, end=None, spec=spec
    )  # one whole and half of another, three epochs in six seconds
    now = progress(state, now=8.0)
    assert (now.share, now.trials) == (1.5 / 4, 4)
    assert now.seconds_left == pytest.approx(2.5 * 2 * (8 - 2) / 3)


def test_a_pinned_architectures_seeds_are_its_trials() -> None:
    pinned = RunSpec(space="notes-net", architecture=SPACE.default.to_json(), trials=2, epochs=2)
    state = told(trial(0, "000", 0.5), trial(1, "000", 0.6, repeat_of=0), end=None, spec=pinned)
    assert progress(state, 12.0).share == 1.0


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "0 s"), (59, "59 s"), (60, "1 min"), (95, "1 min 35 s"), (720, "12 min"), (4800, "1 h 20 min")],
)
def test_durations_read_like_a_person_says_them(seconds: float, words: str) -> None:
    assert duration(seconds) == words


def test_the_estimate_grows_with_the_work() -> None:
    one = estimated_seconds(RunSpec(space="notes-net", trials=4, epochs=1, workers=1))
    more = estimated_seconds(RunSpec(space="notes-net", trials=4, epochs=5, workers=1))
    shared = estimated_seconds(RunSpec(space="notes-net", trials=4, epochs=5, workers=2))
    assert one is not None and more is not None and shared is not None
    assert one < shared < more


def test_the_estimate_counts_trials_that_may_repeat_an_architecture() -> None:
    whole = preset("cell")
    assert isinstance(whole, CellSpace)
    space = replace(whole, operations=("none", "skip_connect")).to_json()  # 64 cells
    once, again = (
        estimated_seconds(
            RunSpec(
                kind="nas", space=space, dataset="digits", method={"strategy": name}, trials=640, workers=1
            )
        )
        for name in ("random", "aging_evolution")
    )
    assert once is not None and again is not None and again > 5 * once


def test_a_run_without_a_readable_space_still_has_a_leaderboard() -> None:
    assert space_of(RunSpec(space={"family": "other"})) is None
    assert leaderboard(told(trial(0, "000", 0.5)), None)[0].code == "trial 0"
