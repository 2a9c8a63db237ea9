"""The rows of a film: every choice of a space as columns, one a candidate, and which element of the scene each names.

A row is what a supernet decides (`space.decisions`, in its order and under its labels); but a space that no supernet
can hold, because it chooses values, has rows too: a value belongs to the layer that reads it. `layout_of` keeps what
depends on the space alone, so that a live page pays for it once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any, NamedTuple

from explorer.errors import ExplorerError
from explorer.plots.build import scene_of
from explorer.plots.drawn.collapse import Folded, folded
from explorer.plots.drawn.payload import edge_ids, folded_payload
from explorer.plots.drawn.text import named, shown
from explorer.plots.scene import Scene
from explorer.space import (
    CellSpace,
    DartsSpace,
    InputChoice,
    LayerChoice,
    MacroSpace,
    SearchSpace,
    ValueChoice,
    edge_label,
    path_of,
)
from explorer.space.darts import KINDS, darts_edge_label
from explorer.space.decisions import OFF, ON
from explorer.space.derive import genotype_text

OPERATION, SWITCH, INPUTS, VALUE = "operation", "switch", "inputs", "value"
LAYOUTS = 32  # spaces at hand
LINE = 400  # characters of a genotype's line
TOLD = 2_048  # architectures at hand, of each


class Candidate(NamedTuple):
    """`key` is how snapshots name it, `name` is for people, `operation` "" where it is none."""

    key: str
    name: str
    operation: str


SWITCHED = (Candidate(OFF, OFF, ""), Candidate(ON, ON, "add"))


@dataclass(frozen=True)
class Row:
    """One choice; `elements` holds for each candidate what of the scene it names ("" where that is only counted)."""

    label: str
    kind: str
    candidates: tuple[Candidate, ...]
    elements: tuple[str, ...]
    start: int


@dataclass(frozen=True)
class Told:
    """An architecture as columns (row by row in `held`), and its code."""

    architecture: Mapping[str, Any]
    held: tuple[tuple[int, ...], ...]
    code: str

    @property
    def columns(self) -> list[int]:
        """The columns that it takes."""
        return [column for row in self.held for column in row]


class Layout:
    """What depends on a space alone: its scene, rows and columns; and its architectures by columns, as they are met."""

    def __init__(self, space: SearchSpace) -> None:
        self.space = space
        scene = scene_of(space)
        self._fold = folded(scene)
        self.rows = _rows(space, _places(scene, self._fold))
        self.columns = self.rows[-1].start + len(self.rows[-1].candidates) if self.rows else 0
        self._tell = lru_cache(maxsize=TOLD)(self._told)
        self._read = lru_cache(maxsize=TOLD)(self._coded)
        self.genotype = lru_cache(maxsize=TOLD)(self._genotype)

    @cached_property
    def scene(self) -> dict[str, Any]:
        """The payload of the space without any choice made; shared, and not to be changed."""
        return folded_payload(self._fold, candidates=False)

    @cached_property
    def uniform(self) -> bytes:
        """A frame that believes nothing."""
        return b"".join(bytes([round(255 / len(row.candidates))] * len(row.candidates)) for row in self.rows)

    @cached_property
    def form(self) -> list[dict[str, Any]]:
        """The rows as the browser reads them; shared, and not to be changed.

        `e` has one id where all columns name the same; `c` is the number of an earlier row with the same candidates.
        """
        operations = {look[0]: at for at, look in enumerate(self.scene["ops"])}
        met: dict[tuple[Candidate, ...], int] = {}
        found: list[dict[str, Any]] = []
        for at, row in enumerate(self.rows):
            first = met.setdefault(row.candidates, at)
            names = [[named(one.name), operations.get(one.operation, -1)] for one in row.candidates]
            elements = list(row.elements)
            found.append(
                {
                    "l": row.label,
                    "k": row.kind,
                    "e": elements[:1] if len(set(elements)) == 1 else elements,
                    "c": names if first == at else first,
                }
            )
        return found

    def told(self, choices: Any) -> Told | None:
        """The architecture with these choices; None where it is none of the space."""
        try:
            key = tuple(
                (label, tuple(choice) if isinstance(choice, list) else choice)
                for label, choice in choices.items()
            )
            return self._tell(key)
        except (ExplorerError, TypeError, ValueError, AttributeError):
            return None

    def read(self, code: Any) -> Told | None:
        """The architecture behind a code; None where it is none of the space."""
        try:
            return self._read(code)
        except (ExplorerError, TypeError, ValueError, AttributeError):
            return None

    def _told(self, key: tuple[tuple[str, Any], ...]) -> Told:
        architecture = self.space.architecture(dict(key))
        return Told(architecture, self._held(architecture), self.space.code(architecture))

    def _coded(self, code: str) -> Told:
        architecture = self.space.from_code(code)
        return Told(architecture, self._held(architecture), code)

    def _genotype(self, code: str) -> str:
        """What each node adds up, a line a node; "" of no architecture."""
        text = genotype_text(self.space, self.space.from_code(code)) if code else ""
        return "\n".join(shown(line, LINE) for line in text.split("\n"))

    def _held(self, architecture: Mapping[str, Any]) -> tuple[tuple[int, ...], ...]:
        path = path_of(self.space, architecture)
        return tuple(_columns(row, path.get(row.label)) for row in self.rows)


_kept = lru_cache(maxsize=LAYOUTS)(Layout)


def layout_of(space: SearchSpace) -> Layout:
    """The layout of a space, kept where it can be; raises SpaceError for a family that cannot be drawn."""
    try:
        return _kept(space)
    except TypeError:  # a parameter that is a list, say, which `structure` complains about
        return Layout(space)


def _columns(row: Row, choice: int | tuple[int, ...] | None) -> tuple[int, ...]:
    if choice is None:
        return ()
    return tuple(row.start + at for at in (choice if isinstance(choice, tuple) else (choice,)))


def _places(scene: Scene, fold: Folded) -> Mapping[str, str]:
    """Element of the whole scene ("/" before an edge's id) -> its id in the payload, "" where it is only counted."""
    ids = dict(zip((edge.id for edge in fold.scene.edges), edge_ids(fold.scene), strict=True))
    found = {node.id: fold.moved.get(node.id, node.id) for node in scene.nodes}
    return found | {f"/{edge.id}": ids.get(edge.id, "") for edge in scene.edges}


# -- rows by family ---------------------------------------------------------------------------------------------------


def _rows(space: SearchSpace, places: Mapping[str, str]) -> tuple[Row, ...]:
    found: list[Row] = []
    start = 0
    for label, kind, candidates, elements in _described(space):
        here = tuple(places.get(name, "") for name in elements)
        found.append(Row(label, kind, tuple(candidates), here, start))
        start += len(found[-1].candidates)
    return tuple(found)


Described = tuple[str, str, Sequence[Candidate], Sequence[str]]


def _described(space: SearchSpace) -> Iterator[Described]:
    """Label, kind, candidates, elements (an edge's with "/" before it)."""
    if isinstance(space, DartsSpace):
        labels = [
            darts_edge_label(kind, source, target)
            for kind in KINDS
            for target in space.targets
            for source in range(target)
        ]
        yield from _edges(labels, space.operations)
    elif isinstance(space, CellSpace):
        yield from _edges(map(edge_label, space.edges), space.operations)
    elif isinstance(space, MacroSpace):
        yield from _macro(space)


def _edges(labels: Iterable[str], operations: Sequence[str]) -> Iterator[Described]:
    for label in labels:
        yield (
            label,
            OPERATION,
            [Candidate(name, name, name) for name in operations],
            [f"/{label}"] * len(operations),
        )


def _macro(space: MacroSpace) -> Iterator[Described]:
    homes: dict[str, str] = {}
    for layer in space.layers:
        if isinstance(layer.content, LayerChoice):
            homes[layer.content.label] = layer.name
        for value in layer.values:
            homes.setdefault(value.label, layer.name)
    for mutable in space.mutables:
        if isinstance(mutable, LayerChoice):
            candidates = [Candidate(name, name, operation.name) for name, operation in mutable.candidates]
            yield mutable.label, OPERATION, candidates, [homes[mutable.label]] * mutable.count
        elif isinstance(mutable, ValueChoice):
            values = [Candidate(str(value), str(value), "") for value in mutable.values]
            yield mutable.label, VALUE, values, [homes[mutable.label]] * mutable.count
        else:
            yield from _inputs(mutable)


def _inputs(mutable: InputChoice) -> Iterator[Described]:
    """A switch a source where any number may be chosen; else the sources."""
    alone = len(mutable.sources) == 1
    arcs = [f"/{mutable.label}" if alone else f"/{mutable.label}/{at}" for at in range(len(mutable.sources))]
    if mutable.n_chosen is None:
        for at, arc in enumerate(arcs):
            yield f"{mutable.label}/{at}", SWITCH, SWITCHED, [arc, arc]
        return
    sources = [Candidate(str(at), name, "add") for at, name in enumerate(mutable.sources)]
    yield mutable.label, INPUTS, sources, arcs
