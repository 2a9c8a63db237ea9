"""Jobs through an executor, as many at once as it takes, while a person may pause, cancel or kill.

What an engine uses of an executor is said here once; what the trials of an engine mean is told by its own callables.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

POLL_SECONDS = 0.25  # the longest that a cancel waits to be heard
ENDINGS = ("final", "failed", "exited", "stopped")


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
    """What to run, by a number that no other job of the run has."""

    number: int
    target: str
    payload: Mapping[str, Any]


def work(
    jobs: Iterable[Job],
    executor: Executor,
    control: Callable[[], Any],
    hear: Callable[[int, str, Mapping[str, Any]], None],
    *,
    started: Callable[[int], None] = lambda _: None,
    kill: Callable[[int], bool] = lambda _: False,
) -> None:
    """Run all `jobs`; `hear` gets each report (number, kind, data) as it comes, `started` each number that began.

    Successors start before a report is heard, so that no worker waits for the store. `kill` says whether a person may
    end the job of this number. Raises what `control().raise_if_cancelled()` raises.
    """
    waiting, running = deque(jobs), set[int]()

    def start() -> list[int]:
        begun = []
        while waiting and executor.idle > 0:
            job = waiting.popleft()
            executor.submit(job.number, job.target, job.payload)
            running.add(job.number)
            begun.append(job.number)
        return begun

    def tell(begun: Iterable[int]) -> None:
        for number in begun:
            started(number)

    while waiting or running:
        wish = control()
        wish.raise_if_cancelled()
        for request in wish.requests:
            number = request.data.get("trial_id")
            if request.kind == "kill_trial" and number in running and kill(number):
                executor.stop(number)
        tell([] if wish.pause else start())
        heard = list(executor.poll(POLL_SECONDS))
        running.difference_update(each.trial_id for each in heard if each.kind in ENDINGS)
        successors = [] if wish.pause else start()
        for each in heard:
            hear(each.trial_id, each.kind, each.data)
        tell(successors)
