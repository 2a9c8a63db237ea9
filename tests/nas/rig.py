"""An executor without processes for searches of architectures."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from explorer.jobs.executors import Report
from explorer.nas.random_search import run
from tests import story
from tests.story import request

__all__ = ["FakeExecutor", "Story", "request", "value_of"]


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
    answers: dict[int, bool] = field(default_factory=dict)  # of judged trials, to their newest result

    @property
    def idle(self) -> int:
        """How many more trials would start at once."""
        return self.workers - len(self.trials)

    def prepare(self) -> None:
        """As the real one does."""

    def submit(self, trial_id: int, target: str, payload: Mapping[str, Any], judged: bool = False) -> None:
        """As the real one does."""
        if target == "explorer.trials.proxies:score":
            scores = [value_of(one) for one in payload["architectures"]]
            self.ready.append(Report(trial_id, "final", {"value": 0.0, "metrics": {"scores": scores}}))
            return
        assert target == "explorer.trials.evaluate:evaluate"
        assert json.loads(json.dumps(payload)) == payload
        self.trials[trial_id] = (payload, 0)
        self.submitted.append((trial_id, payload))
        self.most = max(self.most, len(self.trials))

    def poll(self, timeout_seconds: float = 0.0) -> Iterable[Report]:
        """As the real one does, without waiting."""
        said, self.ready = self.ready, []
        for trial_id, (payload, step) in reversed(list(self.trials.items())):
            if self.answers.pop(trial_id, True) is False:
                said.append(Report(trial_id, "stopped", {"reason": "Stopped early."}))
                del self.trials[trial_id]
            elif trial_id in self.failing and step == 1:
                said.append(Report(trial_id, "failed", {"reason": f"Trial {trial_id} diverged."}))
                del self.trials[trial_id]
            elif step < self.steps:
                said.append(Report(trial_id, "intermediate", {"step": step + 1, "value": 0.5, "metrics": {}}))
                self.trials[trial_id] = (payload, step + 1)
            else:
                said.append(Report(trial_id, "final", {"value": value_of(payload), "metrics": {}}))
                del self.trials[trial_id]
        return said

    def answer(self, trial_id: int, go_on: bool) -> None:
        """As the real one does."""
        self.answers[trial_id] = go_on

    def stop(self, trial_id: int) -> None:
        """As the real one does."""
        if self.trials.pop(trial_id, None) is not None:
            self.ready.append(Report(trial_id, "stopped", {"reason": "Stopped on request."}))


@dataclass
class Story(story.Story):
    """A run of random search unless another engine is given, with the executor above unless another is given."""

    engine: Any = run

    def attempt(self, executor: FakeExecutor | None = None, *more: Any, **others: Any) -> FakeExecutor:
        """One attempt of the engine."""
        return super().attempt(executor or FakeExecutor(), *more, **others)
