"""SGD and Adam without `torch.optim.Optimizer`, whose first instance imports torch's compiler.

That import costs 1.6 s and 800 modules in every process that trains, several times as long as one epoch of a small
network. The arithmetic is torch's own: the functional forms behind `torch.optim.SGD` and `torch.optim.Adam`, fused.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Protocol

import torch
from torch import Tensor, nn
from torch.optim.adam import adam
from torch.optim.sgd import sgd


class Optimizer(Protocol):
    """One step down the gradients that the weights hold, which are taken away afterwards."""

    def step(self, rate: float) -> None:
        """`rate` is the learning rate of this step."""

    def state(self) -> list[Any]:
        """What it remembers of each weight, in order: None, a tensor or a list of tensors."""

    def load(self, state: list[Any]) -> None:
        """The inverse of `state`, for weights in the same order."""


def optimizer(weights: Iterable[nn.Parameter], settings: Mapping[str, Any]) -> Optimizer:
    """What `settings` (those of `catalogue.TRAINING`) ask for."""
    if settings["optimizer"] == "adam":
        return Adam(weights, settings["weight_decay"], settings["gradient_clip"])
    return Sgd(weights, settings["momentum"], settings["weight_decay"], settings["gradient_clip"])


class Sgd:
    """SGD with Nesterov momentum (plain when `momentum` is 0) and an L2 penalty; equals `torch.optim.SGD`."""

    def __init__(
        self, weights: Iterable[nn.Parameter], momentum: float, weight_decay: float, clip: float = 0.0
    ) -> None:
        self.momentum, self.weight_decay, self.clip = momentum, weight_decay, clip
        self.weights = list(weights)
        self.momenta: dict[Tensor, Tensor | None] = {}

    def step(self, rate: float) -> None:
        """Shorten the gradients, step, and take them away."""
        weights, gradients = _taken(self.weights, self.clip)
        momenta = [self.momenta.get(weight) for weight in weights]
        sgd(
            weights,
            gradients,
            momenta,
            fused=True,
            weight_decay=self.weight_decay,
            momentum=self.momentum,
            lr=rate,
            dampening=0.0,
            nesterov=self.momentum > 0,
            maximize=False,
        )
        self.momenta = dict(zip(weights, momenta, strict=True))

    def state(self) -> list[Any]:
        """The momentum of each weight, None before its first step."""
        return [self.momenta.get(weight) for weight in self.weights]

    def load(self, state: list[Any]) -> None:
        """The inverse of `state`."""
        kept = zip(self.weights, state, strict=True)
        self.momenta = {weight: _like(one, weight) for weight, one in kept if one is not None}


class Adam:
    """Adam (Kingma & Ba 2015, arXiv:1412.6980) with the paper's constants and an L2 penalty; `torch.optim.Adam`."""

    def __init__(self, weights: Iterable[nn.Parameter], weight_decay: float, clip: float = 0.0) -> None:
        self.weight_decay, self.clip = weight_decay, clip
        self.weights = list(weights)
        self.moments: dict[Tensor, tuple[Tensor, Tensor, Tensor]] = {}  # mean, mean square, steps

    def step(self, rate: float) -> None:
        """Shorten the gradients, step, and take them away."""
        weights, gradients = _taken(self.weights, self.clip)
        for weight in weights:
            if weight not in self.moments:
                steps = torch.zeros((), dtype=torch.float32, device=weight.device)
                self.moments[weight] = (torch.zeros_like(weight), torch.zeros_like(weight), steps)
        means, squares, steps_ = (
            list(column) for column in zip(*map(self.moments.get, weights), strict=True)
        )
        adam(
            weights,
            gradients,
            means,
            squares,
            [],
            steps_,
            fused=True,
            amsgrad=False,
            beta1=0.9,
            beta2=0.999,
            lr=rate,
            weight_decay=self.weight_decay,
            eps=1e-8,
            maximize=False,
        )

    def state(self) -> list[Any]:
        """Mean, mean square and steps of each weight, None before its first step."""
        return [list(self.moments[weight]) if weight in self.moments else None for weight in self.weights]

    def load(self, state: list[Any]) -> None:
        """The inverse of `state`."""
        for weight, kept in zip(self.weights, state, strict=True):
            if kept is not None:
                mean, square, steps = kept
                self.moments[weight] = (_like(mean, weight), _like(square, weight), steps.to(weight.device))


def _like(kept: Tensor, weight: Tensor) -> Tensor:
    """A memory where its weight is and in its memory order, so that the arithmetic stays the same bit for bit."""
    return torch.empty_like(weight, requires_grad=False).copy_(kept)


def _taken(weights: list[nn.Parameter], clip: float) -> tuple[list[Tensor], list[Tensor]]:
    """Weights that have a gradient (what a cut edge leaves unused has none), and those gradients.

    Together they are shortened to the length `clip`; 0 leaves them as they are.
    """
    used: list[Tensor] = [weight for weight in weights if weight.grad is not None]
    if clip > 0:
        nn.utils.clip_grad_norm_(used, clip)
    gradients = [weight.grad for weight in used if weight.grad is not None]
    for weight in used:
        weight.grad = None
    return used, gradients
