"""The contract of operations: each has a builder and a rule, and the rule says what torch does."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator
from typing import Any

import pytest
import torch
from torch.nn import functional

from explorer.catalogue import OPERATIONS
from explorer.errors import UnknownName
from explorer.nets.operations import WIRING, AveragePool3x3, Zero, build
from explorer.space import Shape
from explorer.space.shapes import RULES, ShapeProblem
from tests.nets.measuring import parameters, run

SHAPES: tuple[Shape, ...] = ((1, 8, 8), (3, 32, 32), (5, 7, 7), (8, 1, 1), (64,), (10,))


def shapes_of(operation: str) -> tuple[Shape, ...]:
    """Where it may stand: a cell carries images only."""
    return SHAPES if OPERATIONS[operation].facts["family"] == "layer" else SHAPES[:4]


def settings_of(operation: str) -> Iterator[dict[str, Any]]:
    """The defaults, and 60 seeded draws from the parameters' ranges (small ones, so that tests stay quick)."""
    entry = OPERATIONS[operation]
    yield entry.defaults()
    rng = random.Random(operation)
    for _ in range(60 if entry.parameters else 0):
        drawn = entry.defaults()
        for parameter in entry.parameters:
            if parameter.kind == "bool":
                drawn[parameter.name] = rng.random() < 0.5
            elif parameter.default is not None:
                drawn[parameter.name] = rng.randint(
                    int(parameter.low or 0), min(int(parameter.high or 0), 12)
                )
        yield drawn


def test_every_operation_has_a_builder_and_a_shape_rule() -> None:
    assert set(RULES) == set(OPERATIONS) | set(WIRING)


@pytest.mark.parametrize("operation", OPERATIONS)
def test_shape_parameters_and_macs_are_what_torch_measures(operation: str) -> None:
    held = 0
    for given, shape in itertools.product(settings_of(operation), shapes_of(operation)):
        try:
            cost = RULES[operation](given, shape)
        except ShapeProblem:
            continue
        module = build(operation, given, (shape,))
        assert (cost.shape, cost.macs) == run(module, shape), (given, shape)
        assert cost.parameters == parameters(module), (given, shape)
        held += 1
    assert held >= 2


@pytest.mark.parametrize("operation", OPERATIONS)
def test_what_a_rule_refuses_torch_refuses_too(operation: str) -> None:
    """Except where torch is laxer on purpose: it broadcasts, and takes a row of features for an image."""
    if operation in ("batch_norm2d", "global_avg_pool"):
        pytest.skip("torch would refuse the row of features only by its number of axes")
    for given, shape in itertools.product(settings_of(operation), shapes_of(operation)):
        try:
            RULES[operation](given, shape)
        except ShapeProblem as problem:
            if problem.code in ("needs-image", "needs-features"):
                continue
            with pytest.raises((RuntimeError, ValueError)):
                run(build(operation, given, (shape,)), shape)


@pytest.mark.parametrize(
    ("source", "target"),
    [
        ((8, 16, 16), (16, 12, 12)),
        ((8, 16, 16), (8, 9, 9)),
        ((4, 5, 5), (6, 5, 5)),
        ((7, 3, 3), (7, 3, 3)),
        ((9,), (9,)),
    ],
)
def test_align_reaches_the_target_at_the_cost_that_its_rule_says(source: Shape, target: Shape) -> None:
    cost = RULES["align"]({}, source, target)
    module = build("align", {}, (source, target))
    assert (cost.shape, cost.macs) == run(module, source, target)
    assert cost.parameters == parameters(module)


def test_align_crops_the_centre() -> None:
    source = torch.arange(16.0).reshape(1, 1, 4, 4)
    cropped = build("align", {}, ((1, 4, 4), (1, 2, 2)))(source, torch.zeros(1, 1, 2, 2))
    assert cropped.flatten().tolist() == [5.0, 6.0, 9.0, 10.0]


@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize(
    ("height", "width"), [(1, 1), (2, 2), (4, 4), (8, 8), (9, 9), (3, 12), (32, 32), (64, 64)]
)
def test_the_pooling_by_matrix_product_equals_torchs_average_pooling(
    height: int, width: int, stride: int
) -> None:
    images = torch.randn(3, 5, height, width, generator=torch.Generator().manual_seed(0), requires_grad=True)
    expected = functional.avg_pool2d(images, 3, stride, 1, count_include_pad=False)
    (wanted,) = torch.autograd.grad(expected.square().sum(), images)
    pooled = AveragePool3x3(height, width, stride)(images)
    (found,) = torch.autograd.grad(pooled.square().sum(), images)
    torch.testing.assert_close(pooled, expected)
    torch.testing.assert_close(found, wanted)


def test_the_pooling_matrix_is_no_part_of_the_weights() -> None:
    assert AveragePool3x3(8, 8).state_dict() == {}


def test_an_edge_convolution_is_relu_convolution_without_bias_and_plain_batch_norm() -> None:
    relu, conv, norm = build("nor_conv_3x3", {}, ((4, 8, 8),)).children()
    assert isinstance(relu, torch.nn.ReLU)
    assert conv.bias is None
    assert conv.padding == (1, 1)
    assert not norm.affine


def test_none_hands_on_zeros_and_no_gradient() -> None:
    images = torch.ones(2, 3, 4, 4, requires_grad=True)
    assert not Zero()(images).any()
    assert not Zero()(images).requires_grad
    assert not Zero(2)(images).any()
    assert not Zero(2)(images).requires_grad


def test_an_unknown_operation_is_named() -> None:
    with pytest.raises(UnknownName, match="conv2e"):
        build("conv2e", {}, ((1, 8, 8),))
