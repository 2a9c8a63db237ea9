"""What an assessor cannot do anything sensible with: settings that never stop or stop everything, and measures that
mislead it.

Types and ranges of single settings are the catalogue's business. Here are the rules between several of them, each
with the reason and the remedy, and what shows only while a run is under way.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import Any

from explorer.catalogue import ASSESSORS
from explorer.errors import UnknownName

NONE = "none"
MEDIANSTOP = "Medianstop"
CURVEFITTING = "Curvefitting"

FIRST_STEP = 4
"""Predictions are recorded from this step on: four results are the fewest that all twelve models can be fitted to."""

LARGEST_SHARE = 1.5
"""Above this a value is no share of 1, noise included; it is then most likely a percentage."""

FALLING_SHARE = 0.75
"""A measure falls when at least this share of all pairs of its results are in falling order."""


def complete(name: str, settings: Mapping[str, Any], *, epochs: int) -> dict[str, Any]:
    """The assessor's settings with its defaults filled in; `epoch_num` left out is the last epoch.

    Raises UnknownName when no assessor has this name.
    """
    full = ASSESSORS.find(name).defaults() | dict(settings)
    if "epoch_num" in full and full["epoch_num"] is None:
        full["epoch_num"] = epochs
    return full


def assessor_problems(
    name: str,
    settings: Mapping[str, Any],
    *,
    epochs: int,
    optimize_mode: str,
    reports_intermediate: bool = True,
) -> list[str]:
    """Every sentence about why this assessor would never stop anything, or would stop everything, in such a run."""
    if name == NONE:
        return []
    try:
        entry = ASSESSORS.find(name)
    except UnknownName as error:
        return [str(error)]
    if not reports_intermediate:
        return [
            f"{name} judges intermediate results, and this objective reports none; take the assessor none or another "
            "objective."
        ]
    if entry.problems(settings):
        return []  # the catalogue says what is wrong with them
    full = complete(name, settings, epochs=epochs)
    if name == CURVEFITTING:
        return _curvefitting(full, epochs, optimize_mode)
    return _medianstop(full, epochs) if name == MEDIANSTOP else []


def _medianstop(full: Mapping[str, Any], epochs: int) -> list[str]:
    start = full["start_step"]
    if start < epochs:
        return []
    return [
        f"Medianstop's start_step is {start} and a trial has {epochs} epochs, so it would never save one; give a "
        f"start_step below {epochs} or more epochs."
    ]


def _curvefitting(full: Mapping[str, Any], epochs: int, optimize_mode: str) -> list[str]:
    start, target, threshold = full["start_step"], full["epoch_num"], full["threshold"]
    problems = []
    if optimize_mode == "minimize":
        problems.append(
            "Curvefitting takes higher as better and cannot minimise: it would stop the best trials; take Medianstop, "
            "or report a measure that grows."
        )
    if threshold > 1:
        problems.append(
            f"Curvefitting's threshold is {threshold:g}, so a trial would go on only if it promised {threshold:g} "
            "times the best finished value, and nearly all would be stopped; give a share of 1, such as 0.95."
        )
    if threshold <= 0:
        problems.append(
            f"Curvefitting's threshold is {threshold:g}, so no prediction is low enough and nothing would ever be "
            "stopped; give a share of 1, such as 0.95."
        )
    if start > epochs:
        problems.append(
            f"Curvefitting's start_step is {start} and a trial has {epochs} epochs, so it would never look; give a "
            f"start_step of at most {epochs} or more epochs."
        )
    if target < start <= epochs:
        problems.append(
            f"Curvefitting's epoch_num is {target}, already past at its first look at step {start}: it would predict "
            f"what is known; set epoch_num to {epochs}, the last epoch, or leave it out."
        )
    elif target < epochs:
        problems.append(
            f"Curvefitting's epoch_num is {target} and a trial has {epochs} epochs, so from epoch {target + 1} on it "
            f"would predict the past; set epoch_num to {epochs} or leave it out."
        )
    return problems


def assessor_notes(name: str, settings: Mapping[str, Any], *, epochs: int) -> list[str]:
    """What is worth knowing of settings that are allowed; empty when there is nothing."""
    if name not in (CURVEFITTING, MEDIANSTOP) or ASSESSORS[name].problems(settings):
        return []
    full = complete(name, settings, epochs=epochs)
    if name == MEDIANSTOP:
        return []
    notes = []
    if full["start_step"] < FIRST_STEP:
        notes.append(
            f"With a start_step of {full['start_step']} the first looks see fewer than {FIRST_STEP} results, too few "
            "to fit the models with four parameters: those then keep their starting values."
        )
    if full["start_step"] == epochs:
        notes.append(
            f"With a start_step of {epochs} it looks only after the last epoch, so it can save nothing."
        )
    if full["epoch_num"] > epochs:
        notes.append(
            f"It predicts epoch {full['epoch_num']} and compares with trials that finished at epoch {epochs}, so it "
            "stops later than it could."
        )
    return notes


def runtime_findings(
    name: str, history: Sequence[float], *, epoch_num: int | None = None, optimize_mode: str = "maximize"
) -> dict[str, str]:
    """What a trial's finite results show of why this assessor misjudges them: kind -> sentence.

    Kinds: "scale" (no shares of 1), "negative", "decreasing", "passed" (the predicted epoch is over). Medianstop
    compares values of one step with each other only, so it is misled by none of them.
    """
    values = [float(value) for value in history]
    if name != CURVEFITTING or not values or not all(map(math.isfinite, values)):
        return {}
    found = {}
    if max(values) > LARGEST_SHARE:
        found["scale"] = (
            f"Values up to {max(values):.4g} suggest a percent scale (0 to 100); Curvefitting's models start from "
            "shares of 1, few of them fit, so it seldom stops anything; report accuracy as a share of 1."
        )
    if max(values) < 0:
        found["negative"] = (
            f"Values below 0 (the highest is {max(values):.4g}) put the threshold above the best finished value, so "
            "Curvefitting stops what is not better still; report a measure that is positive."
        )
    if _falls(values):
        found["decreasing"] = (
            f"The measure falls (from {values[0]:.4g} to {values[-1]:.4g}), and Curvefitting takes higher as better: "
            "it stops the trials that fall fastest, or none; report a measure that grows, or take Medianstop."
        )
    if epoch_num is not None and len(values) > epoch_num:
        found["passed"] = (
            f"Step {len(values)} is past epoch_num {epoch_num}, so Curvefitting compares a past value with finished "
            "trials; set epoch_num to the last epoch."
        )
    return found


def runtime_problem(
    name: str, history: Sequence[float], *, epoch_num: int | None = None, optimize_mode: str = "maximize"
) -> str | None:
    """The first of `runtime_findings`, or None."""
    found = runtime_findings(name, history, epoch_num=epoch_num, optimize_mode=optimize_mode)
    return next(iter(found.values()), None)


def _falls(values: Sequence[float]) -> bool:
    """Whether a curve of at least FIRST_STEP results goes down: most pairs do, and its halves do."""
    if len(values) < FIRST_STEP or values[-1] >= values[0]:
        return False
    half = len(values) // 2
    if fmean(values[half:]) >= fmean(values[:half]):
        return False
    recent = values[-50:]  # pairs grow with the square
    pairs = [(recent[i], later) for i in range(len(recent)) for later in recent[i + 1 :]]
    return sum(early > later for early, later in pairs) >= FALLING_SHARE * len(pairs)
