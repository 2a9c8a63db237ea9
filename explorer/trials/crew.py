"""Architectures trained from scratch through an executor, as many at once as it takes, told as the events of trials."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from explorer.jobs import crew
from explorer.jobs.crew import Executor
from explorer.runs.spec import RunSpec
from explorer.space import Architecture
from explorer.trials.evaluate import TARGET, payload

Report = Callable[[str, dict[str, Any]], None]
_STATUS = {"final": "succeeded", "failed": "failed", "exited": "failed", "stopped": "cancelled"}


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
    """Trials through `executor`, each told as events; `failures` and `succeeded` are of this attempt."""

    def __init__(self, spec: RunSpec, executor: Executor, report: Report, jobs: Iterable[Job]) -> None:
        self.spec, self.executor, self.report = spec, executor, report
        self.jobs = {job.number: job for job in jobs}
        self.failures: list[str] = []
        self.succeeded = 0

    def work(self, control: Callable[[], Any]) -> None:
        """Until all have ended; raises what `control().raise_if_cancelled()` raises."""
        jobs = (crew.Job(job.number, TARGET, self._payload(job)) for job in self.jobs.values())
        crew.work(jobs, self.executor, control, self._tell, started=self._tell_start, kill=lambda _: True)

    def _payload(self, job: Job) -> dict[str, Any]:
        return payload(
            self.spec.space,
            job.architecture,
            dataset=self.spec.dataset,
            training=self.spec.settings.get("training", {}),
            epochs=self.spec.epochs if job.epochs is None else job.epochs,
            seed=job.seed,
        )

    def _tell_start(self, number: int) -> None:
        job = self.jobs[number]
        data = {
            "trial_id": number,
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
