"""A table to search instead of training: what a search sees of every architecture of a space, and what is true.

Values may be one number an architecture (its mean), or several rows of them (one a seed): then each repeat of a search
draws, for every architecture, one row that it sees whenever it looks.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from explorer.errors import SpecError
from explorer.strategies.contract import checked_counts

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Table:
    """Places are those of the space's own numbering. Higher is better.

    `values`: (size,) or (rows, size), what a search sees after a whole training; `truth`: (size,), what judges it;
    `curves`: (size, epochs) or (rows, size, epochs), what it sees after each epoch; `seconds`: (size,), of a whole
    training.
    After the last epoch `values` count, which may be measured more carefully than a curve's end. Raises SpecError when
    the shapes do not fit or a number is not finite.
    """

    counts: tuple[int, ...]
    values: Floats
    truth: Floats
    curves: npt.NDArray[np.floating[Any]] | None = None
    seconds: Floats | None = None

    def __post_init__(self) -> None:
        checked_counts(self.counts)
        rows = (self.rows,) if self.values.ndim > 1 else ()
        wanted: Mapping[str, tuple[Any, tuple[int, ...]]] = {
            "values": (self.values, (*rows, self.size)),
            "truth": (self.truth, (self.size,)),
            "curves": (self.curves, (*rows, self.size, self.epochs)),
            "seconds": (self.seconds, (self.size,)),
        }
        for name, (array, shape) in wanted.items():
            if array is not None and array.shape != shape:
                raise SpecError(f"The table's {name} have the shape {array.shape}; give {shape}.")
            if array is not None and not np.isfinite(array).all():
                raise SpecError(
                    f"The table's {name} hold what is no finite number; give one for every architecture."
                )

    @property
    def size(self) -> int:
        """Architectures."""
        return math.prod(self.counts)

    @property
    def rows(self) -> int:
        """How many values there are of each architecture."""
        return self.values.shape[0] if self.values.ndim > 1 else 1

    @property
    def epochs(self) -> int:
        """Epochs of a whole training; 1 where there are no curves, a training being the unit then."""
        return 1 if self.curves is None else self.curves.shape[-1]


@dataclass(frozen=True, eq=False)
class Seen:
    """What `repeats` searches see of a table: `row` (repeats, size) is the drawn row, None where there is only one."""

    table: Table
    row: npt.NDArray[np.uint8] | None

    @classmethod
    def draw(cls, table: Table, repeats: int, rng: np.random.Generator) -> Seen:
        """A row for each repeat and architecture, uniformly."""
        if table.rows == 1:
            return cls(table, None)
        return cls(table, rng.integers(0, table.rows, (repeats, table.size), np.uint8))

    def look(self, repeats: Ints, places: Ints, epochs: int | None = None) -> Floats:
        """The values at `places`, each as its repeat sees it after so many epochs, None for a whole training.

        `repeats` and `places` broadcast against each other; the result has their common shape.
        """
        table = self.table
        index: tuple[Any, ...] = (places,)
        if table.values.ndim > 1:
            index = (0 if self.row is None else self.row[repeats, places], places)
        if epochs is None or epochs == table.epochs:
            return np.broadcast_to(table.values[index], np.broadcast_shapes(repeats.shape, places.shape))
        assert table.curves is not None
        return table.curves[(*index, epochs - 1)].astype(np.float64)
