"""Where things are kept: the home directory, and the address of the store.

Reads the environment, creates nothing.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from pathlib import Path


def home(environ: Mapping[str, str] = os.environ) -> Path:
    """`$EXPLORER_HOME`, else `~/.explorer`, as an absolute path."""
    return Path(environ.get("EXPLORER_HOME") or Path.home() / ".explorer").expanduser().absolute()


def store_url(environ: Mapping[str, str] = os.environ) -> str:
    """`$EXPLORER_DATABASE_URL`, else the embedded SQLite file under the home."""
    return environ.get("EXPLORER_DATABASE_URL") or f"sqlite:///{home(environ) / 'runs.sqlite3'}"


def store_key(url: str) -> str:
    """Ten letters that stand for a store in file names: one supervisor, one lock and one log per store."""
    return hashlib.sha256(url.encode()).hexdigest()[:10]
