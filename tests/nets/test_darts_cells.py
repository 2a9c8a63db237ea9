"""DARTS cells against the authors' definitions, written here once more as plain arithmetic on the same weights.

The oracle is quark0/darts, cnn/operations.py and cnn/model_search.py (Cell, Network), as functions of torch.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from explorer.nets.network import NetworkModule
from explorer.nets.operations import build
from explorer.space import DartsSpace, preset
from explorer.space.darts import inputs_label, operation_label

IMAGES = torch.randn(4, 6, 8, 8, generator=torch.Generator().manual_seed(0))
Weights = Mapping[str, Tensor]


def norm(images: Tensor) -> Tensor:
    """Batch statistics, no scale and shift."""
    return functional.batch_norm(images, None, None, training=True)


def separable(images: Tensor, depthwise: Tensor, pointwise: Tensor, stride: int, dilation: int) -> Tensor:
    """ReLU, a window a channel, a mix of the channels, norm."""
    padding = dilation * (depthwise.shape[-1] // 2)
    windows = functional.conv2d(
        images.relu(), depthwise, None, stride, padding, dilation, groups=len(depthwise)
    )
    return norm(functional.conv2d(windows, pointwise))


def reduced(images: Tensor, even: Tensor, odd: Tensor, shift: int = 1) -> Tensor:
    """`FactorizedReduce`; with a shift of 0 the mutant that sees the same pixels twice."""
    active = images.relu()
    halves = [
        functional.conv2d(active, even, stride=2),
        functional.conv2d(active[:, :, shift:, shift:], odd, stride=2),
    ]
    return norm(torch.cat(halves, 1))


def operation(
    name: str, images: Tensor, given: Weights, stride: int, shift: int = 1, dilation: int = 2
) -> Tensor:
    """`OPS[name](C, stride, affine=False)`, and the norm that MixedOp puts behind pools."""
    if name == "max_pool_3x3":
        return norm(functional.max_pool2d(images, 3, stride, 1))
    if name == "avg_pool_3x3":
        return norm(functional.avg_pool2d(images, 3, stride, 1, count_include_pad=False))
    if name == "skip_connect":
        return images if stride == 1 else reduced(images, given["even.weight"], given["odd.weight"], shift)
    if name.startswith("dil"):
        return separable(images, given["1.weight"], given["2.weight"], stride, dilation)
    first = separable(images, given["1.weight"], given["2.weight"], stride, 1)
    return separable(first, given["5.weight"], given["6.weight"], 1, 1)


def close(found: Tensor, wanted: Tensor) -> bool:
    return found.shape == wanted.shape and torch.allclose(found, wanted, rtol=1e-4, atol=1e-5)


def parameters(module: nn.Module, prefix: str = "") -> dict[str, Tensor]:
    return {name.removeprefix(prefix): weight for name, weight in module.named_parameters()}


@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("name", preset("darts-cell").operations[1:])  # type: ignore[attr-defined]
def test_every_edge_operation_is_the_authors(name: str, stride: int) -> None:
    torch.manual_seed(1)
    pools = {"norm": True} if "pool" in name else {}
    module = build(name, {"stride": stride, **pools}, ((6, 8, 8),))
    with torch.no_grad():
        assert close(module(IMAGES), operation(name, IMAGES, parameters(module), stride))


@pytest.mark.parametrize(
    ("name", "stride", "mutant"),
    [("skip_connect", 2, {"shift": 0}), ("dil_conv_3x3", 1, {"dilation": 1})],
)
def test_the_oracle_of_the_operations_sees_a_wrong_shift_and_dilation(
    name: str, stride: int, mutant: dict[str, Any]
) -> None:
    module = build(name, {"stride": stride}, ((6, 8, 8),))
    with torch.no_grad():
        assert not close(module(IMAGES), operation(name, IMAGES, parameters(module), stride, **mutant))


@pytest.mark.parametrize(("height", "width"), [(7, 7), (8, 5), (1, 1)])
def test_an_odd_side_is_reduced_as_if_zeros_followed_it(height: int, width: int) -> None:
    images = IMAGES[:, :, :height, :width]
    module = build("factorized_reduce", {"out_channels": 4}, ((6, height, width),))
    padded = functional.pad(images, (0, width % 2, 0, height % 2))
    with torch.no_grad():
        wanted = reduced(padded, module.even.weight, module.odd.weight)  # type: ignore[arg-type,union-attr]
        assert close(module(images), wanted)


def test_a_reduction_needs_an_even_number_of_channels() -> None:
    with pytest.raises(ValueError, match="even number"):
        build("factorized_reduce", {"out_channels": 3}, ((6, 8, 8),))


# -- whole networks ----------------------------------------------------------------------------------------------------


def entrance(images: Tensor, given: Weights, is_reducing: bool) -> Tensor:
    """`preprocess0` and `preprocess1`."""
    if is_reducing:
        return reduced(images, given["even.weight"], given["odd.weight"])
    return norm(functional.conv2d(images.relu(), given["1.weight"]))


def plain(
    space: DartsSpace,
    module: nn.Module,
    chosen: Mapping[str, Any],
    images: Tensor,
    order: Callable[[list[Tensor]], list[Tensor]] = list,
    swapped: bool = False,
) -> Tensor:
    """`Network.forward` of an architecture, batch statistics throughout.

    Mutants: `order` of the concatenated nodes; a cell's two inputs `swapped` wherever their shapes allow.
    """

    def inside(name: str) -> dict[str, Tensor]:
        return parameters(getattr(module, name.replace("/", "_")))

    stem = functional.conv2d(images, inside("stem/conv")["weight"], padding=1)
    before = last = functional.batch_norm(stem, None, None, *inside("stem/norm").values(), training=True)
    was_reduction = False
    for cell in range(space.cells):
        kind = "reduce" if cell in (space.cells // 3, 2 * space.cells // 3) else "normal"
        first, second = (last, before) if swapped and before.shape == last.shape else (before, last)
        states = [
            entrance(first, inside(f"cell{cell + 1}/pre_0"), was_reduction),
            entrance(second, inside(f"cell{cell + 1}/pre_1"), False),
        ]
        for node in range(2, 2 + space.nodes):
            arriving = []
            for at, source in enumerate(chosen[inputs_label(kind, node)]):
                stride = 2 if kind == "reduce" and source < 2 else 1
                given = inside(f"cell{cell + 1}/edge_{source}_{node}")
                arriving.append(
                    operation(chosen[operation_label(kind, node, at)], states[source], given, stride)
                )
            states.append(arriving[0] + arriving[1])
        before, last, was_reduction = last, torch.cat(order(states[2:]), 1), kind == "reduce"
    return functional.linear(last.mean((2, 3)), *inside("head/linear").values())


@pytest.mark.parametrize(("nodes", "cells"), [(1, 3), (3, 4), (2, 6)])
def test_a_darts_network_computes_what_the_authors_does(nodes: int, cells: int) -> None:
    torch.manual_seed(2)
    space = preset("darts-cell", nodes=nodes, cells=cells)
    assert isinstance(space, DartsSpace)
    images = IMAGES[:, :1]
    for architecture in space.sample(2, random.Random(3)):
        module = NetworkModule(space.lower(architecture)).train()
        with torch.no_grad():
            found = module(images)
            assert close(found, plain(space, module, architecture, images))
            if nodes > 1:
                reverse = plain(space, module, architecture, images, order=lambda nodes: nodes[::-1])
                assert not close(found, reverse)
            if cells == 6:  # cell 2 is behind a normal cell, so its inputs have the same shape
                assert not close(found, plain(space, module, architecture, images, swapped=True))


def test_channels_double_and_sides_halve_at_one_and_two_thirds() -> None:
    space = preset("darts-cell", nodes=2, cells=8, channels=4)
    shapes = {row.node.name: row.shape for row in space.lower(space.default).rows}
    wanted = [(8, 8, 8)] * 2 + [(16, 4, 4)] * 3 + [(32, 2, 2)] * 3
    assert [shapes[f"cell{cell}/out"] for cell in range(1, 9)] == wanted
    entrances = {row.node.name: row.node.operation for row in space.lower(space.default).rows}
    reducing = [name for name, found in entrances.items() if found == "factorized_reduce"]
    assert reducing == ["cell4/pre_0", "cell7/pre_0"]  # right behind the reductions, cells 3 and 6
