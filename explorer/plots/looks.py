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
        "max_pool2d": Look("#9a6700", "M", "", "max pool"),
        "avg_pool2d": Look("#9a6700", "A", "", "avg pool"),
        "global_avg_pool": Look("#9a6700", "G", "", "global pool"),
        "flatten": Look("#656d76", "F", "", "flatten"),
        "linear": Look("#8250df", "L", "", "linear"),
        "identity": Look("#1a7f37", "=", "", "identity"),
        "none": Look("#656d76", "0", "1 5", "none"),
        "skip_connect": Look("#1a7f37", "S", "7 4", "skip"),
        "nor_conv_1x1": Look("#0e7490", "1", "", "1x1 conv"),
        "nor_conv_3x3": Look("#0b6bcb", "3", "", "3x3 conv"),
        "avg_pool_3x3": Look("#9a6700", "A", "3 3", "3x3 avg pool"),
        "add": Look("#1a7f37", "+", "", "sum"),
        "align": Look("#1a7f37", "=", "", "align"),
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
    if operation == "conv2d":
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
