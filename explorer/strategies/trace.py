"""What became of many repeats of one search on a table: every look, what it cost, and the best so far.

The best so far is the architecture with the highest value that the search saw, at whatever epoch, the earlier one of
equals (Li et al. 2018, Hyperband, Algorithm 1, return it as well). Its truth is what counts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from explorer.strategies.table import Floats, Ints, Table

BANDS = (0.05, 0.25, 0.5, 0.75, 0.95)


@dataclass(frozen=True, eq=False)
class Trace:
    """All arrays are (repeats, steps), a step being one ask; `epochs` (steps,) are those trained in all by then.

    `evaluations` and `seconds` are what was spent up to and with the step; one evaluation is a whole training.
    """

    name: str
    settings: Mapping[str, Any]
    seed: int
    places: Ints
    seen: Floats
    epochs: Ints
    evaluations: Floats
    seconds: Floats | None
    incumbents: Ints
    truth: Floats

    @property
    def repeats(self) -> int:
        """How many searches."""
        return len(self.places)

    def truth_after(self, spent: npt.ArrayLike, unit: str = "evaluations") -> Floats:
        """(repeats, points): the truth of the best so far once `spent` (points,) is spent; NaN before any result.

        A search that is through before keeps what it has. `unit` is "evaluations" or "seconds".
        """
        costs = self.evaluations if unit == "evaluations" else self.seconds
        assert costs is not None, "the table has no seconds"
        points = np.asarray(spent, np.float64)
        told = np.stack(
            [np.searchsorted(row, points + 1e-9, side="right") for row in costs]
        )  # (repeats, points)
        truth = np.take_along_axis(self.truth, np.maximum(told - 1, 0), axis=1)
        return np.where(told > 0, truth, np.nan)

    def bands(self, spent: npt.ArrayLike, unit: str = "evaluations") -> Floats:
        """(5, points): the 5, 25, 50, 75 and 95 % quantiles over repeats; NaN while a repeat has no result."""
        return np.quantile(self.truth_after(spent, unit), BANDS, axis=0)

    def final_ranks(self, truth: Floats) -> Ints:
        """(repeats,): the rank of what each repeat ended with, 1 being the best; equals share the better rank."""
        ordered = np.sort(truth)
        return len(truth) - np.searchsorted(ordered, self.truth[:, -1], side="right") + 1


def trace_of(
    name: str,
    settings: Mapping[str, Any],
    seed: int,
    table: Table,
    *,
    places: Ints,
    seen: Floats,
    epochs: Ints,
    extra: Ints,
) -> Trace:
    """The trace of what was looked at; `extra` (steps,) are the epochs that each step trained, of `table.epochs`."""
    share = extra / table.epochs
    best = np.maximum.accumulate(seen, axis=1)
    newer = np.concatenate([np.ones((len(seen), 1), bool), seen[:, 1:] > best[:, :-1]], axis=1)
    last = np.maximum.accumulate(np.where(newer, np.arange(seen.shape[1]), 0), axis=1)  # (repeats, steps)
    incumbents = np.take_along_axis(places, last, axis=1)
    return Trace(
        name,
        settings,
        seed,
        places,
        seen,
        epochs,
        np.broadcast_to(np.cumsum(extra) / table.epochs, places.shape),
        None if table.seconds is None else np.cumsum(table.seconds[places] * share, axis=1),
        incumbents,
        table.truth[incumbents],
    )
