"""A graph as drawing data: what stands where, what it is called, what is chosen. How it is drawn is left to
others.

A place has one of five states: `open` (may still be chosen), `chosen`, `unchosen` (allowed, but this
architecture took something else), `off` (taken out of the space) and `fixed` (never was a choice).
Positions depend on the whole space only, so nothing moves when choices change. Lengths are in pixels at
natural size, y grows downwards.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

Point = tuple[float, float]


@dataclass(frozen=True)
class Option:
    """One candidate of a choice."""

    name: str
    operation: str
    state: str


@dataclass(frozen=True)
class SceneNode:
    """A box, a disc, a line of words. `kind`: input, layer, choice (a layer to choose), sum, node (of a cell),
    stage (of the skeleton), title (of a cell).

    `x`, `y` are the upper left corner; `detail` says what the operation does, `shape` what leaves it.
    """

    id: str
    kind: str
    name: str
    x: float
    y: float
    width: float
    height: float
    operation: str = ""
    detail: str = ""
    shape: str = ""
    state: str = "fixed"
    options: tuple[Option, ...] = ()

    @property
    def centre(self) -> Point:
        """The middle of the box."""
        return (self.x + self.width / 2, self.y + self.height / 2)


@dataclass(frozen=True)
class SceneEdge:
    """A cubic curve from one node to another. `kind`: flow (fixed), skip (an InputChoice's source), cell
    (an operation).

    `curve` holds start, two control points and end; `label_at` is the middle of the label.
    """

    id: str
    kind: str
    source: str
    target: str
    curve: tuple[Point, Point, Point, Point]
    label: str = ""
    label_at: Point = (0.0, 0.0)
    operation: str = ""
    state: str = "fixed"
    options: tuple[Option, ...] = ()


@dataclass(frozen=True)
class Scene:
    """Everything that a renderer needs. `alt` describes the picture in words; `operations` are those of the
    legend.
    """

    title: str
    alt: str
    width: float
    height: float
    nodes: tuple[SceneNode, ...]
    edges: tuple[SceneEdge, ...]
    operations: tuple[str, ...] = ()

    def node(self, name: str) -> SceneNode:
        """The node with that id; raises KeyError."""
        return {node.id: node for node in self.nodes}[name]

    def edge(self, name: str) -> SceneEdge:
        """The edge with that id; raises KeyError."""
        return {edge.id: edge for edge in self.edges}[name]


def point_on(curve: tuple[Point, Point, Point, Point], t: float) -> Point:
    """The point of a cubic curve at `t`, 0 at its start and 1 at its end."""
    weights = ((1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t**2 * (1 - t), t**3)
    x = sum(weight * at[0] for weight, at in zip(weights, curve, strict=True))
    y = sum(weight * at[1] for weight, at in zip(weights, curve, strict=True))
    return (x, y)


def straight(start: Point, end: Point) -> tuple[Point, Point, Point, Point]:
    """A straight line as a curve."""
    return (start, start, end, end)


def chain(nodes: Sequence[SceneNode]) -> tuple[SceneEdge, ...]:
    """The flow from each box down into the next."""
    return tuple(
        SceneEdge(
            f"{here.id}->{there.id}",
            "flow",
            here.id,
            there.id,
            straight((here.centre[0], here.y + here.height), (there.centre[0], there.y)),
        )
        for here, there in pairwise(nodes)
    )
