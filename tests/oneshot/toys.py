"""A supernet of a few numbers with the real one's interface, and contexts for methods: numerics without networks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from explorer.catalogue import METHODS
from explorer.nets.supernet.mixing import Gate, Mix, Mixture
from explorer.oneshot.contract import Batch, Context, Method, build_method
from explorer.space import CellSpace, decisions
from explorer.space.base import Input

OPERATIONS = ("none", "skip_connect", "nor_conv_1x1", "avg_pool_3x3")
WIDTH = 4


def cell_space(nodes: int = 3) -> CellSpace:
    """Every edge from an earlier to a later node."""
    edges = tuple((source, target) for target in range(1, nodes) for source in range(target))
    return CellSpace(
        name="toy", input=Input(1, 2), nodes=nodes, edges=edges, operations=OPERATIONS, channels=2, stages=1
    )


class ToySupernet(nn.Module):
    """Nodes are sums of edges; candidates: nothing, x, tanh(W x) and the mean of x."""

    def __init__(self, nodes: int = 3, classes: int = 3) -> None:
        super().__init__()
        self.space = cell_space(nodes)
        self.decisions = decisions(self.space)
        noise = torch.Generator().manual_seed(0)
        shape = (len(self.decisions), WIDTH, WIDTH)
        self.edges = nn.Parameter(torch.randn(shape, generator=noise) / WIDTH**0.5)
        self.head = nn.Parameter(torch.randn(classes, WIDTH, generator=noise) / WIDTH**0.5)
        self.evaluated: list[tuple[str, int]] = []

    def candidate(self, at: int, candidate: int, x: Tensor) -> Tensor:
        """(b, width) -> (b, width)"""
        self.evaluated.append((self.decisions[at].label, candidate))
        if candidate == 0:
            return torch.zeros_like(x)
        if candidate == 1:
            return x
        return torch.tanh(x @ self.edges[at].T) if candidate == 2 else x.mean(-1, keepdim=True).expand_as(x)

    def edge(self, at: int, mix: Mix, x: Tensor) -> Tensor:
        """As `Mix` says."""
        if isinstance(mix, int):
            return self.candidate(at, mix, x)
        if isinstance(mix, Gate):
            total = sum(mix.weights[index] * self.candidate(at, index, x) for index in mix.indices)
            others = [index for index in range(len(mix.weights)) if index not in mix.indices]
            return total + (mix.weights[others].sum() if mix.constants else 0.0)
        assert isinstance(mix, Tensor)
        return sum(mix[index] * self.candidate(at, index, x) for index in range(len(mix)))

    def forward(self, images: Tensor, mixture: Mixture) -> Tensor:
        """(b, 1, 2, 2) -> (b, classes)"""
        nodes: list[Tensor] = [images.flatten(1)]
        numbers = {each.label: at for at, each in enumerate(self.decisions)}
        for target in range(1, self.space.nodes):
            edges = [(source, f"edge_{source}_{target}") for source in range(target)]
            nodes.append(sum(self.edge(numbers[label], mixture[label], nodes[at]) for at, label in edges))
        return nodes[-1] @ self.head.T


def batch(seed: int, size: int = 8, side: int = 2, classes: int = 3, dtype: Any = torch.float32) -> Batch:
    """Normal images and uniform labels."""
    noise = torch.Generator().manual_seed(seed)
    images = torch.randn(size, 1, side, side, generator=noise).to(dtype)
    return Batch(images, torch.randint(0, classes, (size,), generator=noise))


def context(name: str, given: Mapping[str, Any] | None = None, net: Any = None, **length: int) -> Context:
    """A fresh one; `length` may be epochs and batches."""
    net = net or ToySupernet()
    settings = METHODS.find(name).settings(given or {})
    return Context(net, settings, torch.Generator().manual_seed(7), **({"epochs": 5, "batches": 4} | length))


def method(name: str, given: Mapping[str, Any] | None = None, net: Any = None, **length: int) -> Method:
    """On a toy unless `net` is given."""
    return build_method(name, context(name, given, net, **length))
