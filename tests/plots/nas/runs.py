"""Searches told in words: who came from whom, how good, how long trained."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from explorer.plots.leaderboard import Row, leaderboard, space_of
from explorer.plots.nas.tried import Searched, searched
from explorer.runs.events import Event
from explorer.runs.spec import RunSpec
from explorer.runs.state import RunState, fold
from explorer.space import load_space

EPOCHS = 4
Line = tuple[str, dict[str, Any]]


@dataclass(frozen=True)
class One:
    """A trial to tell: its code, its value (None: it fails), its parents, its phase, its epochs where it is short."""

    code: str
    value: float | None
    parents: tuple[int, ...] = ()
    phase: int = 0
    budget: int | None = None
    begun: int = 0


EVOLUTION = (
    One("000000", 0.50),
    One("111111", 0.60),
    One("222222", 0.55),
    One("111112", 0.58, (1,), 1),
    One("111113", 0.70, (1,), 1),
    One("121113", 0.65, (4,), 2),
)
HALVING = (
    One("000000", 0.30, budget=1),
    One("111111", 0.40, budget=1),
    One("222222", 0.20, budget=1),
    One("111111", 0.80, (1,), 1, EPOCHS, 1),
)


def spec_of(strategy: str = "aging_evolution", **more: Any) -> RunSpec:
    """A search of the cells on noisy digits."""
    given = {"space": "cell", "dataset": "noisy-digits", "trials": 8, "epochs": EPOCHS} | more
    return RunSpec(kind="nas", method={"strategy": strategy}, **given)


def lines(spec: RunSpec, *trials: One, first: int = 0) -> Iterator[Line]:
    """What the engine would report."""
    space = load_space(spec.space)
    for number, one in enumerate(trials, start=first):
        begin = {
            "trial_id": number,
            "parameters": {},
            "architecture": space.from_code(one.code).to_json(),
            "seed": number,
            "parents": list(one.parents),
            "phase": one.phase,
        }
        yield "trial_started", begin if one.budget is None else {**begin, "budget": one.budget}
        if one.value is None:
            yield "trial_ended", {"trial_id": number, "status": "failed", "reason": "no finite number"}
            continue
        for step in range(one.begun + 1, (one.budget or spec.epochs) + 1):
            yield "intermediate_result", {"trial_id": number, "step": step, "value": one.value, "metrics": {}}
        yield "final_result", {"trial_id": number, "value": one.value, "metrics": {}}
        yield "trial_ended", {"trial_id": number, "status": "succeeded", "reason": None}


def told(spec: RunSpec, *trials: One, end: str | None = "run_finished") -> RunState:
    """The state after these trials, one event a second."""
    words: list[Line] = [("run_queued", {"spec": spec.to_json()}), ("run_started", {}), *lines(spec, *trials)]
    words += [(end, {})] if end else []
    return fold(Event("r", seq, float(seq), kind, data) for seq, (kind, data) in enumerate(words, start=1))


def run_of(state: RunState) -> tuple[Searched, tuple[Row, ...]]:
    """Its trials as the charts need them, and its leaderboard."""
    rows = leaderboard(state, space_of(state.spec))
    return searched(state, rows), rows
