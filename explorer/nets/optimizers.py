"""SGD and Adam without `torch.optim.Optimizer`, whose first instance imports torch's compiler.

That import costs 1.6 s and 800 modules in every process that trains, several times as long as one epoch of a small
network. The arithmetic is torch's own: the functional forms behind `torch.optim.SGD` and `torch.optim.Adam`, fused.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
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
    """SGD with momentum (Nesterov's by default) and an L2 penalty; equals `torch.optim.SGD`."""

    def __init__(
        self,
        weights: Iterable[nn.Parameter],
        momentum: float,
        weight_decay: float,
        clip: float = 0.0,
        nesterov: bool = True,
    ) -> None:
        self.momentum, self.weight_decay, self.clip = momentum, weight_decay, clip
        self.nesterov = nesterov and momentum > 0
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
            nesterov=self.nesterov,
            maximize=False,
        )
        self.momenta = dict(zip(weights, momenta, strict=True))

    def apply(self, gradients: Sequence[Tensor | None], rate: float) -> Tensor:
        """Step down `gradients`, one for each weight in order; their length before it was cut, a tensor ().

        A weight without gradient stays where it is, and so does its momentum: which weights a step uses may change.
        """
        weights, used, length = _given(self.weights, gradients, self.clip)
        if self.momentum > 0:
            for weight in weights:
                if self.momenta.get(weight) is None:
                    # From zeros it comes to the gradient itself, as torch's first step does.
                    self.momenta[weight] = _zeros(weight)
        sgd(
            weights,
            used,
            [self.momenta.get(weight) for weight in weights],
            fused=True,
            weight_decay=self.weight_decay,
            momentum=self.momentum,
            lr=rate,
            dampening=0.0,
            nesterov=self.nesterov,
            maximize=False,
        )
        return length

    def state(self) -> list[Any]:
        """The momentum of each weight, None before its first step."""
        return [self.momenta.get(weight) for weight in self.weights]

    def load(self, state: list[Any]) -> None:
        """The inverse of `state`."""
        kept = zip(self.weights, state, strict=True)
        self.momenta = {weight: _like(one, weight) for weight, one in kept if one is not None}


class Adam:
    """Adam (Kingma & Ba 2015, arXiv:1412.6980), by default with the paper's constants, and an L2 penalty.

    Equals `torch.optim.Adam`.
    """

    def __init__(
        self,
        weights: Iterable[nn.Parameter],
        weight_decay: float,
        clip: float = 0.0,
        betas: tuple[float, float] = (0.9, 0.999),
        epsilon: float = 1e-8,
    ) -> None:
        self.weight_decay, self.clip, self.betas, self.epsilon = weight_decay, clip, betas, epsilon
        self.weights = list(weights)
        self.moments: dict[Tensor, tuple[Tensor, Tensor, Tensor]] = {}  # mean, mean square, steps

    def step(self, rate: float) -> None:
        """Shorten the gradients, step, and take them away."""
        self._descend(*_taken(self.weights, self.clip), rate)

    def apply(self, gradients: Sequence[Tensor | None], rate: float) -> Tensor:
        """Step down `gradients`, one for each weight in order; their length before it was cut, a tensor ()."""
        weights, used, length = _given(self.weights, gradients, self.clip)
        self._descend(weights, used, rate)
        return length

    def _descend(self, weights: list[Tensor], gradients: list[Tensor], rate: float) -> None:
        for weight in weights:
            if weight not in self.moments:
                steps = torch.zeros((), dtype=torch.float32, device=weight.device)
                self.moments[weight] = (_zeros(weight), _zeros(weight), steps)
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
            beta1=self.betas[0],
            beta2=self.betas[1],
            lr=rate,
            weight_decay=self.weight_decay,
            eps=self.epsilon,
            maximize=False,
        )

    def state(self) -> list[Any]:
        """Mean, mean square and steps of each weight, None before its first step."""
        return [list(self.moments[weight]) if weight in self.moments else None for weight in self.weights]

    def load(self, state: list[Any]) -> None:
        """The inverse of `state`."""
        self.moments.clear()
        for weight, kept in zip(self.weights, state, strict=True):
            if kept is not None:
                mean, square, steps = kept
                self.moments[weight] = (
                    _like(mean, weight),
                    _like(square, weight),
                    steps.to(weight.device, copy=True),
                )


def _zeros(weight: Tensor) -> Tensor:
    return torch.zeros_like(weight, requires_grad=False)


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


def _given(
    weights: list[nn.Parameter], gradients: Sequence[Tensor | None], clip: float
) -> tuple[list[Tensor], list[Tensor], Tensor]:
    """As `_taken`, of gradients that `torch.autograd.grad` gave; and their length as it was, a tensor ()."""
    used: list[Tensor] = []
    found: list[Tensor] = []
    for weight, gradient in zip(weights, gradients, strict=True):
        if gradient is None:
            continue
        used.append(weight)
        # The fused steps walk through memory and do not look at strides, and a linear layer's gradient is transposed.
        found.append(gradient if gradient.stride() == weight.stride() else _like(gradient, weight))
    if not found:
        return used, found, torch.zeros(())
    length = torch.linalg.vector_norm(torch.stack(torch._foreach_norm(found)))
    if clip > 0:
        shorter = (clip / (length + 1e-6)).clamp(max=1.0)  # as torch's clip_grad_norm_
        found = list(torch._foreach_mul(found, shorter))  # not in place: autograd may give one tensor twice
    return used, found, length
