"""Which recipe of training tells the cells of the answer key apart best.

    python -m benchmarks.key_recipe [--cells 64] [--seeds 6] [--dataset noisy-digits]

The same cells, drawn at random among the connected ones, are trained by each recipe with each seed, and scored on the
test images three ways: with batch norm's running statistics, with statistics measured anew on the training images, and
with those of the test images. *Split-half* is the Spearman correlation between the mean over the even and the mean
over the odd seeds, *seed to seed* the mean over pairs of single seeds, *ICC* the share of one score's variance that is
between cells (one-way, Shrout & Fleiss 1979, ICC(1)).
"""

from __future__ import annotations

import argparse
import itertools
import random
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import spearmanr

from explorer.key.recipe import SPACE

RECIPES: dict[str, dict[str, Any]] = {
    "rate .1, 20 epochs": {"learning_rate": 0.1, "epochs": 20},
    "rate .05, 20 epochs": {"learning_rate": 0.05, "epochs": 20},
    "rate .2, 20 epochs": {"learning_rate": 0.2, "epochs": 20},
    "rate .1, 12 epochs": {"learning_rate": 0.1, "epochs": 12},
}
WAYS = ("running", "measured anew", "of the test batch")


def main() -> None:
    """Print the table, a recipe after the other."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--cells", type=int, default=64)
    parser.add_argument("--seeds", type=int, default=6)
    parser.add_argument("--dataset", default="noisy-digits")
    parser.add_argument("--processes", type=int, default=2)
    options = parser.parse_args()
    print(
        "| recipe | statistics | mean | range | sd of seeds | ICC | seed to seed | split-half | s a network |"
    )
    print("|---|---|---|---|---|---|---|---|---|")
    with ProcessPoolExecutor(options.processes, mp_context=get_context("spawn")) as pool:
        for name, recipe in RECIPES.items():
            given = [(options.dataset, recipe, options.cells, seed) for seed in range(options.seeds)]
            told = list(pool.map(scored, given))
            seconds = sum(each[1] for each in told) / options.cells / options.seeds
            for at, way in enumerate(WAYS):
                table = np.stack([each[0][at] for each in told], axis=1)  # (cells, seeds)
                print(f"| {name} | {way} | {_row(table)} | {seconds:.2f} |", flush=True)


def scored(given: tuple[str, dict[str, Any], int, int]) -> tuple[NDArray[np.float64], float]:
    """((ways, cells) test accuracies, seconds) of one seed."""
    import torch

    from explorer.data import load_dataset
    from explorer.nets.grouped import GroupedTraining
    from explorer.runs.spec import trial_seed
    from explorer.space import preset

    torch.set_num_threads(1)
    dataset, recipe, count, seed = given
    space = preset(SPACE)
    data = load_dataset(dataset)
    cells = [one for one in space.sample(3 * count, random.Random(0)) if space.lower(one).is_connected][
        :count
    ]
    settings = {"weight_decay": 5e-4, "gradient_clip": 0.0, **recipe}
    epochs = settings.pop("epochs")
    begun, found = time.perf_counter(), []
    for at in range(0, count, 32):
        training = GroupedTraining(
            space, cells[at : at + 32], data, epochs=epochs, settings=settings, seed=trial_seed(0, seed)
        )
        for _ in training:
            pass
        found.append([training.scores(data.test)])
        training.recalibrate(data.train)
        found[-1].append(training.scores(data.test))
        training.recalibrate(data.test)
        found[-1].append(training.scores(data.test))
    return np.concatenate(found, axis=1), time.perf_counter() - begun


def _row(table: NDArray[np.float64]) -> str:
    means = table.mean(1)
    within = table.var(1, ddof=1).mean()
    between = means.var(ddof=1) - within / table.shape[1]
    pairs = [
        spearmanr(table[:, a], table[:, b])[0] for a, b in itertools.combinations(range(table.shape[1]), 2)
    ]
    halves = spearmanr(table[:, ::2].mean(1), table[:, 1::2].mean(1))[0]
    return (
        f"{means.mean():.3f} | {means.min():.3f} to {means.max():.3f} | {within**0.5:.4f} | "
        f"{between / (between + within):.3f} | {np.mean(pairs):.3f} | {halves:.3f}"
    )


if __name__ == "__main__":
    main()
