"""An engine's story for tests: a store that is a list and the fold, and what a person asks meanwhile."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from explorer.jobs.control import Cancelled, Control
from explorer.runs.events import Event, data_problem
from explorer.runs.rules import refusal
from explorer.runs.spec import RunSpec
from explorer.runs.state import RunState, fold
from explorer.runs.store import Request


@dataclass
class Story:
    """A run's events, checked by the rules of the store as they come, over as many attempts as wanted."""

    spec: RunSpec
    engine: Callable[..., None]
    events: list[Event] = field(default_factory=list)
    _known: RunState | None = None

    def __post_init__(self) -> None:
        if not self.events:
            self.tell("run_queued", {"spec": self.spec.to_json()})

    @property
    def state(self) -> RunState:
        """The fold so far."""
        self._known = fold(self.events[self._known.last_seq if self._known else 0 :], self._known)
        return self._known

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
        executor: Any,
        wishes: Mapping[int, Control] | None = None,
        resumed: Mapping[str, Any] | None = None,
    ) -> Any:
        """One attempt of the engine; `wishes` are what the n-th call of control() says."""
        calls = iter(range(10**6))
        if len(self.events) > 1:
            self.tell("run_resumed", resumed)
        self.tell("run_started")

        def control() -> Control:
            return (wishes or {}).get(next(calls), Control())

        try:
            self.engine(
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
