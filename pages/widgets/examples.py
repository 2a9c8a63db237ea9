"""Recorded runs that come with the app: finished, read by the same fold as live ones, never written to the
store.
"""

from __future__ import annotations

import gzip
import json
import zlib
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

from explorer.errors import NotFound
from explorer.runs.recorded import read_recorded
from explorer.runs.spec import MAX_JSON_BYTES
from explorer.runs.state import RunState, fold

FOLDER = Path(__file__).resolve().parents[2] / "assets" / "examples"
PAGES = {
    "random": "pages/random_architectures.py",
    "hpo": "pages/tuning.py",
    "nas": "pages/classical_nas.py",
    "race": "pages/race.py",
    "oneshot": "pages/one_shot.py",
    "features": "pages/features.py",
}
ABBREVIATIONS = ("ENAS", "SPOS", "DARTS")
PREFIX, ENDING = "example-", ".jsonl.gz"


def names() -> list[str]:
    """The examples' names, in order."""
    return sorted(path.name.removesuffix(ENDING) for path in FOLDER.glob(f"*{ENDING}"))


def titled(name: str) -> str:
    """An example's name for people: `spos-stale-batch-norm` is SPOS stale batch norm."""
    words = name.replace("-", " ").capitalize().split(" ")
    return " ".join(word.upper() if word.upper() in ABBREVIATIONS else word for word in words)


def page_of(name: str) -> str:
    """The page that shows an example of its kind; the random architectures' for one that cannot be read."""
    path = FOLDER / f"{name}{ENDING}"
    return PAGES[_kind(path, path.stat().st_mtime_ns) if name in names() else "random"]


def is_example(run_id: str) -> bool:
    """Whether this id names an example instead of a run of the store."""
    return run_id.startswith(PREFIX)


def example(run_id: str) -> RunState:
    """The example behind an id such as `example-digits`; raises NotFound or CodecError."""
    name = run_id.removeprefix(PREFIX)
    if name not in names():
        raise NotFound(f"No example is called {name[:60]!r}; there are {', '.join(names()) or 'none'}.")
    path = FOLDER / f"{name}{ENDING}"
    return replace(_read(path, path.stat().st_mtime_ns), run_id=run_id)


@lru_cache(maxsize=256)
def _kind(path: Path, changed: int) -> str:
    """Read off the first line alone: a whole run takes a tenth of a second, and Home asks about all of them."""
    try:
        with gzip.open(path, "rt", encoding="utf-8") as file:
            kind = json.loads(file.readline(MAX_JSON_BYTES))["spec"]["kind"]
    except (OSError, EOFError, ValueError, KeyError, TypeError, zlib.error):
        return "random"
    return kind if isinstance(kind, str) and kind in PAGES else "random"


@lru_cache(maxsize=64)
def _read(path: Path, changed: int) -> RunState:
    return fold(read_recorded(path)[1])
