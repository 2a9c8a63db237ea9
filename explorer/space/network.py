"""One architecture as a plain graph, and what it costs.

Every space lowers an architecture to a `Network`; shape inference, torch modules, generated code and drawings all read
that, so a new family of spaces needs only its lowering.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType
from typing import Any

from explorer.catalogue import OPERATIONS
from explorer.space.shapes import RULES, Cost, Shape, ShapeProblem

INPUT = "input"


@dataclass(frozen=True)
class Node:
    """One operation of a network, its inputs by name, and the label of the mutable that decided it (or "").

    `operation` is a catalogue name, or `add` (sum of all inputs), `align` (first input to the second's shape) or
    `concat` (all inputs' channels behind each other).
    """

    name: str
    operation: str
    inputs: tuple[str, ...]
    parameters: Mapping[str, Any] = field(default_factory=dict)
    label: str = ""
    choice: str = ""

    def __post_init__(self) -> None:
        defaults = OPERATIONS[self.operation].defaults() if self.operation in OPERATIONS else {}
        object.__setattr__(self, "parameters", MappingProxyType(defaults | dict(self.parameters)))


@dataclass(frozen=True)
class Problem:
    """Why a space or an architecture cannot run: the layer, the two shapes, the sentence, the remedy."""

    layer: str
    code: str
    shapes: tuple[str, str]
    message: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.layer}: {self.message}; {self.remedy}."


@dataclass(frozen=True)
class Measured:
    """A node with the shapes that arrive, the shape that leaves, its learned parameters and MACs (one image)."""

    node: Node
    shapes_in: tuple[Shape, ...]
    shape: Shape
    parameters: int
    macs: int


@dataclass(frozen=True)
class Network:
    """Nodes in the order in which they run; the last one is the output."""

    input_shape: Shape
    nodes: tuple[Node, ...]

    @cached_property
    def _inferred(self) -> tuple[tuple[Measured, ...], tuple[Problem, ...]]:
        shapes: dict[str, Shape] = {INPUT: self.input_shape}
        rows: list[Measured] = []
        problems: list[Problem] = []
        for node in self.nodes:
            arriving = tuple(shapes[name] for name in node.inputs)
            cost = _cost(node, arriving, problems)
            shapes[node.name] = cost.shape
            rows.append(Measured(node, arriving, cost.shape, cost.parameters, cost.macs))
        return tuple(rows), tuple(problems)

    @property
    def rows(self) -> tuple[Measured, ...]:
        """Every node with its shapes and costs."""
        return self._inferred[0]

    @property
    def problems(self) -> tuple[Problem, ...]:
        """Everything that keeps this network from running, in order."""
        return self._inferred[1]

    @property
    def parameters(self) -> int:
        """Learned numbers in all."""
        return sum(row.parameters for row in self.rows)

    @property
    def macs(self) -> int:
        """Multiply-accumulates for one image."""
        return sum(row.macs for row in self.rows)

    @property
    def output_shape(self) -> Shape:
        """The shape that the last node returns."""
        return self.rows[-1].shape

    @property
    def is_connected(self) -> bool:
        """Whether anything of the input reaches the output (a cell of `none` edges cuts it off)."""
        alive = {INPUT}
        for node in self.nodes:
            if node.operation != "none" and alive.intersection(node.inputs):
                alive.add(node.name)
        return self.nodes[-1].name in alive

    def __iter__(self) -> Iterator[Node]:
        return iter(self.nodes)


def _cost(node: Node, arriving: tuple[Shape, ...], problems: list[Problem]) -> Cost:
    try:
        return RULES[node.operation](node.parameters, *arriving)
    except ShapeProblem as problem:
        layer = node.label or node.name if node.operation in ("add", "align") else node.name
        problems.append(Problem(layer, problem.code, problem.shapes, problem.message, problem.remedy))
        return problem.fallback
