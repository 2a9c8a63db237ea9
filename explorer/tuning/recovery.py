"""A tuner led through a run's story: each recorded start asks it again, each recorded ending is told again.

Same calls in the same order give the same suggestions, so a fresh tuner ends where the lost one was.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from explorer.adapters.tuners import Exhausted, Tuner
from explorer.runs.bounds import is_number
from explorer.runs.state import RunState, Trial
from explorer.tuning.legacy import without_folders

Problem = Callable[[Any], str | None]


def lead_through(
    tuner: Tuner, state: RunState, problem_with: Problem, listen: Callable[[], Any] = lambda: None
) -> bool:
    """Whether the tuner suggested, start for start, what the story says; False as soon as it does not.

    `listen` is called at each start: a suggestion may take seconds. `problem_with` says what is no assignment.
    """
    begun: set[int] = set()
    for number, is_end in state.turns:
        trial = state.trials[number]
        if trial.repeat_of is not None:
            continue
        if is_end:
            _tell_all(tuner, trial)
        elif number not in begun:
            listen()
            if not _suggested_again(tuner, trial, problem_with):
                return False
        begun.add(number)
    return True


def learn_as_data(tuner: Tuner, state: RunState, problem_with: Problem) -> None:
    """Give a fresh tuner the results as data from elsewhere, those of its own space."""
    for trial in ended(state):
        if problem_with(without_folders(trial.parameters or {})):
            continue
        tuner.add(trial.trial_id, dict(trial.parameters or {}))
        _tell_all(tuner, trial)


def tell_end(tuner: Tuner, number: int, status: str, value: float | None, last: float | None) -> None:
    """How a trial ended; `last` is its last finite intermediate result, which counts when it was stopped early."""
    if status == "early_stopped":
        tuner.end(number, last, stopped=True)
    else:
        tuner.end(number, value if status == "succeeded" else None)


def ended(state: RunState) -> list[Trial]:
    """The tuner's own trials in the order in which they ended."""
    return [state.trials[number] for number in state.order if state.trials[number].repeat_of is None]


def lost(state: RunState) -> list[Trial]:
    """Trials that began and never ended: their process went down with the run's."""
    over = set(state.order)
    return [
        trial for trial in state.trials.values() if trial.repeat_of is None and trial.trial_id not in over
    ]


def _tell_all(tuner: Tuner, trial: Trial) -> None:
    seen = [
        (step, float(value))
        for step, value, _ in trial.intermediate
        if value is not None and is_number(value)
    ]
    for step, value in seen:
        tuner.report(trial.trial_id, step, value)
    tell_end(tuner, trial.trial_id, trial.status, trial.value, seen[-1][1] if seen else None)


def _suggested_again(tuner: Tuner, trial: Trial, problem_with: Problem) -> bool:
    if trial.origin == "hand":
        if problem_with(trial.parameters or {}):
            return False
        tuner.add(trial.trial_id, dict(trial.parameters or {}))
        return True
    try:
        suggestion = tuner.suggest(trial.trial_id)
    except Exhausted:
        return False
    if suggestion is None:
        return False
    return without_folders(suggestion.parameters) == without_folders(trial.parameters or {})
