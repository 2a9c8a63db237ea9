"""What a column holds: numbers, dates, categories, free text, one value, or nothing; and its cells made to fit.

Cells come as text (CSV) or as whatever a Parquet file says; they leave as floats, or as text or None.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pandas import Series

MISSING = frozenset(("", "na", "n/a", "nan", "null", "none", "?", "-"))
"""Cells, in lower case, that say that nothing is known."""

MOST_CATEGORIES = 50
TEXT_SHARE = (
    0.5  # from so many different values a row on, a column of words names rows instead of grouping them
)
MIXED_SHARE = 0.5  # from so many numbers among its cells on, a column of words is suspicious

KINDS: Mapping[str, str] = MappingProxyType(
    {
        "number": "numbers",
        "category": "a few different words",
        "text": "words that hardly repeat: names, texts",
        "constant": "the same value in every row",
        "empty": "nothing",
    }
)


@dataclass(frozen=True)
class Column:
    """One column as a preview shows it. `missing` counts rows; `examples` are up to three different values."""

    name: str
    kind: str
    missing: int
    distinct: int
    examples: tuple[str, ...]

    @property
    def is_used(self) -> bool:
        """Whether it can say something about a target."""
        return self.kind in ("number", "category")


def typed(name: str, cells: Series[Any]) -> tuple[Series[Any], Column, str | None]:
    """The cells as floats or as text, what they are, and a notice where a reader may be surprised; None without one."""
    import pandas as pd

    if pd.api.types.is_datetime64_any_dtype(cells.dtype):
        since = pd.to_datetime(cells, utc=True) - pd.Timestamp(0, tz="UTC")
        numbers = (since / pd.Timedelta(days=1)).astype("float64")
        return (
            numbers,
            _column(name, numbers, "number"),
            f"Column {name!r} holds dates; they are read as days since 1970.",
        )
    if pd.api.types.is_bool_dtype(cells.dtype) or pd.api.types.is_numeric_dtype(cells.dtype):
        numbers = _finite(pd.to_numeric(cells).astype("float64"))
        return numbers, _column(name, numbers, "number"), None
    plain = [_word(cell) if there else None for cell, there in zip(cells, cells.notna(), strict=True)]
    words = pd.Series(plain, index=cells.index, dtype=object)
    known = words.dropna()
    numbers = pd.to_numeric(words, errors="coerce").astype("float64")
    count = int(numbers.notna().sum())
    if len(known) and count == len(known):
        numbers = _finite(numbers)
        return numbers, _column(name, numbers, "number"), None
    return words, _column(name, words, "category"), _mixed(name, count, known, numbers)


def _word(cell: Any) -> str | None:
    text = str(cell).strip()
    return None if text.lower() in MISSING else text


def _finite(numbers: Series[Any]) -> Series[Any]:
    """Infinity is nothing that can be averaged."""
    return numbers.where(numbers.abs() <= 1e100)


def _mixed(name: str, count: int, known: Series[Any], numbers: Series[Any]) -> str | None:
    if not len(known) or count / len(known) < MIXED_SHARE:
        return None
    odd = known[numbers[known.index].isna()].iloc[0]
    return (
        f"Column {name!r} mixes types: {count:,} of its {len(known):,} cells are numbers and others are not, such as "
        f"{odd!r:.40}; it is read as words, so correct those cells if numbers are meant."
    )


def _column(name: str, cells: Series[Any], kind: str) -> Column:
    known = cells.dropna()
    different = known.unique()
    if not len(known):
        kind = "empty"
    elif len(different) == 1 and len(known) == len(cells):
        kind = "constant"
    elif kind == "category" and len(different) > max(MOST_CATEGORIES, TEXT_SHARE * len(known)):
        kind = "text"
    examples = tuple(f"{value:g}" if isinstance(value, float) else f"{value:.40}" for value in different[:3])
    return Column(name, kind, len(cells) - len(known), len(different), examples)
