"""What would it have been worth to stop now? The true accuracy and rank of what each snapshot would have derived.

Truth is the answer key's: whoever reads the key makes `Known`, a plain record; accuracies in it are shares of 1. One
architecture that is derived many times in a row is one stretch: only its ends are drawn, so a line has no slopes but
those from one stretch to the next.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

from explorer.plots.charts import Axis
from explorer.plots.nas.truth import Place, trials_words
from explorer.plots.oneshot.panels import (
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    PURPLE,
    STEP,
    Level,
    Line,
    Panel,
    PanelsInfo,
    Points,
)

DOTTED = "1.5 3.5"


@dataclass(frozen=True)
class Worth:
    """One architecture in the key: its place, and `half`, half of its test accuracy's 95 % interval (NaN: not known).

    `validation` is its mean accuracy on the images that a search validates on. `draws` is how many architectures random
    search needs on average until one is as good; None where the key holds more or less than the space.
    """

    code: str
    place: Place
    half: float
    validation: float
    seeds: int
    draws: float | None = None

    @property
    def band(self) -> str:
        """The ranks between which the truth lies, in brackets; "" where it is one."""
        if math.isnan(self.half):
            return " (how sure that is, the key cannot tell)"
        return self.place.band


@dataclass(frozen=True, eq=False)
class Known:
    """What the key says of a search.

    `course` has one entry a snapshot: what would have been derived there, None where the method had no opinion or the
    key does not hold it. `probed`: code -> test accuracy of architectures in rank probes. `best` and `median` are of
    all cells of the searched space that the key holds, trained for `epochs`.
    """

    dataset: str
    course: tuple[Worth | None, ...]
    best: float
    median: float
    epochs: int
    probed: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Stretch:
    """From step `first` to step `last` the same would have been derived; `epoch` is that of `first`."""

    first: int
    last: int
    epoch: float | None
    worth: Worth


def stretches(known: Known, snapshots: Sequence[Mapping[str, Any]]) -> tuple[Stretch, ...]:
    """In the order of steps; of a step that came twice (the search was resumed) the later snapshot holds."""
    found: dict[int, tuple[float | None, Worth | None]] = {}
    for one, worth in zip(snapshots, known.course, strict=False):
        found[one["step"]] = one.get("epoch"), worth
    together = groupby(sorted(found), key=lambda step: _code(found[step][1]))
    made = []
    for _, group in together:
        steps = list(group)
        epoch, worth = found[steps[0]]
        if worth is not None:
            made.append(Stretch(steps[0], steps[-1], epoch, worth))
    return tuple(made)


def _code(worth: Worth | None) -> str:
    return "" if worth is None else worth.code


def at_steps(
    known: Known, snapshots: Sequence[Mapping[str, Any]], steps: Iterable[int]
) -> Mapping[int, Worth]:
    """Step -> what would have been derived there; steps between two snapshots that disagree are left out."""
    order = sorted(range(len(known.course)), key=lambda at: snapshots[at]["step"])
    there = [snapshots[at]["step"] for at in order]
    found = {}
    for step in steps:
        before = bisect_right(there, step) - 1
        after = min(bisect_left(there, step), len(there) - 1)
        if before < 0:
            continue
        worth = known.course[order[before]]
        beside = worth if there[before] == step else known.course[order[after]]
        if worth is not None and _code(worth) == _code(beside):
            found[step] = worth
    return found


# -- the chart --------------------------------------------------------------------------------------------------------


def worth(known: Known, snapshots: Sequence[Mapping[str, Any]], live: bool = False) -> PanelsInfo:
    """True accuracy and true rank over the steps; `live` says that the search has not ended."""
    found = stretches(known, snapshots)
    said = worth_sentence(known, found, live)
    return PanelsInfo(
        "What would it have been worth to stop now?",
        STEP,
        (_accuracy(known, found), _rank(found)) if found else (),
        f"{said} {_basis(known, found)}".strip(),
        f"True test accuracy and true rank of what would be derived, over the steps. {said}".strip(),
    )


def _accuracy(known: Known, found: Sequence[Stretch]) -> Panel:
    def edge(side: int) -> Points:
        points = _points(found, lambda worth: 100 * (worth.place.test + side * worth.half))
        return tuple((step, min(100.0, max(0.0, height))) for step, height in points)

    means = _points(found, lambda worth: 100 * worth.place.test)
    levels = (
        Level("best of the space", 100 * known.best, GREEN),
        Level("median: half of the space is better", 100 * known.median, ORANGE),
    )
    panel = (
        Line("true test accuracy", BLUE, means),
        Line("95 %: at least", GREY, edge(-1), DOTTED),
        Line("95 %: at most", GREY, edge(1), DOTTED),
        _changes(found, BLUE, lambda worth: 100 * worth.place.test),
    )
    return _panel(Axis("test accuracy, trained alone (%)", "higher"), panel, levels)


def _rank(found: Sequence[Stretch]) -> Panel:
    """In percent of the key: packed charts (`drawn.strips`) have 4,096 heights, fewer than there are ranks."""
    newest = found[-1].worth

    def share(name: str) -> Callable[[Worth], float]:
        return lambda worth: 100 * getattr(worth.place, name) / worth.place.of

    def bound(name: str) -> Points:
        return _points([one for one in found if not math.isnan(one.worth.half)], share(name))

    lines = (
        Line("true rank", PURPLE, _points(found, share("rank"))),
        Line("95 %: from", GREY, bound("low"), DOTTED),
        Line("95 %: to", GREY, bound("high"), DOTTED),
        _changes(found, PURPLE, share("rank")),
    )
    whole = newest.draws is not None
    levels = (Level("a random draw, on average", 50.0, ORANGE),) if whole else ()
    return _panel(Axis(f"true rank (% of {newest.place.of:,})", "lower"), lines, levels)


def _panel(y: Axis, lines: Sequence[Line], levels: tuple[Level, ...]) -> Panel:
    """Every point is in the window: one bad moment is what the chart is about."""
    kept = tuple(line for line in lines if line.points)
    values = [value for line in kept for _, value in line.points] + [level.value for level in levels]
    air = 0.06 * (max(values) - min(values)) or 1.0
    return Panel(y, kept, levels, (min(values) - air, max(values) + air))


def _points(found: Sequence[Stretch], value: Callable[[Worth], float]) -> Points:
    """Both ends of every stretch, where the value is known."""
    ends = [(step, value(one.worth)) for one in found for step in dict.fromkeys((one.first, one.last))]
    return tuple((float(step), float(height)) for step, height in ends if math.isfinite(height))


def _changes(found: Sequence[Stretch], color: str, value: Callable[[Worth], float]) -> Line:
    """A dot wherever another architecture begins."""
    dots = tuple((float(one.first), float(value(one.worth))) for one in found[1:])
    return Line("another architecture", color, dots, quiet=True, dots=True)


# -- in words ---------------------------------------------------------------------------------------------------------


def worth_sentence(known: Known, found: Sequence[Stretch], live: bool = False) -> str:
    """Which moment was the best, and whether the difference is more than luck; "" where nothing is known."""
    if not found:
        return ""
    last, best = found[-1], max(found, key=lambda one: one.worth.place.test)  # the earliest of equals
    is_at = "it is now at" if live else "it ended at"
    stood = f"{is_at} {_rank_of(last.worth)}"
    below = _below(known, last.worth)
    if best.worth.place.test <= last.worth.place.test:
        return f"No earlier moment was better: {stood} of {last.worth.place.of:,}.{below}"
    lost = best.worth.place.test - last.worth.place.test
    margin = math.hypot(best.worth.half, last.worth.half)
    luck = (
        "how much of that is luck is not known"
        if math.isnan(margin)
        else "more than the luck of the key's seeds"
        if lost > margin
        else "which may be the luck of the key's seeds"
    )
    return (
        f"The best moment was {_when(best)} ({_rank_of(best.worth)}); {stood} of {last.worth.place.of:,}, "
        f"{100 * lost:.1f} points less, {luck}.{below}"
    )


def _rank_of(worth: Worth) -> str:
    return f"rank {worth.place.rank:,}"


def _when(one: Stretch) -> str:
    return f"step {one.first:,}" if one.epoch is None else f"epoch {one.epoch:g}"


def _below(known: Known, worth: Worth) -> str:
    if worth.place.test >= known.median:
        return ""
    return " More than half of the space is better, so a random draw would most likely be, too."


def _basis(known: Known, found: Sequence[Stretch]) -> str:
    if not found:
        return f"The answer key of {known.dataset} holds nothing of what would be derived."
    seeds = sorted({one.worth.seeds for one in found})
    count = f"{seeds[0]}" if len(seeds) == 1 else f"{seeds[0]} to {seeds[-1]}"
    noun = "seed" if seeds[-1] == 1 else "seeds"
    changes = len(found) - 1
    lacks = sum(worth is None for worth in known.course)
    over = (
        f" At {lacks:,} of the snapshots it lacks what would be derived; the lines pass over them."
        if lacks
        else ""
    )
    dots = "it never changed" if not changes else f"a dot is a change ({changes:,} of them)"
    return (
        f"By the answer key of {known.dataset}: each architecture trained alone for {known.epochs} epochs, mean of "
        f"{count} {noun}; {dots}. The search itself never sees these numbers.{over}"
    )


def standing(worth: Worth) -> str:
    """`True rank 1,204 (with 95 % confidence 800 to 1,700) of 15,625, …` with bold numbers, in Markdown."""
    told = f"True {worth.place.stands(worth.band)}."
    if worth.draws is None:
        return told
    return f"{told} Random search needs {trials_words(worth.draws)} on average to find one as good."
