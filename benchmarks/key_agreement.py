"""How far the answer key agrees with a table of the cells of three nodes that other code trained.

    python -m benchmarks.key_agreement

`oneshot_truth.csv` was made before the key by `benchmarks.oneshot_truth`: noisy-digits and the key's recipe, but one
network after the other by `explorer.nets.training`, gradients cut at length 5, and scored with batch norm's running
statistics. In the key these cells have a fourth node that only hands on the third. That needs no weights, so seeds 0 to
2 mean the same weights at the start and the same order of images in both tables: the luck is shared.

So there are four numbers, Spearman correlations over the connected cells. *Same seeds*: the means of both tables, where
only the code differs. *Other seeds*: one seed of the key against the mean of the others in the table, averaged over
seeds; there the luck differs as well. *In the key*: that inside the key, which is what *other seeds* reaches when both
codes do the same. *Ceiling*: what the means of two tables with as many seeds, alike but for luck, have on average: the
root of the product of their reliabilities (Spearman 1904), each from halves stepped up (`key.truth.split_half`).
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from benchmarks.oneshot_truth import FILE, SEEDS, small_cell
from explorer.errors import ExplorerError
from explorer.key import LESSON, Key, load, spearman
from explorer.key.recipe import NOISY
from explorer.key.truth import split_half

Floats = NDArray[np.float64]
SPLITS = ("validation", "test")


def table(split: str) -> Mapping[str, Floats]:
    """Code -> (seeds,) accuracies of every connected cell."""
    space, found = small_cell(), dict[str, Floats]()
    with FILE.open() as file:
        for row in csv.DictReader(file):
            code = row["code"]
            if space.lower(space.from_code(code)).is_connected:
                found.setdefault(code, np.full(SEEDS, np.nan))[int(row["seed"])] = float(row[split])
    return found


def recorded(key: Key, codes: list[str], split: str) -> Floats:
    """(cells, seeds) accuracies of the same cells in the key; raises OutsideKey when one is missing."""
    space, at = small_cell(), SPLITS.index(split)
    fixed = {label: name for label, (name,) in LESSON.items()}
    places = key.places([{**space.from_code(code), **fixed} for code in codes])
    read = (key.row_validation, key.row_test)[at]
    return np.stack([read[key.rows(places, seed)] for seed in range(SEEDS)], axis=1) / key.sizes[at]


def one_against_others(one: Floats, other: Floats) -> float:
    """Mean Spearman of a seed of `one` and the mean of the other seeds of `other`, both (cells, seeds)."""
    return float(
        np.mean(
            [spearman(one[:, seed], np.delete(other, seed, axis=1).mean(axis=1)) for seed in range(SEEDS)]
        )
    )


def main() -> int:
    """Print a row of a table for validation and one for test; the exit status."""
    try:
        key = load(NOISY)
        rows = [_row(key, split) for split in SPLITS]
    except ExplorerError as error:
        print(error, file=sys.stderr)
        return 2
    print("| accuracy | cells | same seeds | other seeds | in the key | ceiling |")
    print("|---|---|---|---|---|---|", *rows, sep="\n")
    return 0


def _row(key: Key, split: str) -> str:
    known = table(split)
    other, ours = np.stack(list(known.values())), recorded(key, list(known), split)
    numbers = (
        spearman(ours.mean(axis=1), other.mean(axis=1)),
        one_against_others(ours, other),
        one_against_others(ours, ours),
        max(0.0, split_half(ours) * split_half(other)) ** 0.5,
    )
    return f"| {split} | {len(known)} | {' | '.join(f'{number:.3f}' for number in numbers)} |"


if __name__ == "__main__":
    sys.exit(main())
