"""Trains every cell of a small space from scratch, so that what a one-shot search derives can be ranked.

125 cells (3 nodes, 5 operations an edge, 4 channels, 2 stages) on noisy digits, 20 epochs, 3 seeds. Writes
`benchmarks/oneshot_truth.csv` row by row and goes on where it was interrupted: python -m benchmarks.oneshot_truth
"""

from __future__ import annotations

import csv
import statistics
from collections.abc import Iterator
from pathlib import Path

import torch

from explorer.data import load_dataset
from explorer.nets.network import NetworkModule
from explorer.nets.training import evaluate, train
from explorer.runs.spec import trial_seed
from explorer.space import CellSpace, Input, full_edges, preset

FILE = Path(__file__).with_name("oneshot_truth.csv")
DATASET = "noisy-digits"
EPOCHS, SEEDS = 20, 3
SETTINGS = {"learning_rate": 0.1, "batch_size": 32, "weight_decay": 5e-4}


def small_cell() -> CellSpace:
    """The space `cell` with one node fewer."""
    return CellSpace(
        name="cell-3",
        title="Cell with 3 nodes",
        input=Input(channels=1, side=8, from_dataset=True),
        nodes=3,
        edges=full_edges(3),
        operations=preset("cell").operations,
        channels=4,
        stages=2,
    )


def truth() -> dict[str, tuple[float, ...]]:
    """Code -> validation accuracy of each seed, for every cell that was trained with all seeds."""
    found: dict[str, list[float]] = {}
    for row in _rows():
        found.setdefault(row["code"], []).append(float(row["validation"]))
    return {code: tuple(values) for code, values in found.items() if len(values) == SEEDS}


def means() -> dict[str, float]:
    """Code -> mean validation accuracy."""
    return {code: statistics.fmean(values) for code, values in truth().items()}


def rank(code: str) -> tuple[int, int]:
    """Where a cell stands (1 is the best) among how many cells that are connected."""
    space, known = small_cell(), means()
    live = {one: value for one, value in known.items() if space.lower(space.from_code(one)).is_connected}
    return 1 + sum(value > known[code] for value in live.values()), len(live)


def _rows() -> Iterator[dict[str, str]]:
    if FILE.exists():
        with FILE.open() as file:
            yield from csv.DictReader(file)


def main() -> None:
    """Train what is missing."""
    torch.set_num_threads(1)
    space, data = small_cell(), load_dataset(DATASET)
    known = {(row["code"], int(row["seed"])) for row in _rows()}
    begun = FILE.exists()
    with FILE.open("a", newline="") as file:
        rows = csv.writer(file)
        if not begun:
            rows.writerow(["code", "seed", "validation", "test"])
        for architecture in space:
            code = space.code(architecture)
            for seed in range(SEEDS):
                if (code, seed) in known:
                    continue
                module = NetworkModule(space.lower(architecture))
                for result in train(module, data, epochs=EPOCHS, settings=SETTINGS, seed=trial_seed(0, seed)):
                    reached = result.validation_accuracy
                tested = evaluate(module, data.test).accuracy
                rows.writerow([code, seed, f"{reached:.4f}", f"{tested:.4f}"])
                file.flush()


if __name__ == "__main__":
    main()
