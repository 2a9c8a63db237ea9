"""One candidate on all edges that leave a value, computed at once: stacked weights in, one row of batch norms out.

Weights are read from the plain modules and put behind each other in every pass, which costs little where they are
small. A depthwise convolution and the 1x1 convolution behind it are multiplied into one convolution: up to 16 channels
and side 16 that takes half the time on a CPU, whose depthwise kernels are slow.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from explorer.nets.operations import AveragePool3x3, FactorizedReduce
from explorer.nets.supernet.norms import Statistics, normalised

SHARED = (nn.Identity, AveragePool3x3, nn.MaxPool2d)  # without weights, and so the same on every edge


class Stack(ABC):
    """A candidate's modules, one an edge. `norms` are the batch norms that are still to be done behind it."""

    norms: list[nn.BatchNorm2d]
    within: tuple[Statistics, ...] = ()  # of batch norms inside of it

    @abstractmethod
    def row(self, value: Tensor, active: Tensor) -> Tensor:
        """(b, c, h, w) -> (b, edges * c, h', w'), which nothing else reads; `active` is the value behind a ReLU."""


class Convolutions(Stack):
    """ReLU, a convolution, batch norm."""

    def __init__(self, modules: Sequence[Any]) -> None:
        self.convolutions = [module[1] for module in modules]
        self.norms = [module[2] for module in modules]

    def row(self, value: Tensor, active: Tensor) -> Tensor:
        one = self.convolutions[0]
        weight = joined([each.weight for each in self.convolutions])  # (edges * c, c, k, k)
        if one.kernel_size != (1, 1):
            return functional.conv2d(active, weight, None, one.stride, one.padding)
        batch, channels, height, width = active.shape
        matrix = weight.view(1, -1, channels).expand(batch, -1, -1)
        found = torch.bmm(matrix, active.view(batch, channels, -1))  # a third of the convolution's time
        return found.view(batch, -1, height, width)


class Pools(Stack):
    """Pooling, batch norm."""

    def __init__(self, modules: Sequence[Any]) -> None:
        self.pool = modules[0][0]
        self.norms = [module[1] for module in modules]

    def row(self, value: Tensor, active: Tensor) -> Tensor:
        pooled: Tensor = self.pool(value)
        return pooled.repeat(1, len(self.norms), 1, 1)


class Reductions(Stack):
    """`FactorizedReduce`."""

    def __init__(self, modules: Sequence[FactorizedReduce]) -> None:
        self.modules = modules
        self.norms = [module.norm for module in modules]

    def row(self, value: Tensor, active: Tensor) -> Tensor:
        height, width = active.shape[2:]
        shifted = functional.pad(active, (0, width % 2, 0, height % 2))[:, :, 1:, 1:]
        even = functional.conv2d(active, joined([module.even.weight for module in self.modules]), None, 2)
        odd = functional.conv2d(shifted, joined([module.odd.weight for module in self.modules]), None, 2)
        halves = [half.view(len(half), len(self.norms), -1, *half.shape[2:]) for half in (even, odd)]
        return torch.cat(halves, 2).view(len(even), -1, *even.shape[2:])  # (b, edges * c, h / 2, w / 2)


class Separable(Stack):
    """Once or twice: ReLU, depthwise convolution, 1x1 convolution, batch norm."""

    def __init__(self, modules: Sequence[Any]) -> None:
        self.first = [(module[1], module[2]) for module in modules]
        self.second = [(module[5], module[6]) for module in modules if len(module) > 4]
        self.norms = [module[-1] for module in modules]
        if self.second:
            self.within = (Statistics([[module[3] for module in modules]]),)

    def row(self, value: Tensor, active: Tensor) -> Tensor:
        found = _separable(active, self.first, groups=1)  # every edge reads the same
        if not self.second:
            return found
        return _separable(normalised(self.within[0], found).relu(), self.second, groups=len(self.second))


def _separable(active: Tensor, pairs: Sequence[tuple[Any, Any]], groups: int) -> Tensor:
    one, _ = pairs[0]
    depthwise = torch.stack([first.weight for first, _ in pairs]).transpose(1, 2)  # (edges, 1, c, k, k)
    pointwise = torch.stack([second.weight for _, second in pairs])  # (edges, c, c, 1, 1)
    weight = (pointwise * depthwise).flatten(0, 1)  # (edges * c, c, k, k)
    return functional.conv2d(active, weight, None, one.stride, one.padding, one.dilation, groups)


def joined(weights: Sequence[Tensor]) -> Tensor:
    """Behind each other."""
    return weights[0] if len(weights) == 1 else torch.cat(tuple(weights))


def stacked(modules: Sequence[nn.Module]) -> Stack | None:
    """The stack of a candidate's modules; None for what there is none for."""
    one = modules[0]
    if isinstance(one, FactorizedReduce):
        return Reductions(modules)  # type: ignore[arg-type]
    kinds = [type(part) for part in one] if isinstance(one, nn.Sequential) else []
    once = [nn.ReLU, nn.Conv2d, nn.Conv2d, nn.BatchNorm2d]
    if kinds in (once, once + once):
        return Separable(modules)
    if kinds == [nn.ReLU, nn.Conv2d, nn.BatchNorm2d]:
        return Convolutions(modules)
    if len(kinds) == 2 and kinds[0] in SHARED and kinds[1] is nn.BatchNorm2d:
        return Pools(modules)
    return None
