"""Joins the shards of the answer key into the files that `explorer.key.table` reads: one a dataset, and an index.

    python -m explorer.nas.key_packing [--shards FOLDER] [--to FOLDER]

A file holds `cells` (m,) places that have a seed, ascending; per row, sorted by cell and seed, `row_cell`, `row_seed`,
the counts of rightly read images `validation`, `test` and `curve` (r, epochs); `sizes` (validation and test images);
per cell `parameters`, `macs` and `seconds`; and the recipe's `fingerprint`. `key.json` says what each file must be. A
key may be partial: a cell has the seeds that were trained. Packing the same shards again gives the same bytes.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from explorer.catalogue import DATASETS as CATALOGUE
from explorer.errors import KeyDamaged, OutsideKey
from explorer.key.recipe import DATASETS, EPOCHS, SEEDS, fingerprint, space
from explorer.key.record import Key
from explorer.key.table import FOLDER, INDEX

Columns = dict[str, NDArray[Any]]
NAME = re.compile(r"(?P<dataset>.+)-seed(?P<seed>\d{1,3})-(?P<part>[^.]+)\.npz")
PER_CELL = ("validation", "test", "seconds")
SECONDS = "seconds.json"


def pack(shards_folder: Path, out_folder: Path) -> Mapping[str, Any]:
    """Join all shards; returns the index. Raises KeyDamaged, one sentence, for the first shard that does not fit.

    A dataset without shards keeps the file and the entry that it has.
    """
    found: dict[str, list[tuple[Path, int]]] = {}
    for file in sorted(shards_folder.glob("*.npz")):
        name = NAME.fullmatch(file.name)
        if name is None or name["dataset"] not in DATASETS or int(name["seed"]) > 255:
            raise KeyDamaged(
                f"{file.name!r} is no shard's name; it is like 'noisy-digits-seed00-block00.npz'."
            )
        found.setdefault(name["dataset"], []).append((file, int(name["seed"])))
    index = _index(out_folder)
    out_folder.mkdir(parents=True, exist_ok=True)
    for dataset, files in found.items():
        columns, seconds = _joined(dataset, files)
        columns["seconds"] = alone(dataset, columns["cells"], out_folder, columns["seconds"])
        packed = io.BytesIO()
        np.savez_compressed(packed, **columns)  # type: ignore[arg-type]
        _write(out_folder / f"{dataset}.npz", packed.getvalue())
        index[dataset] = {
            "sha256": hashlib.sha256(packed.getvalue()).hexdigest(),
            "bytes": len(packed.getvalue()),
            "fingerprint": fingerprint(),
            "cells": len(columns["cells"]),
            "rows": len(columns["row_cell"]),
            "seconds": round(seconds, 1),
        }
    _write(out_folder / INDEX, (json.dumps(index, indent=1, sort_keys=True) + "\n").encode())
    return index


def top(key: Key, count: int) -> tuple[int, ...]:
    """The places of the best cells by validation, best first: those that get more seeds.

    Only the seeds that every cell has are counted, so that the list stays what it was once the best have more; ties
    go to the lower place. Raises OutsideKey while one of these seeds of one cell is missing.
    """
    common = key.row_seed < SEEDS
    lacking = key.space.size * SEEDS - int(common.sum())
    if lacking:
        raise OutsideKey(
            f"The best cells of {key.dataset} cannot be named yet: of {key.space.size:,} cells with {SEEDS} seeds each "
            f"{lacking:,} trainings are missing."
        )
    read = np.bincount(key.row_cell[common], weights=key.row_validation[common])  # whole numbers, so exact
    return tuple(np.argsort(-read, kind="stable")[:count].tolist())


def _joined(dataset: str, files: list[tuple[Path, int]]) -> tuple[Columns, float]:
    """The columns of a file, and the seconds of training in all."""
    shards = [_read(file) for file, _ in files]
    facts = CATALOGUE[dataset].facts
    sizes = np.array([facts["validation"], facts["test"]], dtype=np.uint16)
    for (file, _), shard in zip(files, shards, strict=True):
        _check(file, shard, sizes)
    row_cell = np.concatenate([shard["cells"] for shard in shards])
    row_seed = np.concatenate(
        [
            np.full(len(shard["cells"]), seed, dtype=np.uint8)
            for (_, seed), shard in zip(files, shards, strict=True)
        ]
    )
    order = np.lexsort((row_seed, row_cell))
    row_cell, row_seed = row_cell[order], row_seed[order]
    twice = np.flatnonzero((np.diff(row_cell) == 0) & (np.diff(row_seed) == 0))
    if len(twice):
        cell, seed = row_cell[twice[0]], row_seed[twice[0]]
        raise KeyDamaged(
            f"Two shards of {dataset} hold seed {seed} of cell number {cell}; remove one of them."
        )
    rows = {name: np.concatenate([shard[name] for shard in shards])[order] for name in (*PER_CELL, "curve")}
    cells, first = np.unique(row_cell, return_index=True)
    seconds = np.add.reduceat(rows["seconds"].astype(np.float64), first)
    columns = {
        "cells": cells.astype(np.uint16),
        "row_cell": row_cell.astype(np.uint16),
        "row_seed": row_seed,
        "validation": rows["validation"].astype(np.uint16),
        "test": rows["test"].astype(np.uint16),
        "curve": np.ascontiguousarray(rows["curve"], dtype=np.uint16),  # a fifth smaller than by epochs
        "sizes": sizes,
        **_costs(dataset, cells),
        "seconds": (seconds / np.diff(first, append=len(row_cell))).astype(np.float32),
        "fingerprint": np.array(fingerprint()),
    }
    return columns, float(seconds.sum())


def alone(
    dataset: str, cells: NDArray[Any], folder: Path, grouped: NDArray[np.float32]
) -> NDArray[np.float32]:
    """(m,) the seconds of one training of each cell alone, a sum over its edges as `explorer.nas.key_timing` measured.

    `grouped`, the share in the seconds of the cells trained beside it, where nothing was measured. Raises KeyDamaged
    for a file that does not say them.
    """
    file = folder / SECONDS
    if not file.exists():
        return grouped
    operations = space().operations
    try:
        an_edge = json.loads(file.read_text())[dataset]["an_edge"]
        seconds = np.array([float(an_edge[operation]) for operation in operations])
    except (ValueError, KeyError, TypeError) as error:
        raise KeyDamaged(
            f"{SECONDS} in {folder} does not say the seconds of {dataset}; measure them again."
        ) from error
    digits = cells.astype(np.int64)[:, None] // len(operations) ** np.arange(len(space().edges))
    found: NDArray[np.float32] = seconds[digits % len(operations)].sum(axis=1).astype(np.float32)
    if (found <= 0).any():
        raise KeyDamaged(f"{SECONDS} in {folder} says that cells take no time; measure them again.")
    return found


def _costs(dataset: str, cells: NDArray[Any]) -> Columns:
    facts = CATALOGUE[dataset].facts
    bound = space().bound_to(facts["channels"], facts["side"], facts["classes"])
    networks = [bound.lower(bound.architecture_at(int(place))) for place in cells]
    return {
        "parameters": np.array([network.parameters for network in networks], dtype=np.uint32),
        "macs": np.array([network.macs for network in networks], dtype=np.uint32),
    }


def _read(file: Path) -> Columns:
    try:
        with file.open("rb") as opened, np.load(opened, allow_pickle=False) as kept:
            return {name: kept[name] for name in ("cells", "curve", *PER_CELL, "sizes", "fingerprint")}
    except (OSError, ValueError, KeyError, BadZipFile) as error:
        raise KeyDamaged(
            f"The shard {file.name} cannot be read; remove it, and the maker trains it again."
        ) from error


def _check(file: Path, shard: Columns, sizes: NDArray[np.uint16]) -> None:
    def wrong(what: str) -> KeyDamaged:
        return KeyDamaged(f"The shard {file.name} {what}; remove it, and the maker trains it again.")

    if str(shard["fingerprint"]) != fingerprint():
        raise wrong(f"is of recipe {str(shard['fingerprint'])!r} and not of {fingerprint()!r}")
    if shard["sizes"].tolist() != sizes.tolist():
        raise wrong(f"is on {shard['sizes'].tolist()} images instead of {sizes.tolist()}")
    count = len(shard["cells"])
    shapes = {"curve": (count, EPOCHS), **dict.fromkeys(PER_CELL, (count,))}
    for name, shape in shapes.items():
        if shard[name].shape != shape:
            raise wrong(f"has {name} of shape {shard[name].shape} instead of {shape}")
    for name, limit in (
        ("cells", space().size - 1),
        ("validation", sizes[0]),
        ("test", sizes[1]),
        ("curve", sizes[0]),
    ):
        if shard[name].dtype.kind != "u" or shard[name].max(initial=0) > limit:
            raise wrong(f"has {name} that are not whole numbers from 0 to {limit}")
    if not np.isfinite(shard["seconds"]).all():
        raise wrong("has seconds that are no numbers")


def _index(out_folder: Path) -> dict[str, Any]:
    try:
        kept = json.loads((out_folder / INDEX).read_text()).items()
    except FileNotFoundError:
        return {}
    except (ValueError, AttributeError) as error:
        raise KeyDamaged(f"{INDEX} in {out_folder} is no JSON object; remove it and pack again.") from error
    return {name: entry for name, entry in kept if (out_folder / f"{name}.npz").exists()}


def _write(file: Path, content: bytes) -> None:
    """Beside its place and then into it, so that nobody reads half a file."""
    unfinished = file.with_name(f".{file.name}.part")
    unfinished.write_bytes(content)
    unfinished.replace(file)


def main() -> None:
    """Pack, and say what there is."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--shards", type=Path, default=FOLDER / "shards")
    parser.add_argument("--to", type=Path, default=FOLDER)
    options = parser.parse_args()
    for dataset, entry in pack(options.shards, options.to).items():
        print(
            f"{dataset}: {entry['cells']:,} cells, {entry['rows']:,} rows, {entry['bytes']:,} bytes, "
            f"{entry['seconds']:,.0f} s of training."
        )


if __name__ == "__main__":
    main()
