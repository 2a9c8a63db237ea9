"""Why a trial was stopped or let go on, as one plain paragraph with the numbers of the assessment itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from explorer.hyper.assessor_rules import CURVEFITTING, MEDIANSTOP
from explorer.lens.words import Show, counted, number

_Writer = Callable[[Mapping[str, Any], Show], str]


def explain(assessment: Mapping[str, Any], show: Show = number) -> str:
    """The paragraph for the data of one assessment event; `show` writes a value, where a page has a unit for it."""
    if assessment.get("history") == []:
        return "Nothing was reported yet, so there was nothing to judge."
    writers: Mapping[str, _Writer] = {CURVEFITTING: _curvefitting, MEDIANSTOP: _medianstop}
    writer = writers.get(assessment.get("assessor") or "")
    if writer is None:
        return f"The assessor said {assessment.get('decision', 'nothing')} and gave no numbers."
    told = writer(assessment, show)
    problem = assessment.get("problem")
    if problem and assessment["history"][-1] is not None:
        return f"{told} {problem}"
    return told


def _beginning(assessment: Mapping[str, Any], show: Show) -> str:
    history = assessment["history"]
    count = assessment.get("history_from", 1) - 1 + len(history)
    return f"After {counted(count, 'result')} (the last is {show(history[-1])})"


def _has_gap(data: Mapping[str, Any]) -> bool:
    """Whether a result was missing or no number: among the last ones, or (`gap_at`) before them."""
    return data.get("gap_at") is not None or any(value is None for value in data["history"])


def _curvefitting(data: Mapping[str, Any], show: Show) -> str:
    if _has_gap(data):
        return str(data.get("problem") or "A result is missing or not finite, so the trial was not judged.")
    prediction, target, line = data["prediction"], data["target"], data["line"]
    models = data.get("models", {})
    used = sum("dropped" not in model for model in models.values())
    if prediction is None and not models:
        return f"{_beginning(data, show)} there were too few to fit curves to; the trial went on."
    if prediction is None:
        near = sum("too far" not in model.get("dropped", "") for model in models.values())
        told = (
            f"{_beginning(data, show)} only {near} of {len(models)} curves agreed on epoch {target}, fewer than the "
            "4 that are needed"
        )
        return f"{told}; the trial went on." if data["acts"] else f"{told}{_not_looked(data)}"
    told = (
        f"{_beginning(data, show)} {used} of {len(models)} curves agreed, and together they predict "
        f"{show(prediction)} at epoch {target}"
    )
    if not data["acts"] or line is None:
        return told + _not_looked(data)
    bar = (
        f"the line at {show(line)}, {number(data['threshold'])} times the best of the {data['completed']} completed "
        f"trials ({show(data['best_completed'])})"
    )
    if data["completed"] == 1:
        bar = (
            f"the line at {show(line)}, {number(data['threshold'])} times the value of the one completed trial "
            f"({show(data['best_completed'])})"
        )
    if data["decision"] == "bad":
        return f"{told}. That is not above {bar}, so the trial was stopped."
    return f"{told}. That is above {bar}, so the trial went on."


def _not_looked(data: Mapping[str, Any]) -> str:
    if data["best_completed"] is None:
        return "; no trial had completed yet, so there was nothing to compare with and the trial went on."
    return (
        "; by its settings the assessor does not decide this early (start_step) or only at some steps (gap), so the "
        "trial went on."
    )


def _medianstop(data: Mapping[str, Any], show: Show) -> str:
    if _has_gap(data):
        return str(data.get("problem") or "A result is missing or not finite, so the trial was not judged.")
    best, median, completed = data["best_so_far"], data["median"], data["completed"]
    told = f"{_beginning(data, show)} its best value so far is {show(best)}"
    if median is None:
        return f"{told}; no completed trial has a value at this step yet, so the trial went on."
    bar = f"the median {show(median)} of the running averages of {counted(completed, 'completed trial')} at this step"
    if not data["acts"]:
        return (
            f"{told}, against {bar}; by its settings (start_step) the assessor does not decide this early, so the "
            "trial went on."
        )
    if data["decision"] == "bad":
        return f"{told}. That is worse than {bar}, so the trial was stopped."
    return f"{told}. That is no worse than {bar}, so the trial went on."
