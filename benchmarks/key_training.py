"""How fast the answer key's cells are trained: one by one, in a group, and in groups on two processes.

    python -m benchmarks.key_training [--cells 32] [--epochs 4] [--rounds 3]

The same cells on noisy digits with the key's recipe, one torch thread a process, validation after every epoch included.
The three ways take turns; the median of the rounds counts. Networks a second are reckoned for the key's 20 epochs.
"""

from __future__ import annotations

import argparse
import random
import statistics
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

from explorer.key.recipe import EPOCHS, NOISY, SETTINGS, space


def one_by_one(codes: Sequence[str], epochs: int) -> float:
    """Seconds for all of them."""
    import torch

    from explorer.data import load_dataset
    from explorer.nets.network import NetworkModule
    from explorer.nets.training import train

    torch.set_num_threads(1)
    data, cells = load_dataset(NOISY), space()
    begun = time.perf_counter()
    for code in codes:
        module = NetworkModule(cells.lower(cells.from_code(code)))
        for _, _ in zip(
            range(epochs), train(module, data, epochs=EPOCHS, settings=SETTINGS, seed=0), strict=False
        ):
            pass
    return time.perf_counter() - begun


def grouped(codes: Sequence[str], epochs: int) -> float:
    """Seconds for all of them, 32 at once."""
    import torch

    from explorer.data import load_dataset
    from explorer.nas.key_making import GROUP
    from explorer.nets.grouped import GroupedTraining

    torch.set_num_threads(1)
    data, cells = load_dataset(NOISY), space()
    begun = time.perf_counter()
    for start in range(0, len(codes), GROUP):
        group = [cells.from_code(code) for code in codes[start : start + GROUP]]
        training = GroupedTraining(cells, group, data, epochs=EPOCHS, settings=SETTINGS, seed=0)
        for _, _ in zip(range(epochs), training, strict=False):
            pass
    return time.perf_counter() - begun


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--cells", type=int, default=32)
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    codes = [space().code(one) for one in space().sample(options.cells, random.Random(0))]
    took: dict[str, list[float]] = {"one by one": [], "grouped": [], "grouped, two processes": []}
    with (
        ProcessPoolExecutor(1, mp_context=get_context("spawn")) as one,
        ProcessPoolExecutor(2, mp_context=get_context("spawn")) as two,
    ):
        for pool, count in (one, 1), (two, 2):  # imports and the first batch do not count
            list(pool.map(grouped, [codes] * count, [1] * count))
        for _ in range(options.rounds):
            took["one by one"].append(one.submit(one_by_one, codes, options.epochs).result())
            took["grouped"].append(one.submit(grouped, codes, options.epochs).result())
            begun = time.perf_counter()
            list(two.map(grouped, [codes] * 2, [options.epochs] * 2))
            took["grouped, two processes"].append((time.perf_counter() - begun) / 2)
    print("| way | networks a second | times the first | times the one before |")
    print("|---|---|---|---|")
    rates = [
        options.cells * options.epochs / EPOCHS / statistics.median(seconds) for seconds in took.values()
    ]
    for at, (name, rate) in enumerate(zip(took, rates, strict=True)):
        before = f"{rate / rates[at - 1]:.2f}" if at else ""
        print(f"| {name} | {rate:.2f} | {rate / rates[0]:.2f} | {before} |")


if __name__ == "__main__":
    main()
