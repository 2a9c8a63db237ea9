"""How large, deep and long the data of events and settings may be, so that no page, chart or table breaks on it.

Files and links come from strangers, and a measure may run away. One walk, without recursion, says what is too much.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

MOST = 1e100
"""No number is further from 0: twice, a hundred times or squared it still is a finite float."""

MAX_WHOLE = 1_000_000
"""Ids, steps, budgets and plans go up to here."""

MAX_DEPTH = 64
"""Lists and objects inside each other: far more than any space needs, far fewer than Python's stack takes."""

MAX_LEAVES = 2_000
"""Values in the parameters of one trial, nested ones counted."""


def is_whole(value: Any, low: int = 0, high: int = MAX_WHOLE) -> bool:
    """Whether `value` is a whole number (no bool) within the range."""
    return isinstance(value, int) and not isinstance(value, bool) and low <= value <= high


def is_number(value: Any) -> bool:
    """Whether `value` is a number (no bool) that charts can draw."""
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= MOST  # nan is not


def excess(value: Any, most_leaves: int | None = None) -> str | None:
    """What of plain JSON data is too much, as the end of a sentence, or None.

    >>> excess({"value": 1e300})
    "the number 1e+300 at 'value'; numbers go up to 1e+100"
    """
    waiting: list[tuple[Any, tuple[Any, ...], int]] = [(value, (), 1)]
    leaves = 0
    while waiting:
        item, at, depth = waiting.pop()
        if isinstance(item, str):
            if not _can_be_written(item):
                return f"a text that is no valid Unicode{_place(at)}"
        elif isinstance(item, int | float) and abs(item) > MOST:
            return f"the number {_shown(item)}{_place(at)}; numbers go up to {MOST:g}"
        elif isinstance(item, float) and not math.isfinite(item):
            return f"{item}{_place(at)}, which is not a finite number"
        elif isinstance(item, Mapping | list | tuple):
            if depth > MAX_DEPTH:
                return f"more than {MAX_DEPTH} levels of nesting"
            if isinstance(item, Mapping):
                if not all(isinstance(key, str) and _can_be_written(key) for key in item):
                    return f"a key that is no text{_place(at)}"
                waiting += [(inner, (*at, key), depth + 1) for key, inner in item.items()]
            else:
                waiting += [(inner, at, depth + 1) for inner in item]
            continue
        leaves += 1
        if most_leaves is not None and leaves > most_leaves:
            return f"more than {most_leaves:,} values"
    return None


def bounded(value: Any, at: str = "") -> tuple[Any, tuple[str, ...]]:
    """Plain JSON data whose numbers beyond MOST are null, and the places of those."""
    if isinstance(value, int | float) and abs(value) > MOST:
        return None, (at or "value",)
    if isinstance(value, str):
        return (value if _can_be_written(value) else value.encode("utf-8", "replace").decode()), ()
    if isinstance(value, dict):
        items = {key: bounded(item, f"{at}.{key}" if at else str(key)) for key, item in value.items()}
        return {key: item for key, (item, _) in items.items()}, tuple(
            lost for _, found in items.values() for lost in found
        )
    if isinstance(value, list):
        parts = [bounded(item, f"{at}[{index}]") for index, item in enumerate(value)]
        return [item for item, _ in parts], tuple(lost for _, found in parts for lost in found)
    return value, ()


def names_in(parameters: Mapping[str, Any]) -> set[str]:
    """The dotted names of a trial's parameters, nested ones included: the columns that a table of them has."""
    found: set[str] = set()
    waiting: list[tuple[str, Mapping[str, Any]]] = [("", parameters)]
    while waiting:
        before, form = waiting.pop()
        for name, value in form.items():
            path = f"{before}{name}"
            found.add(path)
            if isinstance(value, Mapping):
                waiting.append((f"{path}.", value))
    return found


def _can_be_written(text: str) -> bool:
    """Half a surrogate pair is JSON, and no database or file takes it."""
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _shown(number: float) -> str:
    if isinstance(number, int):
        return f"of {int(number.bit_length() * math.log10(2)) + 1:,} digits"
    return f"{number:g}"


def _place(at: tuple[Any, ...]) -> str:
    return f" at {'.'.join(at)[:80]!r}" if at else ""
