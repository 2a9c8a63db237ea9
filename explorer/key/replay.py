"""What training would have shown: learning curves and validation scores of recorded seeds, for many cells at once.

A curve is validation accuracy with the running statistics as they stood; the score at the end is recalibrated, so it is
not the curve's last value.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from explorer.key.record import Cell, Floats, Key


@dataclass(frozen=True, eq=False)
class Curve:
    """Validation accuracy after every epoch: (seeds, epochs), the seeds' names, and the mean (epochs,)."""

    seeds: tuple[int, ...]
    values: Floats
    mean: Floats


def curve(key: Key, cell: Cell) -> Curve:
    """All recorded learning curves of a cell."""
    at = key.position[key.place(cell)]
    rows = slice(int(key.first_row[at]), int(key.first_row[at] + key.seeds[at]))
    values = key.curves[rows] / key.sizes[0]
    return Curve(tuple(int(seed) for seed in key.row_seed[rows]), values, values.mean(axis=0))


def at_epoch(key: Key, places: Any, epoch: int, seed: Any = None) -> Floats:
    """(n,) validation accuracy after `epoch` (from 1) with one recorded seed for all or one each; None: their mean."""
    column = key.epoch(epoch)
    if seed is None:
        return key.mean_curves[key.positions(places), column]
    return key.curves[key.rows(places, seed), column] / key.sizes[0]


def scores(key: Key, places: Any, seed: Any = None) -> Floats:
    """(n,) validation accuracy at the end of training: what a search is told."""
    if seed is None:
        return key.validation_means[key.positions(places)]
    return key.row_validation[key.rows(places, seed)] / key.sizes[0]
