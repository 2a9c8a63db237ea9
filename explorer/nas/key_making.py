"""Trains the answer key, shard by shard, on any number of processes; goes on where it was interrupted.

From nothing to the whole key:

    python -m explorer.nas.key_making [--processes 2] [--dataset NAME] [--seconds 3600]
    python -m explorer.nas.key_packing
    python -m explorer.nas.key_making --best    more seeds for the best, which the packed key names
    python -m explorer.nas.key_packing

A shard is written as a whole when it is done, so that processes of several machines may share a folder. Packing joins
all shards into the files that `explorer.key` reads and that the repository keeps; a dataset's file holds what its
shards hold, so the shards stay until the last packing.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from explorer.errors import ExplorerError
from explorer.key.recipe import (
    BEST,
    DATASETS,
    EPOCHS,
    NOISY,
    SETTINGS,
    Shard,
    best_shards,
    fingerprint,
    shards,
    space,
)
from explorer.key.table import FOLDER as KEY
from explorer.key.table import load
from explorer.nas.key_packing import top

FOLDER = KEY / "shards"
GROUP = 32

Counts = NDArray[np.uint16]


def make(shard: Shard, folder: Path = FOLDER) -> float:
    """Train a shard and write it; the seconds that it took.

    The file holds `cells`, the counts of rightly read images `curve` (cells, epochs), `validation` and `test` (cells,),
    `sizes` (validation and test images), the `seconds` of each cell's group shared out, and the recipe's `fingerprint`.
    """
    import torch

    from explorer.data import load_dataset

    torch.set_num_threads(1)
    data = load_dataset(shard.dataset)
    curve: list[Counts] = []
    final: list[Counts] = []
    seconds: list[float] = []
    for start in range(0, len(shard.cells), GROUP):
        begun, group = time.perf_counter(), shard.cells[start : start + GROUP]
        for kept, counted in zip((curve, final), train_group(data, group, shard.seed), strict=True):
            kept.append(counted)
        seconds += [(time.perf_counter() - begun) / len(group)] * len(group)
    validation, test = np.concatenate(final, axis=1)
    folder.mkdir(parents=True, exist_ok=True)
    unfinished = folder / f".{shard.file}.{os.getpid()}"
    with unfinished.open("wb") as file:
        np.savez_compressed(
            file,
            cells=np.array(shard.cells, dtype=np.uint16),
            curve=np.concatenate(curve),
            validation=validation,
            test=test,
            sizes=np.array([len(data.validation.labels), len(data.test.labels)], dtype=np.uint16),
            seconds=np.array(seconds, dtype=np.float32),
            fingerprint=np.array(fingerprint()),
        )
    unfinished.replace(folder / shard.file)
    return sum(seconds)


def train_group(
    data: Any, places: Sequence[int], seed: int, settings: Mapping[str, Any] = SETTINGS
) -> tuple[Counts, Counts]:
    """Train cells together; the images that each reads rightly: (cells, epochs) of validation, (2, cells) at the end.

    `data` is a dataset as `explorer.data` loads it; the two at the end are validation and test, with batch norm's
    statistics measured anew on the training images.
    """
    from explorer.nets.grouped import GroupedTraining
    from explorer.runs.spec import trial_seed

    cells = space()
    group = [cells.architecture_at(at) for at in places]
    training = GroupedTraining(cells, group, data, epochs=EPOCHS, settings=settings, seed=trial_seed(0, seed))
    curve = np.array([each.validation_accuracy for each in training]).T * len(data.validation.labels)
    training.recalibrate(data.train)
    final = [np.array(training.scores(part)) * len(part.labels) for part in (data.validation, data.test)]
    return curve.round().astype(np.uint16), np.array(final).round().astype(np.uint16)


def missing(folder: Path = FOLDER, dataset: str = "", wanted: Iterable[Shard] | None = None) -> list[Shard]:
    """Of the `wanted` shards (all that need no results, where left out) those that are not there, in their order.

    A file counts when it is of this recipe and holds the cells that the plan names.
    """
    planned = shards() if wanted is None else wanted
    chosen = (shard for shard in planned if dataset in ("", shard.dataset))
    return [shard for shard in chosen if not _is_made(shard, folder)]


def best(folder: Path = KEY) -> tuple[Shard, ...]:
    """The shards of the best cells; raises NoKey, KeyDamaged or OutsideKey until `folder` has the packed key."""
    return tuple(best_shards(top(load(NOISY, folder), BEST)))


def _is_made(shard: Shard, folder: Path) -> bool:
    try:
        with (folder / shard.file).open("rb") as file, np.load(file, allow_pickle=False) as kept:
            return str(kept["fingerprint"]) == fingerprint() and tuple(kept["cells"].tolist()) == shard.cells
    except (OSError, ValueError, KeyError, BadZipFile):  # not there, or not whole
        return False


def main() -> None:
    """Make what is missing, until the time is up."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--dataset", default="", choices=DATASETS, help="both where it is left out")
    parser.add_argument("--seconds", type=float, default=1e9, help="begin no shard after so many seconds")
    parser.add_argument("--best", action="store_true", help="more seeds for the best of the packed key")
    options = parser.parse_args()
    try:
        wanted = missing(dataset=options.dataset, wanted=best() if options.best else None)
    except ExplorerError as error:
        parser.error(str(error))
    begun = time.monotonic()
    print(f"{len(wanted)} shards are missing.", flush=True)
    with ProcessPoolExecutor(options.processes, mp_context=get_context("spawn")) as pool:
        waiting = [pool.submit(_in_time, shard, begun + options.seconds) for shard in wanted]
        for shard, future in zip(wanted, waiting, strict=True):
            taken = future.result()
            if taken is not None:
                print(f"{shard.file}: {taken:.0f} s", flush=True)


def _in_time(shard: Shard, deadline: float) -> float | None:
    """Nothing when the time is up, or when somebody else has made it meanwhile."""
    return make(shard) if time.monotonic() < deadline and not _is_made(shard, FOLDER) else None


if __name__ == "__main__":
    main()
