"""Zero-cost proxies against what can be worked out by hand."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from explorer.data import load_dataset
from explorer.nets.network import NetworkModule
from explorer.nets.proxies import PROXIES, grad_norm, naswot, parameters, proxy_score, synflow
from explorer.nets.training import initialise
from explorer.space import preset


@pytest.fixture
def batch() -> tuple[Tensor, Tensor]:
    split = load_dataset("noisy-digits").train
    return split.images[:16], split.labels[:16]


def cell(code: str) -> NetworkModule:
    space = preset("cell")
    module = NetworkModule(space.lower(space.from_code(code)))
    initialise(module, 0)
    return module


def test_parameters_are_those_of_the_lowered_network(batch: tuple[Tensor, Tensor]) -> None:
    space = preset("cell")
    network = space.lower(space.from_code("333333"))
    assert parameters(NetworkModule(network), *batch) == network.parameters


def test_the_gradient_norm_is_the_sum_of_lengths_of_finite_differences() -> None:
    torch.manual_seed(0)
    module = nn.Sequential(nn.Flatten(), nn.Linear(4, 3)).double()
    images, labels = torch.randn(5, 1, 2, 2, dtype=torch.float64), torch.tensor([0, 1, 2, 0, 1])
    lengths = []
    for weight in module.parameters():
        differences = []
        for at in range(weight.numel()):
            with torch.no_grad():
                weight.view(-1)[at] += 1e-6
                above = functional.cross_entropy(module(images), labels)
                weight.view(-1)[at] -= 2e-6
                below = functional.cross_entropy(module(images), labels)
                weight.view(-1)[at] += 1e-6
            differences.append(float(above - below) / 2e-6)
        lengths.append(math.hypot(*differences))
    assert grad_norm(module, images, labels) == pytest.approx(sum(lengths), rel=1e-5)


def test_synflow_of_a_chain_is_layers_times_the_product_of_absolute_weights() -> None:
    first, second = nn.Linear(3, 2, bias=False), nn.Linear(2, 1, bias=False)
    with torch.no_grad():
        first.weight.copy_(torch.tensor([[1.0, -2.0, 3.0], [0.5, 0.0, -1.0]]))
        second.weight.copy_(torch.tensor([[2.0, -4.0]]))
    # for an image of ones R = 2 * (1+2+3) + 4 * (.5+0+1) = 18; each layer's sum of weight * dR/dweight is R
    score = synflow(nn.Sequential(first, second), torch.zeros(1, 3), torch.zeros(1))
    assert score == pytest.approx(math.log1p(2 * 18))
    assert first.weight[0, 1] == -2.0  # the weights are as they were


def test_naswot_is_the_determinant_of_shared_patterns() -> None:
    images = torch.tensor([[1.0, 1.0, -1.0], [1.0, -1.0, 1.0], [-1.0, -1.0, -1.0]])
    kernel = torch.tensor([[3.0, 1.0, 1.0], [1.0, 3.0, 1.0], [1.0, 1.0, 3.0]])  # equal signs of each pair
    assert naswot(nn.ReLU(), images, torch.zeros(3)) == pytest.approx(float(torch.logdet(kernel)), rel=1e-6)
    assert naswot(nn.ReLU(), torch.ones(2, 3), torch.zeros(2)) == -math.inf


@pytest.mark.parametrize("name", list(PROXIES))
def test_a_proxy_repeats_by_its_seeds_and_leaves_the_module_usable(
    name: str, batch: tuple[Tensor, Tensor]
) -> None:
    module = cell("340213")
    first = proxy_score(name, module, *batch, seeds=(1, 2))
    assert math.isfinite(first) and first == proxy_score(name, module, *batch, seeds=(1, 2))
    assert module(batch[0]).dtype == torch.float32
    assert all(weight.grad is None for weight in module.parameters())


def test_a_dead_cell_is_told_from_a_live_one(batch: tuple[Tensor, Tensor]) -> None:
    for name in ("grad_norm", "synflow", "parameters"):
        assert proxy_score(name, cell("000000"), *batch, seeds=(0,)) < proxy_score(
            name, cell("333333"), *batch, seeds=(0,)
        )
