"""How fast searches are replayed on a table of 15,625 architectures: 500 repeats of 200 evaluations each.

    python -m benchmarks.replay [--repeats 500] [--budget 200]

The table is synthetic, and the answer key's own where it has been made. Looks are answers of the table, of which
halving takes several an evaluation; one evaluation is a whole training. Each asked strategy has 5 repeats only.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Iterator

import numpy as np

from explorer.catalogue import OWN_STRATEGIES, STRATEGIES
from explorer.strategies.replay import replay
from explorer.strategies.table import Table

COUNTS, EPOCHS, ASKED = (5,) * 6, 20, 5


def main() -> None:
    """A line a strategy, fastest kind first, and their sum."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--repeats", type=int, default=500)
    parser.add_argument("--budget", type=int, default=200)
    options = parser.parse_args()
    for label, table in tables():
        print(f"\n{label}: {table.size} architectures, load {os.getloadavg()[0]:.1f}")
        print("strategy            repeats  seconds  evaluations/s   looks/s   median truth at 50, 200")
        together = 0.0
        for fast in (True, False):
            for name in OWN_STRATEGIES:
                if (STRATEGIES[name].facts["replay"] == "lanes") == fast:
                    repeats = options.repeats if fast else min(ASKED, options.repeats)
                    seconds = row(name, table, options.budget, repeats)
                    together += seconds if fast else 0.0
        print(f"those with lanes together: {together:.2f} s")


def tables() -> Iterator[tuple[str, Table]]:
    """The synthetic table, and the key's."""
    yield "synthetic", synthetic()
    yield from key_table()


def synthetic(seed: int = 0) -> Table:
    """Main effects, pairs and noise of an architecture's own, three rows of values, rising curves."""
    rng = np.random.default_rng(seed)
    size = int(np.prod(COUNTS))
    choices = np.arange(size)[:, None] // 5 ** np.arange(6) % 5
    worth = 0.7 * rng.normal(size=size)
    for at in range(6):
        worth += rng.normal(size=5)[choices[:, at]]
        for other in range(at):
            worth += 0.5 * rng.normal(size=(5, 5))[choices[:, at], choices[:, other]]
    truth = 0.6 + 0.1 * worth / worth.std()
    values = truth + 0.02 * rng.normal(size=(3, size))
    curves = values[..., None] * (1 - np.exp(-np.arange(1, EPOCHS + 1) / 5))
    curves = (curves + 0.02 * rng.normal(size=curves.shape)).astype(np.float16)
    return Table(COUNTS, values, truth, curves, 1 + rng.random(size))


def key_table() -> Iterator[tuple[str, Table]]:
    """The answer key's three seeds as rows, judged by mean test accuracy; nothing where there is no whole key."""
    from explorer.key import at_epoch, available, load, scores

    for dataset in available():
        key = load(dataset)
        places = np.arange(key.space.size)
        if len(key.cells) < key.space.size:
            continue
        seeds = range(int(key.seeds.min()))
        epochs = range(1, key.epochs + 1)
        values = np.stack([scores(key, places, seed) for seed in seeds])  # (seeds, size)
        curves = np.stack(
            [np.stack([at_epoch(key, places, epoch, seed) for epoch in epochs], axis=1) for seed in seeds]
        )  # (seeds, size, epochs)
        counts = tuple(mutable.count for mutable in key.space.mutables)
        yield dataset, Table(counts, values, key.means, curves.astype(np.float16), key.seconds)


def row(name: str, table: Table, budget: int, repeats: int) -> float:
    """Print the measured line; gives the seconds."""
    begun = time.perf_counter()
    trace = replay(name, table, budget, repeats, 1)
    seconds = time.perf_counter() - begun
    looks = trace.places.size / seconds
    spent = repeats * trace.evaluations[0, -1] / seconds
    middle = trace.bands([min(50, budget), budget])[2]
    print(
        f"{name:<20}{repeats:>7}{seconds:>9.3f}{spent:>15,.0f}{looks:>10,.0f}   {middle[0]:.4f}, {middle[1]:.4f}"
    )
    return seconds


if __name__ == "__main__":
    main()
