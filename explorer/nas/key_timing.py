"""Measures what one training of a cell alone takes, so that the answer key can say seconds for every cell.

    python -m explorer.nas.key_timing [--cells 40] [--epochs 2] [--rounds 3]

The key is trained 32 cells at once, where no cell has seconds of its own. A network computes each of its edges, so the
time of a training is a sum over them: cells drawn by a fixed seed are trained one by one with the ordinary trainer, one
thread, and the time of an edge with each operation is fitted by least squares. It is processor time, the shortest of
some rounds, so that other work on the machine matters little.
"""

from __future__ import annotations

import argparse
import json
import random
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import nnls

from explorer.key.recipe import DATASETS, EPOCHS, SETTINGS, space
from explorer.key.table import FOLDER
from explorer.nas.key_packing import SECONDS
from explorer.space import Architecture


def counts_of(architectures: Sequence[Architecture]) -> NDArray[np.int64]:
    """(n, operations): on how many edges each operation stands; a row sums to the number of edges."""
    return np.array(
        [[list(each.values()).count(operation) for operation in space().operations] for each in architectures]
    )


def fitted(counts: NDArray[np.int64], seconds: NDArray[np.float64]) -> tuple[NDArray[np.float64], float]:
    """Seconds of an edge with each operation (operations,), and the mean relative error on cells left out of the fit.

    None is negative. An edge bears its share of what every network has.
    """

    def solved(kept: NDArray[np.bool_]) -> NDArray[np.float64]:
        found: NDArray[np.float64] = nnls(counts[kept].astype(float), seconds[kept])[0]
        return found

    everybody = np.ones(len(seconds), bool)
    errors = []
    for at in range(len(seconds)):
        kept = everybody.copy()
        kept[at] = False
        errors.append(abs(counts[at] @ solved(kept) / seconds[at] - 1))
    return solved(everybody), float(np.mean(errors))


def measured(
    dataset: str,
    architectures: Sequence[Architecture],
    epochs: int,
    rounds: int = 1,
    clock: Callable[[], float] = time.process_time,
) -> NDArray[np.float64]:
    """(n,) seconds of the key's whole training of each, validation after every epoch included.

    The shortest of the rounds counts, reckoned from `epochs` to those of the key.
    """
    import torch

    from explorer.data import load_dataset
    from explorer.nets.network import NetworkModule
    from explorer.nets.training import train

    torch.set_num_threads(1)
    data, cells = load_dataset(dataset), space()
    taken = np.full((rounds, len(architectures)), np.inf)
    for round_ in range(rounds):
        for at, architecture in enumerate(architectures):
            module = NetworkModule(cells.lower(architecture))
            training = train(
                module, data, epochs=EPOCHS, settings=SETTINGS, seed=0, device=torch.device("cpu")
            )
            begun = clock()
            for _ in range(epochs):
                next(training)
            taken[round_, at] = (clock() - begun) * EPOCHS / epochs
    shortest: NDArray[np.float64] = taken.min(axis=0)
    return shortest


def main() -> None:
    """Measure both datasets and write `seconds.json`."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--cells", type=int, default=40)
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--to", type=Path, default=FOLDER / SECONDS)
    options = parser.parse_args()
    architectures = space().sample(options.cells, random.Random(0))
    counts, told = counts_of(architectures), {}
    for dataset in DATASETS:
        seconds = measured(dataset, architectures, options.epochs, options.rounds)
        found, error = fitted(counts, seconds)
        told[dataset] = {
            "an_edge": {
                name: round(float(value), 5) for name, value in zip(space().operations, found, strict=True)
            },
            "cells": options.cells,
            "error": round(error, 4),
        }
        print(
            f"{dataset}: {seconds.min():.2f} to {seconds.max():.2f} s a training; error {100 * error:.1f} %"
        )
    options.to.write_text(json.dumps(told, indent=1) + "\n")


if __name__ == "__main__":
    main()
