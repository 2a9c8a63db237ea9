"""The steps against torch's own optimizers, which are too slow to load for a worker and right for an oracle."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn

from explorer.nets.optimizers import Adam, Sgd

CLIP = 0.5  # short enough to matter in these few steps


def network() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(2, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(16, 3), nn.Linear(3, 3))


def walk(module: nn.Module, step: Callable[[float], Any]) -> list[torch.Tensor]:
    """Six steps at changing rates on seeded batches; the weights afterwards."""
    noise = torch.Generator().manual_seed(1)
    for number in range(6):
        module(torch.randn(5, 2, 4, 4, generator=noise)).square().mean().backward()
        step(0.1 / (number + 1))
    return [weight.detach() for weight in module.parameters()]


def torchs(module: nn.Module, oracle: torch.optim.Optimizer) -> Callable[[float], None]:
    def step(rate: float) -> None:
        nn.utils.clip_grad_norm_(module.parameters(), CLIP)
        for group in oracle.param_groups:
            group["lr"] = rate
        oracle.step()
        oracle.zero_grad()

    return step


@pytest.mark.parametrize("momentum", [0.0, 0.9])
def test_sgd_equals_torchs(momentum: float) -> None:
    ours, theirs = network(), network()
    oracle = torch.optim.SGD(theirs.parameters(), momentum=momentum, nesterov=momentum > 0, weight_decay=0.01)
    for found, wanted in zip(
        walk(ours, Sgd(ours.parameters(), momentum, 0.01, CLIP).step),
        walk(theirs, torchs(theirs, oracle)),
        strict=True,
    ):
        torch.testing.assert_close(found, wanted)


def test_adam_equals_torchs() -> None:
    ours, theirs = network(), network()
    oracle = torch.optim.Adam(theirs.parameters(), weight_decay=0.01)
    for found, wanted in zip(
        walk(ours, Adam(ours.parameters(), 0.01, CLIP).step),
        walk(theirs, torchs(theirs, oracle)),
        strict=True,
    ):
        torch.testing.assert_close(found, wanted)


@pytest.mark.parametrize("make", [lambda weights: Sgd(weights, 0.9, 0.1), lambda weights: Adam(weights, 0.1)])
def test_weights_without_a_gradient_stay_as_they_are(make: Callable[..., Any]) -> None:
    used, unused = nn.Parameter(torch.ones(2)), nn.Parameter(torch.ones(2))
    stepper = make([used, unused])
    for _ in range(2):
        used.sum().backward()
        stepper.step(0.1)
    assert torch.equal(unused, torch.ones(2))
    assert not torch.equal(used, torch.ones(2))
    assert used.grad is None


@pytest.mark.parametrize(
    ("length", "clip", "expected"), [(50.0, 5.0, 5.0), (3.0, 5.0, 3.0), (50.0, 0.0, 50.0)]
)
def test_only_gradients_longer_than_the_clip_are_shortened(
    length: float, clip: float, expected: float
) -> None:
    weight = nn.Parameter(torch.zeros(1))
    (weight * length).sum().backward()
    Sgd([weight], 0.0, 0.0, clip).step(1.0)
    assert weight.item() == pytest.approx(-expected, rel=1e-4)
