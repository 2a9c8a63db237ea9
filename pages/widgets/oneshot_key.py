"""The answer key beside a one-shot search: what every architecture that it would have derived is really worth.

Read once for each state of a run, whoever watches; an architecture once for each run.
"""

from __future__ import annotations

import math
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import islice
from typing import Any

import numpy as np

from explorer.errors import ExplorerError
from explorer.export.key_says import held_of, key_of
from explorer.jobs.asking import derived_of
from explorer.key import Key, accuracy, margin, rank, trials_to_match
from explorer.plots.drawn.compare import Difference
from explorer.plots.drawn.film import derived_at
from explorer.plots.drawn.reel import Moment
from explorer.plots.nas.truth import Place
from explorer.plots.oneshot.ranks import MOST_KEYED
from explorer.plots.oneshot.worth import Known, Worth, standing
from explorer.runs.state import RunState
from explorer.space import CellSpace, SearchSpace

MOST_KEPT = 24  # runs
UNKNOWN = "–"


@dataclass
class _Read:
    """What was read for a run: of each architecture, by its text, and for the newest state."""

    key: Key
    found: dict[str, Worth | None] = field(default_factory=dict)
    probed: dict[str, float | None] = field(default_factory=dict)
    last_seq: int = -1
    known: Known | None = None


_READ: OrderedDict[str, _Read] = OrderedDict()
_LOCK = threading.Lock()


def known_of(state: RunState, space: SearchSpace) -> Known | None:
    """What the key says of the run; None where it is about something else, damaged, or not there."""
    key, _ = key_of(state.spec.space, state.spec.dataset)
    if key is None or not isinstance(space, CellSpace):
        return None
    with _LOCK:
        kept = _READ.get(state.run_id)
        if kept is None or kept.key is not key:
            kept = _READ[state.run_id] = _Read(key)
        _READ.move_to_end(state.run_id)
        while len(_READ) > MOST_KEPT:
            _READ.popitem(last=False)
        if kept.last_seq != state.last_seq:
            kept.known, kept.last_seq = _known(kept, state, space), state.last_seq
        return kept.known


def _known(kept: _Read, state: RunState, space: CellSpace) -> Known | None:
    held = _held(kept.key, space)
    if held is None:
        return None
    best, median = held
    course: list[Worth | None] = []
    before: Any = None
    for number in range(len(state.snapshots)):
        chosen = derived_at(state, number)
        same = course and chosen == before
        course.append(course[-1] if same else _worth(kept, space, chosen, best))
        before = chosen
    return Known(kept.key.dataset, tuple(course), best, median, kept.key.epochs, _probed(kept, state, space))


@lru_cache(maxsize=8)
def _held(key: Key, space: CellSpace) -> tuple[float, float] | None:
    """Best and median mean test accuracy of the space's cells that the key holds; None where it holds none."""
    means = key.means[held_of(key, space)]
    return (float(means.max()), float(np.median(means))) if len(means) else None


def _worth(kept: _Read, space: CellSpace, chosen: Any, best: float) -> Worth | None:
    """Of these choices; None where they are none of the space, or the key does not hold them."""
    if not isinstance(chosen, Mapping):
        return None
    name = repr(chosen)
    if name not in kept.found:
        kept.found[name] = _looked_up(kept.key, space, chosen, best)
    return kept.found[name]


def _looked_up(key: Key, space: CellSpace, chosen: Mapping[str, Any], best: float) -> Worth | None:
    try:
        architecture = space.architecture(chosen)
        place = key.place(architecture)
    except ExplorerError:
        return None
    scored, stands = accuracy(key, place), rank(key, place)
    test, seeds = scored.test.mean, scored.test.seeds
    return Worth(
        space.code(architecture),
        Place(test, best - test, stands.rank, stands.low, stands.high, stands.of),
        float(margin(key, seeds, seeds)) / 2**0.5,  # of one mean, not of two
        scored.validation.mean,
        seeds,
        trials_to_match(key, place).expected if len(key.cells) == space.size else None,
    )


def _probed(kept: _Read, state: RunState, space: CellSpace) -> Mapping[str, float]:
    """Test accuracy of the architectures of the newest rank probe, by their codes; the unknown ones are left out."""
    codes: Iterable[str] = next(
        (one["data"].get("architectures") or () for one in reversed(state.measurements) if _is_probe(one)), ()
    )
    found = {}
    for code in islice(codes, MOST_KEYED):
        if code not in kept.probed:
            kept.probed[code] = _accuracy(kept.key, space, code)
        test = kept.probed[code]
        if test is not None:
            found[code] = test
    return found


def _is_probe(measurement: Mapping[str, Any]) -> bool:
    return measurement["name"] == "rank_probe" and isinstance(measurement["data"], Mapping)


def _accuracy(key: Key, space: CellSpace, code: str) -> float | None:
    try:
        return float(key.means[key.position[key.place(space.from_code(code))]])
    except ExplorerError:
        return None


# -- in words ---------------------------------------------------------------------------------------------------------


def told(known: Known, number: int) -> str:
    """Where what would be derived at that snapshot truly stands, in Markdown."""
    worth = known.course[number] if number < len(known.course) else None
    if worth is None:
        return f"The answer key of {known.dataset} does not hold this architecture."
    return standing(worth)


def told_of_retrained(known: Known, state: RunState) -> str:
    """What the key says of the derived architecture, beside its retrainings; "" where it was not derived yet."""
    worth = known.course[-1] if known.course else None
    if worth is None or derived_of(state) is None:
        return ""
    test = 100 * worth.place.test
    doubt = "" if math.isnan(worth.half) else f" ± {100 * worth.half:.1f}"
    seeds = "1 seed" if worth.seeds == 1 else f"{worth.seeds} seeds"
    return (
        f"The answer key has the derived architecture at {test:.1f}{doubt} % of the test images ({seeds}, "
        f"{known.epochs} epochs each); only trainings of that length compare with it."
    )


def beside(known: Known | None, one: Moment, other: Moment, space: SearchSpace) -> tuple[Difference, ...]:
    """The true rank and accuracy of two architectures, as rows of the table of their differences."""
    if known is None or not isinstance(space, CellSpace):
        return ()
    both = [_of(known, space, moment) for moment in (one, other)]
    if both == [None, None]:
        return ()

    def row(name: str, say: Callable[[Worth], str]) -> Difference:
        return Difference(name, *(UNKNOWN if each is None else say(each) for each in both))

    return (
        row("true rank", lambda one: f"{one.place.rank:,}"),
        row(
            "with 95 %",
            lambda one: UNKNOWN if math.isnan(one.half) else f"{one.place.low:,} to {one.place.high:,}",
        ),
        row("true accuracy", lambda one: f"{100 * one.place.test:.1f} %"),
    )


def _of(known: Known, space: CellSpace, moment: Moment) -> Worth | None:
    code = space.code(space.architecture(moment.architecture))
    return next((each for each in known.course if each is not None and each.code == code), None)
