"""What a one-shot method is to the search that drives it: phases to step through, and what can be read off it.

A method owns the architecture's side (alphas, a controller) and both optimizers; the search owns data, snapshots,
checkpoints and the conversation with people. All randomness of a method comes from `context.generator`, so that its
state and the supernet's are all that is needed to go on bit for bit.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any, NamedTuple

import torch
from torch import Tensor

from explorer.catalogue import METHODS
from explorer.nets.supernet.mixing import Mixture
from explorer.nets.supernet.network import Supernet
from explorer.space import Architecture

BOTH, WEIGHTS, ARCHITECTURE = "both", "weights", "architecture"
PHASES = (BOTH, WEIGHTS, ARCHITECTURE)


class Batch(NamedTuple):
    """Some images: (b, channels, side, side) and (b,)."""

    images: Tensor
    labels: Tensor


@dataclass(frozen=True)
class Context:
    """What every method is made of: the supernet, its settings, and how long the search is.

    `settings` are complete (`METHODS[name].settings(given)`). `batches` are the weight steps of an epoch.
    """

    net: Supernet
    settings: Mapping[str, Any]
    generator: torch.Generator
    epochs: int
    batches: int


@dataclass(frozen=True)
class StepReport:
    """What one step saw; scalars may stay tensors (detached), so that no step waits for a number.

    Accuracies in 0 .. 1. `extra` is whatever else the method wants in the next snapshot (plain JSON; the last wins).
    """

    train_loss: Tensor | float | None = None
    train_accuracy: Tensor | float | None = None
    validation_loss: Tensor | float | None = None
    validation_accuracy: Tensor | float | None = None
    weight_gradient: Tensor | float | None = None
    alpha_gradient: Tensor | float | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)


class Method(ABC):
    """One one-shot method."""

    def __init__(self, context: Context) -> None:
        self.context, self.net, self.settings = context, context.net, context.settings

    def phases(self) -> tuple[str, ...]:
        """The phases of one epoch, in order: by default one of BOTH for each batch."""
        return (BOTH,) * self.context.batches

    @abstractmethod
    def step(self, phase: str, train: Batch, validation: Batch) -> StepReport:
        """Carry out one phase. What the method does not need of the two batches it leaves."""

    @abstractmethod
    def probabilities(self) -> dict[str, Tensor]:
        """Decision -> (candidates,), without noise, summing to 1: what the method believes now."""

    def alphas(self) -> dict[str, Tensor]:
        """Decision -> logits (candidates,), detached; empty for a method without."""
        return {}

    def relaxed(self, alphas: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Probabilities as a differentiable function of logits like `alphas()`: for measures of the loss over alpha."""
        return {label: row.softmax(-1) for label, row in alphas.items()}

    def scores(self) -> dict[str, Tensor]:
        """What derivation ranks candidates by; `probabilities` unless edges have weights of their own."""
        return self.probabilities()

    def mixture(self) -> Mixture | None:
        """How the supernet is evaluated as a whole, without noise; None where only single paths mean anything."""
        return None

    def sample(self, count: int) -> list[Architecture]:
        """Architectures drawn from the policy; uniform ones by default. Leaves the training's randomness alone."""
        raise NotImplementedError

    def temperature(self) -> float | None:
        """The temperature of the step to come, where there is one."""
        return None

    def begin_epoch(self, epoch: int) -> None:  # noqa: B027  (most methods have nothing to begin)
        """Called before each epoch (from 0), also after a checkpoint was loaded in its middle."""

    @abstractmethod
    def state(self) -> dict[str, Any]:
        """Tensors and plain data: everything beyond the supernet's own state, the generator's included."""

    @abstractmethod
    def load(self, state: Mapping[str, Any]) -> None:
        """The inverse of `state`."""


def build_method(name: str, context: Context) -> Method:
    """The method called `name`; raises UnknownName."""
    module, attribute = METHODS.find(name).path.split(":")
    method: Method = getattr(import_module(module), attribute)(context)
    return method
