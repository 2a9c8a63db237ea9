"""The assessor lens: what it draws is what was recorded."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from typing import Any

import pytest

from explorer.plots.tuning.lens import LensInfo, lens, ranges
from explorer.plots.tuning.lens_drawing import lens_figure, lens_svg
from explorer.plots.tuning.table import Board, board
from tests.plots.tuning.runs import assessment, begin, combine, curve, end, evaluate, told

VALUES: dict[int, float | None] = {1: 0.35, 2: 0.52, 3: 0.62, 4: 0.68, 5: 0.72, 6: 0.74}


def stopped(*events: dict[str, Any], finished: bool = False) -> Board:
    """Trial 7 with these assessments, stopped at step 6."""
    words = begin(7, 1, {"lr": 0.1}) + curve(7, 1, VALUES)
    words += [(2.1, "assessment", event) for event in events] + end(7, 2.2, "early_stopped")
    if finished:
        words += begin(8, 3, None, repeat_of=7, continues=True)
        words += curve(8, 3, {7: 0.77, 8: 0.8}) + end(8, 5, "succeeded", 0.8)
    return board(told(words))


CURVEFITTING = (
    assessment(7, 4, "wait", acts=False),
    assessment(7, 5, "good", prediction=0.91),
    assessment(7, 6, "bad"),
)


def seen(found: Board, step: int | None = None) -> LensInfo:
    """The lens with stand-ins for the fitted families."""
    return lens(found, 7, step, evaluate, combine)


def median(step: int, decision: str, **more: Any) -> dict[str, Any]:
    """What Medianstop saw."""
    facts: dict[str, Any] = {
        "trial_id": 7,
        "step": step,
        "decision": decision,
        "assessor": "Medianstop",
        "acts": True,
        "history": [],
        "best_so_far": 0.5,
        "averages": [0.4, 0.6, 0.7],
        "completed": 3,
        "median": 0.6,
        "milliseconds": 0.1,
    }
    return facts | more


def test_the_lens_opens_at_the_assessment_that_stopped_the_trial() -> None:
    info = seen(stopped(*CURVEFITTING))
    assert info.chosen is not None and (info.chosen.step, info.chosen.decision) == (6, "bad")
    assert [(look.step, look.acts) for look in info.looks] == [(4, False), (5, True), (6, True)]
    assert info.stopped == (6, 74.0)
    assert info.verdict == "Step 6: predicted 84.8 % at step 10, not above the line of 90.2 %: stopped."


def test_an_earlier_look_shows_only_what_was_seen_then() -> None:
    info = seen(stopped(*CURVEFITTING), 4)
    assert info.seen == 4 and "did not look yet" in info.verdict
    assert "it goes on" in seen(stopped(*CURVEFITTING), 5).verdict


def test_lines_and_prediction_are_the_recorded_ones_in_percent() -> None:
    info = seen(stopped(*CURVEFITTING))
    assert info.prediction == (10, 84.8)
    assert info.threshold is not None and info.threshold.value == pytest.approx(90.25)
    assert info.threshold.words == "0.95 × best: 90.2 %"
    assert info.best_completed is not None and info.best_completed.value == 95.0


def test_the_family_reaches_the_target_and_dropped_models_are_named() -> None:
    info = seen(stopped(*CURVEFITTING))
    assert [model.name for model in info.fitted] == ["pow3", "vap"], "the heaviest lies on top"
    assert info.dropped == (("janoschek", "its curve falls"),)
    assert info.combined[0][0] == 1 and info.combined[-1][0] == 10
    assert info.combined[-1][1] == pytest.approx(100 * (0.7 * (0.98 - 0.9 / 11) + 0.3 * (0.9 - 0.8 / 11)))


def test_a_stopped_trial_that_was_finished_has_a_ghost() -> None:
    assert seen(stopped(*CURVEFITTING, finished=True)).ghost == ((6, 74.0), (7, 77.0), (8, 80.0))
    assert seen(stopped(*CURVEFITTING)).ghost == ()


def test_medianstop_shows_averages_their_median_and_the_own_best() -> None:
    info = seen(stopped(median(5, "good", best_so_far=0.72, median=0.5), median(6, "bad")))
    assert info.averages == ((5, 40.0), (5, 60.0), (5, 70.0), (6, 40.0), (6, 60.0), (6, 70.0))
    assert (info.median, info.best_so_far) == (((5, 50.0), (6, 60.0)), ((5, 72.0), (6, 50.0)))
    assert info.verdict == "Step 6: its best 50.0 % against a median of 60.0 % over 3 completed: stopped."
    assert seen(stopped(median(5, "good"), median(6, "bad")), 5).averages[-1][0] == 5, (
        "what came later is not shown"
    )


@pytest.mark.parametrize(
    ("event", "words"),
    [
        (assessment(7, 4, "wait", prediction=None, models={}), "too few models"),
        (assessment(7, 4, "wait", best_completed=None, line=None, threshold=None), "nothing was completed"),
        (median(1, "good", averages=[], median=None, completed=0), "no completed trial"),
    ],
)
def test_a_look_that_could_not_judge_says_why(event: dict[str, Any], words: str) -> None:
    info = seen(stopped(event))
    assert words in info.verdict
    assert ElementTree.fromstring(lens_svg(info)) is not None and lens_figure(info).to_json()


def test_a_trial_that_was_never_assessed_is_only_a_curve() -> None:
    info = seen(stopped())
    assert info.chosen is None and info.looks == () and info.seen == 6
    assert lens_svg(info) and lens_figure(info).data


def test_a_trial_without_results_still_has_a_picture() -> None:
    info = lens(board(told(begin(7, 1, {}))), 7)
    assert lens_svg(info) and lens_figure(info).to_json()


def test_wild_fits_and_predictions_do_not_squash_the_curve() -> None:
    wild = assessment(7, 6, "bad", prediction=-1e6)
    info = lens(stopped(wild), 7, None, lambda *_: [1e9, float("nan")] * 32, lambda *_: [float("inf")] * 64)
    low, high = ranges(info)[1]
    assert -100 < low < 35 and 95 < high < 200
    text = lens_svg(info)
    assert not re.search(r"\b(nan|inf)\b", text) and "↓" in text


@pytest.mark.parametrize("events", [CURVEFITTING, (median(5, "good"), median(6, "bad"))])
def test_both_pictures_say_the_same_and_the_sketch_is_small(events: tuple[dict[str, Any], ...]) -> None:
    info = seen(stopped(*events, finished=True))
    text = lens_svg(info)
    root = ElementTree.fromstring(text)
    assert root.get("aria-label") == info.alt and len(text) < 60_000
    assert str(lens_figure(info).layout.yaxis.title.text) == str(info.y)


def test_an_unknown_trial_is_refused() -> None:
    with pytest.raises(KeyError):
        seen(board(told([])))


def test_a_recorded_family_is_drawn_by_the_lens_room() -> None:
    family = {"linear": {"parameters": [0.05, 0.4], "weight": 1.0, "prediction": 0.9}}
    info = lens(stopped(assessment(7, 6, "bad", models=family, prediction=0.9)), 7)
    assert info.combined == info.fitted[0].points
    assert info.combined[-1] == pytest.approx((10, 90.0)) and info.prediction == pytest.approx((10, 90.0))
