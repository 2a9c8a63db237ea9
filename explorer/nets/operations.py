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
from torch.nn import functional

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


def conv_bn_relu(given: Parameters, shapes_in: tuple[Shape, ...]) -> nn.Module:
    """(b, in, h, w) -> (b, out_channels, h, w); the window must be odd."""
    out, kernel = given["out_channels"], given["kernel_size"]
    convolution = nn.Conv2d(shapes_in[0][0], out, kernel, padding=_centred(kernel), bias=False)
    return nn.Sequential(convolution, nn.BatchNorm2d(out), nn.ReLU())


def sep_conv_bn_relu(given: Parameters, shapes_in: tuple[Shape, ...]) -> nn.Module:
    """(b, in, h, w) -> (b, out_channels, h, w); the window must be odd."""
    arriving, out, kernel = shapes_in[0][0], given["out_channels"], given["kernel_size"]
    return nn.Sequential(
        nn.Conv2d(arriving, arriving, kernel, padding=_centred(kernel), groups=arriving, bias=False),
        nn.Conv2d(arriving, out, 1, bias=False),
        nn.BatchNorm2d(out),
        nn.ReLU(),
    )


def _centred(kernel: int) -> int:
    """The padding that keeps the side."""
    if kernel % 2 == 0:
        raise ValueError(f"A window of {kernel}x{kernel} cannot be centred on a pixel; use an odd one.")
    return kernel // 2


# -- edges of a cell (NAS-Bench-201, arXiv:2001.00326, section 2.1; DARTS as in quark0/darts, cnn/operations.py) -------


def none(given: Parameters, _: tuple[Shape, ...]) -> nn.Module:
    """Zeros of the same shape; at stride 2 of half the side."""
    return Zero(given.get("stride", 1))


def skip_connect(given: Parameters, shapes_in: tuple[Shape, ...]) -> nn.Module:
    """What arrives, unchanged; at stride 2 a factorized reduction."""
    channels = shapes_in[0][0]
    return nn.Identity() if given.get("stride", 1) == 1 else FactorizedReduce(channels, channels)


def nor_conv_1x1(_: Parameters, shapes_in: tuple[Shape, ...]) -> nn.Module:
    """ReLU, 1x1 convolution, batch norm."""
    return _normal_convolution(shapes_in[0][0], 1)


def nor_conv_3x3(_: Parameters, shapes_in: tuple[Shape, ...]) -> nn.Module:
    """ReLU, 3x3 convolution, batch norm."""
    return _normal_convolution(shapes_in[0][0], 3)


def avg_pool_3x3(given: Parameters, shapes_in: tuple[Shape, ...]) -> nn.Module:
    """3x3 means; padding is not counted."""
    _, height, width = shapes_in[0]
    return _normalised(AveragePool3x3(height, width, given.get("stride", 1)), given, shapes_in)


def max_pool_3x3(given: Parameters, shapes_in: tuple[Shape, ...]) -> nn.Module:
    """The largest value in each 3x3 window."""
    return _normalised(nn.MaxPool2d(3, given.get("stride", 1), 1), given, shapes_in)


def sep_conv_3x3(given: Parameters, shapes_in: tuple[Shape, ...]) -> nn.Module:
    """Twice ReLU, depthwise 3x3, 1x1, batch norm."""
    return _separable(given, shapes_in, 3, dilation=1, times=2)


def sep_conv_5x5(given: Parameters, shapes_in: tuple[Shape, ...]) -> nn.Module:
    """Twice ReLU, depthwise 5x5, 1x1, batch norm."""
    return _separable(given, shapes_in, 5, dilation=1, times=2)


def dil_conv_3x3(given: Parameters, shapes_in: tuple[Shape, ...]) -> nn.Module:
    """ReLU, depthwise 3x3 over 5x5 pixels, 1x1, batch norm."""
    return _separable(given, shapes_in, 3, dilation=2, times=1)


def dil_conv_5x5(given: Parameters, shapes_in: tuple[Shape, ...]) -> nn.Module:
    """ReLU, depthwise 5x5 over 9x9 pixels, 1x1, batch norm."""
    return _separable(given, shapes_in, 5, dilation=2, times=1)


def _normal_convolution(channels: int, kernel: int) -> nn.Module:
    return nn.Sequential(
        nn.ReLU(),
        nn.Conv2d(channels, channels, kernel, padding=kernel // 2, bias=False),
        nn.BatchNorm2d(channels, affine=False),
    )


def _normalised(pool: nn.Module, given: Parameters, shapes_in: tuple[Shape, ...]) -> nn.Module:
    if not given.get("norm", False):
        return pool
    return nn.Sequential(pool, nn.BatchNorm2d(shapes_in[0][0], affine=False))


def _separable(
    given: Parameters, shapes_in: tuple[Shape, ...], kernel: int, dilation: int, times: int
) -> nn.Module:
    """Only the first convolution has the stride."""
    channels, padding = shapes_in[0][0], dilation * (kernel // 2)
    parts: list[nn.Module] = []
    for stride in (given["stride"], 1)[:times]:
        parts += [
            nn.ReLU(),
            nn.Conv2d(channels, channels, kernel, stride, padding, dilation, groups=channels, bias=False),
            nn.Conv2d(channels, channels, 1, bias=False),
            nn.BatchNorm2d(channels, affine=False),
        ]
    return nn.Sequential(*parts)


# -- entrances of a cell (quark0/darts, cnn/model_search.py: preprocess0 and preprocess1) ------------------------------


def relu_conv_bn(given: Parameters, shapes_in: tuple[Shape, ...]) -> nn.Module:
    """(b, in, h, w) -> (b, out_channels, h, w)"""
    out = given["out_channels"]
    return nn.Sequential(
        nn.ReLU(), nn.Conv2d(shapes_in[0][0], out, 1, bias=False), nn.BatchNorm2d(out, affine=False)
    )


def factorized_reduce(given: Parameters, shapes_in: tuple[Shape, ...]) -> nn.Module:
    """(b, in, h, w) -> (b, out_channels, h / 2, w / 2), rounded up"""
    return FactorizedReduce(shapes_in[0][0], given["out_channels"])


# -- wiring -----------------------------------------------------------------------------------------------------------


def add(_: Parameters, __: tuple[Shape, ...]) -> nn.Module:
    """The sum of all inputs, from left to right."""
    return Add()


def align(_: Parameters, shapes_in: tuple[Shape, ...]) -> nn.Module:
    """The first input brought to the shape of the second."""
    return Align(*shapes_in)


def concat(_: Parameters, __: tuple[Shape, ...]) -> nn.Module:
    """All inputs' channels behind each other."""
    return Concatenation()


WIRING: Mapping[str, Builder] = {"add": add, "align": align, "concat": concat}


# -- modules ----------------------------------------------------------------------------------------------------------


class GlobalAveragePool(nn.Module):
    """The mean over all pixels: (b, c, h, w) -> (b, c)."""

    def forward(self, images: Tensor) -> Tensor:
        return images.mean((2, 3))


class Zero(nn.Module):
    """Zeros like the input, without a gradient to it; at stride 2 like every second pixel of it."""

    def __init__(self, stride: int = 1) -> None:
        super().__init__()
        self.stride = stride

    def forward(self, images: Tensor) -> Tensor:
        if self.stride == 1:
            return torch.zeros_like(images)
        return torch.zeros_like(images[:, :, :: self.stride, :: self.stride])  # (b, c, h / 2, w / 2)


class FactorizedReduce(nn.Module):
    """Half the side without losing a pixel's part: one 1x1 convolution sees the even pixels, one the odd ones.

    As in quark0/darts, cnn/operations.py, except that an odd side is padded with zeros, where theirs stops.
    """

    def __init__(self, channels: int, out_channels: int) -> None:
        super().__init__()
        if out_channels % 2:
            raise ValueError(
                f"A factorized reduction cannot give {out_channels} channels; use an even number."
            )
        self.even = nn.Conv2d(channels, out_channels // 2, 1, stride=2, bias=False)
        self.odd = nn.Conv2d(channels, out_channels // 2, 1, stride=2, bias=False)
        self.norm = nn.BatchNorm2d(out_channels, affine=False)

    def forward(self, images: Tensor) -> Tensor:
        active = images.relu()
        height, width = images.shape[2:]
        shifted = functional.pad(active, (0, width % 2, 0, height % 2))[:, :, 1:, 1:]
        halves = torch.cat([self.even(active), self.odd(shifted)], 1)  # (b, out_channels, h / 2, w / 2)
        normalised: Tensor = self.norm(halves)
        return normalised


class Add(nn.Module):
    """The sum of its inputs, from left to right."""

    def forward(self, *values: Tensor) -> Tensor:
        return reduce(plus, values)


class Concatenation(nn.Module):
    """Its inputs' channels behind each other."""

    def forward(self, *values: Tensor) -> Tensor:
        return torch.cat(values, 1)  # (b, sum of channels, h, w)


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
    """3x3 means that leave out the padding, as matrix products.

    Equal to `avg_pool2d(x, 3, stride, 1, count_include_pad=False)`, whose CPU kernel needs 169 us for (32, 4, 8, 8)
    forward and backward where one product with a (64, 64) matrix needs 58; from 12 pixels a side two products, over
    rows and then columns, are three to six times as fast as the kernel. Measured on one thread, torch 2.13.
    """

    window: Tensor  # (h * w, h' * w'), or instead of it
    rows: Tensor  # (h', h)
    columns: Tensor  # (w, w')

    def __init__(self, height: int, width: int, stride: int = 1) -> None:
        super().__init__()
        rows, columns = _means_of_three(height)[::stride], _means_of_three(width)[::stride]
        self.sides = len(rows), len(columns)
        self.at_once = max(height, width) <= POOL_BY_PRODUCT_SIDE
        if self.at_once:
            self.register_buffer("window", torch.kron(rows, columns).t().contiguous(), persistent=False)
        else:
            self.register_buffer("rows", rows, persistent=False)
            self.register_buffer("columns", columns.t().contiguous(), persistent=False)

    def forward(self, images: Tensor) -> Tensor:
        if self.at_once:
            pixels = images.reshape(-1, self.window.shape[0])  # (b * c, h * w)
            return (pixels @ self.window).view(*images.shape[:2], *self.sides)  # (b, c, h', w')
        return self.rows @ (images @ self.columns)  # (b, c, h', w')


def _means_of_three(side: int) -> Tensor:
    """(side, side): row i averages pixel i and its neighbours inside the image."""
    near = torch.eye(side) + torch.diag(torch.ones(side - 1), 1) + torch.diag(torch.ones(side - 1), -1)
    return near / near.sum(1, keepdim=True)
