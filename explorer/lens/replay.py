"""What the run's assessor would have decided with other settings, by arithmetic on what was recorded.

With the run's own settings the replay gives exactly the decisions of the run. With others, these are its rules:

* Looks are taken in the order in which the run took them; what had completed before each of them is recorded with it.
* A trial that the new settings stop earlier did not complete: later looks at other trials no longer compare with it.
* A trial that the run stopped and the new settings would not is **unknown beyond its last step**, unless it was let
  to its end later: then its ghost tells its final value. No assessor looked at a ghost, so whether it would have
  been stopped on the way is not replayed.
* Neither unknown trials nor ghosts raise the bar of others: the bar is made of trials that completed in the run and
  still do. In truth they might have raised it, and other trials might have been suggested; a replay cannot know.
* A verdict that came too late in the run (the trial completed all the same) is too late in the replay, and so is one
  at a completed trial's last result.
"""

from __future__ import annotations

import math
from bisect import insort
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Protocol

from explorer.errors import UserError
from explorer.hyper.assessor_rules import CURVEFITTING, FIRST_STEP, MEDIANSTOP, NONE
from explorer.lens.trials import (
    RUNNING,
    STOPPED,
    SUCCEEDED,
    assessments,
    assessor_of,
    budget,
    completions,
    ghosts,
    own_settings,
    own_trials,
    results,
    stop_step,
)
from explorer.lens.words import Show, counted, number
from explorer.runs.state import RunState, Trial

REPLAYABLE: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {NONE: (), MEDIANSTOP: ("start_step",), CURVEFITTING: ("start_step", "threshold", "gap")}
)


@dataclass(frozen=True)
class Verdict:
    """One look: `acts` is False where the assessor would not even have looked; `line` is what it compared with."""

    trial_id: int
    step: int
    decision: str
    acts: bool
    line: float | None


@dataclass(frozen=True)
class Outcome:
    """What becomes of a trial under the replayed settings.

    `fate` is "stopped", "completed", "finished later" (its ghost tells `value`), "unknown" (it would go on, and
    nobody knows what comes after `known_to`), "running" or "ended" (failed or cancelled). `stopped_at` and
    `stopped_in_run` are steps, None where it was not stopped; `epochs` is how many it takes, for "unknown" at least.
    """

    trial_id: int
    fate: str
    stopped_at: int | None
    stopped_in_run: int | None
    known_to: int
    epochs: int
    budget: int
    value: float | None = None

    @property
    def changed(self) -> bool:
        """Whether the settings make a difference to this trial."""
        return self.stopped_at != self.stopped_in_run

    def __str__(self) -> str:
        run = (
            ""
            if self.stopped_in_run is None
            else f"; in the run it was stopped at step {self.stopped_in_run}"
        )
        if self.fate == "stopped":
            if not self.changed:
                return f"Stopped at step {self.stopped_at}, as in the run."
            return f"Stopped at step {self.stopped_at}{run or '; in the run it went on'}."
        if self.fate == "unknown":
            return f"Goes on: unknown beyond step {self.known_to}{run}."
        if self.fate == "finished later":
            return f"Goes on: finished later with {number(self.value)}{run}."
        if self.fate == "completed":
            return f"Completes with {number(self.value)}."
        return "Still running." if self.fate == RUNNING else "Failed or cancelled."


@dataclass(frozen=True)
class Replay:
    """The replayed decisions: one verdict a recorded look up to the stop, one outcome a trial, and what to know."""

    assessor: str
    settings: Mapping[str, Any]
    verdicts: tuple[Verdict, ...]
    outcomes: tuple[Outcome, ...]
    minimize: bool
    notes: tuple[str, ...] = ()

    @property
    def stopped(self) -> tuple[Outcome, ...]:
        """The trials that these settings stop."""
        return tuple(outcome for outcome in self.outcomes if outcome.fate == "stopped")

    @property
    def unknown(self) -> tuple[Outcome, ...]:
        """The trials that would go on, nobody knows how."""
        return tuple(outcome for outcome in self.outcomes if outcome.fate == "unknown")

    @property
    def epochs_saved(self) -> int:
        """Epochs that the stopped trials were given and did not take."""
        return sum(outcome.budget - outcome.epochs for outcome in self.stopped)

    @property
    def best(self) -> Outcome | None:
        """The best of the trials whose end is known; unknown ones might be better."""
        ended = [outcome for outcome in self.outcomes if outcome.value is not None]
        sign = 1 if self.minimize else -1
        return min(ended, key=lambda outcome: (sign * (outcome.value or 0.0), outcome.trial_id), default=None)

    def sentence(self, show: Show = number) -> str:
        """What the page says above the replayed curves; `show` writes a value."""
        before = sum(outcome.stopped_in_run is not None for outcome in self.outcomes)
        told = (
            f"These settings stop {len(self.stopped)} of {counted(len(self.outcomes), 'trial')} ({before} in the run) "
            f"and save {counted(self.epochs_saved, 'epoch')}."
        )
        if self.unknown:
            them = "it" if len(self.unknown) == 1 else "them"
            told += (
                f" {counted(len(self.unknown), 'trial')} would go on, unknown beyond the step where the run stopped "
                f"{them}: let {them} finish to know."
            )
        if self.best is not None:
            told += f" Best of the known ends: {show(self.best.value)} (trial {self.best.trial_id})."
        return told


def replay(state: RunState, assessor: str, settings: Mapping[str, Any]) -> Replay:
    """The run's decisions under `settings`; what is left out of them is as in the run.

    `assessor` is the run's own, or "none" for no assessor. Raises UserError for another one, whose looks nobody
    recorded.
    """
    own = assessor_of(state)
    if assessor not in (own, NONE):
        raise UserError(
            f"This run was assessed by {own}, so its decisions can be replayed for {own} or none only."
        )
    full = {} if assessor == NONE else own_settings(state) | dict(settings)
    looks = () if assessor == NONE else _looks(state)
    verdicts, stopped = _sweep(state, _rule(assessor, full, state), looks)
    return Replay(
        assessor,
        MappingProxyType(full),
        verdicts,
        _outcomes(state, stopped),
        state.spec.optimize_mode == "minimize",
        _notes(state, assessor, full),
    )


class _Rule(Protocol):
    def complete(self, trial: Trial) -> None:
        """Takes in that this trial has completed."""

    def judge(self, trial: Trial, data: Mapping[str, Any]) -> Verdict:
        """One look, at the moment of this assessment."""


def _rule(assessor: str, settings: Mapping[str, Any], state: RunState) -> _Rule:
    if assessor == CURVEFITTING:
        return _Curvefitting(settings)
    return _Medianstop(settings.get("start_step", 0), state.spec.optimize_mode == "minimize")


class _Curvefitting:
    """Bad when the recorded prediction is at most threshold times the best completed value."""

    def __init__(self, settings: Mapping[str, Any]) -> None:
        self._start, self._gap = settings["start_step"], settings["gap"]
        self._threshold = float(settings["threshold"])
        self._best: float | None = None
        self._looked: dict[int, int] = {}

    def complete(self, trial: Trial) -> None:
        last = trial.intermediate[-1][1] if trial.intermediate else None
        if last is not None:
            self._best = last if self._best is None else max(self._best, last)

    def judge(self, trial: Trial, data: Mapping[str, Any]) -> Verdict:
        trial_id, step, prediction = trial.trial_id, data["step"], data["prediction"]
        line = None if self._best is None else self._best * self._threshold
        looked = self._looked.get(trial_id, -math.inf)
        if line is None or not data["models"] or step < self._start or step - looked < self._gap:
            return Verdict(trial_id, step, "wait", False, line)
        self._looked[trial_id] = step
        if prediction is None:
            return Verdict(trial_id, step, "wait", True, line)
        return Verdict(trial_id, step, "good" if prediction > line else "bad", True, line)


class _Medianstop:
    """Bad when the best value so far is strictly worse than the median of the completed trials' running averages."""

    def __init__(self, start_step: int, minimize: bool) -> None:
        self._start = start_step
        self._minimize = minimize
        self._averages: dict[int, list[float]] = {}  # step -> ascending
        self._best: dict[
            int, list[float | None]
        ] = {}  # trial -> best so far after each step; None from a gap on

    def complete(self, trial: Trial) -> None:
        values = _until_gap(results(trial))
        if len(values) < self._start:  # NNI does not know trials that ended before its start
            return
        total = 0.0
        for step, value in enumerate(values, 1):
            total += value
            insort(self._averages.setdefault(step, []), total / step)

    def judge(self, trial: Trial, data: Mapping[str, Any]) -> Verdict:
        step = data["step"]
        averages = self._averages.get(step, [])
        best = self._best_so_far(trial, step)
        median = (
            averages[len(averages) // 2 if self._minimize else (len(averages) - 1) // 2] if averages else None
        )
        if step < self._start or median is None or best is None:
            return Verdict(trial.trial_id, step, "wait", False, median)
        worse = best > median if self._minimize else best < median
        return Verdict(trial.trial_id, step, "bad" if worse else "good", True, median)

    def _best_so_far(self, trial: Trial, step: int) -> float | None:
        if trial.trial_id not in self._best:
            self._best[trial.trial_id] = _running_best(results(trial), self._minimize)
        return self._best[trial.trial_id][step - 1]


def _until_gap(values: tuple[float | None, ...]) -> list[float]:
    """The results before the first that was no number."""
    found = []
    for value in values:
        if value is None:
            break
        found.append(value)
    return found


def _running_best(values: tuple[float | None, ...], minimize: bool) -> list[float | None]:
    pick = min if minimize else max
    best: list[float | None] = []
    for value in _until_gap(values):
        last = best[-1] if best else None
        best.append(value if last is None else pick(last, value))
    return best + [None] * (len(values) - len(best))


def _looks(state: RunState) -> tuple[Mapping[str, Any], ...]:
    """The recorded assessments by how much had completed before them, else in their own order."""
    return tuple(sorted(assessments(state), key=_completed_before))


def _completed_before(data: Mapping[str, Any]) -> int:
    return int(data.get("completed_all", data["completed"]))


def _sweep(
    state: RunState, rule: _Rule, looks: tuple[Mapping[str, Any], ...]
) -> tuple[tuple[Verdict, ...], dict[int, int]]:
    """All verdicts, and trial -> step of those that they stop."""
    ends, at = completions(state), 0
    stopped: dict[int, int] = {}
    verdicts = []
    for data in looks:
        while at < min(_completed_before(data), len(ends)):
            if ends[at] not in stopped:
                rule.complete(state.trials[ends[at]])
            at += 1
        trial = state.trials[data["trial_id"]]
        if trial.trial_id in stopped:
            continue
        verdict = rule.judge(trial, data)
        verdicts.append(verdict)
        if verdict.decision == "bad" and not _too_late(trial, data):
            stopped[trial.trial_id] = verdict.step
    return tuple(verdicts), stopped


def _too_late(trial: Trial, data: Mapping[str, Any]) -> bool:
    if trial.status != SUCCEEDED:
        return False
    return data["decision"] == "bad" or data["step"] >= len(trial.intermediate)


def _outcomes(state: RunState, stopped: Mapping[int, int]) -> tuple[Outcome, ...]:
    finished, looks = ghosts(state), _looks_by_trial(state)
    return tuple(
        _outcome(
            trial,
            budget(state, trial),
            stopped.get(trial.trial_id),
            looks.get(trial.trial_id, {}),
            finished.get(trial.trial_id),
        )
        for trial in own_trials(state)
    )


def _looks_by_trial(state: RunState) -> dict[int, dict[int, Mapping[str, Any]]]:
    """Trial -> step -> its assessment."""
    found: dict[int, dict[int, Mapping[str, Any]]] = {}
    for data in assessments(state):
        found.setdefault(data["trial_id"], {})[data["step"]] = data
    return found


def _outcome(
    trial: Trial,
    epochs: int,
    stopped_at: int | None,
    looks: Mapping[int, Mapping[str, Any]],
    ghost: Trial | None,
) -> Outcome:
    known_to = len(trial.intermediate)
    in_run = stop_step(trial, looks) if trial.status == STOPPED else None

    def say(fate: str, taken: int, value: float | None = None) -> Outcome:
        return Outcome(trial.trial_id, fate, stopped_at, in_run, known_to, taken, epochs, value)

    if stopped_at is not None:
        return say("stopped", stopped_at)
    if trial.status == SUCCEEDED:
        return say("completed", known_to, trial.value)
    if trial.status == STOPPED:
        return say("unknown", known_to) if ghost is None else say("finished later", epochs, ghost.value)
    return say(RUNNING if trial.status == RUNNING else "ended", known_to)


def _notes(state: RunState, assessor: str, settings: Mapping[str, Any]) -> tuple[str, ...]:
    if assessor == NONE:
        return ()
    own, notes = own_settings(state), []
    fixed = [
        name
        for name, value in settings.items()
        if name not in REPLAYABLE[assessor] and value != own.get(name, value)
    ]
    if fixed:
        notes.append(
            f"{', '.join(fixed)} cannot be replayed: the predictions were made for the run's own setting."
        )
    first = min(FIRST_STEP, own["start_step"])
    if assessor == CURVEFITTING and settings["start_step"] < first:
        notes.append(f"Predictions were recorded from step {first} on; earlier looks cannot be replayed.")
    return tuple(notes)
