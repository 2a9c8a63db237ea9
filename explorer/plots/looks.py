"""How each operation looks, everywhere: one colour, one glyph, one dash pattern, one short name.

Colours carry white text at a contrast of at least 4.5 : 1 and stand out from white and from near-black; the
glyph and the dash say the same again, so that colour is never the only channel.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from explorer.catalogue import OPERATIONS


@dataclass(frozen=True)
class Look:
    """Colour (#rrggbb), a glyph of one character, an SVG dash pattern ("" is solid), a short name."""

    color: str
    glyph: str
    dash: str
    short: str


PLAIN = Look("#656d76", "·", "", "")

LOOKS: Mapping[str, Look] = MappingProxyType(
    {
        "conv2d": Look("#0b6bcb", "C", "", "conv"),
        "relu": Look("#656d76", "R", "", "ReLU"),
        "batch_norm2d": Look("#656d76", "N", "", "batch norm"),
        "max_pool2d": Look("#bc4c00", "M", "2 2", "max pool"),
        "avg_pool2d": Look("#9a6700", "A", "3 3", "avg pool"),
        "global_avg_pool": Look("#9a6700", "G", "", "global pool"),
        "flatten": Look("#656d76", "F", "", "flatten"),
        "linear": Look("#8250df", "L", "", "linear"),
        "identity": Look("#1a7f37", "=", "", "identity"),
        "conv_bn_relu": Look("#0b6bcb", "C", "", "conv"),
        "sep_conv_bn_relu": Look("#8250df", "P", "", "sep conv"),
        "none": Look("#656d76", "0", "1 5", "none"),
        "skip_connect": Look("#1a7f37", "S", "7 4", "skip"),
        "nor_conv_1x1": Look("#0e7490", "1", "", "1x1 conv"),
        "nor_conv_3x3": Look("#0b6bcb", "3", "", "3x3 conv"),
        "avg_pool_3x3": Look("#9a6700", "A", "3 3", "3x3 avg pool"),
        "max_pool_3x3": Look("#bc4c00", "M", "2 2", "3x3 max pool"),
        "sep_conv_3x3": Look("#8250df", "p", "", "3x3 sep conv"),
        "sep_conv_5x5": Look("#bf3989", "P", "10 3", "5x5 sep conv"),
        "dil_conv_3x3": Look("#cf222e", "d", "7 2 2 2", "3x3 dil conv"),
        "dil_conv_5x5": Look("#667000", "D", "9 2 2 2 2 2", "5x5 dil conv"),
        "relu_conv_bn": Look("#656d76", "1", "", "1x1 conv"),
        "factorized_reduce": Look("#656d76", "½", "", "1x1 conv, half the side"),
        "add": Look("#1a7f37", "+", "", "sum"),
        "align": Look("#1a7f37", "=", "", "align"),
        "concat": Look("#656d76", "‖", "", "concatenation"),
    }
)


def look(operation: str) -> Look:
    """The look of a catalogue operation; a neutral one for anything else."""
    return LOOKS.get(operation, PLAIN)


def label(operation: str) -> str:
    """The catalogue's name for people."""
    return OPERATIONS[operation].label if operation in OPERATIONS else operation


def describe(operation: str, parameters: Mapping[str, Any]) -> str:
    """What it does in a few words: `5x5 conv, 16 out`."""
    given = (OPERATIONS[operation].defaults() if operation in OPERATIONS else {}) | dict(parameters)
    short = look(operation).short or operation
    if operation in ("conv2d", "conv_bn_relu", "sep_conv_bn_relu"):
        return f"{_window(given)} {short}, {_text(given['out_channels'])} out"
    if operation in ("max_pool2d", "avg_pool2d"):
        return f"{_window(given)} {short}"
    if operation == "linear":
        return f"{short}, {_text(given['out_features'])} out"
    return short


def _window(given: Mapping[str, Any]) -> str:
    side = _text(given["kernel_size"])
    return f"{side}x{side}"


def _text(value: Any) -> str:
    """A number, or `8|16` for a ValueChoice."""
    values = getattr(value, "values", None)
    return "|".join(map(str, values)) if isinstance(values, tuple) else str(value)
