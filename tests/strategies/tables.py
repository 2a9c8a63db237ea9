"""Tables for the tests of strategies: seeded, with interactions and noise, as real ones have."""

from __future__ import annotations

import numpy as np

from explorer.strategies.radix import weights_of
from explorer.strategies.table import Table

TINY = (3, 1, 2, 4)
SMALL = (4, 3, 5, 2)
EPOCHS = 9


def table_of(counts: tuple[int, ...], seed: int = 0, rows: int = 1, noise: float = 0.02) -> Table:
    """Accuracies around 0.6; rows differ by `noise`, curves rise to the last value and may cross."""
    rng = np.random.default_rng(seed)
    size = int(np.prod(counts))
    choices = np.arange(size)[:, None] // weights_of(counts) % np.array(counts)
    worth = rng.normal(size=size)
    for at, count in enumerate(counts):
        worth += 1.5 * rng.normal(size=count)[choices[:, at]]
    truth = 0.6 + 0.1 * worth / (worth.std() or 1.0)
    values = truth + noise * rng.normal(size=(rows, size))
    rising = 1 - np.exp(-np.arange(1, EPOCHS + 1) / 3)
    curves = values[..., None] * rising + 0.02 * rng.normal(size=(rows, size, EPOCHS))
    curves[..., -1] = values
    if rows == 1:
        values, curves = values[0], curves[0]
    return Table(counts, values, truth, curves, 1 + rng.random(size))
