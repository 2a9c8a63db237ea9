"""What is selected in one view of a run narrows all its other views; kept in the session, cleared by a button.

Selections are a chain: who selects among what another view had left over narrows further. A view itself goes on
showing what it showed when it was brushed, so that the brush can be moved.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import streamlit as st

from explorer.plots.tuning.selection import Selection, from_plotly, from_table, narrow
from explorer.plots.tuning.table import Board, Row


@dataclass(frozen=True)
class Brush:
    """The trials that were selected in a view."""

    view: str
    trials: frozenset[int]


def chained(brushes: Sequence[Brush], view: str, selection: Selection) -> tuple[Brush, ...]:
    """The chain after `view` was brushed: what was selected among its old selection is forgotten with it."""
    names = [brush.view for brush in brushes]
    kept = tuple(brushes[: names.index(view)] if view in names else brushes)
    return kept if selection.trials is None else (*kept, Brush(view, selection.trials))


def brushes(run_id: str) -> tuple[Brush, ...]:
    """The run's selections, oldest first."""
    found: tuple[Brush, ...] = st.session_state.get(_place(run_id), ())
    return found


def selected(run_id: str) -> frozenset[int] | None:
    """The trials that are selected now; None for all."""
    chain = brushes(run_id)
    return chain[-1].trials if chain else None


def key(run_id: str, view: str) -> str:
    """The key of the view's chart: a new one once its selection was cleared elsewhere, so that nothing stale stays."""
    return f"tuning/{run_id}/{view}/{st.session_state.get(_counter(run_id, view), 0)}"


def seen_by(whole: Board, view: str) -> Board:
    """What a view shows of the board: what the selections before its own leave over.

    A chart that was away in the meantime has lost its brush; then it shows what was selected in it.
    """
    run_id = whole.state.run_id
    trials = None
    for brush in brushes(run_id):
        if brush.view == view and _still_drawn(run_id, view):
            break
        trials = brush.trials
        if brush.view == view:
            break
    return narrow(whole, Selection(trials))


def on_points(run_id: str, view: str) -> Callable[[], None]:
    """The callback of a plotly chart of this view."""
    place = key(run_id, view)
    return lambda: _take(run_id, view, from_plotly(st.session_state.get(place)))


def on_rows(run_id: str, view: str, rows: Sequence[Row]) -> Callable[[], None]:
    """The callback of a table of this view that shows these rows."""
    place = key(run_id, view)
    return lambda: _take(run_id, view, from_table(st.session_state.get(place), rows))


def chip(whole: Board) -> None:
    """How many trials are selected, and the way back to all of them."""
    run_id = whole.state.run_id
    trials = selected(run_id)
    if trials is None:
        return
    with st.container(horizontal=True, vertical_alignment="center", key="brush"):
        st.badge(f"{len(trials):,} of {whole.total:,} trials selected", icon=":material/filter_alt:")
        st.button(
            "Clear",
            icon=":material/close:",
            type="tertiary",
            key=f"clear/{run_id}",
            on_click=_clear,
            args=(run_id,),
        )


def _take(run_id: str, view: str, selection: Selection) -> None:
    before = brushes(run_id)
    after = chained(before, view, selection)
    _forget_charts(run_id, {brush.view for brush in before} - {brush.view for brush in after} - {view})
    st.session_state[_place(run_id)] = after


def _clear(run_id: str) -> None:
    _forget_charts(run_id, {brush.view for brush in brushes(run_id)})
    st.session_state.pop(_place(run_id), None)


def _forget_charts(run_id: str, views: set[str]) -> None:
    for view in views:
        st.session_state[_counter(run_id, view)] = st.session_state.get(_counter(run_id, view), 0) + 1


def _still_drawn(run_id: str, view: str) -> bool:
    """Whether the chart itself still knows its selection."""
    chosen = (st.session_state.get(key(run_id, view)) or {}).get("selection") or {}
    return any(chosen.get(part) for part in ("points", "rows", "box", "lasso"))


def _place(run_id: str) -> str:
    return f"tuning/{run_id}/brushes"


def _counter(run_id: str, view: str) -> str:
    return f"tuning/{run_id}/{view}/cleared"
