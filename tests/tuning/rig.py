"""An executor without processes that really runs the trials' generators, one step of each a poll."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from explorer.errors import ExplorerError
from explorer.jobs.executors import Report, resolve
from explorer.runs.spec import RunSpec
from explorer.tuning.search import run
from tests.story import Story

CURVES = RunSpec(
    kind="hpo",
    objective="curves",
    trials=8,
    epochs=10,
    workers=2,
    method={"tuner": "Random", "assessor": "Curvefitting"},
)
BRANIN = RunSpec(kind="hpo", objective="branin", trials=12, epochs=1, workers=2, method={"tuner": "TPE"})


@dataclass
class Inline:
    """Trials by number; `breaking` maps a trial to what its n-th word becomes: a report, or an exception to raise."""

    workers: int = 2
    breaking: Mapping[int, Callable[[int], Any]] = field(default_factory=dict)
    trials: dict[int, Any] = field(default_factory=dict)
    ready: list[Report] = field(default_factory=list)
    payloads: dict[int, Mapping[str, Any]] = field(default_factory=dict)
    most: int = 0

    @property
    def idle(self) -> int:
        """How many more trials would start at once."""
        return max(0, self.workers - len(self.trials))

    def submit(self, trial_id: int, target: str, payload: Mapping[str, Any], judged: bool = False) -> None:
        """As the real one does."""
        assert json.loads(json.dumps(payload)) == payload
        self.payloads[trial_id] = payload
        self.trials[trial_id] = {
            "run": resolve(target)(payload),
            "judged": judged,
            "say": None,
            "asks": False,
            "n": 0,
        }
        self.most = max(self.most, len(self.trials))

    def poll(self, timeout_seconds: float = 0.0) -> Iterable[Report]:
        """The next word of every trial that does not wait for its verdict, newest first."""
        said, self.ready = self.ready, []
        for trial_id, trial in reversed(list(self.trials.items())):
            if not trial["asks"]:
                said.append(self._word(trial_id, trial))
        return said

    def answer(self, trial_id: int, go_on: bool) -> None:
        """As the real one does."""
        trial = self.trials[trial_id]
        assert trial["asks"], "nobody asked"
        trial["asks"], trial["say"] = False, go_on

    def stop(self, trial_id: int) -> None:
        """As the real one does."""
        if self.trials.pop(trial_id, None) is not None:
            self.ready.append(Report(trial_id, "stopped", {"reason": "Stopped on request."}))

    def resize(self, workers: int) -> None:
        """As the real one does."""
        self.workers = workers

    def _word(self, trial_id: int, trial: dict[str, Any]) -> Report:
        trial["n"] += 1
        try:
            if trial_id in self.breaking and (word := self.breaking[trial_id](trial["n"])) is not None:
                if isinstance(word, Exception):
                    raise word
                item = word
            else:
                item = trial["run"].send(trial["say"])
        except StopIteration:
            del self.trials[trial_id]
            return Report(trial_id, "stopped", {"reason": "Stopped early."})
        except Exception as error:
            del self.trials[trial_id]
            told = str(error) if isinstance(error, ExplorerError) else f"{type(error).__name__}: {error}"
            return Report(trial_id, "failed", {"reason": told})
        if item.get("final"):
            del self.trials[trial_id]
            return Report(trial_id, "final", {"value": item["value"], "metrics": item["metrics"]})
        trial["asks"], trial["say"] = trial["judged"], True
        return Report(trial_id, "intermediate", dict(item))


def told(spec: RunSpec, executor: Inline | None = None, **more: Any) -> Story:
    """The whole story of a spec's first attempt."""
    story = Story(spec, run)
    story.attempt(executor or Inline(spec.workers), **more)
    return story
