"""How the candidates of a supernet's decisions look: the operation's colour and dash, a tag of one or two letters.

Where two candidates of a decision are the same operation (a 3x3 and a 5x5 convolution) the colour is the same and dash
and tag tell them apart.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from explorer.errors import ExplorerError
from explorer.plots import looks
from explorer.space import (
    CellSpace,
    DartsSpace,
    Decision,
    InputChoice,
    LayerChoice,
    SearchSpace,
    decisions,
)
from explorer.space.decisions import ON
from explorer.space.mutables import Operation

SWITCHED = "#1a7f37"  # the colour of a sum, which is what a skip ends in
SOURCES = ("#0b6bcb", "#bc4c00", "#8250df", "#0e7490", "#bf3989", "#6a7600", "#656d76")
DASHES = ("", "7 3", "2 3", "9 3 2 3")


@dataclass(frozen=True)
class Candidate:
    """`name` as snapshots have it, `words` for people."""

    name: str
    words: str
    color: str
    dash: str
    tag: str


@dataclass(frozen=True)
class Row:
    """A decision as people read it: `section` is where it stands (a kind of cell, layers, skips), `title` which one."""

    label: str
    title: str
    section: str
    kind: str
    candidates: tuple[Candidate, ...]


def rows_of(space: SearchSpace | None) -> tuple[Decision, ...]:
    """The space's decisions; none where no supernet can hold it."""
    if space is None:
        return ()
    try:
        return decisions(space)
    except ExplorerError:
        return ()


def described(space: SearchSpace | None) -> tuple[Row, ...]:
    """Every decision with its candidates' looks, in the order of the network."""
    found = rows_of(space)
    if space is None or not found:
        return ()
    operations = {
        mutable.label: [operation for _, operation in mutable.candidates]
        for mutable in space.mutables
        if isinstance(mutable, LayerChoice)
    }
    sources = {
        mutable.label: mutable.sources for mutable in space.mutables if isinstance(mutable, InputChoice)
    }
    return tuple(_row(space, one, operations, sources) for one in found)


def _row(
    space: SearchSpace,
    one: Decision,
    operations: Mapping[str, Sequence[Operation]],
    sources: Mapping[str, Sequence[str]],
) -> Row:
    if isinstance(space, CellSpace):
        return Row(one.label, _edge(one.label), "", one.kind, _edges(one.candidates))
    if isinstance(space, DartsSpace):
        kind = "Normal cell" if one.label.startswith("normal") else "Reduction cell"
        return Row(one.label, _edge(one.label), kind, one.kind, _edges(one.candidates))
    if one.kind == "switch":
        label, at = one.label.rsplit("/", 1)
        return Row(one.label, f"{sources[label][int(at)]} → {one.group}", "Skips", one.kind, _switch())
    if one.kind == "inputs":
        return Row(one.label, one.label, "Skips", one.kind, _sources(sources[one.label]))
    return Row(one.label, one.label, "Layers", one.kind, _layer(one.candidates, operations[one.label]))


def _edge(label: str) -> str:
    """`edge_0_1` and `normal/edge_0_1` as `0 → 1`."""
    return " → ".join(label.rsplit("_", 2)[1:])


def _edges(names: Sequence[str]) -> tuple[Candidate, ...]:
    """The candidates of a cell's edge are catalogue operations, each with a look of its own."""
    return tuple(
        Candidate(name, look.short or name, look.color, look.dash, look.glyph)
        for name, look in ((name, looks.look(name)) for name in names)
    )


def _layer(names: Sequence[str], operations: Sequence[Operation]) -> tuple[Candidate, ...]:
    """Candidates of a layer carry names of their own; several may be one operation with other parameters."""
    glyphs = [looks.look(operation.name).glyph for operation in operations]
    seen: dict[str, int] = {}
    found = []
    for name, operation, glyph in zip(names, operations, glyphs, strict=True):
        look, again = looks.look(operation.name), seen.get(operation.name, 0)
        seen[operation.name] = again + 1
        alone = glyphs.count(glyph) == 1
        tag = glyph if alone else f"{glyph}{operation.parameters.get('kernel_size', again + 1)!s:.2}"
        dash = look.dash if alone or not again else DASHES[again % len(DASHES)]
        found.append(Candidate(name, name, look.color, dash, tag))
    return tuple(found)


def _switch() -> tuple[Candidate, ...]:
    """One line says it all: the probability of off is what is missing to 1."""
    return (Candidate(ON, "skip on", SWITCHED, "", ON),)


def _sources(names: Sequence[str]) -> tuple[Candidate, ...]:
    return tuple(
        Candidate(
            str(at), name, SOURCES[at % len(SOURCES)], DASHES[at // len(SOURCES) % len(DASHES)], str(at)
        )
        for at, name in enumerate(names)
    )


def key_of(rows: Sequence[Row]) -> tuple[Candidate, ...]:
    """Every look once, for the legend."""
    found: dict[tuple[str, str, str], Candidate] = {}
    for row in rows:
        for candidate in row.candidates:
            found.setdefault((candidate.words, candidate.color, candidate.dash), candidate)
    return tuple(found.values())
