"""Architectures trained from scratch through an executor, as many at once as it takes, told as the events of trials."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from explorer.runs.spec import RunSpec
from explorer.space import Architecture
from explorer.trials.evaluate import TARGET, payload

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
    """One trial to run; `repeat_of` is the trial whose architecture it trains with another seed.

    `epochs` is told as the trial's budget; None stands for those of the run.
    """

    number: int
    architecture: Architecture
    seed: int
    repeat_of: int | None = None
    epochs: int | None = None


class Crew:
    """The trials in flight and those to come; `failures` and `succeeded` are of this attempt."""

    def __init__(self, spec: RunSpec, executor: Executor, report: Report, waiting: Iterable[Job]) -> None:
        self.spec, self.executor, self.report, self.waiting = spec, executor, report, deque(waiting)
        self.running: set[int] = set()
        self.failures: list[str] = []
        self.succeeded = 0

    def work(self, control: Callable[[], Any]) -> None:
        """Until all have ended; raises what `control().raise_if_cancelled()` raises."""
        while self.waiting or self.running:
            wish = control()
            wish.raise_if_cancelled()
            for request in wish.requests:
                if request.kind == "kill_trial" and request.data.get("trial_id") in self.running:
                    self.executor.stop(request.data["trial_id"])
            self.advance(may_start=not wish.pause)

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
            epochs=self.spec.epochs if job.epochs is None else job.epochs,
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
            data |= {} if job.repeat_of is None else {"repeat_of": job.repeat_of}
            data |= {} if job.epochs is None else {"budget": job.epochs}
            self.report("trial_started", data)

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
