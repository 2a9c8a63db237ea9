"""A tuner led through a run's story: each recorded start asks it again, each recorded ending is told again.

Same calls in the same order give the same suggestions, so a fresh tuner ends where the lost one was.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from explorer.adapters.tuners import Exhausted, Tuner
from explorer.runs.state import RunState, Trial


def lead_through(tuner: Tuner, state: RunState) -> bool:
    """Whether the tuner suggested, start for start, what the story says; False as soon as it does not."""
    begun: set[int] = set()
    for number, is_end in state.turns:
        trial = state.trials[number]
        if trial.repeat_of is not None:
            continue
        if is_end:
            _tell_all(tuner, trial)
        elif number not in begun and not _suggested_again(tuner, trial):
            return False
        begun.add(number)
    return True


def learn_as_data(tuner: Tuner, state: RunState) -> None:
    """Give a fresh tuner the results as data from elsewhere."""
    for trial in ended(state):
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


def is_finite(value: Any) -> bool:
    """A number that counts: no NaN, no infinity, no truth value."""
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _tell_all(tuner: Tuner, trial: Trial) -> None:
    seen = [
        (step, float(value))
        for step, value, _ in trial.intermediate
        if value is not None and is_finite(value)
    ]
    for step, value in seen:
        tuner.report(trial.trial_id, step, value)
    tell_end(tuner, trial.trial_id, trial.status, trial.value, seen[-1][1] if seen else None)


def _suggested_again(tuner: Tuner, trial: Trial) -> bool:
    if trial.origin == "hand":
        tuner.add(trial.trial_id, dict(trial.parameters or {}))
        return True
    try:
        suggestion = tuner.suggest(trial.trial_id)
    except Exhausted:
        return False
    return suggestion is not None and _plain(suggestion.parameters) == _plain(trial.parameters or {})


def _plain(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Without the folders of checkpoints, which belong to one machine."""
    return {name: value for name, value in parameters.items() if not name.endswith("_checkpoint_dir")}
