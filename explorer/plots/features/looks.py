"""How each selector looks everywhere: a colour, a dash pattern and a marker, so that colour is never alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from explorer.catalogue import SELECTORS


@dataclass(frozen=True)
class SelectorLook:
    """Colour (#rrggbb), plotly's dash and symbol."""

    color: str
    dash: str
    symbol: str


_LOOKS: Mapping[str, SelectorLook] = MappingProxyType(
    {
        "gradient": SelectorLook("#0b6bcb", "solid", "circle"),
        "gbdt": SelectorLook("#bc4c00", "solid", "square"),
        "anova": SelectorLook("#1a7f37", "dash", "diamond"),
        "mutual_information": SelectorLook("#8250df", "dash", "cross"),
        "l1": SelectorLook("#bf3989", "dot", "triangle-up"),
        "random_forest": SelectorLook("#9a6700", "dot", "triangle-down"),
        "permutation": SelectorLook("#0a7d83", "dashdot", "star"),
        "rfe": SelectorLook("#cf222e", "dashdot", "hexagon"),
        "all_features": SelectorLook("#656d76", "longdash", "circle-open"),
        "random_k": SelectorLook("#656d76", "dot", "x"),
    }
)


def look(name: str) -> SelectorLook:
    """A selector's look; a grey one for what this catalogue does not know."""
    return _LOOKS.get(name, SelectorLook("#656d76", "solid", "circle"))


def label(name: str) -> str:
    """A selector's name for people."""
    return SELECTORS[name].label if name in SELECTORS else name


def basis(resamples: int, rows: int, table: str) -> str:
    """On what a chart rests."""
    return f"1 run on {table}: {rows:,} rows, {resamples} resamples that share most of their rows, one seed."
