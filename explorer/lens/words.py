"""Numbers as this room's sentences say them."""

from __future__ import annotations

from collections.abc import Callable

Show = Callable[[float | None], str]


def number(value: float | None) -> str:
    """Four digits, "nothing" for None.

    >>> number(0.85512345), number(12.0), number(None)
    ('0.8551', '12', 'nothing')
    """
    return "nothing" if value is None else f"{value:.4g}"


def counted(count: int, noun: str) -> str:
    """The number with its noun.

    >>> counted(1, "epoch"), counted(3, "epoch")
    ('1 epoch', '3 epochs')
    """
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def share(part: float, whole: float) -> str:
    """A percentage of `whole`, rounded; "0 %" of nothing.

    >>> share(31, 200)
    '16 %'
    """
    return f"{100 * part / whole:.0f} %" if whole else "0 %"
