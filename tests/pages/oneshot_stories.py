"""Made-up one-shot searches in every state; nothing is trained."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from typing import Any

from explorer.plots.leaderboard import space_of
from explorer.runs.spec import RunSpec
from explorer.runs.store import Store
from explorer.space import SearchSpace, decisions
from explorer.space.derive import derive
from tests.pages.stories import Line, tell

STEPS = range(0, 101, 10)


def spec(space: Any = "cell", method: str = "darts", **more: Any) -> RunSpec:
    """A search of ten epochs."""
    return RunSpec(
        kind="oneshot", space=space, dataset="noisy-digits", method={"method": method}, epochs=10, **more
    )


def snapshots(given: RunSpec) -> Iterator[Line]:
    """Logits that drift apart, and all that goes with them."""
    space = space_of(given)
    assert space is not None
    rng = random.Random(given.seed)
    drift = {one.label: [rng.gauss(0, 1) for _ in one.candidates] for one in decisions(space)}
    for step in STEPS:
        yield "architecture_snapshot", snapshot(space, step, drift, given.method["method"])


def snapshot(space: SearchSpace, step: int, drift: dict[str, list[float]], method: str) -> dict[str, Any]:
    """What a search believes at `step`."""
    rows = {label: _softmax([value * step / 50 for value in row]) for label, row in drift.items()}
    names = {one.label: one.candidates for one in decisions(space)}
    data: dict[str, Any] = {
        "step": step,
        "epoch": step / 10,
        "probabilities": {label: dict(zip(names[label], row, strict=True)) for label, row in rows.items()},
        "entropy": {label: -sum(p * math.log(p) for p in row) for label, row in rows.items()},
        "margins": {label: sorted(row)[-1] - sorted(row)[-2] for label, row in rows.items()},
        "derived": derive(space, rows, "argmax").to_json(),
        "skip_share": 0.3,
        "none_share": 0.1,
        "train_loss": None if step == 0 else 2.3 / (1 + step / 40),
        "train_accuracy": None if step == 0 else 0.1 + step / 200,
        "validation_loss": None if step == 0 else 2.4 / (1 + step / 60),
        "validation_accuracy": None if step == 0 else 0.1 + step / 300,
        "seconds": step / 20,
    }
    if method == "enas" and step:
        code = space.code(space.default)
        data |= {"reward": 0.3 + step / 400, "baseline": 0.25 + step / 400, "policy_entropy": 4 - step / 50}
        data["sampled"] = [
            {
                "architecture": code,
                "reward": 0.3,
                "advantage": 0.02,
                "log_probability": -3.0,
                "skip_rate": 0.4,
            }
        ]
    return data


def _softmax(row: list[float]) -> list[float]:
    weights = [math.exp(value) for value in row]
    return [weight / sum(weights) for weight in weights]


def measured(name: str, data: dict[str, Any], step: int = 100) -> Line:
    """One measurement."""
    return "measurement", {"name": name, "step": step, "data": data}


def ending(given: RunSpec) -> Iterator[Line]:
    """A checkpoint, the measures, and what was derived."""
    space = space_of(given)
    assert space is not None
    yield measured("checkpoint", {"step": 100})
    yield measured("discretization_gap", {"supernet": 0.44, "derived": 0.15, "images": 400, "seconds": 0.1})
    if given.method["method"] != "enas":
        yield measured("hessian_eigenvalue", {"value": 0.4, "iterations": 9, "images": 64, "seconds": 1.0})
    code = space.code(space.default)
    yield measured(
        "rank_probe",
        {
            "architectures": [code] * 3,
            "inherited": [0.2, 0.3, 0.4],
            "standalone": [0.5, 0.4, None],
            "known": 2,
            "kendall": -1.0,
            "spearman": -1.0,
            "seconds": 1.0,
        },
    )
    first = decisions(space)[0]
    drops = {first.label: dict.fromkeys(first.candidates, 0.4)}
    yield measured("perturbation", {"base": 0.44, "drops": drops, "seconds": 2.0})
    yield measured(
        "derived",
        {
            "architecture": space.default.to_json(),
            "rule": "argmax",
            "inherited_accuracy": 0.15,
            "supernet_accuracy": 0.44,
            "parameters": 454,
            "macs": 20_000,
            "seconds": 5.0,
        },
    )


def queued(store: Store, given: RunSpec | None = None) -> str:
    """A search that waits."""
    return store.create_run(given or spec())


def running(store: Store, given: RunSpec | None = None) -> str:
    """A search under way, claimed so that nobody calls it lost."""
    given = given or spec()
    run_id = store.create_run(given)
    store.claim("test", 3600, run_id=run_id)
    return tell(store, run_id, [("run_started", {}), *snapshots(given)])


def paused(store: Store, given: RunSpec | None = None) -> str:
    """The same, paused at a checkpoint."""
    run_id = running(store, given)
    return tell(store, run_id, [measured("checkpoint", {"step": 100}), ("run_paused", {})])


def failed(store: Store, given: RunSpec | None = None) -> str:
    """A search whose loss blew up."""
    given = given or spec()
    run_id = store.create_run(given)
    tell(store, run_id, [("run_started", {}), *snapshots(given)])
    return tell(
        store, run_id, [("run_failed", {"reason": "The loss was no finite number any more at step 101."})]
    )


def finished(store: Store, given: RunSpec | None = None) -> str:
    """A search that came to its end."""
    given = given or spec()
    run_id = store.create_run(given)
    tell(store, run_id, [("run_started", {}), *snapshots(given), *ending(given)])
    return tell(store, run_id, [("run_finished", {})])


def retrained(store: Store, given: RunSpec | None = None) -> str:
    """And whose derived architecture was trained from scratch beside one rival, two seeds each."""
    given = given or spec()
    run_id = finished(store, given)
    space = space_of(given)
    assert space is not None
    wish = {"trial_id": 0, "seeds": 2, "rivals": 1, "epochs": 2}
    tell(store, run_id, [("run_resumed", {"retrain": wish}), ("run_started", {})])
    for trial_id, (number, of) in enumerate([(0, None), (0, 0), (1, None), (1, 2)]):
        begun = {
            "trial_id": trial_id,
            "parameters": {},
            "architecture": space.architecture_at(number).to_json(),
            "seed": trial_id,
        }
        final = {"trial_id": trial_id, "value": 0.5 + 0.01 * trial_id, "metrics": {"test_accuracy": 0.5}}
        ended = {"trial_id": trial_id, "status": "succeeded", "reason": None}
        repeat = {} if of is None else {"repeat_of": of}
        tell(
            store,
            run_id,
            [("trial_started", begun | repeat), ("final_result", final), ("trial_ended", ended)],
        )
    return tell(store, run_id, [("run_finished", {})])
