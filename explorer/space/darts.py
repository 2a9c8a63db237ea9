"""The DARTS cell space: a normal and a reduction cell, each node fed by two earlier outputs through two operations.

Liu, Simonyan & Yang 2019, section 2.1 and appendix A.1, arXiv:1806.09055. A cell has two inputs (nodes 0 and 1: what
the two cells before it gave), `nodes` intermediate nodes (2, 3, ...), and gives their concatenation. Per node the
choices are its two inputs and an operation for each, so that every genotype counts once, as in the paper's count of
prod_k (k + 1) k / 2 * 7^2 cells. The primitive `none` exists on the supernet's edges only: a derived cell keeps two
inputs a node, and none is never chosen (section 2.4). Batch normalisation inside of cells has no scale and shift, as in
the authors' search network.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, ClassVar, NamedTuple, Self

from explorer.space.base import SearchSpace
from explorer.space.cell import Chain
from explorer.space.mutables import InputChoice, LayerChoice, Mutable, Operation
from explorer.space.network import Network, Node

KINDS = ("normal", "reduce")
INPUTS = 2
POOLS = ("max_pool_3x3", "avg_pool_3x3")
PRIMITIVES = (
    "none",
    "max_pool_3x3",
    "avg_pool_3x3",
    "skip_connect",
    "sep_conv_3x3",
    "sep_conv_5x5",
    "dil_conv_3x3",
    "dil_conv_5x5",
)


@dataclass(frozen=True)
class DartsSpace(SearchSpace):
    """`cells` cells on top of each other, those at one and two thirds reduce; `operations` are the primitives."""

    family: ClassVar[str] = "darts"

    nodes: int = 2
    cells: int = 3
    channels: int = 4
    stem_multiplier: int = 3
    operations: tuple[str, ...] = PRIMITIVES
    classes: int = 10

    @property
    def derivable(self) -> tuple[str, ...]:
        """The operations that a derived cell may hold."""
        return tuple(name for name in self.operations if name != "none")

    @property
    def targets(self) -> range:
        """The numbers of the intermediate nodes."""
        return range(INPUTS, INPUTS + self.nodes)

    @property
    def reductions(self) -> frozenset[int]:
        """Which cells (from 0) halve the side and double the channels; as in quark0/darts, cnn/model_search.py."""
        return frozenset({self.cells // 3, 2 * self.cells // 3})

    def kind_of(self, cell: int) -> str:
        """`normal` or `reduce`."""
        return "reduce" if cell in self.reductions else "normal"

    @cached_property
    def mutables(self) -> tuple[Mutable, ...]:
        """For either kind of cell and each node: `normal/inputs_2`, `normal/op_2_0`, `normal/op_2_1`."""
        candidates = tuple((name, Operation(name)) for name in self.derivable)
        found: list[Mutable] = []
        for kind in KINDS:
            for target in self.targets:
                sources = tuple(f"{kind}/node_{source}" for source in range(target))
                found.append(
                    InputChoice(inputs_label(kind, target), sources, f"{kind}/node_{target}", INPUTS, "none")
                )
                found += [LayerChoice(operation_label(kind, target, at), candidates) for at in range(INPUTS)]
        return tuple(found)

    def for_classes(self, classes: int) -> Self:
        """The last linear layer with so many outputs."""
        return replace(self, classes=classes)

    def lower(self, architecture: Mapping[str, Any]) -> Network:
        """The stacked network; nodes are `cell1/pre_0`, `cell1/edge_0_2`, `cell1/node_2`, `cell1/out` and so on."""
        chosen = self.architecture(architecture)
        return self._stacked(
            {(kind, target): _chosen_edges(chosen, kind, target) for kind in KINDS for target in self.targets}
        )

    def filled(self, operation: str) -> Network:
        """The same skeleton with every edge there is, `operation` on each: what a supernet's edges cost and see."""
        return self._stacked(
            {
                (kind, target): [_Edge(source, operation, "") for source in range(target)]
                for kind in KINDS
                for target in self.targets
            }
        )

    def _stacked(self, edges: Mapping[tuple[str, int], Sequence[_Edge]]) -> Network:
        """Skeleton and cells as quark0/darts, cnn/model_search.py: Network."""
        chain = Chain()
        chain.convolution("stem", self.stem_multiplier * self.channels, stride=1)
        before = last = chain.last
        channels = self.channels
        for cell in range(self.cells):
            kind = self.kind_of(cell)
            channels *= 2 if kind == "reduce" else 1
            is_behind_reduction = self.kind_of(cell - 1) == "reduce"
            name = f"cell{cell + 1}"
            entrance = "factorized_reduce" if is_behind_reduction else "relu_conv_bn"
            width = {"out_channels": channels}
            chain.nodes.append(Node(f"{name}/pre_0", entrance, (before,), width))
            chain.nodes.append(Node(f"{name}/pre_1", "relu_conv_bn", (last,), width))
            for target in self.targets:
                chain.nodes += _node(name, kind, target, edges[kind, target])
            states = tuple(f"{name}/node_{target}" for target in self.targets)
            chain.nodes.append(Node(f"{name}/out", "concat", states))
            before, last = last, chain.last
        chain.then("head/pool", "global_avg_pool")
        chain.then("head/linear", "linear", {"out_features": self.classes})
        return Network(self.input.shape, tuple(chain.nodes))

    def body_json(self) -> dict[str, Any]:
        """The cells' and the skeleton's settings; `classes` belongs to the dataset and is left out."""
        return {
            "nodes": self.nodes,
            "cells": self.cells,
            "channels": self.channels,
            "stem_multiplier": self.stem_multiplier,
            "operations": list(self.operations),
        }


class _Edge(NamedTuple):
    """What a node reads: from where, through which operation, and which choice says so."""

    source: int
    operation: str
    label: str


def _chosen_edges(chosen: Mapping[str, Any], kind: str, target: int) -> list[_Edge]:
    labels = [operation_label(kind, target, at) for at in range(INPUTS)]
    return [
        _Edge(source, chosen[label], label)
        for source, label in zip(chosen[inputs_label(kind, target)], labels, strict=True)
    ]


def _node(cell: str, kind: str, target: int, edges: Sequence[_Edge]) -> list[Node]:
    """Its edges, and their sum."""
    nodes = []
    for source, operation, label in edges:
        parameters = edge_parameters(operation, 2 if kind == "reduce" and source < INPUTS else 1)
        arriving = state_name(cell, source)
        name = f"{cell}/edge_{source}_{target}"
        nodes.append(Node(name, operation, (arriving,), parameters, label, operation if label else ""))
    summed = tuple(node.name for node in nodes)
    return [*nodes, Node(state_name(cell, target), "add", summed, label=inputs_label(kind, target))]


def edge_parameters(operation: str, stride: int) -> dict[str, Any]:
    """Parameters of an operation on a DARTS edge: pools are normalised (cnn/model_search.py: MixedOp)."""
    return {"stride": stride} | ({"norm": True} if operation in POOLS else {})


def state_name(cell: str, number: int) -> str:
    """`cell1/pre_0` for an input of the cell, `cell1/node_2` for an intermediate node."""
    return f"{cell}/pre_{number}" if number < INPUTS else f"{cell}/node_{number}"


def inputs_label(kind: str, target: int) -> str:
    """`normal/inputs_2`: which two earlier outputs node 2 of the normal cell reads."""
    return f"{kind}/inputs_{target}"


def operation_label(kind: str, target: int, at: int) -> str:
    """`normal/op_2_0`: the operation on the first of node 2's two inputs."""
    return f"{kind}/op_{target}_{at}"


def darts_edge_label(kind: str, source: int, target: int) -> str:
    """`normal/edge_0_2`: a supernet's mixed edge."""
    return f"{kind}/edge_{source}_{target}"
