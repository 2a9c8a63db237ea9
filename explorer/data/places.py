"""Where dataset files live on this machine, and whether they may be fetched."""

from __future__ import annotations

import os
from pathlib import Path

from explorer.errors import SpecError
from explorer.runs.places import home


def data_root(root: str | Path | None = None) -> Path:
    """`root` where given, else `data` under $EXPLORER_HOME (default: ~/.explorer)."""
    if root is not None:
        return Path(root).expanduser().absolute()
    return home() / "data"


def downloads_allowed() -> bool:
    """False where EXPLORER_OFFLINE is 1: tests, class rooms, metered networks. Raises SpecError for anything else."""
    given = os.environ.get("EXPLORER_OFFLINE") or "0"
    if given not in ("0", "1"):
        raise SpecError(f"EXPLORER_OFFLINE is {given!r}; set it to 1 (never download) or 0.")
    return given == "0"
