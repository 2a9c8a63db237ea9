"""What a one-shot search shows of itself: means over the steps since it was last looked at, and the whole picture.

A snapshot is what pages draw without torch (`explorer.runs.snapshot_schema` says what they rely on), so numbers are
rounded to five significant digits: 2,000 steps of DARTS on 4 nodes stay below half a megabyte.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from explorer.oneshot.contract import Method, StepReport
from explorer.space import Decision, SearchSpace
from explorer.space.derive import derive, entropy, margin, none_share, skip_share

DIGITS = 5
LOSSES = ("train_loss", "validation_loss")
SCALARS = (
    "train_loss",
    "train_accuracy",
    "validation_loss",
    "validation_accuracy",
    "weight_gradient",
    "alpha_gradient",
)

Rows = dict[str, list[float]]


def rounded(number: float | None) -> float | None:
    """Five significant digits; None stays, and so does what is no finite number."""
    if number is None or not math.isfinite(number):
        return number
    return float(f"{number:.{DIGITS}g}")


def compact(value: Any) -> Any:
    """Plain data with every float rounded; what is no finite number becomes None, as events hold it."""
    if isinstance(value, float):
        return rounded(value) if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {key: compact(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [compact(item) for item in value]
    return value


class Means:
    """What the steps reported since the last snapshot, number by number.

    Numbers that come as tensors are read when somebody looks, many at once: a step on a GPU never waits for them.
    """

    def __init__(self) -> None:
        self._steps: list[int] = []
        self._told: dict[str, list[Any]] = {name: [] for name in SCALARS}
        self.extra: dict[str, Any] = {}

    def add(self, step: int, report: StepReport) -> None:
        """Take in what step number `step` saw."""
        self._steps.append(step)
        for name in SCALARS:
            self._told[name].append(getattr(report, name))
        self.extra |= report.extra

    def settled(self) -> dict[str, list[float | None]]:
        """Every number as a float, or None where a step had none."""
        for values in self._told.values():
            places = [at for at, value in enumerate(values) if isinstance(value, Tensor)]
            if places:
                device = values[places[0]].device
                read = torch.stack([values[at].detach().to(device) for at in places]).tolist()
                for at, value in zip(places, read, strict=True):
                    values[at] = value
        return self._told

    def failure(self) -> tuple[int, str] | None:
        """The first step whose loss was no finite number, and which loss; None when all were."""
        told = self.settled()
        for at, step in enumerate(self._steps):
            for name in LOSSES:
                value = told[name][at]
                if value is not None and not math.isfinite(value):
                    return step, name
        return None

    def take(self) -> dict[str, Any]:
        """The means, None where nothing was told, and what else the newest steps had; counting begins anew."""
        means = {name: rounded(_mean(values)) for name, values in self.settled().items()}
        taken = {**means, **compact(self.extra)}
        self.clear()
        return taken

    def clear(self) -> None:
        """Forget the numbers, as after a snapshot."""
        self._steps = []
        self._told = {name: [] for name in SCALARS}
        self.extra = {}

    def state(self) -> dict[str, Any]:
        """Plain data."""
        told = {name: list(values) for name, values in self.settled().items()}
        return {"steps": list(self._steps), "told": told, "extra": dict(self.extra)}

    def load(self, state: Mapping[str, Any]) -> None:
        """The inverse of `state`."""
        self._steps, self.extra = list(state["steps"]), dict(state["extra"])
        self._told = {name: list(state["told"][name]) for name in SCALARS}


def _mean(values: Sequence[float | None]) -> float | None:
    held = [value for value in values if value is not None]
    return math.fsum(held) / len(held) if held else None


def rows(tensors: Mapping[str, Tensor]) -> Rows:
    """Decision -> plain numbers, read from the device in one go."""
    if not tensors:
        return {}
    flat = torch.cat([row.detach().reshape(-1) for row in tensors.values()]).tolist()
    found: Rows = {}
    start = 0
    for label, row in tensors.items():
        found[label] = flat[start : start + row.numel()]
        start += row.numel()
    return found


def picture(
    space: SearchSpace, decisions: Sequence[Decision], probabilities: Rows, method: Method, rule: str
) -> dict[str, Any]:
    """The architecture's side of a snapshot: the method's probabilities and alphas, and what follows from them.

    `rule` is a light one (argmax or top2): what would be derived if the search ended here.
    """
    alphas, scores = rows(method.alphas()), rows(method.scores())
    derived = derive(space, scores, rule)
    labelled = {decision.label: decision for decision in decisions}
    return {
        "probabilities": {label: _named(labelled[label], row) for label, row in probabilities.items()},
        "alphas": {label: _named(labelled[label], row) for label, row in alphas.items()},
        "entropy": {label: rounded(entropy(row)) for label, row in probabilities.items()},
        "margins": {label: rounded(margin(row)) for label, row in probabilities.items()},
        "derived": derived.to_json(),
        "skip_share": rounded(skip_share(space, derived)),
        "none_share": rounded(none_share(decisions, probabilities)),
    }


def _named(decision: Decision, row: Sequence[float]) -> dict[str, float | None]:
    return {name: rounded(value) for name, value in zip(decision.candidates, row, strict=True)}
