"""Random search: distinct architectures drawn uniformly, each trained from scratch; the baseline of every other search.

The run's seed decides which architectures and, with the trial's number, each trial's seed; how many workers there are
changes only the order in which results arrive. Li & Talwalkar 2019, arXiv:1902.07638, say why this baseline matters.
"""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from explorer.catalogue import DATASETS
from explorer.errors import SpaceError, TrialFailed
from explorer.runs.spec import RunSpec, trial_seed
from explorer.runs.state import RunState
from explorer.space import Architecture, SearchSpace, check, check_network
from explorer.trials.evaluate import TARGET, bound_space, payload
from explorer.trials.ready import require_data

POLL_SECONDS = 0.25  # the longest that a cancel waits to be heard

Report = Callable[[str, dict[str, Any]], None]
_STATUS = {"final": "succeeded", "failed": "failed", "exited": "failed", "stopped": "cancelled"}


class Executor(Protocol):
    """What is used of an executor (`explorer.jobs.executors`)."""

    @property
    def idle(self) -> int:
        """How many more trials would start at once."""

    def submit(self, trial_id: int, target: str, payload: Mapping[str, Any]) -> None: ...
    def poll(self, timeout_seconds: float) -> Iterable[Any]: ...
    def stop(self, trial_id: int) -> None: ...


@dataclass(frozen=True)
class Job:
    """One trial to run; `repeat_of` is the trial whose architecture it trains with another seed."""

    number: int
    architecture: Architecture
    seed: int
    repeat_of: int | None = None


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
    space = _checked_space(spec)
    jobs = _planned(spec, space, state, report)
    succeeded = {trial.trial_id for trial in state.trials.values() if trial.status == "succeeded"}
    missing = deque(job for job in jobs if job.number not in succeeded)
    if missing:
        require_data(spec.dataset, space.input.channels, space.input.side, control)
    search = _Search(spec, executor, report, missing)
    while search.waiting or search.running:
        wish = control()
        wish.raise_if_cancelled()
        for request in wish.requests:
            if request.kind == "kill_trial" and request.data.get("trial_id") in search.running:
                executor.stop(request.data["trial_id"])
        search.advance(may_start=not wish.pause)
    if search.failures and not succeeded and not search.succeeded:
        raise TrialFailed(search.failures[0])


class _Search:
    """The trials in flight and those to come."""

    def __init__(self, spec: RunSpec, executor: Executor, report: Report, waiting: deque[Job]) -> None:
        self.spec, self.executor, self.report, self.waiting = spec, executor, report, waiting
        self.running: set[int] = set()
        self.failures: list[str] = []
        self.succeeded = 0

    def advance(self, may_start: bool) -> None:
        """Start what fits, then hear what happened; successors start before an ending is written down, so that no
        worker waits for the store.
        """
        started = self._start() if may_start else []
        self._tell_starts(started)
        heard = list(self.executor.poll(POLL_SECONDS))
        self.running -= {each.trial_id for each in heard if each.kind in _STATUS}
        started = self._start() if may_start else []
        for each in heard:
            self._tell(each.trial_id, each.kind, each.data)
        self._tell_starts(started)

    def _start(self) -> list[Job]:
        started = []
        while self.waiting and self.executor.idle > 0:
            job = self.waiting.popleft()
            self.executor.submit(job.number, TARGET, self._payload(job))
            self.running.add(job.number)
            started.append(job)
        return started

    def _payload(self, job: Job) -> dict[str, Any]:
        return payload(
            self.spec.space,
            job.architecture,
            dataset=self.spec.dataset,
            training=self.spec.settings.get("training", {}),
            epochs=self.spec.epochs,
            seed=job.seed,
        )

    def _tell_starts(self, jobs: list[Job]) -> None:
        for job in jobs:
            data = {
                "trial_id": job.number,
                "parameters": {},
                "architecture": job.architecture.to_json(),
                "seed": job.seed,
            }
            self.report(
                "trial_started", data | ({} if job.repeat_of is None else {"repeat_of": job.repeat_of})
            )

    def _tell(self, trial_id: int, kind: str, data: Mapping[str, Any]) -> None:
        if kind == "intermediate":
            self.report("intermediate_result", {"trial_id": trial_id, **data})
            return
        if kind == "final":
            self.report("final_result", {"trial_id": trial_id, **data})
            self.succeeded += 1
        reason = data.get("reason")
        if _STATUS[kind] == "failed":
            self.failures.append(reason or "The trial failed without a reason.")
        self.report("trial_ended", {"trial_id": trial_id, "status": _STATUS[kind], "reason": reason})


# -- what to train ----------------------------------------------------------------------------------------------------


def _checked_space(spec: RunSpec) -> SearchSpace:
    """The space on the run's dataset; raises SpaceError with everything that keeps it from running."""
    space, classes = bound_space(spec.space, spec.dataset), DATASETS.find(spec.dataset).facts["classes"]
    if spec.architecture is None:
        problems = check(space, classes)
    else:
        problems = check_network(space.lower(space.architecture(spec.architecture)), classes)
    if problems:
        raise SpaceError(*map(str, problems))
    return space


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
