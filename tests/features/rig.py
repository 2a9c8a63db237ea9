"""Tables made for a question, kept as uploads, and an executor without processes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd

from explorer.data.tables import tables_root
from explorer.features.engine import run
from explorer.jobs.executors import resolve
from explorer.runs.spec import RunSpec
from explorer.tables import keep
from tests.story import Story


@dataclass
class Direct:
    """An executor that does each trial in this process, when polled; the last submitted comes first."""

    idle: int = 2
    _waiting: list[tuple[int, str, Mapping[str, Any]]] = field(default_factory=list)
    submitted: list[Mapping[str, Any]] = field(default_factory=list)

    def submit(self, trial_id: int, target: str, payload: Mapping[str, Any]) -> None:
        """Queue it."""
        self._waiting.append((trial_id, target, payload))
        self.submitted.append(payload)
        self.idle -= 1

    def poll(self, timeout_seconds: float = 0.0) -> list[Any]:
        """The ending of the newest trial."""
        if not self._waiting:
            return []
        trial_id, target, payload = self._waiting.pop()
        self.idle += 1
        try:
            said = next(iter(resolve(target)(payload)))
        except Exception as error:
            return [SimpleNamespace(trial_id=trial_id, kind="failed", data={"reason": str(error)})]
        return [SimpleNamespace(trial_id=trial_id, kind="final", data=said)]

    def stop(self, trial_id: int) -> None:
        """Nothing is stopped in these tests."""


def kept(frame: pd.DataFrame) -> str:
    """The name of this table, kept as a CSV."""
    return keep(frame.to_csv(index=False).encode(), "t.csv", tables_root())


def noise(rows: int = 240, columns: int = 20, seed: int = 0) -> pd.DataFrame:
    """Numbers and a category that know nothing of the target."""
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(rng.normal(size=(rows, columns)), columns=[f"x{at}" for at in range(columns)])
    frame["place"] = [f"p{code}" for code in rng.integers(0, 40, rows)]
    frame["y"] = np.where(np.arange(rows) % 2 == 0, "no", "yes")
    return frame


def story(**form: Any) -> Story:
    """The story of a features run before its first attempt."""
    return Story(RunSpec(kind="features", **form).checked(), run)


def told(one: Story) -> list[tuple[str, Any]]:
    """Every event but the first, without times."""
    found = []
    for event in one.events[1:]:
        data = dict(event.data)
        if event.kind == "measurement":
            data["data"] = {key: value for key, value in data["data"].items() if key != "seconds"}
        found.append((event.kind, data))
    return found
