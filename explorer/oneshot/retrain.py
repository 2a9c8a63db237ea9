"""Train what a search derived from scratch, beside random architectures of the same space: is it better than random?

Each wish ({"seeds", "rivals", "epochs"}) is the derived architecture with so many seeds and then so many random ones
with as many. The first training of an architecture is a trial, those with further seeds are its repeats. Rivals follow
from the run's seed and the wish's number, so a wish that was interrupted is completed by a plain resume.
"""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from explorer.errors import TrialFailed
from explorer.runs.spec import RunSpec, trial_seed
from explorer.runs.state import RunState
from explorer.space import Architecture, SearchSpace
from explorer.trials.evaluate import TARGET, payload

POLL_SECONDS = 0.25  # the longest that a cancel waits to be heard
_STATUS = {"final": "succeeded", "failed": "failed", "exited": "failed", "stopped": "cancelled"}

Report = Callable[[str, dict[str, Any]], None]


class Executor(Protocol):
    """What is used of an executor (`explorer.jobs.executors`)."""

    @property
    def idle(self) -> int:
        """How many more trials would start at once."""

    def submit(self, trial_id: int, target: str, payload: Mapping[str, Any]) -> None: ...
    def poll(self, timeout_seconds: float) -> Iterable[Any]: ...
    def stop(self, trial_id: int) -> None: ...


@dataclass(frozen=True)
class Training:
    """One trial: an architecture, how long, and whose repeat it is."""

    number: int
    architecture: Architecture
    epochs: int
    seed: int
    repeat_of: int | None = None


def planned(
    spec: RunSpec, space: SearchSpace, derived: Architecture, wishes: Iterable[Any]
) -> list[Training]:
    """Every training that was ever wished for, in order; their numbers count from 0."""
    found: list[Training] = []
    first: dict[tuple[Architecture, int], int] = {}
    for at, wish in enumerate(wishes):
        epochs = wish.get("epochs", spec.epochs)
        for architecture in (derived, *rivals(spec.seed, at, space, derived, wish.get("rivals", 0))):
            for _ in range(wish["seeds"]):
                number = len(found)
                repeat_of = first.setdefault((architecture, epochs), number)
                found.append(
                    Training(
                        number,
                        architecture,
                        epochs,
                        trial_seed(spec.seed, number),
                        None if repeat_of == number else repeat_of,
                    )
                )
    return found


def rivals(seed: int, wish: int, space: SearchSpace, derived: Architecture, count: int) -> list[Architecture]:
    """`count` distinct random architectures other than `derived`; fewer where the space has no more."""
    drawn = drawn_rivals(seed, wish, space, count + 1)
    return [architecture for architecture in drawn if architecture != derived][:count]


def drawn_rivals(seed: int, wish: int, space: SearchSpace, count: int) -> list[Architecture]:
    """The first `count` of those that may become rivals; a rank probe looks at the same ones."""
    return space.sample(count, random.Random(f"rivals/{seed}/{wish}"))


def retrain(
    spec: RunSpec,
    state: RunState,
    space: SearchSpace,
    derived: Architecture,
    *,
    executor: Executor,
    report: Report,
    control: Callable[[], Any],
) -> None:
    """Train what `state` asks for and does not hold yet, as many at once as the executor takes.

    Raises TrialFailed when none succeeded and one failed, and what `control().raise_if_cancelled()` raises.
    """
    done = {trial.trial_id for trial in state.trials.values() if trial.status == "succeeded"}
    missing = (each for each in planned(spec, space, derived, state.retrains) if each.number not in done)
    crew = _Crew(spec, executor, report, deque(missing))
    while crew.waiting or crew.running:
        wish = control()
        wish.raise_if_cancelled()
        for request in wish.requests:
            if request.kind == "kill_trial" and request.data.get("trial_id") in crew.running:
                executor.stop(request.data["trial_id"])
        crew.advance(may_start=not wish.pause)
    if crew.failures and not crew.succeeded:
        raise TrialFailed(crew.failures[0])


class _Crew:
    """The trainings in flight and those to come."""

    def __init__(self, spec: RunSpec, executor: Executor, report: Report, waiting: deque[Training]) -> None:
        self.spec, self.executor, self.report, self.waiting = spec, executor, report, waiting
        self.running: set[int] = set()
        self.failures: list[str] = []
        self.succeeded = 0

    def advance(self, may_start: bool) -> None:
        """Start what fits, then hear what happened."""
        while may_start and self.waiting and self.executor.idle > 0:
            self._start(self.waiting.popleft())
        for each in self.executor.poll(POLL_SECONDS):
            self._hear(each.trial_id, each.kind, each.data)

    def _start(self, training: Training) -> None:
        job = payload(
            self.spec.space,
            training.architecture,
            dataset=self.spec.dataset,
            training=self.spec.settings.get("training", {}),
            epochs=training.epochs,
            seed=training.seed,
        )
        self.executor.submit(training.number, TARGET, job)
        self.running.add(training.number)
        data = {
            "trial_id": training.number,
            "parameters": {},
            "architecture": training.architecture.to_json(),
            "seed": training.seed,
            "budget": training.epochs,
        }
        same = {} if training.repeat_of is None else {"repeat_of": training.repeat_of}
        self.report("trial_started", data | same)

    def _hear(self, trial_id: int, kind: str, data: Mapping[str, Any]) -> None:
        if kind == "intermediate":
            self.report("intermediate_result", {"trial_id": trial_id, **data})
            return
        self.running.discard(trial_id)
        if kind == "final":
            self.succeeded += 1
            self.report("final_result", {"trial_id": trial_id, **data})
        reason = data.get("reason")
        if _STATUS[kind] == "failed":
            self.failures.append(reason or "The trial failed without a reason.")
        self.report("trial_ended", {"trial_id": trial_id, "status": _STATUS[kind], "reason": reason})
