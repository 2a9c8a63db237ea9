"""The assessor lens: one trial's curve, and over it what the assessor saw at one of its looks.

For Curvefitting the fitted family, their combination with its prediction at the target epoch, and the line that the
prediction had to reach. For Medianstop the running averages of the completed trials, their median, and the trial's
best so far. Everything drawn was recorded in the run's assessments; nothing is decided here.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from explorer.lens import curves
from explorer.plots.charts import Axis
from explorer.plots.tuning import frame
from explorer.plots.tuning.scale import Scale
from explorer.plots.tuning.table import Board
from explorer.runs.state import Trial

Points = tuple[tuple[float, float], ...]
# (model, parameters, steps) -> values, in the objective's own unit
Evaluate = Callable[[str, Sequence[float], Sequence[float]], Iterable[float]]
# (the event's models, steps) -> values
Combine = Callable[[Mapping[str, Any], Sequence[float]], Iterable[float]]

FINE = 64  # points of a fitted curve


@dataclass(frozen=True)
class Fitted:
    """One model of the family that was kept: its weight in the combination and its course."""

    name: str
    weight: float
    points: Points


@dataclass(frozen=True)
class Level:
    """A horizontal line, with what it says."""

    value: float
    words: str


@dataclass(frozen=True)
class Look:
    """One assessment of the trial, to choose from: its step, decision, and whether it could act."""

    step: int
    decision: str
    acts: bool


@dataclass(frozen=True)
class LensInfo:
    """All values as shown. `budget` is how many steps the trial was given, `seen` how many of the curve's points the
    assessor had at the chosen look.

    `averages` are (step, value) of completed trials' running averages, `median` their median at each look so far,
    `best_so_far` the trial's own; `verdict` is the chosen look in one sentence, `stopped` where the trial was stopped.
    """

    question: str
    x: Axis
    y: Axis
    scale: Scale
    trial_id: int
    budget: int
    assessor: str
    looks: tuple[Look, ...]
    chosen: Look | None
    curve: Points
    seen: int
    ghost: Points
    fitted: tuple[Fitted, ...]
    dropped: tuple[tuple[str, str], ...]
    combined: Points
    prediction: tuple[float, float] | None
    threshold: Level | None
    best_completed: Level | None
    averages: Points
    median: Points
    best_so_far: Points
    stopped: tuple[float, float] | None
    verdict: str
    basis: str
    alt: str


def lens(
    board: Board,
    trial_id: int,
    step: int | None = None,
    evaluate: Evaluate = curves.evaluate,
    combine: Combine = curves.combined,
) -> LensInfo:
    """The lens on a trial of the board's run at the assessment of `step` (None: the one that stopped it, else the
    last).

    `evaluate` and `combine` draw the fitted family. Raises KeyError for a trial that the run does not have.
    """
    state, scale = board.state, board.scale
    trial = state.trials[trial_id]
    told = sorted(
        (event for event in state.assessments if event["trial_id"] == trial_id),
        key=lambda event: event["step"],
    )
    looks = tuple(Look(event["step"], event["decision"], bool(event.get("acts", True))) for event in told)
    event = _chosen(told, step)
    curve = _points(trial, scale)
    ghost = _ghost(board, trial_id, curve)
    stopped = curve[-1] if trial.status == "early_stopped" and curve else None
    seen = sum(at <= event["step"] for at, _ in curve) if event else len(curve)
    parts: dict[str, Any] = dict.fromkeys(
        ("fitted", "dropped", "combined", "averages", "median", "best_so_far"), ()
    )
    parts |= dict.fromkeys(("prediction", "threshold", "best_completed"))
    if event and event.get("assessor") == "Medianstop":
        parts |= _medianstop([one for one in told if one["step"] <= event["step"]], curve, scale)
    elif event and event.get("assessor") == "Curvefitting":
        parts |= _curvefitting(event, curve, scale, evaluate, combine)
    verdict = _verdict(trial, event, scale)
    assessor = str(event.get("assessor", "")) if event else str(state.spec.method.get("assessor", "none"))
    return LensInfo(
        "What did the assessor see, and why did it decide so?",
        Axis("step"),
        scale.axis,
        scale,
        trial_id,
        trial.budget if trial.budget is not None else state.spec.epochs,
        assessor,
        looks,
        looks[told.index(event)] if event else None,
        curve,
        seen,
        ghost,
        stopped=stopped,
        verdict=verdict,
        basis=f"1 trial, seed {trial.seed}, as recorded while the run went on.",
        alt=f"Learning curve of trial {trial_id} with {len(looks)} assessments. {verdict}",
        **parts,
    )


def _chosen(told: Sequence[Mapping[str, Any]], step: int | None) -> Mapping[str, Any] | None:
    """The newest assessment up to `step`; without one the first that stopped the trial, else the last."""
    if not told:
        return None
    if step is not None:
        return next((event for event in reversed(told) if event["step"] <= step), told[0])
    return next((event for event in told if event["decision"] == "bad"), told[-1])


def _points(trial: Trial, scale: Scale) -> Points:
    return tuple(
        (float(step), scale.shown(value)) for step, value, _ in trial.intermediate if value is not None
    )


def _ghost(board: Board, trial_id: int, curve: Points) -> Points:
    later = [t for t in board.state.trials.values() if t.continues and t.repeat_of == trial_id]
    points = _points(later[-1], board.scale) if later else ()
    return (*curve[-1:], *points) if points else ()


def _curvefitting(
    event: Mapping[str, Any], curve: Points, scale: Scale, evaluate: Evaluate, combine: Combine
) -> dict[str, Any]:
    """The family, its combination and the line."""
    models: Mapping[str, Mapping[str, Any]] = event.get("models") or {}
    kept = {name: model for name, model in models.items() if "dropped" not in model}
    target = float(event["target"])
    first = curve[0][0] if curve else 1.0
    grid = [first + (max(target, event["step"]) - first) * at / (FINE - 1) for at in range(FINE)]
    fitted = [
        Fitted(name, float(model["weight"]), _course(grid, evaluate(name, model["parameters"], grid), scale))
        for name, model in kept.items()
    ]
    combined = _course(grid, combine(models, grid), scale) if kept else ()
    prediction, best, line = event.get("prediction"), event.get("best_completed"), event.get("line")
    threshold = event.get("threshold")
    words = f"{threshold:g} × best" if threshold is not None else "threshold"
    return {
        "fitted": tuple(sorted(fitted, key=lambda one: one.weight)),
        "dropped": tuple(
            (name, str(model["dropped"])) for name, model in models.items() if "dropped" in model
        ),
        "combined": combined,
        "prediction": None if prediction is None else (target, scale.shown(prediction)),
        "threshold": None if line is None else Level(scale.shown(line), f"{words}: {scale.text(line)}"),
        "best_completed": None
        if best is None
        else Level(scale.shown(best), f"best completed: {scale.text(best)}"),
    }


def _course(grid: Sequence[float], values: Iterable[float], scale: Scale) -> Points:
    """The points that are numbers."""
    pairs = zip(grid, (float(value) for value in values), strict=True)
    return tuple((step, scale.shown(value)) for step, value in pairs if math.isfinite(value))


def _medianstop(told: Sequence[Mapping[str, Any]], curve: Points, scale: Scale) -> dict[str, Any]:
    """What each look so far had: the averages at its step, their median, the trial's best so far."""
    averages = [(float(e["step"]), scale.shown(value)) for e in told for value in e.get("averages") or ()]
    median = [(float(e["step"]), scale.shown(e["median"])) for e in told if e.get("median") is not None]
    best = [
        (float(e["step"]), scale.shown(e["best_so_far"])) for e in told if e.get("best_so_far") is not None
    ]
    last = told[-1].get("median") if told else None
    line = None if last is None else Level(scale.shown(last), f"median: {scale.text(last)}")
    return {
        "averages": tuple(averages),
        "median": tuple(median),
        "best_so_far": tuple(best),
        "threshold": line,
    }


def _verdict(trial: Trial, event: Mapping[str, Any] | None, scale: Scale) -> str:
    if event is None:
        return f"Trial {trial.trial_id} was never assessed."
    at = f"Step {event['step']}: "
    if event.get("assessor") == "Medianstop":
        return at + _median_words(event, scale)
    if event.get("assessor") != "Curvefitting":
        return at + ("stopped." if event["decision"] == "bad" else "it goes on.")
    prediction, line = event.get("prediction"), event.get("line")
    if prediction is None:
        return at + "no prediction, too few models fit; it goes on."
    told = f"predicted {scale.text(prediction)} at step {event['target']}"
    if line is None:
        return at + f"{told}; nothing was completed to compare with, so it goes on."
    word = "above" if scale.sign > 0 else "below"
    side = word if scale.sign * (prediction - line) > 0 else f"not {word}"
    return at + f"{told}, {side} the line of {scale.text(line)}{_ending(event)}"


def _ending(event: Mapping[str, Any]) -> str:
    if not event.get("acts", True):
        return "; the assessor did not look yet."
    return ": stopped." if event["decision"] == "bad" else ": it goes on."


def _median_words(event: Mapping[str, Any], scale: Scale) -> str:
    median = event.get("median")
    if median is None:
        return "no completed trial to compare with; it goes on."
    own = scale.text(event.get("best_so_far"))
    others = f"{scale.text(median)} over {event['completed']} completed"
    return f"its best {own} against a median of {others}{_ending(event)}"


def ranges(info: LensInfo) -> tuple[tuple[float, float], tuple[float, float]]:
    """What a picture of the lens shows, x and y: everything recorded; wild fits and predictions are cut off."""
    last = [point[0] for points in (info.curve, info.ghost, info.combined) for point in points[-1:]]
    last += [float(info.budget), *([info.prediction[0]] if info.prediction else [])]
    first = min((point[0] for point in info.curve), default=1.0)
    measured = [value for points in (info.curve, info.ghost, info.averages) for _, value in points]
    measured += [level.value for level in (info.threshold, info.best_completed) if level]
    low, high = min(measured, default=0.0), max(measured, default=1.0)
    if info.prediction:  # as far as it is not further off than twice what was measured
        span = (high - low) or abs(high) or 1.0
        value = min(high + span, max(low - span, info.prediction[1]))
        low, high = min(low, value), max(high, value)
    return (first, max([*last, first + 1])), frame.window([], [low, high])
