"""Runs for tests: a search that went on for some trials, told as events and folded."""

from __future__ import annotations

import math
import random
from collections.abc import Mapping
from functools import cache
from typing import Any

from explorer.plots.tuning.table import Board, board
from explorer.runs import Event, RunSpec
from explorer.runs.state import RunState, fold

Words = list[tuple[float, str, dict[str, Any]]]

SPACE: dict[str, Any] = {
    "lr": {"_type": "loguniform", "_value": [0.0001, 1.0]},
    "batch_size": {"_type": "choice", "_value": [16, 32, 64]},
    "dropout": {"_type": "uniform", "_value": [0.0, 0.5]},
    "layers": {"_type": "randint", "_value": [1, 5]},
    "optimizer": {
        "_type": "choice",
        "_value": [
            {"_name": "sgd", "momentum": {"_type": "uniform", "_value": [0.0, 0.99]}},
            {"_name": "adam"},
        ],
    },
}
FAMILY: dict[str, Any] = {
    "vap": {"parameters": [0.98, 0.9], "weight": 0.7, "prediction": 0.86},
    "pow3": {"parameters": [0.9, 0.8], "weight": 0.3, "prediction": 0.82},
    "janoschek": {"dropped": "its curve falls"},
}


def spec(**more: Any) -> RunSpec:
    """A run of kind hpo over SPACE."""
    given: dict[str, Any] = {
        "kind": "hpo",
        "objective": "mlp",
        "search_space": SPACE,
        "method": {"tuner": "TPE", "assessor": "Curvefitting"},
        "trials": 40,
        "epochs": 10,
        "workers": 2,
    }
    return RunSpec(**given | more)


def told(words: Words, run: RunSpec | None = None) -> RunState:
    """The state after (seconds, kind, data)."""
    begin: Words = [(0.0, "run_queued", {"spec": (run or spec()).to_json()}), (1.0, "run_started", {})]
    story = [*begin, *words]
    return fold(Event("r", seq, 1000 + at, kind, data) for seq, (at, kind, data) in enumerate(story, start=1))


def begin(number: int, at: float, parameters: Mapping[str, Any] | None = None, **more: Any) -> Words:
    """A trial's start."""
    data = {"trial_id": number, "parameters": parameters, "architecture": None, "seed": 1, "budget": 10}
    return [(at, "trial_started", data | more)]


def curve(number: int, at: float, values: Mapping[int, float | None], seconds: float = 1.0) -> Words:
    """Intermediate results at these steps, `seconds` in all."""
    gap = seconds / max(1, len(values))
    return [
        (
            at + gap * place,
            "intermediate_result",
            {"trial_id": number, "step": step, "value": value, "metrics": {}},
        )
        for place, (step, value) in enumerate(values.items(), start=1)
    ]


def end(number: int, at: float, status: str = "succeeded", value: float | None = None) -> Words:
    """A trial's end, with its final result when it has one."""
    final = (at, "final_result", {"trial_id": number, "value": value, "metrics": {}})
    reason = None if status == "succeeded" else "because"
    ending = (at, "trial_ended", {"trial_id": number, "status": status, "reason": reason})
    return [final, ending] if value is not None else [ending]


def assessment(number: int, step: int, decision: str, **more: Any) -> dict[str, Any]:
    """What Curvefitting saw, unless `more` says otherwise."""
    seen: dict[str, Any] = {
        "trial_id": number,
        "step": step,
        "decision": decision,
        "assessor": "Curvefitting",
        "acts": True,
        "history": [],
        "best_completed": 0.95,
        "completed": 3,
        "target": 10,
        "prediction": 0.848,
        "threshold": 0.95,
        "line": 0.9025,
        "models": FAMILY,
        "milliseconds": 9.0,
    }
    return seen | more


def evaluate(model: str, parameters: Any, steps: Any) -> list[float]:
    """Stands for the fitted families."""
    return [parameters[0] - parameters[1] / (1 + step) for step in steps]


def combine(models: Mapping[str, Any], steps: Any) -> list[float]:
    """The weighted mean of those that were kept."""
    kept = {name: model for name, model in models.items() if "dropped" not in model}
    curves = {name: evaluate(name, model["parameters"], steps) for name, model in kept.items()}
    return [sum(kept[name]["weight"] * curves[name][at] for name in kept) for at in range(len(steps))]


@cache
def search(
    count: int, epochs: int = 10, workers: int = 2, live: bool = False, objective: str = "mlp"
) -> RunState:
    """A search of `count` trials: some are stopped (the first of them finished later), some fail, lr decides."""
    dice = random.Random(7)
    words: Words = []
    free = [1.0] * workers
    first_stopped: int | None = None
    for number in range(count):
        lane = min(range(workers), key=lambda at: free[at])
        start = free[lane]
        parameters = _draw(dice)
        distance = abs(math.log10(parameters["lr"]) + 1.5)
        top = max(0.12, 0.97 - 0.12 * distance**1.5 + dice.gauss(0, 0.01))
        words += begin(number, start, parameters, budget=epochs)
        if number % 17 == 11:
            words += end(number, start + 0.3, "failed")
            free[lane] = start + 0.3
            continue
        values = {
            step: top - (top - 0.1) * math.exp(-0.45 * step) + dice.gauss(0, 0.006)
            for step in range(1, epochs + 1)
        }
        if objective != "mlp":
            values = {step: 100 * (1 - value) ** 2 for step, value in values.items()}
        stopped = distance > 1.1 and number > 8
        kept = {
            step: value for step, value in values.items() if not stopped or step <= max(2, epochs * 6 // 10)
        }
        seconds = dice.uniform(1, 3) * len(kept) / epochs
        if live and number >= count - workers:
            words += curve(number, start, dict(list(kept.items())[: epochs // 2]), seconds)
            continue
        words += curve(number, start, kept, seconds)
        free[lane] = start + seconds
        if stopped:
            words += end(number, free[lane], "early_stopped")
            if first_stopped is None:
                first_stopped = number
                rest = {step: value for step, value in values.items() if step not in kept}
        else:
            words += end(number, free[lane], "succeeded", list(kept.values())[-1])
    if first_stopped is not None and not live:
        at = max(free)
        words += begin(count, at, None, repeat_of=first_stopped, continues=True)
        words += curve(count, at, rest) + end(count, at + 1, "succeeded", list(rest.values())[-1])
    words.sort(key=lambda word: word[0])
    return told(words, spec(trials=count, epochs=epochs, workers=workers, objective=objective))


def _draw(dice: random.Random) -> dict[str, Any]:
    optimizer: dict[str, Any] = {"_name": dice.choice(["sgd", "adam"])}
    if optimizer["_name"] == "sgd":
        optimizer["momentum"] = dice.uniform(0, 0.99)
    return {
        "lr": 10 ** dice.uniform(-4, 0),
        "batch_size": dice.choice([16, 32, 64]),
        "dropout": dice.uniform(0, 0.5),
        "layers": dice.randint(1, 4),
        "optimizer": optimizer,
        "skip": dice.choice([[], [0], [0, 1]]),
    }


def searched(count: int, **more: Any) -> Board:
    """The board of such a search."""
    return board(search(count, **more))
