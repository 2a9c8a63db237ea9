"""The supernet of cells, computed value by value: all edges that leave one value run together.

Per value there is one ReLU, one convolution a kernel size whose output channels are those of all edges, one batch norm
over all of them, and one pooling as a matrix product. The modules, their names and their tensors are the plain
supernet's, and so is what comes out. Only where every edge that leaves a value is a weighed mixture of all its
candidates is it computed this way; single paths and gates run the plain modules, and only what they need of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from typing import Any, Self

import torch
from torch import Tensor, nn

from explorer.nets.operations import AveragePool3x3
from explorer.nets.supernet.mixing import Mix, Mixture
from explorer.nets.supernet.network import Supernet
from explorer.nets.supernet.norms import Shared, Statistics, mixed
from explorer.nets.supernet.stacks import SHARED, Stack, stacked
from explorer.nets.supernet.steps import Edge, Node, Step, summed
from explorer.space import SearchSpace


class FusedSupernet(Supernet):
    """The plain supernet's numbers in fewer operations; for spaces made of cells."""

    def __init__(self, space: SearchSpace) -> None:
        super().__init__(space)
        self.steps = list(_fused(self.steps))

    def forward(self, images: Tensor, mixture: Mixture) -> Tensor:
        return super().forward(images, Tables(mixture))  # (b, classes)

    def load_plain(self, other: Supernet) -> None:
        """Take over all weights and statistics of a plain supernet of the same space."""
        self.load_state_dict(other.state_dict())

    def _apply(self, fn: Callable[..., Any], recurse: bool = True) -> Self:
        """What moves or converts the tensors: statistics are put in one place again, and weights in one order."""
        super()._apply(fn, recurse)
        for weight in self.parameters():
            weight.data = weight.data.contiguous()  # channels last is slower here
        for step in self.steps:
            if isinstance(step, Cell):
                step.tie()
        return self


class Tables(dict[str, Mix]):
    """A mixture, and its weights as tables, which stacked cells share."""

    def __init__(self, mixture: Mixture) -> None:
        super().__init__(mixture)
        self._tables: dict[tuple[str, ...], Tensor | None] = {}

    def table(self, labels: tuple[str, ...], candidates: list[int]) -> Tensor | None:
        """(candidates, labels): the weights, in the order asked for; None where some decision weighs not all.

        Who asks for the same labels asks for the same candidates.
        """
        if labels not in self._tables:
            mixes = [self[label] for label in labels]
            rows = [mix for mix in mixes if isinstance(mix, Tensor)]
            self._tables[labels] = torch.stack(rows, 1)[candidates] if len(rows) == len(mixes) else None
        return self._tables[labels]


class Leaving:
    """All edges of a cell that leave one value; each candidate is shared, stacked, or lets nothing through."""

    def __init__(self, edges: Sequence[Edge]) -> None:
        self.labels = tuple(edge.label for edge in edges)
        self.products: dict[
            int, nn.Module
        ] = {}  # candidates that multiply the pixels by a matrix, or pass them on
        self.others: dict[int, nn.Module] = {}  # others without weights, and so the same on every edge
        self.stacks: dict[int, Stack] = {}
        self.is_complete = True  # whether nothing is left that has to be run edge by edge
        for at, modules in enumerate(zip(*(edge.modules for edge in edges), strict=True)):
            if isinstance(modules[0], SHARED):
                (self.products if _is_product(modules[0]) else self.others)[at] = modules[0]
            elif modules[0] is not None:
                self._stack(at, modules)
        self.candidates = [*self.products, *self.others, *self.stacks]
        rows = [stack.norms for stack in self.stacks.values()]
        self.statistics = Statistics(rows) if rows else None

    def _stack(self, at: int, modules: Any) -> None:
        stack = stacked(modules)
        if stack is None:
            self.is_complete = False
        else:
            self.stacks[at] = stack

    def windows(self) -> tuple[Tensor | None, ...]:
        """The matrices of the products."""
        return tuple(module._buffers.get("window") for module in self.products.values())

    def tie(self) -> None:
        """Put the statistics in one place, after they were moved."""
        within = [each for stack in self.stacks.values() for each in stack.within]
        for statistics in (self.statistics, *within):
            if statistics is not None:
                statistics.tie()

    def run(self, value: Tensor, tables: Tables) -> Iterator[Tensor] | None:
        """For each edge (b, c, h, w); None where the mixture asks for less than everything."""
        if not self.is_complete or not self.candidates:
            return None
        weights = tables.table(self.labels, self.candidates)
        if weights is None:
            return None
        value = value.contiguous()
        active = value.relu() if self.stacks else value
        shared = Shared(value, self.windows(), tuple(module(value) for module in self.others.values()))
        rows = [stack.row(value, active) for stack in self.stacks.values()]
        return iter(mixed(self.statistics, weights, shared, rows))


def _is_product(module: nn.Module) -> bool:
    if isinstance(module, AveragePool3x3):
        return module.at_once and module.window.shape[0] == module.window.shape[1]
    return isinstance(module, nn.Identity)


class Cell(Step):
    """The nodes of a cell."""

    def __init__(self, nodes: Sequence[Node]) -> None:
        self.nodes = tuple(nodes)
        edges: dict[int, list[Edge]] = {}
        for node in self.nodes:
            for edge in node.edges:
                edges.setdefault(edge.source, []).append(edge)
        self.leaving = {source: Leaving(each) for source, each in edges.items()}

    def tie(self) -> None:
        """Put the statistics in one place, after they were moved."""
        for each in self.leaving.values():
            each.tie()

    def run(self, values: list[Tensor], mixture: Mixture) -> None:
        tables = mixture if isinstance(mixture, Tables) else Tables(mixture)
        given: dict[int, Iterator[Tensor] | None] = {}  # from a value to its edges, in the order of the nodes
        for node in self.nodes:
            found: list[Tensor] = []
            for edge in node.edges:
                if edge.source not in given:
                    given[edge.source] = self.leaving[edge.source].run(values[edge.source], tables)
                together = given[edge.source]
                found += edge.terms(values, mixture[edge.label]) if together is None else [next(together)]
            mixes = (mixture[edge.label] for edge in node.edges)
            values.append(summed(found, values[node.edges[0].source], node.shape, mixes))


def _fused(steps: Sequence[Step]) -> Iterator[Step]:
    """Nodes that follow each other are a cell."""
    for is_cell, each in groupby(steps, lambda step: isinstance(step, Node)):
        if is_cell:
            yield Cell([step for step in each if isinstance(step, Node)])
        else:
            yield from each
