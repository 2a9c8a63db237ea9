"""Cell spaces: one small graph with an operation to choose on every edge, stacked in a fixed skeleton.

The skeleton is NAS-Bench-201's (Dong & Yang 2020, section 2.1, arXiv:2001.00326) in small: a convolution and batch
norm to `channels`; then `stages` times the cell, with ReLU, a stride-2 convolution to twice the channels and batch norm
between two of them; then batch norm, ReLU, global average pooling and a linear layer.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, ClassVar, Self

from explorer.space.base import SearchSpace
from explorer.space.mutables import LayerChoice, Mutable, Operation
from explorer.space.network import INPUT, Network, Node

Edge = tuple[int, int]


def edge_label(edge: Edge) -> str:
    """`edge_0_1` for the edge from node 0 to node 1."""
    return f"edge_{edge[0]}_{edge[1]}"


def full_edges(nodes: int) -> tuple[Edge, ...]:
    """Every edge from an earlier to a later node, by target and then source: NAS-Bench-201's order."""
    return tuple((source, target) for target in range(1, nodes) for source in range(target))


@dataclass(frozen=True)
class CellSpace(SearchSpace):
    """`nodes` tensors, the sum of its incoming edges each; every edge carries one of `operations`."""

    family: ClassVar[str] = "cell"

    nodes: int = 4
    edges: tuple[Edge, ...] = ()
    operations: tuple[str, ...] = ()
    channels: int = 4
    stages: int = 2
    classes: int = 10

    @cached_property
    def mutables(self) -> tuple[Mutable, ...]:
        """One LayerChoice an edge, shared by all stacked cells."""
        candidates = tuple((name, Operation(name)) for name in self.operations)
        return tuple(LayerChoice(edge_label(edge), candidates) for edge in self.edges)

    def for_classes(self, classes: int) -> Self:
        """The last linear layer with so many outputs."""
        return replace(self, classes=classes)

    def lower(self, architecture: Mapping[str, Any]) -> Network:
        """The stacked network; nodes are called `cell1/edge_0_1`, `cell1/node_2`, `reduce1/conv` and so on."""
        chosen = self.architecture(architecture)
        chain = Chain()
        chain.convolution("stem", self.channels, stride=1)
        for stage in range(1, self.stages + 1):
            if stage > 1:
                chain.then(f"reduce{stage - 1}/relu", "relu")
                chain.convolution(f"reduce{stage - 1}", self.channels * 2 ** (stage - 1), stride=2)
            self._cell(chain, f"cell{stage}", chosen)
        chain.then("head/norm", "batch_norm2d")
        chain.then("head/relu", "relu")
        chain.then("head/pool", "global_avg_pool")
        chain.then("head/linear", "linear", {"out_features": self.classes})
        return Network(self.input.shape, tuple(chain.nodes))

    def _cell(self, chain: Chain, name: str, chosen: Mapping[str, Any]) -> None:
        carriers = {0: chain.last}
        for target in range(1, self.nodes):
            arriving = []
            for edge in self.edges:
                if edge[1] != target:
                    continue
                label = edge_label(edge)
                node = Node(f"{name}/{label}", chosen[label], (carriers[edge[0]],), {}, label, chosen[label])
                chain.nodes.append(node)
                arriving.append(node.name)
            chain.nodes.append(Node(f"{name}/node_{target}", "add", tuple(arriving)))
            carriers[target] = chain.last

    def body_json(self) -> dict[str, Any]:
        """Nodes, edges, operations and the skeleton's settings; `classes` belongs to the dataset and is left out."""
        return {
            "nodes": self.nodes,
            "edges": [list(edge) for edge in self.edges],
            "operations": list(self.operations),
            "channels": self.channels,
            "stages": self.stages,
        }


class Chain:
    """Nodes appended one behind the other; what every stacked space builds its network with."""

    def __init__(self) -> None:
        self.nodes: list[Node] = []

    @property
    def last(self) -> str:
        """The name of the newest node."""
        return self.nodes[-1].name if self.nodes else INPUT

    def then(self, name: str, operation: str, parameters: Mapping[str, Any] | None = None) -> None:
        """One operation on the newest node."""
        self.nodes.append(Node(name, operation, (self.last,), parameters or {}))

    def convolution(self, name: str, channels: int, stride: int) -> None:
        """`NAME/conv` (3x3, without bias) and `NAME/norm` behind the newest node."""
        self.then(
            f"{name}/conv",
            "conv2d",
            {"out_channels": channels, "kernel_size": 3, "stride": stride, "padding": 1, "bias": False},
        )
        self.then(f"{name}/norm", "batch_norm2d")
