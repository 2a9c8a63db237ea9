"""Brushing: what is selected in one view, as a record that every other view is narrowed by.

Trials by number (a box or a lasso in plotly reports them), ranges of numbers and sets of categories by column. Pure
functions; where a selection lives between two reruns is the page's business.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from explorer.plots.tuning.columns import Cell, as_number
from explorer.plots.tuning.table import Board, Row

FACTS = ("value", "trial", "seconds", "steps", "status", "origin")


@dataclass(frozen=True)
class Range:
    """A closed range of a column's numbers; the value is in the objective's own unit."""

    column: str
    low: float
    high: float


@dataclass(frozen=True)
class OneOf:
    """Some cells of a column."""

    column: str
    cells: frozenset[Cell]


@dataclass(frozen=True)
class Selection:
    """A trial is in when every condition holds; `trials` None means any. Empty conditions select everything."""

    trials: frozenset[int] | None = None
    ranges: tuple[Range, ...] = ()
    choices: tuple[OneOf, ...] = ()

    @property
    def is_everything(self) -> bool:
        """Whether nothing was brushed."""
        return self.trials is None and not self.ranges and not self.choices

    def holds(self, row: Row) -> bool:
        """Whether the row is in."""
        if self.trials is not None and row.trial_id not in self.trials:
            return False
        for part in self.ranges:
            number = as_number(_cell(row, part.column))
            if number is None or not part.low <= number <= part.high:
                return False
        return all(_cell(row, part.column) in part.cells for part in self.choices)

    def __and__(self, other: Selection) -> Selection:
        """What both select."""
        if self.trials is None or other.trials is None:
            trials = other.trials if self.trials is None else self.trials
        else:
            trials = self.trials & other.trials
        ranges = tuple(dict.fromkeys((*self.ranges, *other.ranges)))
        return Selection(trials, ranges, tuple(dict.fromkeys((*self.choices, *other.choices))))

    def __str__(self) -> str:
        """In words: `12 trials; lr from 0.001 to 0.1; optimizer is sgd`."""
        parts = (
            []
            if self.trials is None
            else [f"{len(self.trials)} {'trial' if len(self.trials) == 1 else 'trials'}"]
        )
        parts += [f"{part.column} from {part.low:.4g} to {part.high:.4g}" for part in self.ranges]
        parts += [f"{part.column} is {' or '.join(sorted(map(str, part.cells)))}" for part in self.choices]
        return "; ".join(parts) or "all trials"


EVERYTHING = Selection()


def apply(selection: Selection, rows: Iterable[Row]) -> tuple[Row, ...]:
    """The rows that are in, in their order."""
    return tuple(row for row in rows if selection.holds(row))


def narrow(board: Board, selection: Selection) -> Board:
    """The board with the selected rows."""
    return (
        board
        if selection.is_everything
        else board.only({row.trial_id for row in apply(selection, board.rows)})
    )


def union(selections: Sequence[Selection], rows: Sequence[Row]) -> Selection:
    """What any of them selects among these rows, as trials."""
    if not selections or any(selection.is_everything for selection in selections):
        return EVERYTHING
    return Selection(frozenset(row.trial_id for row in rows if any(one.holds(row) for one in selections)))


def intersection(selections: Iterable[Selection]) -> Selection:
    """What all of them select."""
    result = EVERYTHING
    for selection in selections:
        result = result & selection
    return result


def from_plotly(event: Mapping[str, Any] | None) -> Selection:
    """What `st.plotly_chart(on_select=...)` hands back: trials from the points' customdata.

    Nothing brushed selects everything; a box or a lasso around nothing selects nothing.
    """
    chosen = (event or {}).get("selection") or {}
    trials = frozenset(
        number
        for point in chosen.get("points") or ()
        if (number := _trial(point.get("customdata"))) is not None
    )
    brushed = bool(trials or chosen.get("box") or chosen.get("lasso"))
    return Selection(trials) if brushed else EVERYTHING


def from_table(event: Mapping[str, Any] | None, rows: Sequence[Row]) -> Selection:
    """What `st.dataframe(on_select=...)` hands back: positions of rows. No row selects everything."""
    chosen = ((event or {}).get("selection") or {}).get("rows") or ()
    numbers = frozenset(rows[at].trial_id for at in chosen if 0 <= at < len(rows))
    return Selection(numbers) if numbers else EVERYTHING


def _trial(customdata: Any) -> int | None:
    """The trial's number, which every figure here puts first (Streamlit hands lists back as lists or as dicts)."""
    if isinstance(customdata, Mapping):
        customdata = customdata.get("0", customdata.get(0))
    first = customdata[0] if isinstance(customdata, Sequence) and customdata else customdata
    return int(first) if isinstance(first, int | float) and not isinstance(first, bool) else None


def _cell(row: Row, column: str) -> Cell:
    """A parameter of that name, else a fact of the trial."""
    if column in row.parameters:
        return row.parameters[column]
    facts: Mapping[str, Cell] = {
        "value": row.reached,
        "trial": row.trial_id,
        "seconds": row.seconds,
        "steps": row.steps,
        "status": row.status,
        "origin": row.origin,
    }
    return facts.get(column)
