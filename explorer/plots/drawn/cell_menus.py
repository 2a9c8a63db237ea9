"""The menus of cells: the operation on an edge, what every edge may have, and in a DARTS cell what a node reads."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache

from explorer.board import Board
from explorer.catalogue import OPERATIONS
from explorer.plots.drawn.menu_items import CHECK, RADIO, Group, Items, Menu, item
from explorer.plots.drawn.offers import count_words
from explorer.plots.looks import label
from explorer.space import CellSpace, DartsSpace, InputChoice, Operation, edge_label, structure
from explorer.space.darts import (
    INPUTS,
    KINDS,
    darts_edge_label,
    edge_parameters,
    inputs_label,
    operation_label,
)
from explorer.space.shapes import RULES

KIND_WORDS = {"normal": "normal cell", "reduce": "reduction cell"}
PLACES = ("first", "second")


def cell_menus(board: Board, space: CellSpace) -> Iterator[tuple[str, Menu]]:
    """(id of the edge, its menu)."""
    kept = space.operations if board.restriction.operations is None else board.restriction.operations
    edges = [edge_label(edge) for edge in space.edges]
    there = edges if board.restriction.edges is None else board.restriction.edges
    operations = _offered(space.operations, tuple(kept))
    for source, target in space.edges:
        name = edge_label((source, target))
        pinned, is_there = board.pinned[name], name in there
        about = "in every stacked cell" if is_there else "taken out of the space"
        switch = item(
            CHECK,
            "The edge exists",
            {"kind": "edge", "label": name, "on": not is_there},
            on=is_there,
            no=_loose(space, tuple(there), name) if is_there else "",
        )
        groups = (
            Group(
                "Pinned: one of them",
                _cell_pins(space),
                shared=True,
                common={"label": name},
                on=space.operations.index(pinned) if is_there else -1,
            ),
            Group("Offered on every edge", operations, shared=True),
            Group("This edge", (switch,)),
        )
        yield name, Menu(f"{source} → {target}", about, groups)


@lru_cache(maxsize=256)
def _loose(space: CellSpace, there: tuple[str, ...], name: str) -> str:
    """Why an edge cannot be taken out; "" when it can."""
    edges = tuple(edge for edge in space.edges if edge_label(edge) in there and edge_label(edge) != name)
    return next(iter(structure(replace(space, edges=edges))), "")


@lru_cache(maxsize=64)
def _offered(operations: tuple[str, ...], kept: tuple[str, ...]) -> Items:
    """Offer or forbid each; the last one has to stay, and none alone is nothing in a DARTS cell."""
    last = "It is the last one that is offered; offer another one first."
    return tuple(
        item(
            CHECK,
            label(name),
            {"kind": "operation", "name": name, "on": name not in kept},
            on=name in kept,
            no=last if tuple(kept) == (name,) else "",
        )
        for name in operations
    )


@lru_cache(maxsize=64)
def _cell_pins(space: CellSpace) -> Items:
    side = space.input.side
    shapes = []
    for stage in range(space.stages):
        shapes.append((space.channels * 2**stage, side, side))
        side = -(-side // 2)
    return tuple(
        item(
            RADIO,
            label(name),
            {"kind": "pin", "choice": name},
            _words(sum(RULES[name](OPERATIONS[name].defaults(), shape).parameters for shape in shapes)),
        )
        for name in space.operations
    )


def _words(parameters: int) -> str:
    return f"{count_words(parameters)} in all cells"


# -- DARTS ------------------------------------------------------------------------------------------------------------


def darts_menus(board: Board, space: DartsSpace) -> Iterator[tuple[str, Menu]]:
    """(id of the node or edge, its menu)."""
    kept = space.operations if board.restriction.operations is None else board.restriction.operations
    operations = Group("Offered on every edge", _offered(space.operations, tuple(kept)), shared=True)
    for kind in KINDS:
        for target in space.targets:
            inputs = Group(
                "Reads two of them", _pairs(space, kind, target, board.pinned[inputs_label(kind, target)])
            )
            reads = tuple(_operations(board, space, kind, target, at) for at in range(INPUTS))
            yield f"{kind}/node_{target}", Menu(f"Node {target}", KIND_WORDS[kind], (inputs, *reads))
            for source in range(target):
                groups = _edge(board, space, kind, source, target)
                menu = Menu(
                    f"{source} → {target}", _edge_about(board, kind, source, target), (*groups, operations)
                )
                yield darts_edge_label(kind, source, target), menu


def _pairs(space: DartsSpace, kind: str, target: int, chosen: tuple[int, ...]) -> Items:
    choice = InputChoice("", tuple(map(str, range(target))), "", INPUTS)
    event = {"kind": "pin", "label": inputs_label(kind, target)}
    return tuple(
        item(RADIO, " and ".join(map(str, pair)), {**event, "choice": list(pair)}, on=pair == tuple(chosen))
        for pair in map(choice.option, range(choice.count))
    )


def _operations(board: Board, space: DartsSpace, kind: str, target: int, at: int) -> Group:
    """Through which operation a node reads one of its two inputs."""
    name = operation_label(kind, target, at)
    source = board.pinned[inputs_label(kind, target)][at]
    return Group(
        f"Its {PLACES[at]} input, {source}, through",
        _darts_pins(space, kind, source < INPUTS),
        folded=True,
        shared=True,
        common={"label": name},
        on=space.derivable.index(board.pinned[name]),
    )


def _edge(board: Board, space: DartsSpace, kind: str, source: int, target: int) -> tuple[Group, ...]:
    """Its operation when the node reads it; else instead of which other input it may be read."""
    reads = board.pinned[inputs_label(kind, target)]
    if source in reads:
        at = reads.index(source)
        return (
            Group(
                "Pinned: one of them",
                _darts_pins(space, kind, source < INPUTS),
                shared=True,
                common={"label": operation_label(kind, target, at)},
                on=space.derivable.index(board.pinned[operation_label(kind, target, at)]),
            ),
        )
    event = {"kind": "pin", "label": inputs_label(kind, target)}
    items = (
        item(RADIO, f"Instead of {gone}", {**event, "choice": sorted({*reads, source} - {gone})})
        for gone in reads
    )
    return (Group(f"Let node {target} read it", tuple(items)),)


def _edge_about(board: Board, kind: str, source: int, target: int) -> str:
    reads = board.pinned[inputs_label(kind, target)]
    is_read = "read" if source in reads else f"not read: node {target} reads {reads[0]} and {reads[1]}"
    return f"{KIND_WORDS[kind]} · {is_read}"


@lru_cache(maxsize=128)
def _darts_pins(space: DartsSpace, kind: str, is_input: bool) -> Items:
    """The operations that a derived cell may hold, with what one costs in all cells of its kind together."""
    stride = 2 if kind == "reduce" and is_input else 1
    shapes = _cell_shapes(space, kind, is_input)
    return tuple(
        item(
            RADIO,
            label(name),
            {"kind": "pin", "choice": name},
            _words(sum(_parameters(name, stride, shape) for shape in shapes)),
        )
        for name in space.derivable
    )


def _parameters(name: str, stride: int, shape: tuple[int, int, int]) -> int:
    operation = Operation(name, edge_parameters(name, stride))
    given = OPERATIONS[name].defaults() | dict(operation.parameters)
    return RULES[name](given, shape).parameters


def _cell_shapes(space: DartsSpace, kind: str, is_input: bool) -> list[tuple[int, int, int]]:
    """What an edge of each cell of that kind gets."""
    channels, side = space.channels, space.input.side
    found = []
    for cell in range(space.cells):
        reduces = space.kind_of(cell) == "reduce"
        channels *= 2 if reduces else 1
        smaller = -(-side // 2) if reduces else side
        if space.kind_of(cell) == kind:
            at = side if is_input else smaller
            found.append((channels, at, at))
        side = smaller
    return found
