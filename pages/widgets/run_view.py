"""A run on screen: how far it is, its curves, its scatter, its leaderboard.

Drawn as SVG while live, to hover after.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import streamlit as st

from explorer.export import key_says
from explorer.plots.charts import accuracy_against_parameters, learning_curves
from explorer.plots.drawn.reel import Moment
from explorer.plots.drawn.shelf import shelf
from explorer.plots.leaderboard import Row, Score, leaderboard, space_of
from explorer.plots.nas.truth import Truth
from explorer.plots.progress import duration, progress
from explorer.plots.sketch import curves_svg, pareto_svg
from explorer.runs.state import RunState
from explorer.space import SearchSpace
from pages.widgets import film
from pages.widgets.drawing import picture, table
from pages.widgets.words import percent, short, term

LISTED = 20
_Color = Literal["red", "orange", "blue", "green", "violet", "gray"]
LOOKS: Mapping[str, tuple[_Color, str]] = {
    "queued": ("gray", ":material/hourglass_empty:"),
    "running": ("blue", ":material/play_arrow:"),
    "paused": ("violet", ":material/pause:"),
    "finished": ("green", ":material/check:"),
    "failed": ("red", ":material/error:"),
    "cancelled": ("orange", ":material/stop:"),
    "lost": ("orange", ":material/power_off:"),
}


def badge(status: str) -> None:
    """A run's state, in colour, with an icon and the word."""
    color, icon = LOOKS[status]
    st.badge(status, icon=icon, color=color)


def rows_of(state: RunState, truth: Truth | None = None) -> tuple[Row, ...]:
    """The leaderboard's rows, with their true places where `truth` has them."""
    return leaderboard(state, space_of(state.spec), truth)


def head(state: RunState) -> None:
    """Progress while it lives, the ending in one sentence afterwards."""
    space = space_of(state.spec)
    now = progress(state, time.time(), None if space is None else space.size)
    if state.status == "queued":
        st.progress(0.0, "Waiting for a worker. The first start after a while takes a few seconds.")
    elif not state.is_over:
        st.progress(now.share, str(now))
    elif state.status == "finished":
        best = state.best
        found = f" Best validation accuracy **{percent(best.value)}**." if best else ""
        st.markdown(f"{now.trials_done} trials in {duration(state.cost_seconds)}.{found}")
    else:
        ending = {"failed": st.error, "cancelled": st.info, "lost": st.warning}[state.status]
        kept = sum(trial.status == "succeeded" for trial in state.trials.values())
        ending(
            f"{state.reason or 'It ended.'} {kept} finished trials are kept; Resume trains what is missing."
        )
    for sentence in dict.fromkeys(state.warnings[-3:]):
        st.caption(f":material/warning: {sentence}")


def charts(state: RunState, rows: Sequence[Row], live: bool, truth: Truth | None = None) -> None:
    """Learning curves beside accuracy against parameters."""
    curves, pareto = learning_curves(state, rows, truth), accuracy_against_parameters(state, rows)
    left, right = st.columns(2, gap="large")
    with left:
        st.markdown(f"**{curves.question}**", help=term("learning curve"))
        if not curves.curves:
            _nothing("The first curve appears when the first epoch is done.", state)
        elif live:
            picture(curves_svg(curves))
        else:
            from explorer.plots.figures import curves_figure

            st.plotly_chart(curves_figure(curves), key="curves", alt=curves.alt, config=_QUIET)
    with right:
        st.markdown(f"**{pareto.question}**", help=term("Pareto front"))
        if not pareto.dots:
            _nothing("The first dot appears when the first trial has finished.", state)
        elif live:
            picture(pareto_svg(pareto))
        else:
            from explorer.plots.figures import pareto_figure

            st.plotly_chart(pareto_figure(pareto), key="pareto", alt=pareto.alt, config=_QUIET)
    if curves.curves:
        st.caption(curves.basis)


_QUIET = {"displaylogo": False, "modeBarButtonsToRemove": ["select2d", "lasso2d", "autoScale2d"]}


def _nothing(sentence: str, state: RunState) -> None:
    words = "It ended before there was anything to draw." if state.is_over else sentence
    st.caption(words)


def board(state: RunState, rows: Sequence[Row], most: int | None = None, live: bool = True) -> None:
    """The leaderboard; columns that nothing fills are left out. With `most`, only the first so many and no more.

    Beside the whole of it a network is drawn: the one just tried while the run lives, then that of the row pointed at.
    """
    if not rows:
        return
    shown = rows[: most or LISTED]
    if most is None and len(rows) > LISTED and st.toggle(f"Show all {len(rows):,}", key="board/all"):
        shown = rows
    columns = [
        column for column in _COLUMNS if column.always or any(column.cell(row) != _NOTHING for row in shown)
    ]
    columns = columns if most is None else [column for column in columns if column.title != "State"]
    head = [(column.title, term(column.word)) for column in columns]
    cells = [[column.cell(row) for column in columns] for row in shown]
    numbers = [at for at, column in enumerate(columns) if column.is_number]
    best = 0 if rows[0].rank else -1
    space = space_of(state.spec)
    if most is not None or space is None:
        table(head, cells, numbers, best)
    elif live:
        listed, drawn = _split(len(columns))
        with listed:
            table(head, cells, numbers, best)
        with drawn:
            _just_tried(state, space, rows)
    else:
        _shelf(state, space, shown, shelf(head, cells, numbers, best))
    failed = [row for row in rows if row.status == "failed"]
    if failed and most is None:
        with st.expander(f"{len(failed)} trials failed" if len(failed) > 1 else "One trial failed"):
            for row in failed[:20]:
                st.text(f"{row.code}: {row.reason or 'No reason was given.'}")


def _split(columns: int) -> Sequence[Any]:
    """Table and drawing side by side; more columns leave the drawing less."""
    return st.columns([1.7 if columns < 8 else 2.6, 1], gap="medium")


def _just_tried(state: RunState, space: SearchSpace, rows: Sequence[Row]) -> None:
    """The network of the trial that began last."""
    newest = max(
        (row for row in rows if row.architecture is not None), key=lambda row: row.trial_id, default=None
    )
    if newest is None or newest.architecture is None:
        return
    told = "training" if newest.status == "running" else percent(newest.validation)
    st.markdown("**The network just tried**", help=term("trial"))
    film.architectures(
        space, [Moment(newest.architecture, f"{newest.code}: {told}")], f"film/{state.run_id}/newest"
    )


def _shelf(state: RunState, space: SearchSpace, rows: Sequence[Row], listed: Mapping[str, Any]) -> None:
    """Rows that show their network when they are pointed at."""
    moments = [Moment(row.architecture or {}, f"{row.code}: {percent(row.validation)}") for row in rows]
    wide = space.family == "darts"
    left, right = (st.container(), st.container()) if wide else _split(len(listed["shelf"]["head"]))
    key = f"film/{state.run_id}/board"
    with right:
        st.markdown("**The network of the row you point at**", help=term("architecture"))
        film.architectures(space, moments, key)
    with left:
        film.shelf(listed, key)


_NOTHING = "–"


@dataclass(frozen=True)
class _Column:
    """One column: title, glossary word, cell; `always` shown even when nothing fills it."""

    title: str
    word: str
    cell: Callable[[Row], str]
    is_number: bool = True
    always: bool = True


_COLUMNS = (
    _Column("#", "leaderboard", lambda row: str(row.rank or ""), is_number=False),
    _Column("Architecture", "architecture", lambda row: row.code, is_number=False),
    _Column("Parameters", "parameters", lambda row: f"{row.parameters:,}" if row.parameters else _NOTHING),
    _Column("MACs", "MACs", lambda row: short(row.macs) if row.macs else _NOTHING),
    _Column("Validation", "validation accuracy", lambda row: percent(row.validation)),
    _Column("True rank", "true rank", lambda row: key_says.true_rank(row.place), always=False),
    _Column("True test", "answer key", lambda row: key_says.true_test(row.place), always=False),
    _Column("Retrained", "retrain", lambda row: _score(row.retrained, seeds=True), always=False),
    _Column("Test", "test accuracy", lambda row: _score(row.test), always=False),
    _Column("Seconds", "seconds", lambda row: f"{row.seconds:.1f}" if row.seconds is not None else _NOTHING),
    _Column("State", "trial status", lambda row: row.status.replace("_", " "), is_number=False),
)


def _score(score: Score | None, seeds: bool = False) -> str:
    if score is None:
        return _NOTHING
    return str(score) if seeds else str(score).split(" (")[0]
