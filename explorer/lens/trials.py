"""A run's trials as an assessor knows them: its own ones, their results, their order of completion, their ghosts.

A *ghost* is what became of a stopped trial that was let to its end afterwards: a trial of its own in the events
(`repeat_of` with `continues`), which no assessor saw and which competes with nobody.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from explorer.hyper.assessor_rules import NONE, complete
from explorer.runs.state import RunState, Trial

STOPPED, SUCCEEDED, RUNNING = "early_stopped", "succeeded", "running"


def own_trials(state: RunState) -> tuple[Trial, ...]:
    """The trials that competed, in order: neither retrainings nor ghosts."""
    return tuple(trial for _, trial in sorted(state.trials.items()) if trial.repeat_of is None)


def ghosts(state: RunState) -> dict[int, Trial]:
    """Stopped trial -> the trial that finished it; the newest, where it was asked for more than once."""
    return {
        trial.repeat_of: trial
        for _, trial in sorted(state.trials.items())
        if trial.repeat_of is not None
        and trial.continues
        and trial.status == SUCCEEDED
        and trial.value is not None
    }


def budget(state: RunState, trial: Trial) -> int:
    """How many epochs the trial was given."""
    return state.spec.epochs if trial.budget is None else trial.budget


def results(trial: Trial) -> tuple[float | None, ...]:
    """Its intermediate results in order; None for one that was no number."""
    return tuple(value for _, value, _ in trial.intermediate)


def completions(state: RunState) -> tuple[int, ...]:
    """The trials that an assessor was told of as completed, in the order in which they ended."""
    own = {trial.trial_id for trial in own_trials(state) if trial.status == SUCCEEDED}
    last = {trial_id: at for at, trial_id in enumerate(state.order) if trial_id in own}
    return tuple(sorted(last, key=lambda trial_id: last[trial_id]))


def assessments(state: RunState) -> tuple[Mapping[str, Any], ...]:
    """What the run's assessor recorded of own trials, in order: of looks with a result to look at.

    Of a look that a resumed run repeated only the last counts. Looks of an assessor that the run did not have (none
    here, or of a newer version) cannot be judged again and are left out.
    """
    name = assessor_of(state)
    lengths = {trial.trial_id: len(trial.intermediate) for trial in own_trials(state)}
    latest: dict[tuple[int, int], Mapping[str, Any]] = {}
    for data in state.assessments:
        key = (data["trial_id"], data["step"])
        if data.get("assessor") == name and 1 <= data["step"] <= lengths.get(data["trial_id"], 0):
            latest.pop(key, None)  # so that it takes its new place in the order
            latest[key] = data
    return tuple(latest.values())


def assessor_of(state: RunState) -> str:
    """The name of the run's assessor; "none" without one."""
    return str(state.spec.method.get("assessor") or NONE)


def own_settings(state: RunState) -> dict[str, Any]:
    """The settings with which the run's assessor decided, defaults filled in."""
    return complete(assessor_of(state), state.spec.settings.get("assessor") or {}, epochs=state.spec.epochs)


def stop_step(trial: Trial, looks: Mapping[int, Mapping[str, Any]]) -> int:
    """The step at which a stopped trial was stopped: the first verdict "bad" (`looks` is step -> assessment), or its
    last result.
    """
    return min(
        (step for step, data in looks.items() if data["decision"] == "bad"), default=len(trial.intermediate)
    )
