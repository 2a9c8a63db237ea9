"""The trials of a search of architectures as a table, best first, with the drawn network and the true rank."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import streamlit as st

from explorer.export import key_says
from explorer.plots.drawn.reel import Moment
from explorer.plots.drawn.shelf import shelf
from explorer.plots.leaderboard import Row, space_of
from explorer.plots.nas.tried import Searched, Tried
from explorer.runs.state import RunState
from explorer.space import SearchSpace
from pages.widgets import film
from pages.widgets.drawing import table
from pages.widgets.words import percent, term

LISTED = 20
NOTHING = "–"


@dataclass(frozen=True)
class _Line:
    """One trial with all that is known of it."""

    row: Row
    tried: Tried | None


@dataclass(frozen=True)
class _Column:
    """Title, glossary word, cell; a column that nothing fills is left out unless `always`."""

    title: str
    word: str
    cell: Callable[[_Line], str]
    is_number: bool = True
    always: bool = False


def _columns(counts: str, has_short: bool) -> tuple[_Column, ...]:
    return (
        _Column("#", "leaderboard", lambda one: str(one.row.rank or ""), is_number=False, always=True),
        _Column("Architecture", "architecture", lambda one: one.row.code, is_number=False, always=True),
        _Column("Trial", "trial", lambda one: str(one.row.trial_id), always=True),
        _Column(counts.capitalize(), "generation", _generation),
        _Column("From", "family tree", _from),
        _Column("Epochs", "budget", lambda one: str(one.row.epochs) if has_short else NOTHING),
        _Column("Validation", "validation accuracy", lambda one: percent(one.row.validation), always=True),
        _Column("True rank", "true rank", lambda one: key_says.true_rank(one.row.place)),
        _Column("Retrained", "retrain", lambda one: str(one.row.retrained or NOTHING)),
        _Column("Parameters", "parameters", lambda one: _number(one.row.parameters), always=True),
        _Column("True test", "answer key", lambda one: key_says.true_test(one.row.place)),
        _Column("State", "trial status", _state, is_number=False),
    )


def _generation(one: _Line) -> str:
    return str(one.tried.generation) if one.tried and one.tried.generation else NOTHING


def _from(one: _Line) -> str:
    return ", ".join(map(str, one.tried.parents)) if one.tried and one.tried.parents else NOTHING


def _state(one: _Line) -> str:
    return NOTHING if one.row.status == "succeeded" else one.row.status.replace("_", " ")


def _number(value: int | None) -> str:
    return NOTHING if value is None else f"{value:,}"


def show(state: RunState, rows: Sequence[Row], run: Searched, live: bool) -> None:
    """A plain table while the run lives; afterwards rows that show their network when they are pointed at."""
    if not rows:
        return
    st.markdown("**What are the best networks like?**", help=term("leaderboard"))
    shown = rows[:LISTED]
    if len(rows) > LISTED and st.toggle(f"Show all {len(rows):,}", key=f"nas/all/{state.run_id}"):
        shown = rows
    tried = run.by_number
    lines = [_Line(row, tried.get(row.trial_id)) for row in shown]
    every = _columns(run.counts, any(not trial.whole for trial in run.trials))
    columns = [one for one in every if one.always or any(one.cell(line) != NOTHING for line in lines)]
    head = [(one.title, term(one.word)) for one in columns]
    cells = [[one.cell(line) for one in columns] for line in lines]
    numbers = [at for at, one in enumerate(columns) if one.is_number]
    best = 0 if rows[0].rank else -1
    space = space_of(state.spec)
    if space is None:
        table(head, cells, numbers, best)
        return
    key = f"film/{state.run_id}/{'newest' if live else 'board'}"
    wide = space.family == "darts"
    listed, drawn = (st.container(), st.container()) if wide else st.columns([2.2, 1], gap="medium")
    with drawn:
        _network(space, shown, rows, key, live)
    with listed:
        if live:
            table(head, cells, numbers, best)
        else:
            film.shelf(shelf(head, cells, numbers, best), key)
    _failed(rows)


def _network(space: SearchSpace, shown: Sequence[Row], rows: Sequence[Row], key: str, live: bool) -> None:
    """The one just tried while the run lives, then that of the row pointed at."""
    told = list(shown)
    if live:
        newest = max((row for row in rows if row.architecture), key=lambda row: row.trial_id, default=None)
        told = [newest] if newest else []
    title = "The network just tried" if live else "The network of the row you point at"
    st.markdown(f"**{title}**", help=term("trial" if live else "architecture"))
    film.architectures(space, [Moment(row.architecture or {}, _told(row)) for row in told], key)


def _told(row: Row) -> str:
    return f"{row.code}: {'training' if row.status == 'running' else percent(row.validation)}"


def _failed(rows: Sequence[Row]) -> None:
    failed = [row for row in rows if row.status == "failed"]
    if failed:
        with st.expander(f"{len(failed)} trials failed" if len(failed) > 1 else "One trial failed"):
            for row in failed[:20]:
                st.text(f"{row.code}: {row.reason or 'No reason was given.'}")
