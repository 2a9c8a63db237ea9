"""Where dataset files live on this machine, and whether they may be fetched."""

from __future__ import annotations

import os
from pathlib import Path


def data_root(root: str | Path | None = None) -> Path:
    """`root` where given, else `data` under $EXPLORER_HOME (default: ~/.explorer)."""
    if root is not None:
        return Path(root).expanduser().absolute()
    home = os.environ.get("EXPLORER_HOME") or "~/.explorer"
    return Path(home).expanduser().absolute() / "data"


def downloads_allowed() -> bool:
    """False where EXPLORER_OFFLINE is set to anything but 0: tests, class rooms, metered networks."""
    return os.environ.get("EXPLORER_OFFLINE", "0") in ("", "0")
