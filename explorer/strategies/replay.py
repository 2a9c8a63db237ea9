"""Searches replayed on a table: many repeats, each look answered at once.

Strategies with lanes step all repeats together; the others are asked and told, one repeat after the other.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from explorer.catalogue import STRATEGIES
from explorer.errors import LimitReached, SpecError
from explorer.strategies.building import build
from explorer.strategies.contract import Strategy
from explorer.strategies.lanes import FAST, Lanes
from explorer.strategies.radix import place_of
from explorer.strategies.table import Seen, Table
from explorer.strategies.trace import Trace, trace_of

MOST_CELLS = 100_000_000  # repeats times architectures: a byte each
MOST_LOOKS = 2_000_000  # repeats times budget: 40 bytes a step, and halving takes several steps a training
_ROWS, _SEARCH = 0, 1  # two streams of random numbers a seed, so that all strategies see the same rows


def replay(
    name: str,
    table: Table,
    budget: int,
    repeats: int = 1,
    seed: int = 0,
    parameters: Mapping[str, Any] | None = None,
) -> Trace:
    """`repeats` searches that may each spend `budget` whole trainings; the same arguments give the same trace.

    Where the table has several rows, repeat r of every strategy sees the same of them for one seed, so that two traces
    can be compared in pairs. Raises UnknownName, SpecError (parameters, a budget beyond the table) and LimitReached.
    """
    settings = checked(name, table, budget, repeats, parameters or {})
    seen = Seen.draw(table, repeats, np.random.default_rng([seed, _ROWS]))
    if name in FAST:
        lanes = Lanes(seen, repeats, np.random.default_rng([seed, _SEARCH]))
        FAST[name](lanes, budget, settings)
        return traced(name, settings, seed, lanes)
    asked = []
    for repeat in range(repeats):
        strategy = build(name, table.counts, settings, np.random.default_rng([seed, _SEARCH, repeat]))
        asked.append(ask_and_tell(strategy, seen, repeat, budget))
    steps = [[np.array(column) for column in zip(*one, strict=True)] for one in asked]
    places, values = (np.stack([one[at] for one in steps]) for at in (0, 1))
    epochs, extra = steps[0][2:]
    return trace_of(name, settings, seed, table, places=places, seen=values, epochs=epochs, extra=extra)


def traced(name: str, settings: Mapping[str, Any], seed: int, lanes: Lanes) -> Trace:
    """The trace of lanes that have run."""
    return trace_of(
        name,
        settings,
        seed,
        lanes.table,
        places=np.stack(lanes.places, axis=1),
        seen=np.stack(lanes.values, axis=1),
        epochs=np.array(lanes.epochs),
        extra=np.array(lanes.extra),
    )


def ask_and_tell(
    strategy: Strategy, seen: Seen, repeat: int, budget: int
) -> list[tuple[int, float, int, int]]:
    """One repeat, result by result: (place, value, epochs in all, epochs trained now), within `budget` trainings."""
    table, left = seen.table, budget * seen.table.epochs
    trained: dict[int, int] = {}  # proposal -> its epochs
    told: list[tuple[int, float, int, int]] = []
    while proposal := strategy.ask():
        epochs = table.epochs if proposal.epochs is None else proposal.epochs
        extra = epochs - (0 if proposal.continues is None else trained[proposal.continues])
        if extra > left:
            break
        left -= extra
        trained[proposal.number] = epochs
        place = place_of(proposal.choices, table.counts)
        value = float(seen.look(np.array(repeat), np.array(place), proposal.epochs))
        strategy.tell(proposal, value)
        told.append((place, value, epochs, extra))
    return told


def checked(
    name: str, table: Table, budget: int, repeats: int, parameters: Mapping[str, Any]
) -> dict[str, Any]:
    """The strategy's settings on this table; raises what `replay` says."""
    entry = STRATEGIES.find(name)
    settings = entry.settings(parameters)
    if budget < 1 or repeats < 1:
        raise SpecError(f"The budget is {budget} and there are {repeats} repeats; give at least 1 of each.")
    if budget > table.size:
        raise SpecError(
            f"A budget of {budget} trainings is more than the table's {table.size} architectures; "
            f"give at most {table.size}."
        )
    if repeats * table.size > MOST_CELLS or repeats * budget > MOST_LOOKS:
        fits = min(MOST_CELLS // table.size, MOST_LOOKS // budget)
        raise LimitReached(
            f"{repeats} repeats of {budget} trainings on {table.size} architectures are too many; "
            f"give at most {fits} repeats."
        )
    return settings | _epochs(name, table, settings) if entry.facts["partial"] else settings


def _epochs(name: str, table: Table, settings: Mapping[str, Any]) -> dict[str, int]:
    """The table's epochs where `max_epochs` is left out."""
    if table.curves is None:
        raise SpecError(f"{STRATEGIES[name].label} trains in part, and this table has no learning curves.")
    most = table.epochs if settings["max_epochs"] is None else settings["max_epochs"]
    if most > table.epochs:
        raise SpecError(f"max_epochs is {most}; give at most the table's {table.epochs}.")
    return {"max_epochs": most}
