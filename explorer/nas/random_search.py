"""Random search: distinct architectures drawn uniformly, each trained from scratch; the baseline of every other search.

The run's seed decides which architectures and, with the trial's number, each trial's seed; how many workers there are
changes only the order in which results arrive. Li & Talwalkar 2019, arXiv:1902.07638, say why this baseline matters.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from typing import Any

from explorer.errors import SpaceError, TrialFailed
from explorer.jobs.crew import Executor
from explorer.runs.spec import RunSpec, trial_seed
from explorer.runs.state import RunState
from explorer.space import SearchSpace
from explorer.trials.crew import Crew, Job, Report
from explorer.trials.ready import checked_space, require_data


def run(
    spec: RunSpec,
    state: RunState,
    *,
    executor: Executor,
    report: Report,
    control: Callable[[], Any],
    clock: Callable[[], float],
) -> None:
    """Train what `spec` asks for and `state` does not hold yet, as many at once as the executor takes.

    Raises SpaceError when the space cannot run, DataMissing before any trial, TrialFailed when no trial
    succeeded and one failed, and what `control().raise_if_cancelled()` raises. The store stamps the times,
    so `clock` is not read here.
    """
    space = checked_space(spec)
    jobs = _planned(spec, space, state, report)
    succeeded = {trial.trial_id for trial in state.trials.values() if trial.status == "succeeded"}
    missing = [job for job in jobs if job.number not in succeeded]
    if missing:
        require_data(spec.dataset, space.input.channels, space.input.side, control)
    crew = Crew(spec, executor, report, missing)
    crew.work(control)
    if crew.failures and not succeeded and not crew.succeeded:
        raise TrialFailed(crew.failures[0])


# -- what to train ----------------------------------------------------------------------------------------------------


def _planned(spec: RunSpec, space: SearchSpace, state: RunState, report: Report) -> list[Job]:
    """Every trial of the run, those of earlier attempts included: what was drawn, then each retraining asked for."""
    jobs = _drawn(spec, space, state, report)
    for asked in state.retrains:
        jobs += _repeats(spec, jobs, asked)
    return jobs


def _drawn(spec: RunSpec, space: SearchSpace, state: RunState, report: Report) -> list[Job]:
    if spec.architecture is not None:  # one architecture, several seeds
        pinned = space.architecture(spec.architecture)
        return [
            Job(number, pinned, trial_seed(spec.seed, number), 0 if number else None)
            for number in range(spec.trials)
        ]
    drawn = space.sample(spec.trials, random.Random(spec.seed))
    if len(drawn) < spec.trials and not state.trials:
        message = f"{spec.trials} architectures were asked for, but {space.name} holds {space.size}; all are trained."
        report("warning", {"message": message})
    return [Job(number, chosen, trial_seed(spec.seed, number)) for number, chosen in enumerate(drawn)]


def _repeats(spec: RunSpec, jobs: list[Job], asked: Mapping[str, Any]) -> list[Job]:
    """The architecture of trial `asked["trial_id"]` again, with seeds and numbers that no trial has."""
    original = next((job for job in jobs if job.number == asked["trial_id"]), None)
    if original is None:
        raise SpaceError(
            f"There is no trial {asked['trial_id']!r} to train again; give 0 to {len(jobs) - 1}."
        )
    first = jobs[-1].number + 1
    of = original.number if original.repeat_of is None else original.repeat_of
    return [
        Job(number, original.architecture, trial_seed(spec.seed, number), of)
        for number in range(first, first + asked["seeds"])
    ]
