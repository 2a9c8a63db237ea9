"""A list beside a reel, as data for assets/graph/shelf.js: row n and frame n are the same architecture.

Cells are words already; what stands in them, and in which order, is decided by who lists.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from explorer.plots.drawn.text import SENTENCE, shown


def shelf(
    head: Sequence[tuple[str, str]],
    rows: Iterable[Sequence[str]],
    numbers: Iterable[int] = (),
    best: int = -1,
    title: str = "Architectures, one a row",
) -> dict[str, Any]:
    """`head` is (title, meaning on hover) a column, `numbers` are the right-aligned columns, `best` is a row.

    `title` says to those who do not see it what the list is.
    """
    return {
        "shelf": {
            "title": title,
            "head": [[shown(words), shown(meaning, SENTENCE)] for words, meaning in head],
            "rows": [[shown(cell) for cell in row] for row in rows],
            "numbers": sorted(set(numbers)),
            "best": best,
        }
    }
