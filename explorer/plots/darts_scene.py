"""The DARTS space: normal and reduction cell side by side as node graphs, the stack of cells above them.

Nodes go down a staircase. What a node reads arrives from the left: an edge falls from its source and turns at its
target's height, so its label stands below the one and left of the other, and no two labels meet. The concatenation of
the intermediate nodes takes the free upper right. Candidates stand on every edge while nothing is chosen; an
architecture draws the two inputs a node that it keeps, the others faintly.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import groupby, pairwise
from typing import Any

from explorer.plots.looks import look
from explorer.plots.scene import Option, Point, Scene, SceneEdge, SceneNode, point_on, straight
from explorer.space import DartsSpace, path_of, show
from explorer.space.darts import INPUTS, KINDS, darts_edge_label

RADIUS = 14.0
MARGIN = 6.0
STAGE, STAGE_GAP, STAGE_WIDTH = 26.0, 14.0, 104.0
LABEL = 92.0  # the widest label of an edge
DX, DY = 58.0, 62.0  # one step of the staircase
LANE = 12.0  # half the distance of the two heights at which edges arrive
TITLES = {"normal": "Normal cell", "reduce": "Reduction cell"}
INPUT_WORDS = ("two cells back", "cell before")


def darts_scene(space: DartsSpace, architecture: Mapping[str, Any] | None, allowed: DartsSpace) -> Scene:
    """`allowed` is `space` or a restriction of it; `architecture` is one of `allowed`'s."""
    path = None if architecture is None else path_of(allowed, architecture)
    stages = _stages(space)
    top = MARGIN + STAGE + 34
    wide = _width(space)
    # the wider of stack and cells decides; neither moves when choices change
    nodes: list[SceneNode] = list(stages)
    edges: list[SceneEdge] = [_beside(here, there) for here, there in pairwise(stages)]
    for at, kind in enumerate(KINDS):
        placed = _cell_nodes(space, kind, MARGIN + at * (wide + 26), top)
        nodes += placed
        edges += _cell_edges(space, kind, {node.id: node for node in placed}, path, allowed)
    lowest = max(node.y + node.height for node in nodes)
    return Scene(
        title=space.title or space.name,
        alt=_alt(space, path, allowed),
        width=max(2 * wide + 26, stages[-1].x + stages[-1].width) + 2 * MARGIN,
        height=lowest + 26,
        nodes=tuple(nodes),
        edges=tuple(edges),
        operations=space.operations,
    )


def _width(space: DartsSpace) -> float:
    """Half a label, the staircase, the output."""
    return LABEL / 2 + (space.nodes + INPUTS) * DX + 3 * RADIUS


# -- nodes ------------------------------------------------------------------------------------------------------------


def _cell_nodes(space: DartsSpace, kind: str, left: float, top: float) -> list[SceneNode]:
    """The title, inputs, intermediate nodes and the output of one kind of cell."""
    x, y = left + LABEL / 2, top + 46.0
    title = SceneNode(
        f"{kind}/title", "title", TITLES[kind], left, top - 8, 110, 20, detail=_where(space, kind)
    )
    found = [title]
    for number in range(space.nodes + INPUTS):
        if number == 1:
            y += 40
        elif number:
            y += DY
        detail = INPUT_WORDS[number] if number < INPUTS else ""
        found.append(_disc(f"{kind}/node_{number}", str(number), (x + number * DX, y), detail))
    y += DY - 6
    end = (x + (space.nodes + INPUTS) * DX, y)
    found.append(_disc(f"{kind}/out", "‖", end, "output", "concat"))
    return found


def _where(space: DartsSpace, kind: str) -> str:
    """Which cells of the stack are of this kind."""
    cells = [cell + 1 for cell in range(space.cells) if space.kind_of(cell) == kind]
    noun = "cell" if len(cells) == 1 else "cells"
    listed = ", ".join(map(str, cells)) if len(cells) <= 4 else f"{len(cells)} of {space.cells}"
    return f"{noun} {listed}" if cells else "in no cell"


def _disc(name: str, words: str, at: Point, detail: str, operation: str = "") -> SceneNode:
    return SceneNode(
        name, "node", words, at[0] - RADIUS, at[1] - RADIUS, 2 * RADIUS, 2 * RADIUS, operation, detail
    )


def _stages(space: DartsSpace) -> tuple[SceneNode, ...]:
    """Image, stem, cells and head from left to right; neighbours of one kind and width share a box."""
    shape = show(space.input.shape)
    names = [("image", shape), ("stem", f"{space.stem_multiplier * space.channels} ch")]
    channels = space.channels
    for kind, group in groupby(range(space.cells), key=space.kind_of):
        cells = list(group)
        for run in [cells] if kind == "normal" else [[cell] for cell in cells]:
            channels *= 2 if kind == "reduce" else 1
            numbers = f"{run[0] + 1}" if len(run) == 1 else f"{run[0] + 1}–{run[-1] + 1}"
            names.append((f"{'cell' if kind == 'normal' else 'reduce'} {numbers}", f"{channels} ch"))
    names.append(("head", f"{space.classes} out"))
    return tuple(
        SceneNode(
            f"stage/{name}",
            "stage",
            name,
            MARGIN + at * (STAGE_WIDTH + STAGE_GAP),
            MARGIN,
            STAGE_WIDTH,
            STAGE,
            "cell" if name.startswith(("cell", "reduce")) else "",
            shape=words,
        )
        for at, (name, words) in enumerate(names)
    )


def _beside(here: SceneNode, there: SceneNode) -> SceneEdge:
    start, end = (here.x + here.width, here.centre[1]), (there.x, there.centre[1])
    return SceneEdge(f"{here.id}->{there.id}", "flow", here.id, there.id, straight(start, end))


# -- edges ------------------------------------------------------------------------------------------------------------


def _cell_edges(
    space: DartsSpace,
    kind: str,
    places: Mapping[str, SceneNode],
    path: Mapping[str, Any] | None,
    allowed: DartsSpace,
) -> list[SceneEdge]:
    """Every edge that a supernet has, then the concatenation."""
    found = [
        _edge(space, kind, source, target, places, path, allowed)
        for target in space.targets
        for source in range(target)
    ]
    out = places[f"{kind}/out"]
    for number in space.targets:
        here = places[f"{kind}/node_{number}"]
        start, end = (here.x + here.width, here.centre[1]), (out.centre[0], out.y - 1)
        corner = (out.centre[0], here.centre[1])
        name = f"{here.id}->{out.id}"
        found.append(SceneEdge(name, "flow", here.id, out.id, (start, corner, corner, end)))
    return found


def _edge(
    space: DartsSpace,
    kind: str,
    source: int,
    target: int,
    places: Mapping[str, SceneNode],
    path: Mapping[str, Any] | None,
    allowed: DartsSpace,
) -> SceneEdge:
    name = darts_edge_label(kind, source, target)
    here, there = places[f"{kind}/node_{source}"], places[f"{kind}/node_{target}"]
    taken = None if path is None or path[name] is None else allowed.operations[path[name]]
    state = "open" if path is None else "unchosen" if taken is None else "chosen"
    options = tuple(Option(op, op, _state(op, state, allowed.operations, taken)) for op in space.operations)
    label = look(taken).short if taken else ""
    curve, label_at = _bend(here, there, source, target)
    return SceneEdge(name, "cell", here.id, there.id, curve, label, label_at, taken or "", state, options)


def _state(operation: str, edge: str, kept: tuple[str, ...], taken: str | None) -> str:
    if operation not in kept:
        return "off"
    if edge == "open":
        return "open"
    return "chosen" if operation == taken else "unchosen"


def _bend(
    here: SceneNode, there: SceneNode, source: int, target: int
) -> tuple[tuple[Point, Point, Point, Point], Point]:
    """Down from the source, then right into the target; neighbouring sources arrive at two heights.

    The control points lie a third beyond the corner, which makes the middle of the curve the corner itself.
    """
    (x, y), (to, low) = here.centre, there.centre
    side = 1 if (target - source) % 2 else -1
    lane = low + side * LANE
    start, end = (x, y + RADIUS), (to - RADIUS - 1, low + side * LANE * 0.45)
    below, beyond = (x, lane + (lane - start[1]) / 3), (x - (end[0] - x) / 3, (4 * lane - end[1]) / 3)
    curve = (start, below, beyond, end)
    return curve, point_on(curve, 0.5)


def _alt(space: DartsSpace, path: Mapping[str, Any] | None, allowed: DartsSpace) -> str:
    what = (
        f"{space.title or space.name}: a normal and a reduction cell of {space.nodes} intermediate nodes, "
        f"{space.cells} cells on top of each other"
    )
    if path is None:
        return (
            f"{what}; each node reads two earlier ones, each through one of {', '.join(allowed.derivable)}."
        )
    made = []
    for kind in KINDS:
        for target in space.targets:
            reads = [
                f"{allowed.operations[at]} of {source}"
                for source in range(target)
                if (at := path[darts_edge_label(kind, source, target)]) is not None
            ]
            made.append(f"{kind} node {target} = {' + '.join(reads)}")
    return f"{what}; {'; '.join(made)}."
