"""An engine's surroundings for tests: an executor without processes, and a store that is a list and the fold."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from explorer.jobs.control import Cancelled, Control
from explorer.jobs.executors import Report
from explorer.nas.random_search import run
from explorer.runs.events import Event, data_problem
from explorer.runs.rules import refusal
from explorer.runs.spec import RunSpec
from explorer.runs.state import RunState, fold
from explorer.runs.store import Request


def value_of(payload: Mapping[str, Any]) -> float:
    """A made-up accuracy that depends on the payload alone."""
    digest = hashlib.sha256(json.dumps(payload, sort_keys=True).encode()).digest()
    return digest[0] / 255


@dataclass
class FakeExecutor:
    """Each poll gives every trial in flight its next word, newest first: the order is not that of submission."""

    workers: int = 2
    failing: frozenset[int] = frozenset()
    steps: int = 2
    trials: dict[int, tuple[Mapping[str, Any], int]] = field(default_factory=dict)
    submitted: list[tuple[int, Mapping[str, Any]]] = field(default_factory=list)
    most: int = 0
    ready: list[Report] = field(default_factory=list)

    @property
    def idle(self) -> int:
        """How many more trials would start at once."""
        return self.workers - len(self.trials)

    def submit(self, trial_id: int, target: str, payload: Mapping[str, Any]) -> None:
        """As the real one does."""
        assert target == "explorer.nas.evaluate:evaluate"
        assert json.loads(json.dumps(payload)) == payload
        self.trials[trial_id] = (payload, 0)
        self.submitted.append((trial_id, payload))
        self.most = max(self.most, len(self.trials))

    def poll(self, timeout_seconds: float = 0.0) -> Iterable[Report]:
        """As the real one does, without waiting."""
        said, self.ready = self.ready, []
        for trial_id, (payload, step) in reversed(list(self.trials.items())):
            if trial_id in self.failing and step == 1:
                said.append(Report(trial_id, "failed", {"reason": f"Trial {trial_id} diverged."}))
                del self.trials[trial_id]
            elif step < self.steps:
                said.append(Report(trial_id, "intermediate", {"step": step + 1, "value": 0.5, "metrics": {}}))
                self.trials[trial_id] = (payload, step + 1)
            else:
                said.append(Report(trial_id, "final", {"value": value_of(payload), "metrics": {}}))
                del self.trials[trial_id]
        return said

    def stop(self, trial_id: int) -> None:
        """As the real one does."""
        if self.trials.pop(trial_id, None) is not None:
            self.ready.append(Report(trial_id, "stopped", {"reason": "Stopped on request."}))


@dataclass
class Story:
    """A run's events, checked by the rules of the store as they come, over as many attempts as wanted."""

    spec: RunSpec
    events: list[Event] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.tell("run_queued", {"spec": self.spec.to_json()})

    @property
    def state(self) -> RunState:
        """The fold so far."""
        return fold(self.events)

    def tell(self, kind: str, data: Mapping[str, Any] | None = None) -> None:
        """Append an event; what the store would refuse fails here."""
        data = json.loads(json.dumps(data or {}, allow_nan=False))
        state = self.state if self.events else None
        trial = state.trials.get(data.get("trial_id")) if state else None
        problem = data_problem(kind, data) or refusal(
            state.status if state else None, trial.status if trial else None, kind, data
        )
        assert problem is None, problem
        self.events.append(Event("r", len(self.events) + 1, float(len(self.events)), kind, data))

    def attempt(
        self,
        executor: FakeExecutor | None = None,
        wishes: Mapping[int, Control] | None = None,
        resumed: Mapping[str, Any] | None = None,
    ) -> FakeExecutor:
        """One attempt of the engine; `wishes` are what the n-th call of control() says."""
        executor, calls = executor or FakeExecutor(), iter(range(10**6))
        if len(self.events) > 1:
            self.tell("run_resumed", resumed)
        self.tell("run_started")

        def control() -> Control:
            return (wishes or {}).get(next(calls), Control())

        try:
            run(
                self.spec, self.state, executor=executor, report=self.tell, control=control, clock=lambda: 0.0
            )
        except Cancelled:
            self.tell("run_cancelled", {"reason": "Cancelled on request."})
        except Exception as error:
            self.tell("run_failed", {"reason": str(error)})
        else:
            self.tell("run_finished")
        return executor

    def of(self, kind: str) -> list[Mapping[str, Any]]:
        """The data of every event of a kind."""
        return [event.data for event in self.events if event.kind == kind]


def request(kind: str, **data: Any) -> Request:
    """What a person asks."""
    return Request("r", 1, 0.0, kind, data)
