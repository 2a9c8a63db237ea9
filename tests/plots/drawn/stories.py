"""Made-up searches as run states, and what tests read out of a film."""

from __future__ import annotations

import base64
import random
from collections.abc import Sequence
from typing import Any

from explorer.plots.drawn import film
from explorer.runs.spec import RunSpec
from explorer.runs.state import RunState
from explorer.space import MacroSpace, SearchSpace, decisions
from explorer.space.macro import Layer
from explorer.space.mutables import InputChoice, LayerChoice, Operation
from explorer.space.presets import preset
from tests.pages.oneshot_stories import snapshot


def state(
    space: SearchSpace, snapshots: Sequence[dict[str, Any]], method: str = "darts", marks: Sequence[Any] = ()
) -> RunState:
    """A search with these snapshots; `marks` are (name, step, data)."""
    spec = RunSpec(kind="oneshot", space=space.to_json(), dataset="noisy-digits", method={"method": method})
    told = tuple({"name": name, "step": step, "data": data} for name, step, data in marks)
    return RunState("run", spec, snapshots=tuple(snapshots), measurements=told, last_seq=1)


def search(space: SearchSpace, steps: int, method: str = "darts", noise: float = 0.3) -> RunState:
    """Logits that drift apart and shake while they do; ENAS also samples."""
    rng = random.Random(0)
    drift = {one.label: [rng.gauss(0, 1) for _ in one.candidates] for one in decisions(space)}
    found = []
    for step in range(steps):
        shaken = {
            label: [value * (1 + noise * rng.random()) for value in row] for label, row in drift.items()
        }
        told = snapshot(space, step, shaken, method)
        if method == "enas":
            told["sampled"] = [{"architecture": space.code(space.sample(1, rng)[0])}]
        found.append(told)
    return state(space, found, method)


def frames(drawn: dict[str, Any]) -> list[bytes]:
    """A film's frames."""
    data, count = base64.b64decode(drawn["f"]), drawn["n"]
    wide = len(data) // count if count else 0
    return [data[at * wide : (at + 1) * wide] for at in range(count)]


def candidates(drawn: dict[str, Any]) -> list[list[list[Any]]]:
    """The candidates of each row, those that a row shares with another spelt out."""
    rows = drawn["rows"]
    return [rows[row["c"]]["c"] if isinstance(row["c"], int) else row["c"] for row in rows]


def elements(drawn: dict[str, Any]) -> list[list[str]]:
    """For each row the element that each of its columns names."""
    return [
        [row["e"][min(at, len(row["e"]) - 1)] for at in range(len(held))]
        for row, held in zip(drawn["rows"], candidates(drawn), strict=True)
    ]


def starts(drawn: dict[str, Any]) -> list[int]:
    """The number of each row's first column."""
    found = [0]
    for held in candidates(drawn):
        found.append(found[-1] + len(held))
    return found[:-1]


def row_of(drawn: dict[str, Any], label: str, frame: int) -> bytes:
    """What a frame holds of one row."""
    at = [row["l"] for row in drawn["rows"]].index(label)
    start = starts(drawn)[at]
    return frames(drawn)[frame][start : start + len(candidates(drawn)[at])]


def one_shot_film(
    space: SearchSpace, snapshots: Sequence[dict[str, Any]], live: bool = False
) -> dict[str, Any]:
    """The film of a DARTS search with these snapshots."""
    return film(state(space, snapshots), space, live)


def large(layers: int, every: int, skips: int = 0) -> MacroSpace:
    """A long chain; each `every`-th layer is a choice of three (0: none is), skips lead seven layers on."""
    choice = tuple((f"candidate{at}", Operation("relu")) for at in range(3))
    return MacroSpace(
        "large",
        preset("cell").input,
        layers=tuple(
            Layer(
                f"l{at}",
                LayerChoice(f"l{at}", choice) if every and at % every == 0 else Operation("identity"),
            )
            for at in range(layers)
        ),
        skips=tuple(InputChoice(f"s{at}", (f"l{at}", f"l{at + 3}"), f"l{at + 7}") for at in range(skips)),
    )
