"""Trains the answer key, shard by shard, on any number of processes; goes on where it was interrupted.

    python -m explorer.nas.key_making [--processes 2] [--dataset NAME] [--seconds 3600]

A shard is written as a whole when it is done, so that processes of several machines may share a folder. `pack` joins
them into the files that `explorer.key` reads.
"""

from __future__ import annotations

import argparse
import os
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np

from explorer.key.recipe import EPOCHS, SETTINGS, Shard, fingerprint, shards, space

FOLDER = Path(__file__).resolve().parents[2] / "assets" / "key" / "shards"
GROUP = 32


def make(shard: Shard, folder: Path = FOLDER) -> float:
    """Train a shard and write it; the seconds that it took.

    The file holds `cells`, the counts of rightly read images `curve` (cells, epochs), `validation` and `test` (cells,),
    `sizes` (validation and test images), the `seconds` of each cell's group shared out, and the recipe's `fingerprint`.
    """
    import torch

    from explorer.data import load_dataset
    from explorer.nets.grouped import GroupedTraining
    from explorer.runs.spec import trial_seed

    torch.set_num_threads(1)
    cells, data = space(), load_dataset(shard.dataset)
    sizes = len(data.validation.labels), len(data.test.labels)
    curve: list[Any] = []
    final: list[Any] = []
    seconds: list[float] = []
    for start in range(0, len(shard.cells), GROUP):
        begun = time.perf_counter()
        group = [cells.architecture_at(at) for at in shard.cells[start : start + GROUP]]
        training = GroupedTraining(
            cells, group, data, epochs=EPOCHS, settings=SETTINGS, seed=trial_seed(0, shard.seed)
        )
        curve.append(np.array([each.validation_accuracy for each in training]).T * sizes[0])
        training.recalibrate(data.train)
        scored = (training.scores(data.validation), training.scores(data.test))
        final.append(np.array(scored) * np.array(sizes)[:, None])
        seconds += [(time.perf_counter() - begun) / len(group)] * len(group)
    counts = np.concatenate(final, axis=1).round().astype(np.uint16)
    folder.mkdir(parents=True, exist_ok=True)
    unfinished = folder / f".{shard.file}.{os.getpid()}"
    with unfinished.open("wb") as file:
        np.savez_compressed(
            file,
            cells=np.array(shard.cells, dtype=np.uint16),
            curve=np.concatenate(curve).round().astype(np.uint16),
            validation=counts[0],
            test=counts[1],
            sizes=np.array(sizes, dtype=np.uint16),
            seconds=np.array(seconds, dtype=np.float32),
            fingerprint=np.array(fingerprint()),
        )
    unfinished.replace(folder / shard.file)
    return sum(seconds)


def missing(folder: Path = FOLDER, dataset: str = "") -> list[Shard]:
    """The shards that have no file of this recipe yet, in the order in which they are wanted."""
    wanted = (shard for shard in shards() if dataset in ("", shard.dataset))
    return [shard for shard in wanted if not _is_made(folder / shard.file)]


def _is_made(file: Path) -> bool:
    if not file.exists():
        return False
    with np.load(file, allow_pickle=False) as kept:
        return str(kept["fingerprint"]) == fingerprint()


def main() -> None:
    """Make what is missing, until the time is up."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--dataset", default="")
    parser.add_argument("--seconds", type=float, default=1e9, help="begin no shard after so many seconds")
    options = parser.parse_args()
    wanted, begun = missing(dataset=options.dataset), time.monotonic()
    print(f"{len(wanted)} shards are missing.", flush=True)
    with ProcessPoolExecutor(options.processes, mp_context=get_context("spawn")) as pool:
        waiting = [pool.submit(_in_time, shard, begun + options.seconds) for shard in wanted]
        for shard, future in zip(wanted, waiting, strict=True):
            taken = future.result()
            if taken is not None:
                print(f"{shard.file}: {taken:.0f} s", flush=True)


def _in_time(shard: Shard, deadline: float) -> float | None:
    return make(shard) if time.monotonic() < deadline else None


if __name__ == "__main__":
    main()
