"""One builder an operation: (complete parameters, shapes that arrive) -> torch module.

The catalogue points here by name; shapes and costs of the same operations are `explorer.space.shapes`, and a test holds
the two together. How operations are wired is `network`'s and `model_space`'s business.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import reduce
from importlib import import_module
from operator import add as plus
from typing import Any

import torch
from torch import Tensor, nn

from explorer.catalogue import OPERATIONS
from explorer.space import Shape

Parameters = Mapping[str, Any]
Builder = Callable[[Parameters, tuple[Shape, ...]], nn.Module]

POOL_BY_PRODUCT_SIDE = 8  # up to here one matrix product pools fastest (see AveragePool3x3)


def build(operation: str, parameters: Parameters, shapes_in: tuple[Shape, ...]) -> nn.Module:
    """The module of a catalogue operation, or of `add` and `align`; raises UnknownName."""
    if operation in WIRING:
        return WIRING[operation](parameters, shapes_in)
    module, attribute = OPERATIONS.find(operation).path.split(":")
    built: nn.Module = getattr(import_module(module), attribute)(parameters, shapes_in)
    return built


# -- layers -----------------------------------------------------------------------------------------------------------


def conv2d(given: Parameters, shapes_in: tuple[Shape, ...]) -> nn.Module:
    """(b, in, h, w) -> (b, out_channels, h', w')"""
    return nn.Conv2d(
        shapes_in[0][0],
        given["out_channels"],
        given["kernel_size"],
        given["stride"],
        given["padding"],
        bias=given["bias"],
    )


def relu(_: Parameters, __: tuple[Shape, ...]) -> nn.Module:
    """Not in place: a skip may still read what arrives."""
    return nn.ReLU()


def batch_norm2d(_: Parameters, shapes_in: tuple[Shape, ...]) -> nn.Module:
    """With a learned scale and shift."""
    return nn.BatchNorm2d(shapes_in[0][0])


def max_pool2d(given: Parameters, _: tuple[Shape, ...]) -> nn.Module:
    """(b, c, h, w) -> (b, c, h', w')"""
    return nn.MaxPool2d(given["kernel_size"], given["stride"], given["padding"])


def avg_pool2d(given: Parameters, _: tuple[Shape, ...]) -> nn.Module:
    """(b, c, h, w) -> (b, c, h', w'); padding is not counted."""
    return nn.AvgPool2d(given["kernel_size"], given["stride"], given["padding"], count_include_pad=False)


def global_avg_pool(_: Parameters, __: tuple[Shape, ...]) -> nn.Module:
    """(b, c, h, w) -> (b, c)"""
    return GlobalAveragePool()


def flatten(_: Parameters, __: tuple[Shape, ...]) -> nn.Module:
    """(b, c, h, w) -> (b, c * h * w)"""
    return nn.Flatten()


def linear(given: Parameters, shapes_in: tuple[Shape, ...]) -> nn.Module:
    """(b, in) -> (b, out_features)"""
    return nn.Linear(shapes_in[0][0], given["out_features"])


def identity(_: Parameters, __: tuple[Shape, ...]) -> nn.Module:
    """What arrives, unchanged."""
    return nn.Identity()


# -- edges of a cell (NAS-Bench-201, arXiv:2001.00326, section 2.1) ---------------------------------------------------


def none(_: Parameters, __: tuple[Shape, ...]) -> nn.Module:
    """Zeros of the same shape."""
    return Zero()


def skip_connect(_: Parameters, __: tuple[Shape, ...]) -> nn.Module:
    """What arrives, unchanged."""
    return nn.Identity()


def nor_conv_1x1(_: Parameters, shapes_in: tuple[Shape, ...]) -> nn.Module:
    """ReLU, 1x1 convolution, batch norm."""
    return _normal_convolution(shapes_in[0][0], 1)


def nor_conv_3x3(_: Parameters, shapes_in: tuple[Shape, ...]) -> nn.Module:
    """ReLU, 3x3 convolution, batch norm."""
    return _normal_convolution(shapes_in[0][0], 3)


def avg_pool_3x3(_: Parameters, shapes_in: tuple[Shape, ...]) -> nn.Module:
    """3x3 means, stride 1; padding is not counted."""
    return AveragePool3x3(*shapes_in[0][1:])


def _normal_convolution(channels: int, kernel: int) -> nn.Module:
    return nn.Sequential(
        nn.ReLU(),
        nn.Conv2d(channels, channels, kernel, padding=kernel // 2, bias=False),
        nn.BatchNorm2d(channels, affine=False),
    )


# -- wiring -----------------------------------------------------------------------------------------------------------


def add(_: Parameters, __: tuple[Shape, ...]) -> nn.Module:
    """The sum of all inputs, from left to right."""
    return Add()


def align(_: Parameters, shapes_in: tuple[Shape, ...]) -> nn.Module:
    """The first input brought to the shape of the second."""
    return Align(*shapes_in)


WIRING: Mapping[str, Builder] = {"add": add, "align": align}


# -- modules ----------------------------------------------------------------------------------------------------------


class GlobalAveragePool(nn.Module):
    """The mean over all pixels: (b, c, h, w) -> (b, c)."""

    def forward(self, images: Tensor) -> Tensor:
        return images.mean((2, 3))


class Zero(nn.Module):
    """Zeros like the input, without a gradient to it."""

    def forward(self, images: Tensor) -> Tensor:
        return torch.zeros_like(images)


class Add(nn.Module):
    """The sum of its inputs, from left to right."""

    def forward(self, *values: Tensor) -> Tensor:
        return reduce(plus, values)


class Align(nn.Module):
    """`source` brought to the shape of the second input: a bias-free 1x1 convolution when channels differ, then a
    centre crop when the side differs (an odd pixel is cut at the far side).
    """

    def __init__(self, source: Shape, target: Shape) -> None:
        super().__init__()
        self.conv: nn.Module = nn.Identity()
        if source[0] != target[0]:
            self.conv = nn.Conv2d(source[0], target[0], 1, bias=False)
        self.crop = len(source) == 3 and source[1:] != target[1:]

    def forward(self, source: Tensor, target: Tensor) -> Tensor:
        source = self.conv(source)  # (b, target channels, h, w)
        if not self.crop:
            return source
        height, width = target.shape[2:]
        top, left = (source.shape[2] - height) // 2, (source.shape[3] - width) // 2
        return source[:, :, top : top + height, left : left + width]  # (b, target channels, height, width)


class AveragePool3x3(nn.Module):
    """3x3 means at stride 1 that leave out the padding, as matrix products.

    Equal to `avg_pool2d(x, 3, 1, 1, count_include_pad=False)`, whose CPU kernel needs 169 us for (32, 4, 8, 8) forward
    and backward where one product with a (64, 64) matrix needs 58; from 12 pixels a side two products, over rows and
    then columns, are three to six times as fast as the kernel. Measured on one thread, torch 2.13.
    """

    window: Tensor  # (h * w, h * w), or instead of it
    rows: Tensor  # (h, h)
    columns: Tensor  # (w, w)

    def __init__(self, height: int, width: int) -> None:
        super().__init__()
        rows, columns = _means_of_three(height), _means_of_three(width)
        self.at_once = max(height, width) <= POOL_BY_PRODUCT_SIDE
        if self.at_once:
            self.register_buffer("window", torch.kron(rows, columns).t().contiguous(), persistent=False)
        else:
            self.register_buffer("rows", rows, persistent=False)
            self.register_buffer("columns", columns.t().contiguous(), persistent=False)

    def forward(self, images: Tensor) -> Tensor:
        if self.at_once:
            pixels = images.reshape(-1, self.window.shape[0])  # (b * c, h * w)
            return (pixels @ self.window).view(images.shape)  # (b, c, h, w)
        return self.rows @ (images @ self.columns)  # (b, c, h, w)


def _means_of_three(side: int) -> Tensor:
    """(side, side): row i averages pixel i and its neighbours inside the image."""
    near = torch.eye(side) + torch.diag(torch.ones(side - 1), 1) + torch.diag(torch.ones(side - 1), -1)
    return near / near.sum(1, keepdim=True)
