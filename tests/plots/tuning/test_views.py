"""The charts over a board: what they state, that they stay small with thousands of trials, that they say what is
hidden.
"""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest

from explorer.plots.tuning import (
    best,
    curves,
    domains,
    frame,
    importance,
    parallel,
    scatter,
    slices,
    statuses,
    timeline,
)
from explorer.plots.tuning.table import Board, board
from tests.plots.tuning.runs import begin, curve, end, searched, spec, told

LIMIT = 60_000
SVGS: dict[str, Callable[[Board], str]] = {
    "best": lambda found: best.best_svg(best.best_so_far(found)),
    "curves": lambda found: curves.curves_svg(curves.learning_curves(found)),
    "all curves": lambda found: curves.curves_svg(curves.learning_curves(found, top=None)),
    "parallel": lambda found: parallel.parallel_svg(parallel.parallel_coordinates(found)),
    "slices": lambda found: slices.slices_svg(slices.slices(found)),
    "timeline": lambda found: timeline.timeline_svg(timeline.timeline(found)),
}
FIGURES: dict[str, Callable[[Board], Any]] = {
    "best": lambda found: best.best_figure(best.best_so_far(found)),
    "curves": lambda found: curves.curves_figure(curves.learning_curves(found)),
    "parallel": lambda found: parallel.parallel_figure(parallel.parallel_coordinates(found)),
    "slices": lambda found: slices.slices_figure(slices.slices(found)),
    "scatter": lambda found: scatter.scatter_figure(scatter.scatter(found, "lr", "value")),
    "importance": lambda found: importance.importance_figure(importance.importance(found)),
    "timeline": lambda found: timeline.timeline_figure(timeline.timeline(found)),
}


def only_failed() -> Board:
    """Three trials, none of which gave a number."""
    return board(
        told([w for n in range(3) for w in begin(n, 1 + n, {"lr": 0.1}) + end(n, 1.5 + n, "failed")])
    )


BOARDS: dict[str, Callable[[], Board]] = {
    "nothing yet": lambda: board(told([])),
    "just begun": lambda: board(told(begin(0, 2, {"lr": 0.1}))),
    "live": lambda: searched(20, live=True),
    "over": lambda: searched(40),
    "minimize": lambda: searched(30, objective="branin"),
    "only failed": only_failed,
}


@pytest.mark.parametrize("view", SVGS)
@pytest.mark.parametrize("name", BOARDS)
def test_every_sketch_is_well_formed_whatever_the_run_has(view: str, name: str) -> None:
    root = ElementTree.fromstring(SVGS[view](BOARDS[name]()))
    assert root.get("role") == "img" and root.get("aria-label")


@pytest.mark.parametrize("view", FIGURES)
@pytest.mark.parametrize("name", BOARDS)
def test_every_figure_is_made_whatever_the_run_has(view: str, name: str) -> None:
    assert FIGURES[view](BOARDS[name]()).to_json()


@pytest.mark.parametrize("view", SVGS)
@pytest.mark.parametrize("workers", [1, 64])
def test_a_sketch_of_thousands_of_trials_stays_small(view: str, workers: int) -> None:
    assert len(SVGS[view](searched(2000, workers=workers))) < LIMIT


@pytest.mark.parametrize("view", ["curves", "all curves"])
def test_long_curves_are_thinned(view: str) -> None:
    words = begin(0, 1, {"lr": 0.1}) + curve(0, 1, {step: 1 - 1 / step for step in range(1, 5001)})
    assert len(SVGS[view](board(told(words)))) < LIMIT


def test_a_space_of_thousands_of_parameters_shows_some_and_names_the_others() -> None:
    wide = {f"p{at}": 0.5 for at in range(3000)}
    words = [w for n in range(5) for w in begin(n, 1 + n, wide) + end(n, 1.5 + n, "succeeded", 0.5 + n / 10)]
    found = board(told(words, spec(search_space=None)))
    info = parallel.parallel_coordinates(found)
    assert len(info.axes) == parallel.MOST_AXES + 1 and len(info.left_out) == 3000 - parallel.MOST_AXES
    assert len(SVGS["slices"](found)) < LIMIT


# -- colours ----------------------------------------------------------------------------------------


def luminance(color: str) -> float:
    """WCAG 2.2's relative luminance."""
    shares = [int(color[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (x / 12.92 if x <= 0.03928 else ((x + 0.055) / 1.055) ** 2.4 for x in shares)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("paper", ["#ffffff", "#0e1117"])
def test_every_colour_stands_out_on_light_and_on_dark(paper: str) -> None:
    known = [look.color for look in statuses.STATUS_LOOKS.values()]
    for color in (*known, *statuses.RAMP, statuses.GHOST, statuses.BEST, statuses.QUIET):
        low, high = sorted((luminance(color), luminance(paper)))
        assert (high + 0.05) / (low + 0.05) >= 3, color


def test_no_two_statuses_share_a_shape() -> None:
    looks = statuses.STATUS_LOOKS.values()
    for told_by in ("shape", "symbol", "pattern"):
        assert len({getattr(look, told_by) for look in looks}) == len(looks)


# -- best so far ------------------------------------------------------------------------------------


@pytest.mark.parametrize(("objective", "values"), [("mlp", [0.5, 0.4, 0.7]), ("branin", [3.0, 9.0, 1.0])])
def test_the_best_so_far_only_gets_better_in_the_objectives_direction(
    objective: str, values: list[float]
) -> None:
    words = [w for n, v in enumerate(values) for w in begin(n, n + 1, {}) + end(n, n + 1.5, "succeeded", v)]
    info = best.best_so_far(board(told(words, spec(objective=objective))))
    factor = 100 if objective == "mlp" else 1
    assert info.line == ((0, values[0] * factor), (2, values[2] * factor))


def test_a_trial_that_was_given_more_epochs_leads_every_shorter_one() -> None:
    """As a tuner with budgets (BOHB, Hyperband) has them: a short training's result does not compare."""
    words = []
    for number, (epochs, value) in enumerate(((3, 0.9), (10, 0.6), (3, 0.95), (10, 0.7))):
        words += begin(number, number + 1, {}, budget=epochs) + end(number, number + 1.5, "succeeded", value)
    found = board(told(words))
    assert best.best_so_far(found).line == ((0, 90.0), (1, 60.0), (3, 70.0))
    assert [row.trial_id for row in found.ranked()] == [3, 1, 2, 0]
    assert [row.trial_id for row in found.rows if row.is_best] == [3]


def test_only_succeeded_trials_compete_for_the_best() -> None:
    words = begin(0, 1, {}) + end(0, 2, "succeeded", 0.5)
    words += begin(1, 2, {}) + curve(1, 2, {1: 0.9}) + end(1, 4, "early_stopped")
    info = best.best_so_far(board(told(words)))
    assert info.line == ((0, 50.0), (1, 50.0))
    assert [(mark.value, mark.status) for mark in info.marks] == [
        (50.0, "succeeded"),
        (90.0, "early_stopped"),
    ]


def test_a_few_values_far_off_do_not_flatten_the_rest() -> None:
    low, high = frame.window([*(float(at) for at in range(100)), 1e9], [0.0])
    assert low <= 0 and high < 200


# -- curves -----------------------------------------------------------------------------------------


def test_many_bad_trials_do_not_flatten_the_good_ones_and_stand_at_the_edge() -> None:
    words = [word for number in range(20) for word in begin(number, number)]
    for number in range(20):
        words += end(number, 30 + number, value=0.1 if number % 2 else 0.95 + number / 1000)
    run = board(told(sorted(words, key=lambda word: word[0])))
    whole, close = best.best_so_far(run), best.best_so_far(run, whole=False)
    assert whole.close_up and whole.outside == 0 and whole.window[0] < 10
    assert close.window[0] > 90 and close.outside == 10
    drawn = [y for trace in best.best_figure(close).data for y in trace.y if trace.mode == "markers"]
    assert len(drawn) == 20 and min(drawn) == close.window[0]


@pytest.mark.parametrize("sign", [1, -1])
def test_the_close_up_holds_the_better_half_or_there_is_none(sign: int) -> None:
    values = [sign * value for value in (1.0, 1.1, 1.2, 1.3, -50.0, -60.0, -70.0)]
    found = frame.close_up(values, sign)
    assert found is not None
    assert [found[0] <= value <= found[1] for value in values] == [True] * 4 + [False] * 3
    assert frame.close_up(values[:4], sign) is None and frame.close_up([1.0] * 9, sign) is None


def test_the_top_curves_are_drawn_with_a_sample_and_the_hidden_are_counted() -> None:
    found = searched(2000)
    info = curves.learning_curves(found, top=5, sample=20)
    own = [curve for curve in info.curves if curve.role != "ghost"]
    assert len(own) == 25 and own[-1].role == "best"
    with_curve = sum(bool(row.steps) for row in found.rows)
    assert info.hidden == with_curve - 25 and f"{info.hidden:,} of them not drawn" in info.basis
    top = {row.trial_id for row in found.ranked()[:5]}
    assert {curve.trial_id for curve in own if curve.role in ("top", "best")} == top


def test_what_runs_is_always_drawn() -> None:
    info = curves.learning_curves(searched(20, live=True), top=1, sample=0)
    assert sum(curve.status == "running" for curve in info.curves) == 2


def test_a_stopped_curve_ends_at_its_stop_and_its_ghost_goes_on_from_there() -> None:
    words = begin(0, 1, {}) + curve(0, 1, {1: 0.2, 2: 0.3}) + end(0, 2, "early_stopped")
    words += (
        begin(1, 3, None, repeat_of=0, continues=True)
        + curve(1, 3, {3: 0.35, 4: 0.4})
        + end(1, 5, "succeeded", 0.4)
    )
    info = curves.learning_curves(board(told(words)))
    (stopped, ghost) = info.curves
    assert (stopped.status, stopped.steps, stopped.values) == ("early_stopped", (1, 2), (20.0, 30.0))
    assert (ghost.role, ghost.trial_id, ghost.steps, ghost.values) == (
        "ghost",
        0,
        (2, 3, 4),
        (30.0, 35.0, 40.0),
    )


def test_results_that_are_no_numbers_leave_a_gap_and_no_point() -> None:
    words = begin(0, 1, {}) + curve(0, 1, {1: 0.2, 2: None, 3: 0.4})
    (found,) = curves.learning_curves(board(told(words))).curves
    assert found.steps == (1, 3)


# -- parallel coordinates and slices ----------------------------------------------------------------


def test_a_parameter_that_a_trial_does_not_have_lies_below_its_axis() -> None:
    found = searched(40)
    info = parallel.parallel_coordinates(found)
    at = [axis.title for axis in info.axes].index("optimizer.momentum")
    adam = {row.trial_id for row in found.rows if row.parameters["optimizer"] == "adam"}
    assert info.axes[at].has_absent and not info.axes[0].has_absent
    assert all((line.positions[at] < 0) == (line.trial_id in adam) for line in info.lines)


@pytest.mark.parametrize("objective", ["mlp", "branin"])
def test_better_lines_lie_on_top(objective: str) -> None:
    found = searched(40, objective=objective)
    lines = parallel.parallel_coordinates(found).lines
    assert lines[-1].share == 1 and lines[0].share == 0
    reached = {row.trial_id: found.scale.sign * (row.reached or 0) for row in found.rows}
    assert all(reached[one.trial_id] <= reached[two.trial_id] for one, two in pairwise(lines))


def test_a_slice_reports_the_trials_that_a_box_selects() -> None:
    figure = slices.slices_figure(slices.slices(searched(40), ["lr"]))
    assert figure.layout.dragmode == "select"
    trials = {data[0] for trace in figure.data for data in trace.customdata}
    assert trials == {row.trial_id for row in searched(40).rows if row.reached is not None}


def test_two_numeric_columns_scatter_on_their_own_axes() -> None:
    found = searched(40)
    assert {"value", "lr", "optimizer.momentum"} <= set(scatter.numeric_columns(found))
    assert "optimizer" not in scatter.numeric_columns(found)
    info = scatter.scatter(found, "lr", "seconds")
    assert info.log_x and not info.log_y and info.value.better == "higher"


# -- importance -------------------------------------------------------------------------------------


def test_importance_finds_the_parameter_that_decides() -> None:
    info = importance.importance(searched(2000))
    assert info.missing is None and info.bars[0].path == "lr" and info.bars[0].share > 0.5
    assert sum(bar.share for bar in info.bars) == pytest.approx(1)
    assert "Only in some trials: optimizer.momentum" in info.basis


def test_importance_says_what_it_needs() -> None:
    info = importance.importance(searched(9))
    assert info.bars == () and info.missing is not None and "10 trials that ran to their end" in info.missing


def test_importance_of_few_trials_is_called_rough() -> None:
    few, many = importance.importance(searched(16)), importance.importance(searched(200))
    assert few.bars and few.caution and "best two" in few.question and "best two" in few.basis
    assert many.bars and many.caution is None and "best tenth" in many.question


def test_parameters_that_never_varied_are_left_out() -> None:
    words = [
        word
        for n in range(30)
        for word in begin(n, n + 1, {"a": n / 30, "b": 1, "c": None if n % 2 else "x"})
        + end(n, n + 1.5, "succeeded", n / 30)
    ]
    info = importance.importance(board(told(words, spec(search_space=None))))
    assert info.left_out == ("b",) and {bar.path for bar in info.bars} == {"a", "c"}


def test_importance_has_nothing_to_say_where_all_values_are_equal() -> None:
    words = [w for n in range(30) for w in begin(n, n + 1, {"a": n / 30}) + end(n, n + 1.5, "succeeded", 0.5)]
    assert importance.importance(board(told(words, spec(search_space=None)))).missing


# -- timeline ---------------------------------------------------------------------------------------


def test_trials_take_the_first_free_lane() -> None:
    words = (
        begin(0, 1, {})
        + begin(1, 2, {})
        + end(1, 3, "failed")
        + begin(2, 4, {})
        + end(0, 5, "succeeded", 0.5)
    )
    info = timeline.timeline(board(told(words)))
    assert [(bar.trial_id, bar.lane) for bar in info.bars] == [(0, 0), (1, 1), (2, 1)]
    assert (info.lanes, info.bars[2].end, info.bars[2].status) == (2, 4, "running")
    assert info.busy == pytest.approx((4 + 1 + 1) / 8)


def test_no_lane_holds_two_trials_at_once() -> None:
    info = timeline.timeline(searched(2000, workers=4))
    assert info.lanes == 4
    for lane in range(4):
        mine = [bar for bar in info.bars if bar.lane == lane]
        assert all(one.end <= two.start + 1e-6 for one, two in pairwise(mine))


# -- domains ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("bins", "chances"),
    [
        ([0.0, 0.5, 1.0], [0.5, 0.5]),
        (["sgd", "<adam>"], [0.3, 0.7]),
        ([float(at) for at in range(1001)], [0.001] * 1000),
        ([str(at) for at in range(200)], [0.005] * 200),
        ([], []),
    ],
)
def test_a_distribution_is_a_tiny_picture(bins: list[float | str], chances: list[float]) -> None:
    text = domains.distribution_svg(bins, chances, "lr")
    assert ElementTree.fromstring(text).get("aria-label") and len(text) < 6_000


def test_lines_are_cut_off_at_the_planes_edge() -> None:
    plane = frame.Plane((0, 2), (0, 1), (0, 0, 200, 100))
    assert frame.line(plane, [(0, 0.5), (1, 1.5), (2, 0.5)]) == "M0 50L50 0M150 0L200 50"
    assert frame.line(plane, [(0, float("nan")), (1, 0.5), (2, 0.5)]) == "M100 50L200 50"
    assert frame.line(plane, [(0, 5), (2, 6)]) == ""


@pytest.mark.parametrize(("count", "most"), [(0, 5), (3, 5), (100, 5), (5, 1), (2, 0)])
def test_a_spread_keeps_both_ends(count: int, most: int) -> None:
    kept = frame.spread(range(count), most)
    assert len(kept) == min(count, most) and len(set(kept)) == len(kept)
    assert most < 2 or count == 0 or (kept[0], kept[-1]) == (0, count - 1)
