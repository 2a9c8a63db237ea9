"""An executor whose trials are the trials of a real NNI experiment: NNI starts and stops them and draws its page.

To an engine it is like the local one (`explorer.jobs.executors`): what a trial is told and what it tells are the same.
"""

from __future__ import annotations

import contextlib
import time
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil  # type: ignore[import-untyped]

from explorer.errors import EnvironmentProblem
from explorer.jobs.executors import Report
from explorer.jobs.memory import trial_excess
from explorer.tuning.nni_files import DISPATCHER, Tail, answer_path, order_path, say, trial_path, write_json
from explorer.tuning.nni_launch import Manager

DIED = "The trial's process ended before its final result; its log on NNI's page says more."
WITHOUT_RESULT = "The trial ended without a final result."
ON_REQUEST = "Stopped on request."
_LOOK_SECONDS = 0.05
_HEALTH_SECONDS = 0.5
_INSPECT_SECONDS = 1.0


@dataclass
class _Running:
    """A trial that NNI was sent and has not ended; `ending`, its own last word, is told when NNI says it is over."""

    number: int
    tail: Tail
    job: str | None = None
    pid: int | None = None
    ending: Report | None = None
    excess: str | None = None  # why it was ended from here
    is_asking: bool = False
    last_word: float = field(default_factory=time.monotonic)


class NniExecutor:
    """At most `workers` trials at once; the limits are those of the local executor."""

    def __init__(
        self,
        manager: Manager,
        folder: Path,
        workers: int,
        *,
        trials: int,
        most_workers: int | None = None,
        silence_seconds: float | None = None,
        memory_mb: float | None = None,
    ) -> None:
        self.workers = workers
        self._manager, self._folder, self._most_workers = manager, folder, most_workers
        self._silence_seconds, self._memory_mb = silence_seconds, memory_mb
        self._running: dict[int, _Running] = {}
        self._judged: set[int] = set()
        self._wishes: deque[dict[str, Any]] = deque()
        self._kills: set[int] = set()
        self._lines = Tail(folder / DISPATCHER)
        self._dispatcher: int | None = None  # its process, once it is ready
        self._submitted, self._limit = 0, trials  # NNI's own limit of trials
        self._next_health = self._next_inspection = 0.0

    @property
    def idle(self) -> int:
        """How many more trials would start at once."""
        return max(0, self.workers - len(self._running))

    def submit(self, trial_id: int, target: str, payload: Mapping[str, Any], judged: bool = False) -> None:
        """Have NNI start `target(payload)` as trial `trial_id`."""
        write_json(
            order_path(self._folder, trial_id),
            {"target": target, "payload": dict(payload), "judged": judged},
        )
        for path in (trial_path(self._folder, trial_id), answer_path(self._folder, trial_id)):
            path.unlink(missing_ok=True)
        self._running[trial_id] = _Running(trial_id, Tail(trial_path(self._folder, trial_id)))
        self._judged = self._judged | {trial_id} if judged else self._judged - {trial_id}
        self._submitted += 1
        self._wishes.append({"send": {"parameter_id": trial_id, "parameters": _shown(payload)}})
        self._pass_on()

    def answer(self, trial_id: int, go_on: bool) -> None:
        """Let a judged trial go on after an intermediate result, or end; `poll` then reports it as stopped."""
        trial = self._running.get(trial_id)
        if trial is not None and trial.is_asking:
            trial.is_asking, trial.last_word = False, time.monotonic()
            say(answer_path(self._folder, trial_id), go_on)

    def resize(self, workers: int) -> None:
        """So many trials at once from now on; those that are going on are left to end."""
        self.workers = min(workers, self._most_workers or workers)
        self._manager.experiment.update_trial_concurrency(self.workers)

    def stop(self, trial_id: int) -> None:
        """Have NNI end a trial; `poll` reports it as stopped when it is over."""
        self._kills.add(trial_id)
        self._pass_on()

    def poll(self, timeout_seconds: float = 0.0) -> list[Report]:
        """What happened; waits up to `timeout_seconds` for something to happen.

        Raises EnvironmentProblem when the experiment cannot go on.
        """
        deadline = time.monotonic() + timeout_seconds
        while True:
            reports = self._heard()
            self._pass_on()
            self._inspect()
            if reports or time.monotonic() >= deadline:
                return reports
            self._check_health()
            time.sleep(_LOOK_SECONDS)

    # -- what is heard ------------------------------------------------------------------------------------------------

    def _heard(self) -> list[Report]:
        """The dispatcher is read first: what it calls ended has said its last word by then."""
        decided = list(self._lines.fresh())
        reports = [report for trial in list(self._running.values()) for report in self._said(trial)]
        for kind, *data in decided:
            if kind == "ready":
                self._dispatcher = data[0]
            elif kind == "error":
                raise EnvironmentProblem(f"NNI's dispatcher failed: {data[0]}")
            elif kind == "ended":
                reports += self._ended(*data)
        return reports

    def _said(self, trial: _Running) -> list[Report]:
        reports = []
        for kind, data in trial.tail.fresh():
            trial.last_word = time.monotonic()
            if kind == "start":
                trial.job, trial.pid = data["job"], data["pid"]
            elif kind == "intermediate":
                trial.is_asking = trial.number in self._judged
                reports.append(Report(trial.number, kind, data))
            else:
                trial.ending = Report(trial.number, kind, data)
                if kind == "stopped":  # it has kept its checkpoint and waits for NNI
                    self._kills.add(trial.number)
        return reports

    def _ended(self, job: str, event: str, supposed: int | None) -> list[Report]:
        trial = next((trial for trial in self._running.values() if trial.job == job), None)
        if trial is None:  # it never said who it was
            trial = self._running.get(-1 if supposed is None else supposed)
            if trial is None or trial.job is not None:
                return []
        del self._running[trial.number]
        self._kills.discard(trial.number)
        return [self._ending(trial, event)]

    def _ending(self, trial: _Running, event: str) -> Report:
        """NNI's status in our words; what the trial itself said goes first, since NNI knows less of it."""
        if trial.excess is not None:
            return Report(trial.number, "failed", {"reason": trial.excess})
        if trial.ending is not None:
            return trial.ending
        if event == "SUCCEEDED":
            return Report(trial.number, "exited", {"reason": WITHOUT_RESULT})
        if event in ("USER_CANCELED", "SYS_CANCELED", "EARLY_STOPPED"):
            return Report(trial.number, "stopped", {"reason": ON_REQUEST})
        return Report(trial.number, "failed", {"reason": DIED})

    # -- what is passed on --------------------------------------------------------------------------------------------

    def _pass_on(self) -> None:
        """Wishes as soon as NNI takes them, kills as soon as it has a job for the trial."""
        if self._dispatcher is None:
            return
        with _told_as_problem():
            if self._submitted > self._limit:
                self._limit = self._submitted
                self._manager.experiment.update_max_trial_number(self._limit)
            while self._wishes:
                self._manager.wish(self._wishes[0])
                self._wishes.popleft()
            for number in [number for number in self._kills if self._job(number)]:
                self._kills.discard(number)
                trial = self._running[number]
                if trial.ending is not None:
                    self._manager.wish({"kill": trial.job})  # as one of NNI's assessors would
                else:
                    self._manager.experiment.kill_trial_job(trial.job)

    def _job(self, number: int) -> str | None:
        trial = self._running.get(number)
        return None if trial is None else trial.job

    def _check_health(self) -> None:
        now = time.monotonic()
        if now < self._next_health:
            return
        self._next_health = now + _HEALTH_SECONDS
        with _told_as_problem():
            problem = self._manager.problem()
        if problem is None and self._dispatcher is not None and not psutil.pid_exists(self._dispatcher):
            problem = "NNI's dispatcher ended without a word; its log in the run's folder says more."
        if problem is not None:
            raise EnvironmentProblem(problem)

    def _inspect(self) -> None:
        """Now and then: end what hangs or takes too much memory."""
        now = time.monotonic()
        if now < self._next_inspection:
            return
        self._next_inspection = now + _INSPECT_SECONDS
        for trial in [trial for trial in self._running.values() if trial.pid and not trial.is_asking]:
            trial.excess = trial.excess or self._excess(trial, now)
            if trial.excess is not None:
                self._kills.add(trial.number)

    def _excess(self, trial: _Running, now: float) -> str | None:
        if trial.ending is not None or trial.pid is None:
            return None
        return trial_excess(trial.pid, now - trial.last_word, self._silence_seconds, self._memory_mb)


@contextlib.contextmanager
def _told_as_problem() -> Iterator[None]:
    """A manager that does not answer, as one sentence."""
    try:
        yield
    except OSError as error:  # requests' errors are OSErrors
        raise EnvironmentProblem(f"NNI's manager does not answer: {type(error).__name__}.") from error


def _shown(payload: Mapping[str, Any]) -> dict[str, Any]:
    """What NNI's page shows of a trial: the tuned parameters, choices of the network among them."""
    return {**(payload.get("architecture") or {}), **payload["parameters"]}
