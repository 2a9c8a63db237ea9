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
    """ReLU, identity: the shape stays, nothing is learned."""
    return Cost(shape)


def _reduced(shape: Shape, stride: int) -> Shape:
    """What every edge of a cell makes of an image: the side divided by the stride, rounded up."""
    return (shape[0], *(-(-side // stride) for side in shape[1:]))


def none(given: Parameters, shape: Shape) -> Cost:
    """Zeros; at stride 2 of half the side."""
    if given["stride"] > 1:
        _image("a stride", shape)
    return Cost(_reduced(shape, given["stride"]))


def skip_connect(given: Parameters, shape: Shape) -> Cost:
    """Unchanged; at stride 2 a factorized reduction."""
    if given["stride"] == 1:
        return Cost(shape)
    return factorized_reduce({"out_channels": shape[0]}, shape)


def factorized_reduce(given: Parameters, shape: Shape) -> Cost:
    """ReLU, two 1x1 convolutions at stride 2 on shifted grids, half of the channels each, plain batch norm."""
    out = given["out_channels"]
    _image("a factorized reduction", shape, (out, 1, 1))
    reduced = (out, *_reduced(shape, 2)[1:])
    cost = Cost(reduced, shape[0] * out, shape[0] * out * reduced[1] * reduced[2])
    if out % 2 == 0:
        return cost
    raise ShapeProblem(
        "odd-channels",
        (f"{out} channels", show(shape)),
        f"cannot reduce {show(shape)} to {out} channels: each of its two convolutions gives half of them",
        "use an even number of channels",
        cost,
    )


def relu_conv_bn(given: Parameters, shape: Shape) -> Cost:
    """ReLU, 1x1 convolution, batch norm without scale and shift."""
    out = given["out_channels"]
    _image("a convolution", shape, (out, 1, 1))
    return _convolution(shape, out, 1, 1, 0, bias=False)


def pool_3x3(given: Parameters, shape: Shape) -> Cost:
    """Padding 1: at stride 1 the shape stays."""
    _image("pooling", shape)
    return Cost(_reduced(shape, given["stride"]))


def _normal_convolution(kernel: int) -> Callable[[Parameters, Shape], Cost]:
    """ReLU, convolution without bias, batch normalisation without scale and shift; channels and side stay."""

    def rule(_: Parameters, shape: Shape) -> Cost:
        _image("a convolution", shape)
        return _convolution(shape, shape[0], kernel, 1, kernel // 2, bias=False)

    return rule


def _separable(kernel: int, times: int) -> Callable[[Parameters, Shape], Cost]:
    """`times` a depthwise and a 1x1 convolution, both without bias; only the first has the stride.

    Padding keeps the side whatever the dilation, so that every one of them works on the reduced side.
    """

    def rule(given: Parameters, shape: Shape) -> Cost:
        _image("a convolution", shape)
        reduced = _reduced(shape, given["stride"])
        weights = times * (shape[0] * kernel * kernel + shape[0] * shape[0])
        return Cost(reduced, weights, weights * reduced[1] * reduced[2])

    return rule


def _odd_window(kernel: int, cost: Cost) -> Cost:
    if kernel % 2:
        return cost
    raise ShapeProblem(
        "even-window",
        (f"{kernel}x{kernel}", show(cost.shape)),
        f"has a window of {kernel}x{kernel}, which no padding centres on a pixel",
        f"use a window of {kernel - 1}x{kernel - 1} or {kernel + 1}x{kernel + 1}",
        cost,
    )


def conv_bn_relu(given: Parameters, shape: Shape) -> Cost:
    """Convolution without bias, batch norm with scale and shift, ReLU; the side stays."""
    out, kernel = given["out_channels"], given["kernel_size"]
    _image("a convolution", shape, (out, 1, 1))
    weights = shape[0] * out * kernel * kernel
    return _odd_window(kernel, Cost((out, *shape[1:]), weights + 2 * out, weights * shape[1] * shape[2]))


def sep_conv_bn_relu(given: Parameters, shape: Shape) -> Cost:
    """Depthwise and 1x1 convolution without bias, batch norm with scale and shift, ReLU; the side stays."""
    out, kernel = given["out_channels"], given["kernel_size"]
    _image("a convolution", shape, (out, 1, 1))
    weights = shape[0] * kernel * kernel + shape[0] * out
    return _odd_window(kernel, Cost((out, *shape[1:]), weights + 2 * out, weights * shape[1] * shape[2]))


def concat(_: Parameters, *shapes: Shape) -> Cost:
    """All channels behind each other; the sides must be equal."""
    joined = Cost((sum(shape[0] for shape in shapes), *shapes[0][1:]))
    different = [shape for shape in shapes if shape[1:] != shapes[0][1:]]
    if not different:
        return joined
    raise ShapeProblem(
        "concatenation-of-different-sides",
        (show(shapes[0]), show(different[0])),
        f"puts {show(different[0])} behind {show(shapes[0])}",
        "give both the same side",
        joined,
    )


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
    "conv_bn_relu": conv_bn_relu,
    "sep_conv_bn_relu": sep_conv_bn_relu,
    "none": none,
    "skip_connect": skip_connect,
    "nor_conv_1x1": _normal_convolution(1),
    "nor_conv_3x3": _normal_convolution(3),
    "avg_pool_3x3": pool_3x3,
    "max_pool_3x3": pool_3x3,
    "sep_conv_3x3": _separable(3, times=2),
    "sep_conv_5x5": _separable(5, times=2),
    "dil_conv_3x3": _separable(3, times=1),
    "dil_conv_5x5": _separable(5, times=1),
    "relu_conv_bn": relu_conv_bn,
    "factorized_reduce": factorized_reduce,
    "add": add,
    "align": align,
    "concat": concat,
}
