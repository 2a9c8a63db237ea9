"""The answer key beside a search: whether it can answer, and what it says of what was tried."""

from __future__ import annotations

from typing import Any

import numpy as np

from explorer.errors import ExplorerError, KeyDamaged, NoKey
from explorer.key import Key, Luck, bands, load, margin, trials_to_match
from explorer.plots.nas.truth import Place, Truth
from explorer.runs.state import RunState
from explorer.space import CellSpace, SearchSpace, load_space


def key_of(space: str | dict[str, Any], dataset: str) -> tuple[Key | None, str]:
    """The key that is about this space and dataset; None, and why."""
    try:
        read = load_space(space)
        key = load(dataset)
    except (NoKey, KeyDamaged) as problem:
        return None, str(problem)
    except ExplorerError:
        return None, ""  # the space's own problem is said elsewhere
    why = key.covers(read, dataset)
    return (None, why) if why else (key, "")


def answering(space: str | dict[str, Any], dataset: str) -> tuple[Key | None, str]:
    """The key that has an answer for every architecture of the space; None, and why."""
    key, why = key_of(space, dataset)
    if key is None:
        return None, why
    read = load_space(space)
    assert isinstance(read, CellSpace)
    missing = key.missing(read)
    if missing:
        return (
            None,
            f"The answer key of {dataset} lacks {missing:,} of the {read.size:,} cells of this space.",
        )
    return key, ""


def truth_of(state: RunState) -> Truth | None:
    """What the key says of the run's trials; None where it is about something else, or not there."""
    key, _ = key_of(state.spec.space, state.spec.dataset)
    return None if key is None else _truth(key, load_space(state.spec.space), state)


def _truth(key: Key, space: SearchSpace, state: RunState) -> Truth | None:
    assert isinstance(space, CellSpace)
    inside = key.grid({label: _operations(space, label) for label in key.labels}).ravel()
    held = inside[key.position[inside] >= 0]
    if not len(held):
        return None
    means = key.means[key.position[held]]
    best = int(held[means.argmax()])
    tried = {
        trial.trial_id: space.architecture(trial.architecture)
        for trial in state.trials.values()
        if trial.architecture is not None and trial.repeat_of is None
    }
    at = key.places(tried.values())
    numbers = np.array(list(tried), dtype=np.int64)[key.position[at] >= 0]
    at = at[key.position[at] >= 0]
    test = key.means[key.position[at]]
    stands = zip(numbers, test, means.max() - test, *bands(key, at), strict=True)
    return Truth(
        key.dataset,
        {
            int(number): Place(float(one), float(lacks), int(rank), int(low), int(high), len(key.cells))
            for number, one, lacks, rank, low, high in stands
        },
        float(means.max()),
        float(margin(key, key.seeds.min(), key.seeds[key.position[best]])),
        key.epochs,
        np.append(key.means, np.nan)[key.position],
    )


def _operations(space: CellSpace, label: str) -> tuple[str, ...]:
    """What may stand on an edge of the key's cells; `none` alone where the space has no such edge."""
    there = {mutable.label for mutable in space.mutables}
    return space.operations if label in there else ("none",)


def luck_of(state: RunState) -> Luck | None:
    """How soon random search finds one as good as the best; None where the key does not hold it, or holds more or less
    than the space.
    """
    key, _ = key_of(state.spec.space, state.spec.dataset)
    best = state.best
    if key is None or best is None or best.architecture is None:
        return None
    space = load_space(state.spec.space)
    if len(key.cells) != space.size:
        return None
    return trials_to_match(key, space.architecture(best.architecture))
