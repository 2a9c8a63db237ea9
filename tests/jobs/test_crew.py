"""Jobs through an executor: as many at once as fit, nothing new while paused, killed only where that is allowed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from explorer.features.crew import work as work_in_order
from explorer.jobs.control import Cancelled, Control
from explorer.jobs.crew import Job, work
from explorer.jobs.executors import Report
from explorer.runs.store import Request

JOBS = [Job(number, "target", {"of": number}) for number in range(5)]
UNTIL = 100  # looks at the clock before a test gives up


class ByHand:
    """Two places; at each poll the newest trial ends, after one word, unless it is held back."""

    def __init__(self, held: set[int] | None = None) -> None:
        self.trials: list[int] = []
        self.log: list[tuple[str, Any]] = []
        self.most, self.held, self.stopped = 0, held or set(), list[int]()

    @property
    def idle(self) -> int:
        return 2 - len(self.trials)

    def submit(self, trial_id: int, target: str, payload: Mapping[str, Any]) -> None:
        assert (target, payload) == ("target", {"of": trial_id})
        self.trials.append(trial_id)
        self.most = max(self.most, len(self.trials))
        self.log.append(("submit", trial_id))

    def stop(self, trial_id: int) -> None:
        self.stopped.append(trial_id)

    def poll(self, timeout_seconds: float) -> list[Report]:
        heard = [Report(number, "stopped", {"reason": "by hand"}) for number in self.stopped]
        free = [number for number in self.trials if number not in self.held | set(self.stopped)]
        if free:
            heard += [
                Report(free[-1], "intermediate", {"step": 1}),
                Report(free[-1], "final", {"value": free[-1]}),
            ]
        self.trials = [number for number in self.trials if number not in {each.trial_id for each in heard}]
        self.stopped = []
        return heard


def told(*wishes: Control) -> Callable[[], Control]:
    """What a person wants at each look, then nothing any more; a loop that does not end fails."""
    coming = iter([*wishes, *[Control()] * UNTIL])
    return lambda: next(coming)


def kill(number: int) -> Control:
    return Control(requests=(Request("r", 1, 0.0, "kill_trial", {"trial_id": number}),))


def test_every_job_ends_once_and_never_more_run_than_fit() -> None:
    executor, ended = ByHand(), list[int]()
    work(JOBS, executor, told(), lambda number, kind, _: ended.append(number) if kind == "final" else None)
    assert sorted(ended) == [0, 1, 2, 3, 4]
    assert executor.most == 2


def test_a_successor_starts_before_an_ending_is_told_but_is_told_after_it() -> None:
    executor = ByHand()
    work(
        JOBS[:3],
        executor,
        told(),
        lambda number, kind, _: executor.log.append((kind, number)),
        started=lambda number: executor.log.append(("started", number)),
    )
    at = executor.log.index
    assert at(("submit", 2)) < at(("final", 1)) < at(("started", 2))


def test_nothing_starts_while_paused_though_what_runs_ends() -> None:
    executor, started = ByHand(), list[int]()
    looks = iter([Control(pause=True), Control(), *[Control(pause=True)] * 3, *[Control()] * UNTIL])

    def control() -> Control:
        started.append(len(executor.log))
        return next(looks)

    work(JOBS, executor, control, lambda *_: None)
    assert started[:6] == [0, 0, 3, 3, 3, 3]  # two at once, and the first one's successor
    assert len(executor.log) == 5


@pytest.mark.parametrize(("allowed", "ending"), [(True, "stopped"), (False, "final")])
def test_a_person_ends_a_running_job_only_where_that_is_allowed(allowed: bool, ending: str) -> None:
    executor, ended = ByHand(held={0}), dict[int, str]()
    looks = iter([Control(), kill(4), kill(0), *[Control()] * UNTIL])

    def control() -> Control:
        if len(ended) == 4:
            executor.held.clear()  # it would have ended by itself
        return next(looks)

    def hear(number: int, kind: str, _: Mapping[str, Any]) -> None:
        if kind != "intermediate":
            ended[number] = kind

    work(JOBS, executor, control, hear, kill=lambda _: allowed)
    assert ended == {0: ending, 1: "final", 2: "final", 3: "final", 4: "final"}


def test_a_wish_to_cancel_is_heard_before_anything_starts() -> None:
    executor = ByHand()
    with pytest.raises(Cancelled):
        work(JOBS, executor, told(Control(cancel=True)), lambda *_: None)
    assert executor.log == []


def test_in_order_means_that_no_ending_is_told_before_those_ahead_of_it() -> None:
    heard: list[tuple[int, str]] = []
    work_in_order(JOBS, ByHand(), told(), lambda job, kind, _: heard.append((job.number, kind)))
    assert heard == [(number, "final") for number in range(5)]  # though the newest ends first
