"""What may be put into a chain of layers: operations with parameters that suit what arrives, and what they cost."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from explorer.catalogue import OPERATIONS
from explorer.plots.looks import describe, label
from explorer.space import Operation, Shape, show
from explorer.space.shapes import RULES, Cost, ShapeProblem

FEWEST_CHANNELS = 8  # of a convolution where fewer arrive
FEATURES = 64  # of a linear layer inside of the chain
VERBS = ("needs", "expects", "pools", "cannot", "has")  # messages that begin so lack their subject
WINDOWS = (1, 3, 5, 7)
STRIDES = (1, 2)


@dataclass(frozen=True)
class Offer:
    """An operation that may be added: how it is called, what it costs, and why it cannot stand there ("" if it can)."""

    name: str
    operation: Operation
    about: str
    problem: str = ""

    @property
    def fields(self) -> dict[str, Any]:
        """The fields of the event that adds it."""
        return {"operation": self.operation.name, "parameters": dict(self.operation.parameters)}


@lru_cache(maxsize=4096)
def cost(operation: Operation, shape: Shape) -> Cost | str:
    """What the operation makes of a shape, or the sentence why it cannot; its values are chosen already."""
    given = OPERATIONS[operation.name].defaults() | dict(operation.parameters)
    try:
        return RULES[operation.name](given, shape)
    except ShapeProblem as problem:
        words = problem.message
        subject = "It " if words.split(" ", 1)[0] in VERBS else ""
        return f"{subject}{words}." if subject else f"{words[:1].upper()}{words[1:]}."


def cost_words(operation: Operation, shape: Shape) -> str:
    """`5x5 conv, 16 out · 1,216 parameters · 8x8x8`."""
    found = cost(operation, shape)
    what = describe(operation.name, operation.parameters)
    return (
        f"{what} · {found}"
        if isinstance(found, str)
        else f"{what} · {count_words(found.parameters)} · {show(found.shape)}"
    )


def count_words(parameters: int) -> str:
    """`1,216 parameters`."""
    return f"{parameters:,} parameter{'' if parameters == 1 else 's'}" if parameters else "no parameters"


@lru_cache(maxsize=512)
def layers_behind(shape: Shape) -> tuple[Offer, ...]:
    """Every kind of layer that a chain knows, as it would stand behind `shape`; what cannot stand there comes last."""
    found = [_offer(operation, shape) for operation in _kinds(shape)]
    return tuple(sorted(found, key=lambda offer: bool(offer.problem)))


def _offer(operation: Operation, shape: Shape) -> Offer:
    found = cost(operation, shape)
    name = _name(operation)
    if isinstance(found, str):
        return Offer(name, operation, "", found)
    return Offer(name, operation, f"{count_words(found.parameters)} · {show(found.shape)}")


def _name(operation: Operation) -> str:
    """The catalogue's name, with the window where there is one."""
    given = OPERATIONS[operation.name].defaults() | dict(operation.parameters)
    side = given.get("kernel_size")
    return f"{label(operation.name)} {side}x{side}" if side else label(operation.name)


def _kinds(shape: Shape) -> Iterator[Operation]:
    wide = max(FEWEST_CHANNELS, shape[0]) if len(shape) == 3 else FEWEST_CHANNELS
    for side in (3, 5, 1):
        yield Operation("conv2d", {"out_channels": wide, "kernel_size": side, "padding": side // 2})
    for name in ("conv_bn_relu", "sep_conv_bn_relu"):
        yield Operation(name, {"out_channels": wide, "kernel_size": 3})
    for name in ("relu", "batch_norm2d", "max_pool2d", "avg_pool2d", "global_avg_pool", "flatten"):
        yield Operation(name)
    yield Operation("linear", {"out_features": FEATURES})
    yield Operation("identity")


@lru_cache(maxsize=1024)
def candidates_between(arriving: Shape, leaving: Shape) -> tuple[Offer, ...]:
    """Operations that make `leaving` of `arriving`, so that whatever is chosen the layers behind still fit."""
    return tuple(
        _offer(operation, arriving)
        for operation in _between(arriving, leaving)
        if _shape(operation, arriving) == leaving
    )


def _shape(operation: Operation, arriving: Shape) -> Shape | None:
    found = cost(operation, arriving)
    return None if isinstance(found, str) else found.shape


def _between(arriving: Shape, leaving: Shape) -> Iterator[Operation]:
    if len(leaving) == 1:
        yield Operation("linear", {"out_features": leaving[0]})
        yield from map(Operation, ("flatten", "global_avg_pool", "relu", "identity"))
        return
    for side in WINDOWS:
        if step := _steps(arriving, leaving, side):
            yield Operation("conv2d", {"out_channels": leaving[0], "kernel_size": side, **step})
    for name in ("conv_bn_relu", "sep_conv_bn_relu"):
        for side in (3, 5):
            yield Operation(name, {"out_channels": leaving[0], "kernel_size": side})
    for name in ("max_pool2d", "avg_pool2d"):
        for side in (2, 3):
            if step := _steps(arriving, leaving, side):
                yield Operation(name, {"kernel_size": side, **step})
    yield from map(Operation, ("identity", "relu", "batch_norm2d"))


def _steps(arriving: Shape, leaving: Shape, side: int) -> dict[str, int] | None:
    """Stride and padding with which a window of that side makes the one side of the other; None when none does."""
    for stride in STRIDES:
        for padding in range(side // 2 + 1):
            if (arriving[-1] + 2 * padding - side) // stride + 1 == leaving[-1]:
                return {"stride": stride, "padding": padding}
    return None
