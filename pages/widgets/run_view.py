"""A run on screen: how far it is, its curves, its scatter, its leaderboard.

Drawn as SVG while live, to hover after.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Literal

import streamlit as st

from explorer.plots.charts import accuracy_against_parameters, learning_curves
from explorer.plots.leaderboard import Row, Score, leaderboard, space_of
from explorer.plots.progress import duration, progress
from explorer.plots.sketch import curves_svg, pareto_svg
from explorer.runs.state import RunState
from pages.widgets.drawing import picture, table
from pages.widgets.words import percent, short, term

LISTED = 50
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


def rows_of(state: RunState) -> tuple[Row, ...]:
    """The leaderboard's rows."""
    return leaderboard(state, space_of(state.spec))


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


def charts(state: RunState, rows: Sequence[Row], live: bool) -> None:
    """Learning curves beside accuracy against parameters."""
    curves, pareto = learning_curves(state, rows), accuracy_against_parameters(state, rows)
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


def board(state: RunState, rows: Sequence[Row], most: int = LISTED) -> None:
    """The leaderboard; columns that nothing fills are left out."""
    if not rows:
        return
    retrained, tested = any(row.retrained for row in rows), any(row.test for row in rows)
    head = [
        ("#", term("leaderboard")),
        ("Architecture", term("architecture")),
        ("Parameters", term("parameters")),
        ("MACs", term("MACs")),
        ("Validation", term("validation accuracy")),
        *([("Retrained", term("retrain"))] if retrained else []),
        *([("Test", term("test accuracy"))] if tested else []),
        ("Seconds", "Wall time of the trial."),
        ("State", term("trial status")),
    ]
    numbers = range(2, len(head) - 1)
    table(
        head, (_cells(row, retrained, tested) for row in rows[:most]), numbers, best=0 if rows[0].rank else -1
    )
    if len(rows) > most:
        st.caption(f"The first {most} of {len(rows):,}; the CSV file has all of them.")
    failed = [row for row in rows if row.status == "failed"]
    if failed:
        with st.expander(f"{len(failed)} trials failed" if len(failed) > 1 else "One trial failed"):
            for row in failed[:20]:
                st.markdown(f"`{row.code}`")
                st.text(row.reason or "No reason was given.")


def _cells(row: Row, retrained: bool, tested: bool) -> list[str]:
    cells = [
        str(row.rank or ""),
        row.code,
        "–" if row.parameters is None else f"{row.parameters:,}",
        "–" if row.macs is None else short(row.macs),
        percent(row.validation),
    ]
    cells += [_score(row.retrained)] if retrained else []
    cells += [_score(row.test)] if tested else []
    return [*cells, "–" if row.seconds is None else f"{row.seconds:.1f}", row.status.replace("_", " ")]


def _score(score: Score | None) -> str:
    return "–" if score is None else str(score).replace(" (1 seed)", "")
