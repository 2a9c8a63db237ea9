"""Trains cells of the answer key once more, from scratch and by its recipe, so that others can compare.

    python -m explorer.nas.key_checking DATASET SEEDS PLACE [PLACE ...]

trains each by itself, as runs do, and prints one JSON line: `validation` and `test`, lists (seeds, cells) of rightly
read images. `explorer.key.agreement` says what they mean; `python -m explorer key ARCHITECTURE --retrain N` does both.

A recorded seed that is trained again in the same group, on a machine that rounds alike, ends with the same counts. In
another group, alone or elsewhere sums are rounded otherwise, and 320 steps enlarge that: 16 such trainings ended up to
12 of 897 images away, where two seeds are 25 apart on average. So what must agree is the mean, within the seeds' luck.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from explorer.errors import ExplorerError
from explorer.key.recipe import DATASETS, EPOCHS, SETTINGS, space
from explorer.nas.key_making import GROUP, train_group

FRESH = 100  # the first seed that is no recorded one
Counts = NDArray[np.int64]


def fresh(count: int) -> tuple[int, ...]:
    """So many seeds that no key has."""
    return tuple(range(FRESH, FRESH + count))


def retrain(
    dataset: str,
    places: Sequence[int],
    seeds: Sequence[int],
    *,
    grouped: bool = True,
    settings: Mapping[str, Any] = SETTINGS,
    told: Callable[[int, int], object] = lambda done, of: None,
) -> Counts:
    """(seeds, 2, cells) validation and test images rightly read by cells trained with each of `seeds`.

    `grouped` trains up to GROUP cells in one batch as the key was made, otherwise one after the other as runs train
    them. `told` hears how many of how many trainings are done. Raises DataMissing.
    """
    import torch

    from explorer.data import load_dataset

    torch.set_num_threads(1)
    data, size = load_dataset(dataset), GROUP if grouped else 1
    train = train_group if grouped else _train_alone
    found = np.zeros((len(seeds), 2, len(places)), dtype=np.int64)
    for at, seed in enumerate(seeds):
        for start in range(0, len(places), size):
            part = slice(start, start + size)
            found[at, :, part] = train(data, places[part], seed, settings)[1]
            told(at * len(places) + min(start + size, len(places)), found.shape[0] * len(places))
    return found


def _train_alone(
    data: Any, places: Sequence[int], seed: int, settings: Mapping[str, Any]
) -> tuple[Counts, Counts]:
    """`key_making.train_group` of one cell by the trainer of single networks."""
    import torch
    from torch import nn

    from explorer.nets.network import NetworkModule
    from explorer.nets.training import evaluate, on_device, train
    from explorer.runs.spec import trial_seed

    cells, (place,) = space(), places
    module = NetworkModule(cells.lower(cells.architecture_at(place)))
    training = train(module, data, epochs=EPOCHS, settings=settings, seed=trial_seed(0, seed))
    validation, test = data.validation, data.test
    curve = [[each.validation_accuracy * len(validation.labels) for each in training]]
    norms = [part for part in module.modules() if isinstance(part, nn.BatchNorm2d)]
    for norm in norms:
        norm.momentum = 1.0  # the statistics of all training images and of nothing before
    module.train()
    with torch.no_grad():
        module(on_device(data.train, next(module.parameters()).device).images)
    final = [[evaluate(module, part).accuracy * len(part.labels)] for part in (validation, test)]
    return np.array(curve).round().astype(np.int64), np.array(final).round().astype(np.int64)


def main() -> int:
    """Train, with progress on standard error; the exit status."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("dataset", choices=DATASETS)
    parser.add_argument("seeds", type=int)
    parser.add_argument("places", type=int, nargs="+")
    options = parser.parse_args()
    try:
        found = retrain(options.dataset, options.places, fresh(options.seeds), grouped=False, told=_progress)
    except ExplorerError as error:
        print(f"explorer: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    print(json.dumps({"validation": found[:, 0].tolist(), "test": found[:, 1].tolist()}))
    return 0


def _progress(done: int, of: int) -> None:
    print(f"{done} of {of} trainings", end="\r" if done < of else "\n", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
