"""The stack of a space of cells in rows that a phone can show: three stages a row instead of all in one.

The static drawing keeps its one row; what stands below it moves down with the rows that come in between.
"""

from __future__ import annotations

from dataclasses import replace

from explorer.plots.scene import Point, Scene, SceneEdge, SceneNode, straight

PER_ROW = 3  # of 104 pixels and the gaps: what is left of 390 pixels beside the page's own air
GAP = 16.0

Curve = tuple[Point, Point, Point, Point]


def in_rows(scene: Scene) -> Scene:
    """The same scene with a long row of stages broken into several; a stack that is a column stays."""
    stages = [node for node in scene.nodes if node.kind == "stage"]
    if len(stages) <= PER_ROW or len({node.y for node in stages}) > 1:
        return scene
    across, down = stages[1].x - stages[0].x, stages[0].height + GAP
    placed = {
        node.id: replace(node, x=stages[0].x + at % PER_ROW * across, y=node.y + at // PER_ROW * down)
        for at, node in enumerate(stages)
    }
    more = (len(stages) - 1) // PER_ROW * down
    return replace(
        scene,
        height=scene.height + more,
        nodes=tuple(placed.get(node.id) or replace(node, y=node.y + more) for node in scene.nodes),
        edges=tuple(_moved(edge, placed, more) for edge in scene.edges),
    )


def _moved(edge: SceneEdge, placed: dict[str, SceneNode], more: float) -> SceneEdge:
    """Between two stages a new curve, elsewhere the same one further down."""
    if edge.source in placed and edge.target in placed:
        return replace(edge, curve=_between(placed[edge.source], placed[edge.target]))
    start, first, second, end = ((x, y + more) for x, y in edge.curve)
    x, y = edge.label_at
    return replace(edge, curve=(start, first, second, end), label_at=(x, y + more))


def _between(here: SceneNode, there: SceneNode) -> Curve:
    """Straight to the neighbour; from the end of a row down to the beginning of the next."""
    if here.y == there.y:
        return straight((here.x + here.width, here.centre[1]), (there.x, there.centre[1]))
    start, end = (here.centre[0], here.y + here.height), (there.centre[0], there.y)
    return (start, (start[0], end[1]), (end[0], start[1]), end)
