"""Cell spaces: the cell's graph in the middle, the skeleton that repeats it in small at the left.

Nodes stand below each other; an edge to the next node is straight, a longer one bows to the left or the
right.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from explorer.plots.looks import look
from explorer.plots.scene import Option, Scene, SceneEdge, SceneNode, chain, point_on, straight
from explorer.space import CellSpace, edge_label

RADIUS = 15.0
TOP = 34.0
SKELETON = 96.0  # width of the small column
STAGE, STAGE_GAP = 26.0, 12.0
PILL = 88.0  # widest label of an edge


def cell_scene(space: CellSpace, architecture: Mapping[str, Any] | None, allowed: CellSpace) -> Scene:
    """`allowed` is `space` or a restriction of it; `architecture` is one of `allowed`'s."""
    step = 110.0 if space.nodes <= 5 else 84.0
    reach = _bulge(space.nodes - 1, space.nodes)
    middle = SKELETON + 24 + PILL / 2 + _bulge(space.nodes - 2, space.nodes)
    nodes = tuple(_node(space, number, middle, step) for number in range(space.nodes))
    places = {node.id: node for node in nodes}
    edges = tuple(_edge(space, edge, places, architecture, allowed) for edge in space.edges)
    stages = _skeleton(space)
    flow = chain(stages)
    lowest = max(node.y + node.height for node in (*nodes, *stages))
    return Scene(
        title=space.title or space.name,
        alt=_alt(space, architecture, allowed),
        width=middle + reach + PILL / 2 + 6,
        height=lowest + 22,
        nodes=(*stages, *nodes),
        edges=(*flow, *edges),
        operations=space.operations,
    )


def _node(space: CellSpace, number: int, middle: float, step: float) -> SceneNode:
    detail = "cell's input" if number == 0 else "output" if number == space.nodes - 1 else ""
    top = TOP + number * step - RADIUS
    return SceneNode(
        f"node_{number}", "node", str(number), middle - RADIUS, top, 2 * RADIUS, 2 * RADIUS, detail=detail
    )


def _bulge(span: int, nodes: int) -> float:
    """How far an edge over `span` nodes bows out, in pixels."""
    return 0.0 if span < 2 else 72 + (span - 2) * min(62.0, 160 / max(1, nodes - 3))


def _edge(
    space: CellSpace,
    edge: tuple[int, int],
    places: Mapping[str, SceneNode],
    architecture: Mapping[str, Any] | None,
    allowed: CellSpace,
) -> SceneEdge:
    name, (source, target) = edge_label(edge), edge
    here, there = places[f"node_{source}"], places[f"node_{target}"]
    curve = _curve(here, there, source, target, space.nodes)
    chosen = None if architecture is None else architecture.get(name)
    state = "off" if edge not in allowed.edges else "open" if chosen is None else "chosen"
    options = tuple(Option(op, op, _state(op, state, allowed.operations, chosen)) for op in space.operations)
    label = "off" if state == "off" else look(chosen).short if chosen else ""
    return SceneEdge(
        name, "cell", here.id, there.id, curve, label, point_on(curve, 0.5), chosen or "", state, options
    )


def _state(operation: str, edge: str, kept: tuple[str, ...], chosen: str | None) -> str:
    if edge == "off" or operation not in kept:
        return "off"
    if chosen is None:
        return "open"
    return "chosen" if operation == chosen else "unchosen"


def _curve(
    here: SceneNode, there: SceneNode, source: int, target: int, nodes: int
) -> tuple[Any, Any, Any, Any]:
    (x, top), (_, bottom) = here.centre, there.centre
    if target - source == 1:
        return straight((x, top + RADIUS), (x, bottom - RADIUS - 2))
    longest = target - source == nodes - 1
    side = 1 if longest or source % 2 else -1
    bend = x + side * _bulge(target - source, nodes) * 4 / 3
    start, end = (x + side * RADIUS, top), (x + side * (RADIUS + 2), bottom)
    return (start, (bend, top + 18), (bend, bottom - 18), end)


def _skeleton(space: CellSpace) -> tuple[SceneNode, ...]:
    """Stem, cells, reductions and head, named as `CellSpace.lower` names its nodes."""
    shape = "x".join(map(str, space.input.shape))
    names = [("image", shape), ("stem", f"{space.channels} ch")]
    for stage in range(1, space.stages + 1):
        if stage > 1:
            names.append((f"reduce{stage - 1}", f"{space.channels * 2 ** (stage - 1)} ch"))
        names.append((f"cell{stage}", ""))
    names.append(("head", f"{space.classes} out"))
    return tuple(
        SceneNode(
            f"stage/{name}",
            "stage",
            name,
            6,
            TOP - RADIUS + at * (STAGE + STAGE_GAP),
            SKELETON,
            STAGE,
            "cell" if name.startswith("cell") else "",
            shape=shape,
        )
        for at, (name, shape) in enumerate(names)
    )


def _alt(space: CellSpace, architecture: Mapping[str, Any] | None, allowed: CellSpace) -> str:
    what = f"{space.title or space.name}: a cell of {space.nodes} nodes and {len(space.edges)} edges"
    if architecture is not None:
        made = ", ".join(f"{label} = {choice}" for label, choice in architecture.items())
        return f"{what}, stacked {space.stages} times; chosen: {made}."
    return f"{what}, stacked {space.stages} times; on every edge one of {', '.join(allowed.operations)}."
