"""Macro spaces as a vertical chain, the skips as arcs at its right side."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice
from typing import Any

from explorer.plots.looks import describe
from explorer.plots.scene import Option, Scene, SceneEdge, SceneNode, chain, point_on
from explorer.space import InputChoice, Layer, LayerChoice, MacroSpace, Operation, show
from explorer.space.restrict import always_label

BOX = 300.0  # width of a layer
MARGIN, GAP = 6.0, 9.0
LINE, CHIP_LINE = 24.0, 24.0
CHARACTER = 6.6  # mean width at 11 pixels
LANE, LANES = 22.0, 4  # room for arcs; more lanes share it
LABEL = 64.0  # room for an arc's name
SHAPES_SAMPLED = 64


def macro_scene(space: MacroSpace, architecture: Mapping[str, Any] | None, allowed: MacroSpace) -> Scene:
    """`allowed` is `space` or a restriction of it; `architecture` is one of `allowed`'s."""
    shapes = _shapes(allowed, architecture)
    nodes = [
        SceneNode(
            "input",
            "input",
            "input",
            MARGIN,
            MARGIN,
            BOX,
            LINE,
            detail="image",
            shape=show(space.input.shape),
        )
    ]
    kept = {choice.label: choice for choice in allowed.mutables if isinstance(choice, LayerChoice)}
    for layer in space.layers:
        top = nodes[-1].y + nodes[-1].height + GAP
        nodes.append(_layer(layer, top, kept, architecture, shapes.get(layer.name, "")))
    places = {node.id: node for node in nodes}
    flow = chain(nodes)
    skips = _skips(space, architecture, allowed, places)
    sums = [_sum(places[into], skips) for into in dict.fromkeys(edge.target for edge in skips)]
    return Scene(
        title=space.title or space.name,
        alt=_alt(space, architecture, allowed),
        width=BOX + 2 * MARGIN + (LANE * min(LANES, _lane_count(space)) + LABEL if skips else 0),
        height=nodes[-1].y + nodes[-1].height + MARGIN,
        nodes=(*nodes, *sums),
        edges=(*flow, *skips),
        operations=tuple(dict.fromkeys(op.name for layer in space.layers for _, op in layer.operations)),
    )


def _shapes(space: MacroSpace, architecture: Mapping[str, Any] | None) -> dict[str, str]:
    """Layer -> the shape that leaves it, `varies` when the choices decide."""
    if space.size == 0:
        return {}
    some = (
        [architecture]
        if architecture is not None
        else [space.default, *islice(space.neighbours(space.default), SHAPES_SAMPLED)]
    )
    found: dict[str, set[str]] = {}
    for one in some:
        for row in space.lower(one).rows:
            found.setdefault(row.node.name, set()).add(show(row.shape))
    return {name: shapes.pop() if len(shapes) == 1 else "varies" for name, shapes in found.items()}


def _layer(
    layer: Layer,
    top: float,
    kept: Mapping[str, LayerChoice],
    architecture: Mapping[str, Any] | None,
    shape: str,
) -> SceneNode:
    choice = layer.content
    if isinstance(choice, Operation):
        detail = describe(choice.name, choice.parameters)
        return SceneNode(layer.name, "layer", layer.name, MARGIN, top, BOX, LINE, choice.name, detail, shape)
    names = kept[choice.label].names if choice.label in kept else ()
    chosen = None if architecture is None else architecture.get(choice.label)
    options = tuple(Option(name, op.name, _state(name, names, chosen)) for name, op in choice.candidates)
    operation, detail = "", f"one of {len(names)}"
    if chosen in choice.names:
        taken = choice.operation(chosen)
        operation, detail = taken.name, describe(taken.name, taken.parameters)
    height = LINE + CHIP_LINE * len(chip_rows(options))
    return SceneNode(
        layer.name, "choice", layer.name, MARGIN, top, BOX, height, operation, detail, shape, "open", options
    )


def _state(name: str, kept: tuple[str, ...], chosen: str | None) -> str:
    if name not in kept:
        return "off"
    if chosen is None:
        return "open"
    return "chosen" if name == chosen else "unchosen"


def chip_width(name: str) -> float:
    """How wide the chip of a candidate is drawn."""
    return min(len(name), 24) * CHARACTER + 16


def chip_rows(options: tuple[Option, ...]) -> list[list[Option]]:
    """The candidates in rows that fit into a layer's box."""
    rows: list[list[Option]] = [[]]
    used = 0.0
    for option in options:
        width = chip_width(option.name) + 6
        if rows[-1] and used + width > BOX - 20:
            rows.append([])
            used = 0.0
        rows[-1].append(option)
        used += width
    return rows


def chip_places(node: SceneNode) -> tuple[tuple[Option, float, float, float], ...]:
    """The chips of a layer's candidates: each with its upper left corner and its width."""
    found: list[tuple[Option, float, float, float]] = []
    for row, options in enumerate(chip_rows(node.options) if node.options else []):
        x, y = node.x + 12, node.y + LINE + CHIP_LINE * row - 2
        for option in options:
            width = chip_width(option.name)
            found.append((option, x, y, width))
            x += width + 6
    return tuple(found)


def _skips(
    space: MacroSpace,
    architecture: Mapping[str, Any] | None,
    allowed: MacroSpace,
    places: Mapping[str, SceneNode],
) -> list[SceneEdge]:
    kept = {skip.label: skip for skip in allowed.skips}
    edges: list[SceneEdge] = []
    lanes = _lanes(space)
    count = max(lanes, default=-1) + 1
    for (skip, source), lane in zip(_arcs(space), lanes, strict=True):
        start, end = places[source], places[skip.into]
        right = MARGIN + BOX
        out = right + LANE * (1 + min(lane, LANES - 1) if count <= LANES else 1 + lane * LANES / count)
        here, there = (right, start.y + start.height / 2), (right + 4, end.y + end.height - 4)
        bulge = right + (out - right) * 4 / 3  # a cubic's middle lies at three quarters of its control points
        curve = (here, (bulge, here[1]), (bulge, there[1]), there)
        label_at = point_on(curve, 0.5 if count == 1 else 0.3)  # near their own source they keep apart
        name = skip.label if len(skip.sources) == 1 else f"{skip.label}/{skip.sources.index(source)}"
        state = _skip_state(_left_of(space, skip, source, kept), source, architecture)
        edges.append(
            SceneEdge(
                name, "skip", source, skip.into, curve, name, (label_at[0] + 6, label_at[1]), "add", state
            )
        )
    return edges


def _left_of(
    space: MacroSpace, skip: InputChoice, source: str, kept: Mapping[str, InputChoice]
) -> InputChoice | None:
    """The InputChoice that an arc belongs to after restrictions: what is always on may stand in one of its own."""
    always = kept.get(always_label(space, skip.label))
    return always if always is not None and source in always.sources else kept.get(skip.label)


def _skip_state(kept: InputChoice | None, source: str, architecture: Mapping[str, Any] | None) -> str:
    if kept is None or source not in kept.sources:
        return "off"
    if architecture is not None:
        return "chosen" if kept.sources.index(source) in architecture[kept.label] else "unchosen"
    return "chosen" if kept.n_chosen == len(kept.sources) else "open"


def _arcs(space: MacroSpace) -> list[tuple[InputChoice, str]]:
    return [(skip, source) for skip in space.skips for source in skip.sources]


def _lanes(space: MacroSpace) -> list[int]:
    """A lane for every arc, such that arcs over the same layers keep apart; short arcs lie inside."""
    order = {"input": 0} | {layer.name: at for at, layer in enumerate(space.layers, 1)}
    spans = [(order[source], order[skip.into]) for skip, source in _arcs(space)]
    taken: list[list[tuple[int, int]]] = []
    lanes = [0] * len(spans)
    for at in sorted(range(len(spans)), key=lambda at: (spans[at][1] - spans[at][0], spans[at])):
        start, end = spans[at]
        free = (lane for lane, held in enumerate(taken) if all(end <= a or b <= start for a, b in held))
        lane = next(free, len(taken))
        if lane == len(taken):
            taken.append([])
        taken[lane].append((start, end))
        lanes[at] = lane
    return lanes


def _lane_count(space: MacroSpace) -> int:
    return max(_lanes(space), default=-1) + 1


def _sum(layer: SceneNode, skips: list[SceneEdge]) -> SceneNode:
    """The plus sign where arcs arrive: at the layer's lower right corner; faint when none is taken."""
    states = {edge.state for edge in skips if edge.target == layer.id}
    state = next(state for state in ("chosen", "open", "unchosen", "off") if state in states)
    x, y = layer.x + layer.width - 4, layer.y + layer.height - 12
    return SceneNode(f"{layer.id}/sum", "sum", "+", x, y, 16, 16, "add", state=state)


def _alt(space: MacroSpace, architecture: Mapping[str, Any] | None, allowed: MacroSpace) -> str:
    what = f"{space.title or space.name}: a chain of {len(space.layers)} layers"
    if architecture is not None:
        made = ", ".join(
            f"{label} = {choice if choice != () else 'off'}" for label, choice in architecture.items()
        )
        return f"{what}; chosen: {made}."
    choices = ", ".join(f"{choice.label} ({choice.count} options)" for choice in allowed.mutables)
    return f"{what}; to choose: {choices or 'nothing'}."
