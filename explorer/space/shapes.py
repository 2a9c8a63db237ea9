"""Shapes, parameters and multiply-accumulates of every operation, without torch.

One rule an operation: (parameters, input shapes) -> Cost. A shape is (channels, height, width) or (features,), without
the batch. Multiply-accumulates (MACs) are counted for one image and for convolutions and linear layers only, as is
usual; additions, pooling, normalisation and activations count 0. Tests hold every rule against what torch measures.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

Shape = tuple[int, ...]
Parameters = Mapping[str, Any]


@dataclass(frozen=True)
class Cost:
    """What one operation makes of its input: the output's shape, learned parameters, MACs for one image."""

    shape: Shape
    parameters: int = 0
    macs: int = 0


class ShapeProblem(Exception):
    """An operation cannot take the shape that arrives.

    `shapes` are the two that disagree, `fallback` is what to assume so that later problems are still found.
    """

    def __init__(self, code: str, shapes: tuple[str, str], message: str, remedy: str, fallback: Cost) -> None:
        self.code, self.shapes, self.message, self.remedy, self.fallback = (
            code,
            shapes,
            message,
            remedy,
            fallback,
        )
        super().__init__(message)


def show(shape: Shape) -> str:
    """`16x6x6`, or `576 features`."""
    return "x".join(map(str, shape)) if len(shape) == 3 else f"{shape[0]} features"


def _image(name: str, shape: Shape, fallback: Shape | None = None) -> None:
    if len(shape) == 3:
        return
    raise ShapeProblem(
        "needs-image",
        ("channels x height x width", show(shape)),
        f"{name} needs channels x height x width, but {show(shape)} arrive",
        "move it before the flattening",
        Cost(fallback or shape),
    )


def _window(name: str, shape: Shape, out_channels: int, kernel: int, stride: int, padding: int) -> Shape:
    """The output of a sliding window; floor division as torch does."""
    sides = tuple((side + 2 * padding - kernel) // stride + 1 for side in shape[1:])
    if min(shape[1:]) + 2 * padding >= kernel:
        return (out_channels, *sides)
    window = f"{kernel}x{kernel}"
    raise ShapeProblem(
        "window-too-large",
        (window, show(shape)),
        f"{name}'s window {window} does not fit into {show(shape)} with padding {padding}",
        f"use a window of at most {min(shape[1:]) + 2 * padding} or more padding",
        Cost((out_channels, 1, 1)),
    )


def _convolution(shape: Shape, out: int, kernel: int, stride: int, padding: int, bias: bool) -> Cost:
    weights = shape[0] * out * kernel * kernel
    shape_out = _window("the convolution", shape, out, kernel, stride, padding)
    return Cost(shape_out, weights + bias * out, weights * shape_out[1] * shape_out[2])


def conv2d(given: Parameters, shape: Shape) -> Cost:
    """Plain convolution; `in_channels`, when stated, must be what arrives."""
    out = given["out_channels"]
    _image("a convolution", shape, (out, 1, 1))
    cost = _convolution(shape, out, given["kernel_size"], given["stride"], given["padding"], given["bias"])
    expected = given["in_channels"]
    if expected is None or expected == shape[0]:
        return cost
    raise ShapeProblem(
        "in-channels",
        (f"{expected} channels", show(shape)),
        f"expects {expected} channels, but {show(shape)} arrives",
        f"set in_channels to {shape[0]}, or leave it out so that it is inferred",
        cost,
    )


def linear(given: Parameters, shape: Shape) -> Cost:
    """Fully connected; `in_features`, when stated, must be what arrives."""
    out, expected = given["out_features"], given["in_features"]
    if len(shape) != 1:
        raise ShapeProblem(
            "needs-features",
            ("one row of features", show(shape)),
            f"needs one row of features, but {show(shape)} arrives",
            "put flatten or global_avg_pool before it",
            Cost((out,), math.prod(shape) * out + out, math.prod(shape) * out),
        )
    if expected is not None and expected != shape[0]:
        raise ShapeProblem(
            "in-features",
            (f"{expected} features", show(shape)),
            f"expects {expected} features, but {shape[0]} arrive",
            f"set in_features to {shape[0]}, or leave it out so that it is inferred",
            Cost((out,), expected * out + out, expected * out),
        )
    return Cost((out,), shape[0] * out + out, shape[0] * out)


def pool(given: Parameters, shape: Shape) -> Cost:
    """Max and average pooling; torch allows padding of at most half the window."""
    _image("pooling", shape)
    kernel, padding = given["kernel_size"], given["padding"]
    if padding > kernel // 2:
        raise ShapeProblem(
            "padding-too-large",
            (f"padding {padding}", f"{kernel}x{kernel}"),
            f"pools {kernel}x{kernel} windows with padding {padding}, more than half a window",
            f"use a padding of at most {kernel // 2}",
            Cost(shape),
        )
    return Cost(_window("the pooling", shape, shape[0], kernel, given["stride"], padding))


def batch_norm2d(_: Parameters, shape: Shape) -> Cost:
    """A learned scale and shift a channel."""
    _image("batch_norm2d", shape)
    return Cost(shape, 2 * shape[0])


def global_avg_pool(_: Parameters, shape: Shape) -> Cost:
    """Channels only."""
    _image("global_avg_pool", shape)
    return Cost((shape[0],))


def flatten(_: Parameters, shape: Shape) -> Cost:
    """All values in one row."""
    return Cost((math.prod(shape),))


def unchanged(_: Parameters, shape: Shape) -> Cost:
    """ReLU, identity, skip_connect, none: the shape stays, nothing is learned."""
    return Cost(shape)


def average_pool_3x3(_: Parameters, shape: Shape) -> Cost:
    """Stride 1 and padding 1: the shape stays."""
    _image("average pooling", shape)
    return Cost(shape)


def _normal_convolution(kernel: int) -> Callable[[Parameters, Shape], Cost]:
    """ReLU, convolution without bias, batch normalisation without scale and shift; channels and side stay."""

    def rule(_: Parameters, shape: Shape) -> Cost:
        _image("a convolution", shape)
        return _convolution(shape, shape[0], kernel, 1, kernel // 2, bias=False)

    return rule


def add(_: Parameters, *shapes: Shape) -> Cost:
    """A sum of equal shapes; the last one is the layer that the others are added to."""
    different = [shape for shape in shapes if shape != shapes[-1]]
    if not different:
        return Cost(shapes[-1])
    raise ShapeProblem(
        "sum-of-different-shapes",
        (show(different[0]), show(shapes[-1])),
        f"adds {show(different[0])} to {show(shapes[-1])}",
        'align it (align: "crop" adds a 1x1 convolution and a centre crop), or take the skip out',
        Cost(shapes[-1]),
    )


def align(_: Parameters, source: Shape, target: Shape) -> Cost:
    """Bias-free 1x1 convolution when channels differ, then a centre crop to the target's side."""
    smaller = any(here < there for here, there in zip(source[1:], target[1:], strict=False))
    if len(source) != len(target) or smaller or (len(source) == 1 and source != target):
        raise ShapeProblem(
            "cannot-align",
            (show(source), show(target)),
            f"cannot bring {show(source)} to {show(target)}: a crop only makes images smaller",
            "start the skip at an earlier layer with at least as many pixels, or take it out",
            Cost(target),
        )
    weights = source[0] * target[0] if len(source) == 3 and source[0] != target[0] else 0
    return Cost(target, weights, weights * math.prod(source[1:]))


RULES: Mapping[str, Callable[..., Cost]] = {
    "conv2d": conv2d,
    "relu": unchanged,
    "batch_norm2d": batch_norm2d,
    "max_pool2d": pool,
    "avg_pool2d": pool,
    "global_avg_pool": global_avg_pool,
    "flatten": flatten,
    "linear": linear,
    "identity": unchanged,
    "none": unchanged,
    "skip_connect": unchanged,
    "nor_conv_1x1": _normal_convolution(1),
    "nor_conv_3x3": _normal_convolution(3),
    "avg_pool_3x3": average_pool_3x3,
    "add": add,
    "align": align,
}
