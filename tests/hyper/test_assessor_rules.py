"""Settings that never stop or stop everything are refused, with the reason and the remedy."""

from __future__ import annotations

import math
from typing import Any

import pytest

from explorer.catalogue import ASSESSORS
from explorer.errors import UnknownName
from explorer.hyper.assessor_rules import (
    assessor_notes,
    assessor_problems,
    complete,
    runtime_findings,
    runtime_problem,
)

RISING = [0.3, 0.5, 0.6, 0.65, 0.68, 0.7]


def problems(
    name: str, epochs: int = 10, mode: str = "maximize", reports: bool = True, **settings: Any
) -> list[str]:
    """The sentences for a run of ten epochs."""
    return assessor_problems(name, settings, epochs=epochs, optimize_mode=mode, reports_intermediate=reports)


@pytest.mark.parametrize("name", list(ASSESSORS))
def test_the_defaults_are_right_for_ten_epochs(name: str) -> None:
    assert problems(name) == []
    assert assessor_notes(name, {}, epochs=10) == []


def test_the_notes_snippet_is_right_for_ten_epochs() -> None:
    assert problems("Curvefitting", epoch_num=10, threshold=0.9) == []


@pytest.mark.parametrize(
    ("settings", "reason", "remedy"),
    [
        ({"threshold": 9}, "nearly all would be stopped", "0.95"),
        ({"threshold": 9.0}, "9 times the best", "0.95"),
        ({"threshold": 1.01}, "1.01 times", "0.95"),
        ({"threshold": 0.0}, "nothing would ever be stopped", "0.95"),
        ({"epoch_num": 5}, "already past at its first look at step 6", "set epoch_num to 10"),
        ({"epoch_num": 8}, "from epoch 9 on", "set epoch_num to 10"),
        ({"start_step": 11, "epoch_num": 20}, "never look", "at most 10"),
    ],
    ids=str,
)
def test_curvefitting_settings_that_make_no_sense(settings: dict[str, Any], reason: str, remedy: str) -> None:
    (problem,) = problems("Curvefitting", **settings)
    assert reason in problem
    assert remedy in problem


def test_a_threshold_of_exactly_one_is_allowed() -> None:
    assert problems("Curvefitting", threshold=1) == []


def test_curvefitting_cannot_minimise() -> None:
    (problem,) = problems("Curvefitting", mode="minimize")
    assert "Medianstop" in problem
    assert problems("Medianstop", mode="minimize") == []


def test_every_problem_is_told_at_once() -> None:
    assert len(problems("Curvefitting", mode="minimize", threshold=9.0, start_step=12, epoch_num=4)) == 4


@pytest.mark.parametrize("start", [10, 11])
def test_medianstop_that_would_start_at_the_end_is_refused(start: int) -> None:
    (problem,) = problems("Medianstop", start_step=start)
    assert "below 10" in problem


@pytest.mark.parametrize("name", ["Medianstop", "Curvefitting"])
def test_an_objective_without_intermediate_results_takes_no_assessor(name: str) -> None:
    (problem,) = problems(name, reports=False)
    assert "none" in problem
    assert problems("none", reports=False) == []


def test_an_unknown_assessor_is_one_sentence_and_wrong_types_are_the_catalogues_business() -> None:
    assert "did you mean 'Medianstop'" in problems("Medianstp")[0]
    assert problems("Curvefitting", threshold="high") == []
    assert assessor_notes("Curvefitting", {"threshold": "high"}, epochs=10) == []


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"start_step": 2}, "fewer than 4 results"),
        ({"start_step": 10}, "only after the last epoch"),
        ({"epoch_num": 30}, "predicts epoch 30"),
    ],
    ids=str,
)
def test_what_is_allowed_but_worth_knowing(settings: dict[str, Any], told: str) -> None:
    assert problems("Curvefitting", **settings) == []
    (note,) = assessor_notes("Curvefitting", settings, epochs=10)
    assert told in note


def test_settings_are_completed_by_the_catalogue_and_the_epochs() -> None:
    full = complete("Curvefitting", {"threshold": 0.9, "epoch_num": None}, epochs=12)
    assert full == {"epoch_num": 12, "start_step": 6, "threshold": 0.9, "gap": 1}
    assert complete("none", {}, epochs=12) == {}
    with pytest.raises(UnknownName):
        complete("nothing", {}, epochs=12)


@pytest.mark.parametrize(
    ("history", "kind", "told"),
    [
        ([100 * value for value in RISING], "scale", "percent"),
        (RISING[::-1], "decreasing", "falls"),
        ([2.3, 1.2, 0.9, 1.0, 0.6], "decreasing", "falls"),
        ([-value for value in RISING[::-1]], "negative", "below 0"),
    ],
    ids=str,
)
def test_a_measure_that_misleads_curvefitting_is_told(history: list[float], kind: str, told: str) -> None:
    assert told in runtime_findings("Curvefitting", history)[kind]
    assert runtime_problem("Curvefitting", history) == next(
        iter(runtime_findings("Curvefitting", history).values())
    )
    assert runtime_problem("Medianstop", history) is None


def test_an_epoch_num_that_is_past_is_told() -> None:
    assert runtime_problem("Curvefitting", RISING, epoch_num=6) is None
    assert "past epoch_num 5" in str(runtime_problem("Curvefitting", RISING, epoch_num=5))


@pytest.mark.parametrize(
    "history",
    [
        RISING,
        [],
        [0.5],
        [0.9, 0.2],
        [0.5] * 8,
        [0.7, 0.72, 0.69, 0.71, 0.7],
        [math.nan, 1.0],
        [0.6, 0.7, 0.8, 0.5],
    ],
    ids=str,
)
def test_ordinary_histories_give_no_alarm(history: list[float]) -> None:
    assert runtime_findings("Curvefitting", history) == {}
