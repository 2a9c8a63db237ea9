"""Made-up runs in every state, told through the store's own events; nothing is trained."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

from explorer.plots.leaderboard import space_of
from explorer.runs.spec import RunSpec
from explorer.runs.store import Store

Line = tuple[str, dict[str, Any]]


def trials(spec: RunSpec, count: int, seed: int = 0, first: int = 0) -> Iterator[Line]:
    """`count` succeeded trials of random architectures with rising curves."""
    space = space_of(spec)
    assert space is not None
    rng = random.Random(seed)
    drawn = space.sample(first + count, random.Random(spec.seed))
    for trial_id in range(first, first + count):
        top = 0.6 + 0.35 * rng.random()
        yield "trial_started", _begin(trial_id, drawn[trial_id % len(drawn)].to_json())
        for step in range(1, spec.epochs + 1):
            value = top * (1 - 0.5**step)
            yield "intermediate_result", {"trial_id": trial_id, "step": step, "value": value, "metrics": {}}
        value = top * (1 - 0.5**spec.epochs)
        yield (
            "final_result",
            {"trial_id": trial_id, "value": value, "metrics": {"test_accuracy": value - 0.02}},
        )
        yield "trial_ended", {"trial_id": trial_id, "status": "succeeded", "reason": None}


def _begin(trial_id: int, architecture: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"trial_id": trial_id, "parameters": None, "architecture": architecture, "seed": trial_id, **more}


def failed_trial(spec: RunSpec, trial_id: int, reason: str) -> Iterator[Line]:
    """One trial that started and failed."""
    space = space_of(spec)
    assert space is not None
    yield "trial_started", _begin(trial_id, space.architecture_at(trial_id).to_json())
    yield "trial_ended", {"trial_id": trial_id, "status": "failed", "reason": reason}


def retrainings(spec: RunSpec, of: int, count: int, first: int) -> Iterator[Line]:
    """`count` retrainings of trial `of`."""
    space = space_of(spec)
    assert space is not None
    for number in range(count):
        trial_id = first + number
        yield "trial_started", _begin(trial_id, space.architecture_at(0).to_json(), repeat_of=of)
        value = 0.8 + 0.01 * number
        yield "final_result", {"trial_id": trial_id, "value": value, "metrics": {"test_accuracy": value}}
        yield "trial_ended", {"trial_id": trial_id, "status": "succeeded", "reason": None}


def tell(store: Store, run_id: str, lines: Iterator[Line] | list[Line]) -> str:
    """Append the lines; returns the run's id."""
    for kind, data in lines:
        store.append(run_id, kind, data)
    return run_id


def finished(store: Store, spec: RunSpec | None = None, count: int = 6) -> str:
    """A finished run."""
    spec = spec or RunSpec(kind="random", space="notes-net", trials=count, epochs=3)
    run_id = store.create_run(spec)
    tell(store, run_id, [("run_started", {})])
    tell(store, run_id, trials(spec, count))
    return tell(store, run_id, [("run_finished", {})])


def running(store: Store, spec: RunSpec | None = None) -> str:
    """A run with two trials done and one under way, claimed so that nobody calls it lost."""
    spec = spec or RunSpec(kind="random", space="notes-net", trials=6, epochs=3)
    run_id = store.create_run(spec)
    store.claim("test", 3600, run_id=run_id)
    tell(store, run_id, [("run_started", {})])
    tell(store, run_id, trials(spec, 2))
    begun = list(trials(spec, 1, first=2))[:3]
    return tell(store, run_id, begun)


def failed(store: Store) -> str:
    """A run that failed after a trial that failed."""
    spec = RunSpec(kind="random", space="notes-net", trials=6, epochs=3)
    run_id = store.create_run(spec)
    tell(store, run_id, [("run_started", {})])
    tell(store, run_id, trials(spec, 2))
    tell(store, run_id, failed_trial(spec, 2, "The loss was no finite number any more in epoch 1."))
    return tell(store, run_id, [("run_failed", {"reason": "The worker was ended by signal 9 (SIGKILL)."})])


def queued(store: Store) -> str:
    """A run that waits."""
    return store.create_run(RunSpec(kind="random", space="notes-net", trials=6, epochs=3))
