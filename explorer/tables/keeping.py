"""Uploaded tables kept by their content, so that a run's settings name one without ever naming a file.

A name is `table:` with sixteen digits of SHA-256 and the kind of file; only names of this form are looked up.
"""

from __future__ import annotations

import contextlib
import hashlib
from pathlib import Path

from explorer.catalogue import UPLOADED
from explorer.errors import EnvironmentProblem, NotFound
from explorer.tables.reading import is_parquet


def keep(content: bytes, name: str, folder: Path) -> str:
    """Store the file and return its name; the same content has the same name."""
    ending = "parquet" if is_parquet(name) else "csv"
    digest = hashlib.sha256(content).hexdigest()[:16]
    path = folder / f"{digest}.{ending}"
    if not path.exists():
        beside = path.with_name(path.name + ".part")
        try:
            folder.mkdir(parents=True, exist_ok=True)
            beside.write_bytes(content)
            beside.replace(path)
        except OSError as error:
            with contextlib.suppress(OSError):
                beside.unlink(missing_ok=True)
            raise EnvironmentProblem(
                f"The table cannot be kept in {folder}: {error.strerror or error}."
            ) from error
    return f"table:{path.name}"


def find(name: str, folder: Path) -> bytes:
    """The content of a kept table; raises NotFound where it is not on this machine."""
    path = folder / name.removeprefix("table:")
    if not UPLOADED.fullmatch(name) or not path.is_file():
        raise NotFound(f"No table called {name!r:.60} is kept on this machine; give the file again.")
    return path.read_bytes()
