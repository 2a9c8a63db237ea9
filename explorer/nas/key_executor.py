"""An executor that trains nothing: the answer key says what a training would have shown.

Which of the recorded seeds answers is decided by the trial's seed, so that a search sees the luck of single trainings,
as it would live. The value of a whole training is its recalibrated validation accuracy, that of a shorter one the
curve's at that epoch.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from explorer.errors import OutsideKey, SpecError
from explorer.jobs.executors import Report
from explorer.key import Curve, Key, curve, load
from explorer.space import CellSpace, SearchSpace


def key_for(space: SearchSpace, dataset: str) -> Key:
    """The key that answers for all architectures of `space` on `dataset`; raises OutsideKey or NoKey, saying why."""
    key = load(dataset)
    why = key.covers(space, dataset)
    if why:
        raise OutsideKey(why)
    assert isinstance(space, CellSpace)
    missing = key.missing(space)
    if missing:
        raise OutsideKey(
            f"The answer key of {dataset} lacks {missing:,} of the {space.size:,} cells of {space.name}; "
            "restrict the space to what it holds, or train live."
        )
    return key


@dataclass
class _Training:
    """A trial that is looked up; `step` is the epoch told last, `may_go_on` the answer to it (None: none yet)."""

    payload: Mapping[str, Any]
    judged: bool
    step: int = 0
    may_go_on: bool | None = True


class KeyExecutor:
    """As `LocalExecutor`, of `workers` trials at once; raises SpecError for more epochs than the key has."""

    def __init__(self, key: Key, space: SearchSpace, workers: int) -> None:
        self.key, self.space, self.workers = key, space, workers
        self._ready: list[Report] = []
        self._trainings: dict[int, _Training] = {}

    @property
    def idle(self) -> int:
        """How many more trials would start at once."""
        return max(0, self.workers - len(self._trainings))

    def prepare(self) -> None:
        """There are no processes to make."""

    def submit(self, trial_id: int, target: str, payload: Mapping[str, Any], judged: bool = False) -> None:
        """Look `payload`'s architecture up at the next `poll`."""
        if payload["epochs"] > self.key.epochs:
            raise SpecError(
                f"epochs is {payload['epochs']}, but the answer key knows {self.key.epochs}; give as many or fewer."
            )
        self._trainings[trial_id] = _Training(payload, judged)

    def answer(self, trial_id: int, go_on: bool) -> None:
        """Let a judged trial go on after an intermediate result, or end; `poll` then reports it as stopped."""
        if trial_id in self._trainings:
            self._trainings[trial_id].may_go_on = go_on

    def stop(self, trial_id: int) -> None:
        """End a trial now."""
        if self._trainings.pop(trial_id, None) is not None:
            self._ready.append(Report(trial_id, "stopped", {"reason": "It was stopped."}))

    def poll(self, timeout_seconds: float = 0.0) -> list[Report]:
        """What happened; a judged trial says one epoch at a time."""
        reports, self._ready = self._ready, []
        for trial_id, training in list(self._trainings.items()):
            reports += self._said(trial_id, training)
        return reports

    def _said(self, trial_id: int, training: _Training) -> Iterator[Report]:
        place = self.key.place(self.space.architecture(training.payload["architecture"]))
        known = curve(self.key, place)
        luck = training.payload["seed"] % len(known.seeds)
        epochs = training.payload["epochs"]
        while training.may_go_on and training.step < epochs:
            training.step += 1
            value = float(known.values[luck, training.step - 1])
            training.may_go_on = None if training.judged else True
            yield Report(trial_id, "intermediate", {"step": training.step, "value": value, "metrics": {}})
        if training.may_go_on is None:
            return
        del self._trainings[trial_id]
        if not training.may_go_on:
            yield Report(trial_id, "stopped", {"reason": "It was stopped after the epochs that were wanted."})
            return
        yield Report(trial_id, "final", self._final(place, known, luck, epochs))

    def _final(self, place: int, known: Curve, luck: int, epochs: int) -> dict[str, Any]:
        whole, at = epochs == self.key.epochs, int(self.key.position[place])
        row = int(self.key.rows([place], known.seeds[luck])[0])
        value = self.key.row_validation[row] / self.key.sizes[0] if whole else known.values[luck, epochs - 1]
        return {
            "value": float(value),
            "metrics": {
                "test_accuracy": float(self.key.row_test[row] / self.key.sizes[1]) if whole else None,
                "parameters": int(self.key.parameters[at]),
                "macs": int(self.key.macs[at]),
                "train_seconds": float(self.key.seconds[at]) * epochs / self.key.epochs,
                "answered": True,
            },
        }
