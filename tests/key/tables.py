"""Answer keys that nobody trained: made from known truths by a seeded generator, in memory or as shards."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from explorer.key.recipe import EPOCHS, fingerprint, space
from explorer.key.record import Key
from explorer.key.table import key_of

SPACE = space()
SIZE = SPACE.size
SIZES = (400, 897)  # noisy-digits
FINE = (60_000, 60_000)  # so many images that a count says an accuracy exactly


def connected() -> np.ndarray:
    """(size,) whether each cell has a path of operations, found by following it edge by edge."""
    found = []
    for cell in SPACE:
        reached = {0}
        for source, target in SPACE.edges:
            if source in reached and cell[f"edge_{source}_{target}"] != "none":
                reached.add(target)
        found.append(3 in reached)
    return np.array(found)


def equals(accuracy: float = 0.5) -> np.ndarray:
    """(size,) live cells that only luck tells apart."""
    return np.where(connected(), accuracy, 0.1)


def truths(rng: np.random.Generator) -> np.ndarray:
    """(size,) accuracies around 0.55, as uneven as the real ones; dead cells read one of ten digits."""
    return np.where(connected(), rng.normal(0.55, 0.07, SIZE).clip(0.2, 0.8), 0.1)


def columns(
    truth: np.ndarray, seeds: Any, sigma: float, rng: np.random.Generator, sizes: tuple[int, int] = SIZES
) -> dict[str, Any]:
    """Packed arrays of cells that have `seeds` (one number, or one a cell; 0: not trained) seeds each."""
    counts = np.broadcast_to(seeds, truth.shape)
    row_cell = np.repeat(np.arange(len(truth)), counts)
    row_seed = np.concatenate([np.arange(count) for count in counts]).astype(np.uint8)
    alike = np.where(truth[row_cell] == 0.1, 0.0, sigma)  # dead cells differ by nothing
    rows = {
        name: ((truth[row_cell] + alike * rng.standard_normal(len(row_cell))) * size).round().clip(0, size)
        for name, size in zip(("validation", "test"), sizes, strict=True)
    }
    rise = 1 - 0.8 ** np.arange(1, EPOCHS + 1)
    cells = np.flatnonzero(counts)
    return {
        "cells": cells.astype(np.uint16),
        "row_cell": row_cell.astype(np.uint16),
        "row_seed": row_seed,
        "validation": rows["validation"].astype(np.uint16),
        "test": rows["test"].astype(np.uint16),
        "curve": (rows["validation"][:, None] * rise).round().astype(np.uint16),
        "sizes": np.array(sizes, dtype=np.uint16),
        "parameters": np.full(len(cells), 1000, dtype=np.uint32),
        "macs": np.full(len(cells), 100_000, dtype=np.uint32),
        "seconds": np.full(len(cells), 0.25, dtype=np.float32),
        "fingerprint": np.array(fingerprint()),
    }


def key(
    truth: np.ndarray,
    seeds: Any = 1,
    sigma: float = 0.0,
    seed: int = 0,
    sizes: tuple[int, int] = FINE,
    dataset: str = "noisy-digits",
) -> Key:
    """A key in memory."""
    return key_of(dataset, columns(truth, seeds, sigma, np.random.default_rng(seed), sizes))


def shard(folder: Path, name: str, places: list[int], seed: int = 0, **instead: Any) -> Path:
    """A shard's file as the maker writes it, with arrays exchanged by `instead`."""
    rng = np.random.default_rng(seed)
    count = len(places)
    arrays = {
        "cells": np.array(places, dtype=np.uint16),
        "curve": rng.integers(0, SIZES[0], (count, EPOCHS)).astype(np.uint16),
        "validation": rng.integers(0, SIZES[0], count).astype(np.uint16),
        "test": rng.integers(0, SIZES[1], count).astype(np.uint16),
        "sizes": np.array(SIZES, dtype=np.uint16),
        "seconds": np.full(count, 0.25 + seed, dtype=np.float32),
        "fingerprint": np.array(fingerprint()),
    }
    folder.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(folder / name, **(arrays | instead))
    return folder / name
