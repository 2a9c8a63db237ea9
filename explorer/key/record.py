"""One answer key in memory: what every trained cell and seed scored, and where each cell stands in it.

A *place* is an architecture's number in the key's space (0 .. size - 1), a *position* its row among the cells that were
trained. Test accuracy judges; validation accuracy is what a search would have seen. Statistics on it are in `look`,
`around`, `effects`, `replay` and `truth`; files in `table`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from explorer.errors import OutsideKey, SpecError
from explorer.space import CellSpace, SearchSpace, edge_label, load_architecture

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Cell = Mapping[str, Any] | int | str  # choices, a place, or text that `load_architecture` reads

NONE = "none"
ONE_BYTE = 256  # a seed is written in one byte


@dataclass(frozen=True, eq=False)
class Key:
    """All trained cells of `space` on `dataset`; m cells, r rows (a cell and a seed each), sorted by cell and seed.

    `row_validation` and `row_test` count rightly read images out of `sizes`, with batch-norm statistics recalibrated
    on training data; the curve's (r, epochs) are read by `read_curve` when somebody asks.
    """

    dataset: str
    space: CellSpace
    epochs: int
    sizes: tuple[int, int]  # validation and test images
    cells: Ints  # (m,) places, ascending
    row_cell: Ints  # (r,)
    row_seed: Ints  # (r,)
    row_validation: Ints  # (r,)
    row_test: Ints  # (r,)
    parameters: Ints  # (m,)
    macs: Ints  # (m,)
    seconds: Floats  # (m,) of one whole training, alone where that was measured, else its share in its group
    read_curve: Callable[[], NDArray[np.uint16]] = field(repr=False)

    # -- places -----------------------------------------------------------------------------------------

    @cached_property
    def position(self) -> Ints:
        """(size,) place -> position, -1 where no seed was trained."""
        found = np.full(self.space.size, -1, dtype=np.int64)
        found[self.cells] = np.arange(len(self.cells))
        return found

    @cached_property
    def labels(self) -> tuple[str, ...]:
        """The labels of the edges, in the space's order."""
        return tuple(mutable.label for mutable in self.space.mutables)

    @cached_property
    def weights(self) -> Ints:
        """(edges,) what one step of an edge's operation adds to the place."""
        return len(self.space.operations) ** np.arange(len(self.labels), dtype=np.int64)

    def digits(self, places: Ints) -> Ints:
        """(n,) places -> (n, edges) indices of operations."""
        return places[:, None] // self.weights % len(self.space.operations)

    def grid(self, options: Mapping[str, Sequence[str]]) -> Ints:
        """The places of all cells with `options` (label -> operations; all where left out): one axis an edge."""
        total = np.zeros((1,) * len(self.labels), dtype=np.int64)
        for at, label in enumerate(self.labels):
            names = options.get(label, self.space.operations)
            steps = np.array([self._digit(label, name) for name in names], dtype=np.int64) * self.weights[at]
            total = total + steps.reshape([-1 if axis == at else 1 for axis in range(len(self.labels))])
        return total

    def places(self, architectures: Iterable[Mapping[str, Any]]) -> Ints:
        """(n,) the places of architectures, trained or not; raises OutsideKey."""
        return np.array([self._place_of(each) for each in architectures], dtype=np.int64)

    def place(self, cell: Cell) -> int:
        """The place of a cell that the key holds; raises OutsideKey, or what reading the text raises."""
        if isinstance(cell, str):
            space, cell = load_architecture(cell, self.space)
            why = self.covers(space, self.dataset)
            if why:
                raise OutsideKey(why)
        place = self._place_of(cell) if isinstance(cell, Mapping) else int(cell)
        self.positions(np.array([place]))
        return place

    def positions(self, places: Any) -> Ints:
        """(n,) places -> (n,) positions; raises OutsideKey for the first that was not trained."""
        given = np.asarray(places, dtype=np.int64)
        strange = given[(given < 0) | (given >= self.space.size)]
        if len(strange):
            raise OutsideKey(
                f"{strange[0]} is no number of a cell; {self.space.name} counts from 0 to {self.space.size - 1}."
            )
        found = self.position[given]
        if (found < 0).any():
            raise OutsideKey(
                f"{self.text(int(given[found < 0][0]))} was not trained: the answer key of {self.dataset} holds "
                f"{len(self.cells):,} of the {self.space.size:,} cells."
            )
        return found

    def text(self, place: int) -> str:
        """`cell:340213`"""
        return f"{self.space.name}:{self.space.code(self.space.architecture_at(place))}"

    def _place_of(self, architecture: Mapping[str, Any]) -> int:
        unknown = [label for label in architecture if label not in self.labels]
        if unknown or not architecture:
            raise OutsideKey(
                f"The answer key is about {self.space.name}, whose choices are {', '.join(self.labels)}; "
                f"this architecture of another space has {', '.join(map(str, unknown[:3])) or 'none'}."
            )
        digits = [self._digit(label, architecture.get(label, NONE)) for label in self.labels]
        return int(digits @ self.weights)

    def _digit(self, label: str, operation: Any) -> int:
        if operation in self.space.operations:
            return self.space.operations.index(operation)
        raise OutsideKey(
            f"{label} is {operation!r}, which the answer key never trained; "
            f"it knows {', '.join(self.space.operations)}."
        )

    # -- what it is about -------------------------------------------------------------------------------

    def covers(self, space: SearchSpace, dataset: str) -> str:
        """ "" when every architecture of `space` is a cell of the key's space and `dataset` is its data; else why not.

        Fewer operations or edges are fine: an edge that is left out is `none`. Whether all of these cells were
        trained is `missing`'s business.
        """
        other = self._other_space(space)
        if other:
            return f"The answer key is about the space {self.space.name!r}; {space.name!r} is another one: {other}."
        if dataset != self.dataset:
            return (
                f"The answer key was trained on {self.dataset}; on {dataset} accuracies and ranks are others."
            )
        return ""

    def _other_space(self, space: SearchSpace) -> str:
        if not isinstance(space, CellSpace):
            return "it has no such cells"
        for name in ("nodes", "channels", "stages"):
            here, there = getattr(self.space, name), getattr(space, name)
            if here != there:
                return f"it has {name} {there} instead of {here}"
        strange = [name for name in space.operations if name not in self.space.operations]
        strange += [edge_label(edge) for edge in space.edges if edge not in self.space.edges]
        if strange:
            return f"it has {strange[0]}, which the key never trained"
        if not space.input.from_dataset and space.input.shape != self.space.input.shape:
            return f"its input is {space.input.shape} instead of the dataset's {self.space.input.shape}"
        return ""

    def within(self, space: CellSpace) -> Ints:
        """The places of all cells of a space that the key covers: one axis an edge, `none` where the space has none."""
        return self.grid(
            {
                edge_label(edge): space.operations if edge in space.edges else (NONE,)
                for edge in self.space.edges
            }
        )

    def missing(self, space: CellSpace) -> int:
        """How many cells of a space that the key covers were not trained."""
        return int((self.position[self.within(space)] < 0).sum())

    # -- what it says -----------------------------------------------------------------------------------

    @cached_property
    def first_row(self) -> Ints:
        """(m,) the row of each cell's first seed."""
        return np.searchsorted(self.row_cell, self.cells)

    @cached_property
    def seeds(self) -> Ints:
        """(m,) how many seeds each cell has."""
        return np.diff(self.first_row, append=len(self.row_cell))

    @cached_property
    def means(self) -> Floats:
        """(m,) mean test accuracy."""
        return self._means(self.row_test, self.sizes[1])

    @cached_property
    def validation_means(self) -> Floats:
        """(m,) mean validation accuracy."""
        return self._means(self.row_validation, self.sizes[0])

    @cached_property
    def sigma(self) -> float:
        """The standard deviation that a seed makes in test accuracy: within cells, pooled over the live ones."""
        return self._pooled(self.row_test / self.sizes[1])

    @cached_property
    def validation_sigma(self) -> float:
        """The same in validation accuracy; NaN, like the other, when no cell has two seeds."""
        return self._pooled(self.row_validation / self.sizes[0])

    @cached_property
    def alive(self) -> Flags:
        """(m,) whether anything but `none` leads from a cell's input to its output; the others read a constant."""
        carried = self.digits(self.cells) != self.space.operations.index(NONE)  # (m, edges)
        reached = np.zeros((len(self.cells), self.space.nodes), dtype=bool)
        reached[:, 0] = True
        for at, (source, target) in sorted(enumerate(self.space.edges), key=lambda item: item[1][1]):
            reached[:, target] |= reached[:, source] & carried[:, at]
        return reached[:, -1]

    @cached_property
    def ladders(self) -> tuple[tuple[int, Floats], ...]:
        """For every number of seeds the means of the cells that have so many, ascending."""
        return tuple(
            (int(count), np.sort(self.means[self.seeds == count])) for count in np.unique(self.seeds)
        )

    @cached_property
    def curves(self) -> NDArray[np.uint16]:
        """(r, epochs) validation images rightly read after every epoch, with the running statistics as they stood."""
        return self.read_curve()

    @cached_property
    def mean_curves(self) -> Floats:
        """(m, epochs) validation accuracy after every epoch, mean over seeds."""
        summed = np.add.reduceat(self.curves, self.first_row, axis=0, dtype=np.int64)
        return summed / (self.seeds * self.sizes[0])[:, None]

    def rows(self, places: Any, seeds: Any) -> Ints:
        """(n,) the rows of places with seeds (one for all, or one each); raises OutsideKey when one is not there."""
        self.positions(places)
        wanted = np.asarray(places, dtype=np.int64) * ONE_BYTE + np.asarray(seeds, dtype=np.int64)
        found = np.minimum(np.searchsorted(self._row_codes, wanted), len(self._row_codes) - 1)
        absent = wanted[self._row_codes[found] != wanted]
        if len(absent):
            place, seed = divmod(int(absent[0]), ONE_BYTE)
            raise OutsideKey(
                f"The answer key of {self.dataset} has no seed {seed} of {self.text(place)}; "
                f"it has {self.seeds[self.position[place]]} of that cell."
            )
        return found

    def epoch(self, epoch: int) -> int:
        """The column of an epoch, counted from 1; raises SpecError."""
        if 1 <= epoch <= self.epochs:
            return epoch - 1
        raise SpecError(f"The epoch is {epoch}; the answer key has 1 to {self.epochs}.")

    @cached_property
    def _row_codes(self) -> Ints:
        return self.row_cell * ONE_BYTE + self.row_seed

    def _means(self, counts: Ints, size: int) -> Floats:
        return np.add.reduceat(counts, self.first_row) / (self.seeds * size)

    def _pooled(self, values: Floats) -> float:
        counted = np.repeat(self.alive, self.seeds)  # (r,)
        centred = values - np.repeat(np.add.reduceat(values, self.first_row) / self.seeds, self.seeds)
        freedom = int((self.seeds - 1)[self.alive].sum())
        return float(np.sqrt((centred[counted] ** 2).sum() / freedom)) if freedom else float("nan")
