"""Jobs through an executor, as many at once as it takes, heard in the order in which they were given."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

POLL_SECONDS = 0.25  # the longest that a cancel waits to be heard
_ENDINGS = ("final", "failed", "exited", "stopped")


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
    jobs: Sequence[Job],
    executor: Executor,
    control: Callable[[], Any],
    hear: Callable[[Job, str, Mapping[str, Any]], None],
    kill: Callable[[int], bool] = lambda _: False,
) -> None:
    """Run all `jobs`; `hear` gets each ending (kind, data) as soon as all before it have been heard.

    `kill` says whether a person may end the job of this number. Raises what `control().raise_if_cancelled()` raises.
    """
    waiting, telling = deque(jobs), deque(jobs)
    ended: dict[int, tuple[str, Mapping[str, Any]]] = {}
    running: set[int] = set()
    while telling:
        wish = control()
        wish.raise_if_cancelled()
        for request in wish.requests:
            number = request.data.get("trial_id")
            if request.kind == "kill_trial" and number in running and kill(number):
                executor.stop(number)
        while waiting and executor.idle > 0 and not wish.pause:
            job = waiting.popleft()
            executor.submit(job.number, job.target, job.payload)
            running.add(job.number)
        for said in executor.poll(POLL_SECONDS):
            if said.kind in _ENDINGS:
                running.discard(said.trial_id)
                ended[said.trial_id] = (said.kind, said.data)
        while telling and telling[0].number in ended:
            job = telling.popleft()
            hear(job, *ended.pop(job.number))
