"""Searches for tests: snapshots of a space as the store keeps them."""

from __future__ import annotations

import math
import random
from typing import Any

from explorer.space import SearchSpace, decisions

Snapshot = dict[str, Any]


def snapshots(space: SearchSpace, count: int = 12, seed: int = 0, **more: Any) -> list[Snapshot]:
    """`count` snapshots, ten steps apart, whose probabilities drift; each derives the same architecture."""
    rng = random.Random(seed)
    rows = decisions(space)
    drift = {row.label: [rng.gauss(0, 1) for _ in row.candidates] for row in rows}
    derived = space.architecture_at(rng.randrange(space.size)).to_json()
    return [_snapshot(space, drift, derived, at, count) | more for at in range(count)]


def _snapshot(
    space: SearchSpace, drift: dict[str, list[float]], derived: Any, at: int, count: int
) -> Snapshot:
    share = at / max(1, count - 1)
    probabilities, entropy = {}, {}
    for row in decisions(space):
        powers = [math.exp(2 * share * value) for value in drift[row.label]]
        found = [power / sum(powers) for power in powers]
        probabilities[row.label] = dict(zip(row.candidates, found, strict=True))
        entropy[row.label] = -sum(value * math.log(value) for value in found)
    return {
        "step": 10 * at,
        "epoch": at,
        "probabilities": probabilities,
        "entropy": entropy,
        "derived": derived,
        "skip_share": 0.25,
        "none_share": 0.2,
        "train_loss": 2.0 - share,
        "validation_loss": None if at == 0 else 2.1 - share,
        "train_accuracy": 0.1 + 0.5 * share,
        "validation_accuracy": None if at == 0 else 0.1 + 0.4 * share,
    }


def measured(name: str, step: int, **data: Any) -> dict[str, Any]:
    """A measurement's data as the state has it."""
    return {"name": name, "step": step, "data": data}
