"""Jobs through an executor, heard in the order in which they were given, so that a seed tells one story."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from explorer.jobs import crew
from explorer.jobs.crew import ENDINGS, Executor, Job


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
    telling = deque(jobs)
    ended: dict[int, tuple[str, Mapping[str, Any]]] = {}

    def keep(number: int, kind: str, data: Mapping[str, Any]) -> None:
        if kind in ENDINGS:
            ended[number] = (kind, data)
        while telling and telling[0].number in ended:
            job = telling.popleft()
            hear(job, *ended.pop(job.number))

    crew.work(jobs, executor, control, keep, kill=kill)
