"""The parameters of a run as flat columns: a nested choice becomes `optimizer`, `optimizer.momentum`.

A column knows how to be an axis: numbers (on a logarithm where the domain is one) or categories in the space's order.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from explorer.plots.tuning.scale import short

NAME = "_name"  # NNI's key for the name of a nested option
Cell = float | int | str | bool | None

_LOG = frozenset({"loguniform", "qloguniform", "lognormal", "qlognormal"})
_NORMAL = frozenset({"normal", "qnormal", "lognormal", "qlognormal"})


@dataclass(frozen=True)
class Column:
    """One flattened parameter.

    `options` are the categories of a choice as cells, in the space's order, and empty for numbers; `low` and `high`
    are the domain's ends where it has some, `step` its quantum.
    """

    path: str
    log: bool = False
    low: float | None = None
    high: float | None = None
    options: tuple[Cell, ...] = ()
    step: float | None = None
    whole: bool = False

    def words(self, cell: Cell) -> str:
        """A cell of this column as a reader knows it: a skip by its name, the inputs of an InputChoice as a list."""
        chosen = _inputs(cell)
        if chosen is None or any(_inputs(option) is None for option in self.options):
            return label(cell)
        one_source = all(option in ("[]", "[0]") for option in self.options)
        if one_source and cell in ("[]", "[0]"):
            return "skip" if chosen else "no skip"
        return ", ".join(map(str, chosen)) or "none"

    @property
    def is_number(self) -> bool:
        """Whether its axis is one of numbers; a choice among numbers is a category, as it is for a tuner."""
        return not self.options


def flatten(parameters: Mapping[str, Any] | None, before: str = "") -> dict[str, Cell]:
    """Path -> cell. Lists are written as JSON text."""
    cells: dict[str, Cell] = {}
    for name, value in (parameters or {}).items():
        if name == NAME:
            continue
        path = f"{before}{name}"
        if isinstance(value, Mapping):
            if NAME in value:
                cells[path] = str(value[NAME])
            cells |= flatten(value, f"{path}.")
        else:
            cells[path] = _cell(value)
    return cells


def columns_of(
    search_space: Mapping[str, Any] | None, seen: Sequence[Mapping[str, Cell]]
) -> tuple[Column, ...]:
    """The space's columns in its order, then what trials have beyond it (the choices of a joint space)."""
    found: dict[str, Column] = {}
    for column in _declared(search_space or {}, ""):
        found[column.path] = _merged(found[column.path], column) if column.path in found else column
    for path in dict.fromkeys(path for cells in seen for path in cells):
        if path not in found:
            found[path] = _observed(path, [cells[path] for cells in seen if path in cells])
        elif found[path].options:
            extra = {cells[path] for cells in seen if path in cells} - set(found[path].options)
            found[path] = replace(found[path], options=(*found[path].options, *sorted(extra, key=_by_size)))
    return tuple(found.values())


def _declared(form: Mapping[str, Any], before: str) -> Iterable[Column]:
    for name, domain in form.items():
        kind, values = domain["_type"], domain["_value"]
        path = f"{before}{name}"
        if kind != "choice":
            yield _numbers(path, kind, values)
            continue
        options = [value[NAME] if isinstance(value, Mapping) else _cell(value) for value in values]
        yield Column(path, options=tuple(dict.fromkeys(options)))
        for value in values:
            if isinstance(value, Mapping):
                yield from _declared({key: inner for key, inner in value.items() if key != NAME}, f"{path}.")


def _numbers(path: str, kind: str, values: Sequence[float]) -> Column:
    low, high = (None, None) if kind in _NORMAL else (float(values[0]), float(values[1]))
    if kind == "randint":
        return Column(path, low=low, high=float(values[1]) - 1, step=1, whole=True)
    return Column(path, kind in _LOG, low, high, step=float(values[2]) if kind.startswith("q") else None)


def _merged(one: Column, other: Column) -> Column:
    """Two options that name a parameter alike share a column, as wide as both."""
    if one.options or other.options:
        return replace(one, options=tuple(dict.fromkeys((*one.options, *other.options))))
    bounded = None not in (one.low, other.low, one.high, other.high)
    low = min(one.low or 0.0, other.low or 0.0) if bounded else None
    high = max(one.high or 0.0, other.high or 0.0) if bounded else None
    return Column(one.path, one.log and other.log, low, high, whole=one.whole and other.whole)


def _observed(path: str, cells: Sequence[Cell]) -> Column:
    """A column that no space declares: numbers where all are, else categories by name."""
    if cells and all(_is_number(cell) for cell in cells):
        return Column(path, whole=all(isinstance(cell, int) for cell in cells))
    return Column(path, options=tuple(sorted(set(cells), key=_by_size)))


def _by_size(cell: Cell) -> tuple[int, str]:
    return len(str(cell)), str(cell)


def _cell(value: Any) -> Cell:
    if value is None or isinstance(value, str | bool | int | float):
        return value
    return json.dumps(value, default=str)


def _is_number(cell: Cell) -> bool:
    return isinstance(cell, int | float) and not isinstance(cell, bool) and math.isfinite(cell)


def as_number(cell: Cell) -> float | None:
    """The cell as a finite number, or None where it is none."""
    return float(cell) if _is_number(cell) else None  # type: ignore[arg-type]


@dataclass(frozen=True)
class Ruler:
    """A column as a line from 0 to 1: where a cell lies on it, and its ticks (position, label)."""

    column: Column
    low: float
    high: float
    ticks: tuple[tuple[float, str], ...]

    def at(self, cell: Cell) -> float | None:
        """The position of a cell; None where it has none."""
        if self.column.options:
            if cell not in self.column.options:
                return None
            return _place(self.column.options.index(cell), len(self.column.options))
        value = as_number(cell)
        if value is None or (self.column.log and value <= 0):
            return None
        return (_power(value, self.column.log) - self.low) / (self.high - self.low)


def ruler(column: Column, cells: Iterable[Cell], most_ticks: int = 5) -> Ruler:
    """The column's ruler, wide enough for its domain and for these cells."""
    from explorer.plots.tuning.frame import log_ticks, plain_ticks

    if column.options:
        count = len(column.options)
        labels = [(_place(at, count), column.words(option)) for at, option in enumerate(column.options)]
        every = max(1, math.ceil(count / 12))
        return Ruler(column, 0.0, 1.0, tuple(labels[::every]))
    numbers = [value for cell in cells if (value := as_number(cell)) is not None]
    numbers += [end for end in (column.low, column.high) if end is not None]
    numbers = [value for value in numbers if value > 0] if column.log else numbers
    numbers = numbers or [0.1, 1.0]
    low, high = _power(min(numbers), column.log), _power(max(numbers), column.log)
    if high - low <= 1e-12 * max(1.0, abs(low)):
        room = max(0.5, abs(low) / 100)
        low, high = low - room, high + room
    found = log_ticks(low, high, most_ticks) if column.log else plain_ticks(low, high, most_ticks)
    ticks = ((_power(value, column.log), value) for value in found)
    return Ruler(column, low, high, tuple(((at - low) / (high - low), label(value)) for at, value in ticks))


def _inputs(cell: Cell) -> list[Any] | None:
    """The list that a cell tells as JSON text; None for any other cell."""
    if not isinstance(cell, str) or not cell.startswith("["):
        return None
    try:
        found: list[Any] = json.loads(cell)  # begins with a bracket, so it is a list or no JSON
    except ValueError:
        return None
    return found


def label(cell: Cell) -> str:
    """A cell in few characters."""
    if isinstance(cell, bool) or not isinstance(cell, int | float):
        return "none" if cell is None else str(cell)
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e4, "k")):
        if abs(cell) >= size:
            return f"{cell / min(size, 1e3 if letter == 'k' else size):.3g}{letter}"
    return short(cell)


def _place(index: int, count: int) -> float:
    return (index + 0.5) / count


def _power(value: float, log: bool) -> float:
    return math.log10(value) if log else value


def place(scale: Ruler, cell: Cell, trial_id: int, room: float = 0.5) -> float | None:
    """Where a trial's cell lies on a ruler; categories and few whole numbers are spread over `room` of their place."""
    at = scale.at(cell)
    if at is None:
        return None
    if scale.column.options:
        return at + room * jitter(trial_id) / len(scale.column.options)
    few = scale.column.whole and scale.high - scale.low <= 20
    return at + (0.5 * room * jitter(trial_id) / (scale.high - scale.low + 1) if few else 0.0)


def jitter(trial_id: int) -> float:
    """A number in [-0.5, 0.5) that belongs to a trial, so that equal categories do not hide each other.

    Multiples of the golden ratio spread evenly, whichever trials are drawn.
    """
    return (trial_id * 0.6180339887498949) % 1 - 0.5
