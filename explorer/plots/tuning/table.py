"""The trials of a run as rows: what was tried, how far it went, what came out; to sort, compare, copy and keep.

A trial that was let finish later (`continues`) is no row of its own: its value stands in the row of the trial that it
goes on with. Retrainings are no rows either.
"""

from __future__ import annotations

import csv
import io
import json
import pprint
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from explorer.plots.leaderboard import harmless
from explorer.plots.tuning.columns import Cell, Column, columns_of, flatten
from explorer.plots.tuning.scale import Scale, scale_of
from explorer.runs.state import RunState, Trial


@dataclass(frozen=True)
class Row:
    """One trial. Values are in the objective's own unit; `last` is its newest intermediate result.

    `finished` is what a stopped trial reached when it was let finish; times are seconds since the run began.
    """

    trial_id: int
    status: str
    value: float | None
    last: float | None
    is_best: bool
    parameters: Mapping[str, Cell]
    steps: int
    budget: int
    seconds: float | None
    stopped_at: int | None
    origin: str
    finished: float | None
    reason: str | None
    began: float | None
    ended: float | None

    @property
    def reached(self) -> float | None:
        """The final value, else the newest intermediate one."""
        return self.last if self.value is None else self.value


@dataclass(frozen=True)
class Board:
    """A run read once: its scale, its parameters as columns, its rows in the order of their numbers.

    `rows` may be narrowed (`only`); `total` says of how many.
    """

    state: RunState
    scale: Scale
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    total: int

    def only(self, trials: Collection[int]) -> Board:
        """This board with the rows of these trials."""
        return replace(self, rows=tuple(row for row in self.rows if row.trial_id in trials))

    def column(self, path: str) -> Column | None:
        """The column of a parameter."""
        return next((column for column in self.columns if column.path == path), None)

    def ranked(self) -> tuple[Row, ...]:
        """Rows with a value, best first: final values before those of stopped and running trials, and among the final
        ones those that were given most epochs first.
        """

        def standing(row: Row) -> tuple[bool, int, float, int]:
            given = 0 if row.value is None else -row.budget
            return row.value is None, given, -self.scale.sign * (row.reached or 0.0), row.trial_id

        return tuple(sorted((row for row in self.rows if row.reached is not None), key=standing))

    def basis(self, hidden: int = 0, noun: str = "drawn") -> str:
        """On what a chart of this board rests, in one sentence."""
        shown = len(self.rows)
        parts = [f"1 run, seed {self.state.spec.seed}, {_counted(shown, 'trial')}"]
        if shown < self.total:
            parts.append(f"selected of {self.total:,}")
        if hidden:
            parts.append(f"{hidden:,} of them not {noun}")
        return f"{', '.join(parts)}; one seed each: small differences may be luck."


def board(state: RunState, search_space: Mapping[str, Any] | None = None) -> Board:
    """The run's trials as rows; `search_space` (NNI's form) where the spec leaves it to the objective."""
    best = state.best
    ghosts = {
        trial.repeat_of: trial
        for trial in state.trials.values()
        if trial.continues and trial.repeat_of is not None
    }
    own = sorted((t for t in state.trials.values() if t.repeat_of is None), key=lambda trial: trial.trial_id)
    rows = tuple(_row(trial, trial is best, ghosts.get(trial.trial_id), state) for trial in own)
    columns = columns_of(state.spec.search_space or search_space, [row.parameters for row in rows])
    return Board(state, scale_of(state.spec), columns, rows, len(rows))


def _row(trial: Trial, is_best: bool, ghost: Trial | None, state: RunState) -> Row:
    steps = max((point[0] for point in trial.intermediate), default=0)
    values = [value for _, value, _ in trial.intermediate if value is not None]
    zero = state.started or 0.0
    return Row(
        trial.trial_id,
        trial.status,
        trial.value,
        values[-1] if values else None,
        is_best,
        flatten(trial.parameters),
        steps,
        trial.budget if trial.budget is not None else state.spec.epochs,
        trial.seconds,
        steps if trial.status == "early_stopped" else None,
        trial.origin,
        ghost.value if ghost else None,
        trial.reason,
        None if trial.started is None else trial.started - zero,
        None if trial.ended is None else trial.ended - zero,
    )


def as_columns(board: Board) -> dict[str, list[Cell]]:
    """Column title -> cells, for a table that sorts by itself; numbers stay numbers, values are as shown."""
    scale = board.scale
    title = scale.axis.title
    told: dict[str, list[Cell]] = {
        "trial": [row.trial_id for row in board.rows],
        "status": [row.status.replace("_", " ") for row in board.rows],
        title: [_shown(scale, row.reached) for row in board.rows],
        "steps": [row.steps for row in board.rows],
        "budget": [row.budget for row in board.rows],
        "stopped at": [row.stopped_at for row in board.rows],
        "if finished": [_shown(scale, row.finished) for row in board.rows],
        "seconds": [row.seconds for row in board.rows],
        "origin": [row.origin for row in board.rows],
    }
    for column in board.columns:
        name = column.path if column.path not in told else f"{column.path} (parameter)"
        told[name] = [_cell_shown(column, row.parameters.get(column.path)) for row in board.rows]
    return told


def _cell_shown(column: Column, cell: Cell) -> Cell:
    """Numbers, words and nothing as they are; a list as its words."""
    return column.words(cell) if isinstance(cell, str) else cell


_CSV = (
    *("trial", "status", "value", "last_value", "value_if_finished", "steps", "budget"),
    *("stopped_at", "seconds", "origin", "reason"),
)


def to_csv(board: Board) -> str:
    """The rows as CSV in the objective's own unit, one column a parameter at the end.

    Texts that a spreadsheet would run are quoted off.
    """
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow([*_CSV, *(f"parameters.{column.path}" for column in board.columns)])
    for row in board.rows:
        facts = [row.trial_id, row.status, row.value, row.last, row.finished, row.steps, row.budget]
        facts += [row.stopped_at, row.seconds, row.origin, row.reason]
        cells = [*facts, *(row.parameters.get(column.path) for column in board.columns)]
        writer.writerow(["" if cell is None else harmless(cell) for cell in cells])
    return file.getvalue()


def as_python(trial: Trial) -> str:
    """The trial's parameters as a Python statement, nested as NNI gives them."""
    about = f"# Trial {trial.trial_id}, {trial.status.replace('_', ' ')}"
    about += "" if trial.value is None else f", final result {trial.value!r}"
    literal = pprint.pformat(dict(trial.parameters or {}), sort_dicts=False, width=100)
    return f"{about}\nparameters = {literal}\n"


def as_json(trial: Trial) -> str:
    """The trial's parameters as JSON: what `add a trial` takes."""
    return json.dumps(dict(trial.parameters or {}), indent=2, ensure_ascii=False)


@dataclass(frozen=True)
class Difference:
    """One line of a comparison: the name, a text a trial, whether they differ."""

    name: str
    texts: tuple[str, ...]
    differs: bool


def compare(board: Board, trials: Sequence[int], everything: bool = False) -> tuple[Difference, ...]:
    """These trials side by side, in the order asked for; only what differs unless `everything`."""
    by_id = {row.trial_id: row for row in board.rows}
    rows = [by_id[trial_id] for trial_id in trials if trial_id in by_id]
    lines = [
        _difference(board.scale.axis.title, [board.scale.text(row.reached) for row in rows]),
        _difference("status", [row.status.replace("_", " ") for row in rows]),
        _difference("steps", [f"{row.steps} of {row.budget}" for row in rows]),
        _difference("seconds", ["–" if row.seconds is None else f"{row.seconds:.1f}" for row in rows]),
        _difference("origin", [row.origin for row in rows]),
    ]
    for column in board.columns:
        texts = [
            "–" if (cell := row.parameters.get(column.path)) is None else column.words(cell) for row in rows
        ]
        lines.append(_difference(column.path, texts))
    return tuple(line for line in lines if line.differs or everything)


def _difference(name: str, texts: Sequence[str]) -> Difference:
    return Difference(name, tuple(texts), len(set(texts)) > 1)


def _shown(scale: Scale, value: float | None) -> float | None:
    return None if value is None else scale.shown(value)


def _counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}" + ("" if count == 1 else "s")
