"""CSV that spreadsheet programs open without running anything in it.

A cell that begins like a formula is text with an apostrophe before it (OWASP, CSV injection); numbers stay numbers.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable, Sequence
from typing import Any

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "|", "%")


def csv_text(header: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """The whole file; None and numbers that are not finite are empty cells."""
    told = io.StringIO()
    writer = csv.writer(told, lineterminator="\r\n")  # RFC 4180; and so a lone \r is quoted, too
    writer.writerow([safe(cell) for cell in header])
    writer.writerows([safe(cell) for cell in row] for row in rows)
    return told.getvalue()


def safe(cell: Any) -> Any:
    """A cell that no spreadsheet takes for a formula."""
    if cell is None or (isinstance(cell, float) and not math.isfinite(cell)):
        return ""
    if not isinstance(cell, str):
        return cell
    return f"'{cell}" if cell.lstrip(" ").startswith(_FORMULA) and not _is_number(cell) else cell


def _is_number(text: str) -> bool:
    try:
        return math.isfinite(float(text)) and text.strip() == text
    except ValueError:
        return False
