"""Reads the packed answer keys, checks that they are whole, and keeps them in memory while their files stay the same.

`explorer.nas.key_packing` writes them. Only numpy reads, and nothing is unpickled.
"""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from explorer.errors import KeyDamaged, NoKey
from explorer.key.recipe import DATASETS, EPOCHS, fingerprint, space
from explorer.key.record import Key

FOLDER = Path(__file__).resolve().parents[2] / "assets" / "key"
INDEX = "key.json"


def load(dataset: str, folder: Path | None = None) -> Key:
    """The answer key of `dataset`; raises NoKey, or KeyDamaged when its file is not what was packed."""
    there = available(folder)
    if dataset not in there:
        word = f"there is one of {' and '.join(there)}" if there else "there is none at all"
        raise NoKey(f"There is no answer key of {dataset!r:.60} here; {word}.")
    file = (folder or FOLDER) / f"{dataset}.npz"
    return _load(dataset, file, (_stamp(file), _stamp(file.with_name(INDEX))))


def available(folder: Path | None = None) -> tuple[str, ...]:
    """The datasets that have an answer key here, whole or not."""
    return tuple(name for name in DATASETS if _stamp((folder or FOLDER) / f"{name}.npz") is not None)


def key_of(dataset: str, columns: Mapping[str, Any]) -> Key:
    """The key that packed arrays say, `curve` aside (`explorer.nas.key_packing` says what they are)."""
    names = ("cells", "row_cell", "row_seed", "parameters", "macs")
    sizes = columns["sizes"]
    return Key(
        dataset=dataset,
        space=space(),
        epochs=EPOCHS,
        sizes=(int(sizes[0]), int(sizes[1])),
        row_validation=columns["validation"].astype(np.int64),
        row_test=columns["test"].astype(np.int64),
        seconds=columns["seconds"].astype(np.float64),
        read_curve=lambda: columns["curve"],
        **{name: columns[name].astype(np.int64) for name in names},
    )


def _stamp(file: Path) -> tuple[int, int] | None:
    """When a file was written and how long it is; None when there is none."""
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size


@lru_cache(maxsize=4)
def _load(dataset: str, file: Path, stamps: tuple[Any, ...]) -> Key:
    try:
        packed = file.read_bytes()
    except OSError as error:
        raise _damaged(dataset, f"its file cannot be read: {error.strerror or error}") from error
    expected = _promised(dataset, file.with_name(INDEX))
    if hashlib.sha256(packed).hexdigest() != expected["sha256"]:
        raise _damaged(dataset, "its checksum differs")
    if expected["fingerprint"] != fingerprint():
        raise _damaged(dataset, f"it was made by another recipe, {expected['fingerprint']!r}")
    try:
        return key_of(dataset, _Packed(packed))
    except (KeyError, ValueError, OSError, BadZipFile) as error:
        raise _damaged(dataset, "it has other arrays") from error


class _Packed(dict[str, Any]):
    """The arrays of a packed file, each read when it is asked for."""

    def __init__(self, packed: bytes) -> None:
        super().__init__()
        self.packed = packed

    def __missing__(self, name: str) -> NDArray[Any]:
        with np.load(io.BytesIO(self.packed), allow_pickle=False) as kept:
            return kept[name]


def _promised(dataset: str, index: Path) -> Mapping[str, str]:
    try:
        entry = json.loads(index.read_text())[dataset]
        return {"sha256": str(entry["sha256"]), "fingerprint": str(entry["fingerprint"])}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise _damaged(dataset, f"{INDEX} does not say what it should be") from error


def _damaged(dataset: str, why: str) -> KeyDamaged:
    return KeyDamaged(f"The answer key of {dataset} is damaged ({why}); get the file again.")
