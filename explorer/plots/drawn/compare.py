"""Two architectures of one space against each other: in one drawing, and as a table of what differs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from explorer.plots.drawn.reel import Moment, reel
from explorer.plots.drawn.rows import INPUTS, Layout, Row, Told, layout_of
from explorer.plots.drawn.text import named
from explorer.plots.oneshot.candidates import described
from explorer.space import SearchSpace

NOTHING = -1


@dataclass(frozen=True)
class Difference:
    """A place, and what stands there in the first and in the second architecture, in words."""

    place: str
    a: str
    b: str


def compare(space: SearchSpace, a: Moment, b: Moment) -> dict[str, Any]:
    """A reel of `a` alone, with `two`: for each row the columns of both; -1 is none, and sources are lists.

    `same` and `differ` count the rows; an edge that neither keeps is no likeness. Raises SpaceError for an
    architecture of another space.
    """
    layout, held = layout_of(space), _both(space, a, b)
    pairs = list(zip(held[0].held, held[1].held, strict=True))
    return reel(space, [Moment(held[0].architecture, a.title)]) | {
        "titles": [named(f"{a.title} and {b.title}", 200)],
        "two": [_two(row, *pair) for row, pair in zip(layout.rows, pairs, strict=True)],
        "same": sum(one == other and one != () for one, other in pairs),
        "differ": sum(one != other for one, other in pairs),
    }


def differences(space: SearchSpace, a: Moment, b: Moment) -> tuple[Difference, ...]:
    """Every row in which they differ, in the order of the network; then the parameters and MACs of both."""
    layout, (one, other) = layout_of(space), _both(space, a, b)
    words = _words(space, layout)
    found = [
        Difference(*(words[row.label][0], *(_names(row, held, words[row.label][1]) for held in pair)))
        for row, *pair in zip(layout.rows, one.held, other.held, strict=True)
        if pair[0] != pair[1]
    ]
    networks = [space.lower(told.architecture) for told in (one, other)]
    parameters = Difference("parameters", *(f"{network.parameters:,}" for network in networks))
    macs = Difference("MACs for one image", *(f"{network.macs:,}" for network in networks))
    return (*found, parameters, macs)


def _both(space: SearchSpace, a: Moment, b: Moment) -> tuple[Told, Told]:
    layout = layout_of(space)
    one, other = (layout.told(space.architecture(moment.architecture)) for moment in (a, b))
    assert one is not None and other is not None  # both were checked
    return one, other


def _two(row: Row, one: tuple[int, ...], other: tuple[int, ...]) -> list[Any]:
    if row.kind == INPUTS:
        return [list(one), list(other)]
    return [held[0] if held else NOTHING for held in (one, other)]


def _words(space: SearchSpace, layout: Layout) -> Mapping[str, tuple[str, Mapping[str, str]]]:
    """Row -> its place in words, and the words of its candidates."""
    told = {row.label: row for row in described(space)}
    found = {}
    for row in layout.rows:
        seen = told.get(row.label)
        place = row.label if seen is None else f"{seen.section.removesuffix('s')} {seen.title}".strip()
        names = {one.key: one.name for one in row.candidates}
        names |= {one.name: one.words for one in seen.candidates} if seen and row.kind == "operation" else {}
        found[row.label] = (named(place, 130), names)
    return found


def _names(row: Row, held: tuple[int, ...], names: Mapping[str, str]) -> str:
    chosen = [row.candidates[column - row.start] for column in held]
    return " + ".join(named(names[one.key]) for one in chosen) or "not kept"
