"""A chain too large to be drawn whole, made small: layers share a box, candidates and arcs become numbers.

Each step is taken only when the one before did not do: fixed layers that follow each other share a box and candidates
are no longer shown one by one; then any layers that follow each other share boxes; then arcs are counted where they
arrive. What is folded depends on how much there is and never on what is chosen, so nothing moves when choices change.
Cells are never folded: the largest that `space.check` takes fits.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from explorer.plots.macro_scene import GAP, LINE, MARGIN
from explorer.plots.scene import Scene, SceneEdge, SceneNode, chain

MOST_ELEMENTS = 400  # nodes, edges and chips
MOST_BOXES = 150  # of a chain in the end
LAYERS = ("layer", "choice")

Runs = Sequence[Sequence[SceneNode]]


@dataclass(frozen=True)
class Folded:
    """A scene that fits, a sentence about what it leaves out ("" when nothing), and where the elements went.

    `moved`: id before -> id now, of an arc that is only counted the box where it arrives; what is not in it stayed.
    """

    scene: Scene
    sentence: str
    moved: Mapping[str, str]


def collapsed(scene: Scene) -> Scene:
    """`scene`, or a smaller one that fits."""
    return folded(scene).scene


def folded(scene: Scene) -> Folded:
    """The same with its sentence."""
    fold = Folded(scene, "", {})
    if elements(scene) <= MOST_ELEMENTS or not _layers(scene):
        return fold
    fold = _restacked(fold, _fixed_runs(scene))
    if elements(fold.scene) > MOST_ELEMENTS:
        fold = _restacked(fold, _even_runs(fold.scene))
    if elements(fold.scene) > MOST_ELEMENTS:
        fold = _without_arcs(fold)
    return replace(fold, sentence=_sentence(scene, fold.scene))


def elements(scene: Scene) -> int:
    """How much there is to draw."""
    return len(scene.nodes) + len(scene.edges) + sum(len(node.options) for node in scene.nodes)


def _sentence(before: Scene, after: Scene) -> str:
    arcs, left = (sum(edge.kind == "skip" for edge in scene.edges) for scene in (before, after))
    counted = "candidates and arcs are" if left < arcs else "candidates are"
    return (
        f"This drawing has {elements(before):,} parts and is folded to {elements(after):,}: layers that follow each "
        f"other share a box, and {counted} counted."
    )


# -- boxes ------------------------------------------------------------------------------------------------------------


def _layers(scene: Scene) -> list[SceneNode]:
    return [node for node in scene.nodes if node.kind in LAYERS]


def _fixed_runs(scene: Scene) -> Runs:
    """Fixed layers that follow each other together, choices alone."""
    found: list[list[SceneNode]] = []
    for is_fixed, group in groupby(_layers(scene), key=lambda node: node.kind == "layer"):
        run = list(group)
        found += [run] if is_fixed else [[node] for node in run]
    return found


def _even_runs(scene: Scene) -> Runs:
    layers = _layers(scene)
    length = math.ceil(len(layers) / MOST_BOXES)
    return [layers[at : at + length] for at in range(0, len(layers), length)]


def _restacked(fold: Folded, runs: Runs) -> Folded:
    """Each run in one box, closed up from the top; arcs and plus signs go with their layers."""
    scene = fold.scene
    moved = {node.id: run[0].id for run in runs for node in run}
    boxes = [node for node in scene.nodes if node.kind == "input"]
    for run in runs:
        top = boxes[-1].y + boxes[-1].height + GAP if boxes else MARGIN
        boxes.append(replace(_box(run), y=top))
    places = {box.id: box for box in boxes}
    signs = {moved[home]: _sign(node, places[moved[home]]) for home, node in _sums(scene).items()}
    arcs = [_arc(edge, moved, places) for edge in scene.edges if edge.kind == "skip"]
    small = replace(
        scene,
        nodes=(*boxes, *signs.values()),
        edges=(*chain(boxes), *arcs),
        height=boxes[-1].y + boxes[-1].height + MARGIN,
    )
    return Folded(small, "", {old: moved.get(new, new) for old, new in fold.moved.items()} | moved)


def _box(run: Sequence[SceneNode]) -> SceneNode:
    """One box for all of a run; alone it keeps its name and loses its chips."""
    first, last = run[0], run[-1]
    if len(run) == 1:
        return replace(first, options=(), height=LINE)
    choices = sum(node.kind == "choice" for node in run)
    return replace(
        first,
        kind="choice" if choices else "layer",
        name=f"{len(run)} layers",
        height=LINE,
        operation="",
        detail=f"{choices} to choose" if choices else f"{first.name} to {last.name}",
        shape=last.shape,
        state="open" if choices else "fixed",
        options=(),
    )


def _sums(scene: Scene) -> dict[str, SceneNode]:
    """Layer -> the plus sign at it."""
    return {node.id.removesuffix("/sum"): node for node in scene.nodes if node.kind == "sum"}


def _sign(node: SceneNode, home: SceneNode) -> SceneNode:
    """A plus sign at the lower right corner of its box, as in the whole drawing."""
    x, y = home.x + home.width - 4, home.y + home.height - 12
    return replace(node, id=f"{home.id}/sum", x=x, y=y)


# -- arcs -------------------------------------------------------------------------------------------------------------


def _arc(edge: SceneEdge, moved: Mapping[str, str], places: Mapping[str, SceneNode]) -> SceneEdge:
    """An arc in its old lane, between the heights where its ends stand now."""
    source, target = moved.get(edge.source, edge.source), moved.get(edge.target, edge.target)
    start, end = places[source], places[target]
    (left, high), (out, _), _, (right, low) = edge.curve
    here, there = start.y + start.height / 2, end.y + end.height - 4
    share = (edge.label_at[1] - high) / (low - high)
    return replace(
        edge,
        source=source,
        target=target,
        curve=((left, here), (out, here), (out, there), (right, there)),
        label_at=(edge.label_at[0], here + share * (there - here)),
    )


def _without_arcs(fold: Folded) -> Folded:
    """No arcs and plus signs; each box says how many arrive."""
    scene = fold.scene
    arrive: dict[str, int] = {}
    for edge in scene.edges:
        if edge.kind == "skip":
            arrive[edge.target] = arrive.get(edge.target, 0) + 1
    nodes = tuple(_counted(node, arrive.get(node.id, 0)) for node in scene.nodes if node.kind != "sum")
    told = {edge.id: edge.target for edge in scene.edges if edge.kind == "skip"}
    edges = tuple(edge for edge in scene.edges if edge.kind != "skip")
    return Folded(replace(scene, nodes=nodes, edges=edges), "", told | dict(fold.moved))


def _counted(node: SceneNode, arrive: int) -> SceneNode:
    """The number of arcs first: the end of a line may be cut."""
    if not arrive:
        return node
    return replace(node, detail=f"{arrive} {'arc' if arrive == 1 else 'arcs'} in, {node.detail}")
