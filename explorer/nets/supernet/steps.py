"""The parts of a supernet, in the order in which they run, and what each of them makes of a mixture.

A step reads the values of the steps before it and appends its own. What lets nothing through is not computed; only
where a whole node gets nothing do zeros stand in for it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from functools import partial, reduce
from operator import add as plus
from typing import NamedTuple

import torch
from torch import Tensor, nn

from explorer.nets.supernet.mixing import Gate, Mix, Mixture
from explorer.space import Shape

Candidate = Callable[[], Tensor] | None
"""Computes what a candidate lets through; None for one that lets nothing through."""


class Step(ABC):
    """One part of the network."""

    @abstractmethod
    def run(self, values: list[Tensor], mixture: Mixture) -> None:
        """Append the value(s) of this part; each (b, channels, side, side) or (b, features)."""


class Edge(NamedTuple):
    """A decision's modules, one a candidate, on the value number `source`; None for `none`."""

    label: str
    source: int
    modules: tuple[nn.Module | None, ...]

    def terms(self, values: Sequence[Tensor], mix: Mix) -> list[Tensor]:
        """What the mixture lets through, to be added up."""
        value = values[self.source]
        return terms(mix, [None if module is None else partial(module, value) for module in self.modules])


class Plain(Step):
    """A module without choices."""

    def __init__(self, module: nn.Module, sources: tuple[int, ...]) -> None:
        self.module, self.sources = module, sources

    def run(self, values: list[Tensor], mixture: Mixture) -> None:
        values.append(self.module(*[values[source] for source in self.sources]))


class Node(Step):
    """The sum of its edges, each a mixture of its candidates; of shape (b, *shape)."""

    def __init__(self, edges: tuple[Edge, ...], shape: Shape) -> None:
        self.edges, self.shape = edges, shape

    def run(self, values: list[Tensor], mixture: Mixture) -> None:
        found = [term for edge in self.edges for term in edge.terms(values, mixture[edge.label])]
        mixes = (mixture[edge.label] for edge in self.edges)
        values.append(summed(found, values[self.edges[0].source], self.shape, mixes))


class Inputs(Step):
    """Adds the chosen sources, aligned, to the value number `into`.

    One label a source where each is switched alone (candidates off and on). Otherwise a single label that weighs them,
    and `chosen` of them are added in a derived network: the mixture is multiplied by that number, so that both are on
    one scale (a softmax sums to 1 where `chosen` ones do not).
    """

    def __init__(
        self,
        labels: tuple[str, ...],
        into: int,
        sources: tuple[int, ...],
        aligns: tuple[nn.Module | None, ...],
        chosen: int | None,
    ) -> None:
        self.labels, self.into, self.sources, self.aligns, self.chosen = (
            labels,
            into,
            sources,
            aligns,
            chosen,
        )

    def run(self, values: list[Tensor], mixture: Mixture) -> None:
        into = values[self.into]
        aligned = [
            partial(_aligned, align, values[source], into)
            for align, source in zip(self.aligns, self.sources, strict=True)
        ]
        found: list[Tensor] = []
        if self.chosen is None:
            for label, source in zip(self.labels, aligned, strict=True):
                found += terms(mixture[label], [None, source])
        else:
            mix = mixture[self.labels[0]]
            found = terms(self.chosen * mix if isinstance(mix, Tensor) else mix, aligned)
        values.append(reduce(plus, [*found, into]))


def _aligned(align: nn.Module | None, source: Tensor, into: Tensor) -> Tensor:
    if align is None:
        return source
    brought: Tensor = align(source, into)
    return brought


def terms(mix: Mix, candidates: Sequence[Candidate]) -> list[Tensor]:
    """What a mix lets through, each weighed; only that is computed. A Gate's constants come last, as one tensor ()."""
    found = []
    for at, weight in running(mix):
        candidate = candidates[at]
        if candidate is not None:
            found.append(candidate() if weight is None else candidate() * weight)
    if isinstance(mix, Gate) and mix.constants:
        others = [at for at in range(len(candidates)) if at not in mix.indices]
        found.append(mix.weights[others].sum())
    return found


def running(mix: Mix) -> Iterable[tuple[int, Tensor | None]]:
    """The candidates that run, each with its weight (), or None for what runs as it is."""
    if mix is None:
        return ()
    if isinstance(mix, int):
        return ((mix, None),)
    if isinstance(mix, tuple):
        return tuple((at, None) for at in mix)
    if isinstance(mix, Gate):
        return tuple((at, mix.weights[at]) for at in mix.indices)
    return enumerate(mix.unbind())


def summed(found: Sequence[Tensor], like: Tensor, shape: Shape, mixes: Iterable[Mix]) -> Tensor:
    """The sum of the terms found, (b, *shape); zeros where there are none.

    These hang on the weights of the mixes, so that a gradient of 0 comes out where one is asked for.
    """
    if any(term.dim() for term in found):
        return reduce(plus, found)
    nothing = torch.zeros((len(like), *shape), dtype=like.dtype, device=like.device)
    for mix in mixes:
        weights = mix.weights if isinstance(mix, Gate) else mix
        if isinstance(weights, Tensor):
            nothing = nothing + 0 * weights.sum()
    return reduce(plus, found, nothing)
