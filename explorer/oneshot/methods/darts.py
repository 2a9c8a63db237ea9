"""DARTS: every candidate weighed by a softmax over alphas, which descend the validation loss.

Liu, Simonyan & Yang 2019, arXiv:1806.09055. Equation 2: an edge gives sum_o softmax(alpha)_o o(x). Algorithm 1: first a
step of the alphas down L_val(w - xi grad_w L_train(w, alpha), alpha), then one of the weights down L_train. First order
takes xi = 0. Second order is equations 6 to 8 with xi the weights' learning rate, and a look ahead that repeats the
weights' own step with its momentum and weight decay, as quark0/darts, cnn/architect.py does.

Where we differ from it: the looks ahead leave batch norm's running statistics alone, the same training batch serves the
look ahead and the step, and the weights' cosine falls with every step, there with every epoch. As there, the look ahead
does not cut the gradient to a length.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import cosine_similarity, cross_entropy

from explorer.nets.supernet.mixing import Mixture
from explorer.oneshot.contract import Batch, Context
from explorer.oneshot.learning import GradientMethod, accuracy

Loss = Callable[[], Tensor]


class Darts(GradientMethod):
    """Both orders; `order` says which."""

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self.terms: dict[str, float] = {}

    def draw(self) -> Mixture:
        """Equation 2: the softmax, without noise."""
        return self.logits.probabilities()

    def step_alphas(self, train: Batch, validation: Batch) -> dict[str, Any]:
        """In second order the validation loss that is told is the one of the weights ahead."""
        if self.settings["order"] == "first":
            return super().step_alphas(train, validation)
        seen: dict[str, Any] = {}

        def train_loss() -> Tensor:
            return cross_entropy(self.net(train.images, self.draw()), train.labels)

        def validation_loss() -> Tensor:
            logits = self.net(validation.images, self.draw())  # (b, classes)
            loss = cross_entropy(logits, validation.labels)
            seen["validation_loss"] = loss.detach()
            seen["validation_accuracy"] = accuracy(logits, validation.labels)
            return loss

        with kept([*self.net.buffers()]):
            found = hypergradient(
                train_loss,
                validation_loss,
                self.weights.parameters,
                [self.logits.flat],
                rate=self.weights.rate,
                momenta=self.weights.momenta,
                momentum=self.weights.optimizer.momentum,
                weight_decay=self.weights.weight_decay,
                step=self.settings["finite_difference"],
            )
        self.terms = found.told()
        return seen | {"alpha_gradient": self.logits.descend(found.total[0])}

    def extra(self) -> dict[str, Any]:
        """Lengths of the two terms and the cosine of their angle, of the newest step of the alphas; second order."""
        return dict(self.terms)


@dataclass(frozen=True)
class Hypergradient:
    """Equation 7's two terms for each alpha: grad_alpha L_val(w', alpha), and -xi times the Hessian-vector product."""

    first: tuple[Tensor, ...]
    second: tuple[Tensor, ...]

    @property
    def total(self) -> tuple[Tensor, ...]:
        """What the alphas descend."""
        return tuple(one + two for one, two in zip(self.first, self.second, strict=True))

    def told(self) -> dict[str, float]:
        """The lengths of the terms and the cosine of the angle between them."""
        first, second = (torch.cat([one.flatten() for one in term]) for term in (self.first, self.second))
        numbers = torch.stack([first.norm(), second.norm(), cosine_similarity(first, second, dim=0)]).tolist()
        return dict(zip(("first_term", "second_term", "cosine"), numbers, strict=True))


def hypergradient(
    train_loss: Loss,
    validation_loss: Loss,
    weights: Sequence[Tensor],
    alphas: Sequence[Tensor],
    *,
    rate: float,
    momenta: Sequence[Tensor | None],
    momentum: float,
    weight_decay: float,
    step: float = 0.01,
) -> Hypergradient:
    """The gradient of L_val(w'(alpha), alpha) in the alphas, where w' = w - rate (momentum m + grad L_train + decay w).

    The losses are evaluated at what `weights` and `alphas` hold when they are called; the weights are moved meanwhile
    and put back bit for bit. The mixed second derivative times v = grad_w' L_val comes from central differences at
    w +- epsilon v with epsilon = step / |v| (equation 8). They are exact where L_train is quadratic in w, and off where
    a ReLU switches between w+ and w-, which averages out over many images and units. m is taken as constant. Costs two
    gradients of the weights and three of the alphas. Weights that L_train does not reach stay.
    """
    start = [weight.detach().clone() for weight in weights]
    try:
        slopes = torch.autograd.grad(train_loss(), weights, allow_unused=True)
        _move(weights, start, _velocity(start, slopes, momenta, momentum, weight_decay), -rate)  # w'
        gradients = torch.autograd.grad(validation_loss(), [*alphas, *weights], materialize_grads=True)
        first, ahead = gradients[: len(alphas)], gradients[len(alphas) :]
        length = torch.stack(torch._foreach_norm(ahead)).norm()
        epsilon = step / length.clamp_min(torch.finfo(length.dtype).tiny)
        _move(weights, start, ahead, epsilon)  # w+
        above = torch.autograd.grad(train_loss(), alphas, materialize_grads=True)
        _move(weights, start, ahead, -epsilon)  # w-
        below = torch.autograd.grad(train_loss(), alphas, materialize_grads=True)
    finally:
        with torch.no_grad():
            torch._foreach_copy_(list(weights), start)
    second = [-rate * (up - down) / (2 * epsilon) for up, down in zip(above, below, strict=True)]
    return Hypergradient(first, tuple(second))


def _velocity(
    weights: Sequence[Tensor],
    slopes: Sequence[Tensor | None],
    momenta: Sequence[Tensor | None],
    momentum: float,
    weight_decay: float,
) -> list[Tensor]:
    """What one step of SGD moves each weight along: momentum m + grad + weight_decay w."""
    found = []
    for weight, slope, memory in zip(weights, slopes, momenta, strict=True):
        if slope is None:
            found.append(torch.zeros_like(weight))
            continue
        velocity = slope.add(weight, alpha=weight_decay)
        found.append(velocity if memory is None else velocity.add(memory, alpha=momentum))
    return found


def _move(
    weights: Sequence[Tensor], start: Sequence[Tensor], direction: Sequence[Tensor], by: float | Tensor
) -> None:
    """Put the weights to `start` + `by` times `direction`."""
    with torch.no_grad():
        torch._foreach_copy_(
            list(weights), torch._foreach_add(list(start), torch._foreach_mul(list(direction), by))
        )


@contextmanager
def kept(tensors: Sequence[Tensor]) -> Iterator[None]:
    """Whatever happens inside, the tensors hold afterwards what they held before."""
    before = [tensor.clone() for tensor in tensors]
    try:
        yield
    finally:
        with torch.no_grad():
            for tensor, value in zip(tensors, before, strict=True):
                tensor.copy_(value)
