"""What the eigenvalue guard's verdict means for a search: the states of earlier epochs, and going back to one.

The rule itself is `guards.EigenvalueGuard`. The search keeps a copy of itself after each measured epoch that a verdict
could still name; a checkpoint holds these copies, so a search that goes on after a crash goes back to the same place.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

from explorer.oneshot.guards import ADAPT, STOP, EigenvalueGuard, Record, Verdict
from explorer.oneshot.search import Search


class Guarding:
    """One search under a guard, or under none."""

    def __init__(self, search: Search) -> None:
        self.search = search
        self.guard = EigenvalueGuard.from_settings(search.settings)
        self.records: list[Record] = []
        self._copies: list[dict[str, Any]] = []
        self._adapted: float | None = None

    def is_due(self, epoch: int) -> bool:
        """Whether the eigenvalue is to be measured after so many epochs: as often as asked; a guard asks each time."""
        every = self.search.settings.get("hessian_every", 0) or int(self.guard is not None)
        return bool(every) and epoch > 0 and epoch % every == 0

    def judge(self, eigenvalue: float) -> Verdict | None:
        """Take in the newest measure; where it is too much, put the search where the verdict says."""
        if self.guard is None:
            return None
        epoch = self.search.epoch
        self.records.append(Record(epoch, eigenvalue))
        self._copies.append({"at_epoch": epoch, **copied(self.search.state())})
        verdict = self.guard.verdict(self.records, self.search.settings["weight_decay"])
        if verdict is not None:
            self._go_back(verdict)
        reach = self.guard.window + self.guard.window // 2 + 1
        self._copies = self._copies[-reach:]
        return verdict

    def _go_back(self, verdict: Verdict) -> None:
        """Everything but the count of steps returns to what it was after epoch `back_to`."""
        (copy,) = [each for each in self._copies if each["at_epoch"] == verdict.back_to]
        now = {"step": self.search.step, "means": self.search.means.state()}
        if verdict.action == ADAPT and verdict.weight_decay is not None:
            self._adapted = verdict.weight_decay
            self.search.change(weight_decay=verdict.weight_decay)
        self.search.load(copied(copy) | now)
        self.records = [record for record in self.records if record.epoch <= verdict.back_to]
        self._copies = [each for each in self._copies if each["at_epoch"] <= verdict.back_to]

    def state(self) -> dict[str, Any]:
        """Tensors and plain data."""
        return {
            "records": [list(record) for record in self.records],
            "copies": self._copies,
            "adapted": self._adapted,
        }

    def load(self, state: Mapping[str, Any]) -> None:
        """The inverse of `state`; a weight decay that was adapted is in force again."""
        self.records = [Record(*record) for record in state["records"]]
        self._copies = list(state["copies"])
        self._adapted = state["adapted"]
        if self._adapted is not None:
            self.search.change(weight_decay=self._adapted)


def stops(verdict: Verdict) -> bool:
    """Whether the search ends with what it went back to."""
    return verdict.action == STOP


def copied(value: Any) -> Any:
    """The same tensors and plain data in memory of its own."""
    if isinstance(value, torch.Tensor):
        return value.detach().clone()
    if isinstance(value, Mapping):
        return {key: copied(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(copied(item) for item in value)
    return value
