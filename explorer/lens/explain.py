"""Why a trial was stopped or let go on, as one plain paragraph with the numbers of the assessment itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from explorer.hyper.assessor_rules import CURVEFITTING, MEDIANSTOP
from explorer.lens.words import counted, number


def explain(assessment: Mapping[str, Any]) -> str:
    """The paragraph for the data of one assessment event."""
    if not assessment.get("history"):
        return "Nothing was reported yet, so there was nothing to judge."
    writers = {CURVEFITTING: _curvefitting, MEDIANSTOP: _medianstop}
    writer = writers.get(assessment.get("assessor", ""))
    if writer is None:
        return f"The assessor said {assessment.get('decision', 'nothing')} and gave no numbers."
    told = writer(assessment)
    problem = assessment.get("problem")
    if problem and assessment["history"][-1] is not None:
        return f"{told} {problem}"
    return told


def _beginning(assessment: Mapping[str, Any]) -> str:
    history = assessment["history"]
    return f"After {counted(len(history), 'result')} (the last is {number(history[-1])})"


def _curvefitting(data: Mapping[str, Any]) -> str:
    if any(value is None for value in data["history"]):
        return str(data.get("problem") or "A result is missing or not finite, so the trial was not judged.")
    prediction, target, line = data["prediction"], data["target"], data["line"]
    models = data.get("models", {})
    used = sum("dropped" not in model for model in models.values())
    if prediction is None and not models:
        return f"{_beginning(data)} there were too few to fit curves to; the trial went on."
    if prediction is None:
        near = sum("too far" not in model.get("dropped", "") for model in models.values())
        told = (
            f"{_beginning(data)} only {near} of {len(models)} curves agreed on epoch {target}, fewer than the 4 that "
            "are needed"
        )
        return f"{told}; the trial went on." if data["acts"] else f"{told}{_not_looked(data)}"
    told = (
        f"{_beginning(data)} {used} of {len(models)} curves agreed, and together they predict {number(prediction)} at "
        f"epoch {target}"
    )
    if not data["acts"] or line is None:
        return told + _not_looked(data)
    bar = (
        f"the line at {number(line)}, {number(data['threshold'])} times the best of the {data['completed']} completed "
        f"trials ({number(data['best_completed'])})"
    )
    if data["completed"] == 1:
        bar = (
            f"the line at {number(line)}, {number(data['threshold'])} times the value of the one completed trial "
            f"({number(data['best_completed'])})"
        )
    if data["decision"] == "bad":
        return f"{told}. That is not above {bar}, so the trial was stopped."
    return f"{told}. That is above {bar}, so the trial went on."


def _not_looked(data: Mapping[str, Any]) -> str:
    if data["best_completed"] is None:
        return "; no trial had completed yet, so there was nothing to compare with and the trial went on."
    return "; the assessor does not act at this step (start_step, gap), so the trial went on."


def _medianstop(data: Mapping[str, Any]) -> str:
    if any(value is None for value in data["history"]):
        return str(data.get("problem") or "A result is missing or not finite, so the trial was not judged.")
    best, median, completed = data["best_so_far"], data["median"], data["completed"]
    told = f"{_beginning(data)} its best value so far is {number(best)}"
    if median is None:
        return f"{told}; no completed trial has a value at this step yet, so the trial went on."
    bar = f"the median {number(median)} of the running averages of {counted(completed, 'completed trial')} at this step"
    if not data["acts"]:
        return (
            f"{told}, against {bar}; the assessor does not act before its start_step, so the trial went on."
        )
    if data["decision"] == "bad":
        return f"{told}. That is worse than {bar}, so the trial was stopped."
    return f"{told}. That is no worse than {bar}, so the trial went on."
