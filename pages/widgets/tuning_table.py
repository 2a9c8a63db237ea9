"""The trials of a run as a table: sort, select, compare, keep as CSV, copy one as Python or as JSON."""

from __future__ import annotations

from typing import Any

import streamlit as st

from explorer.plots.tuning.table import Board, as_columns, as_json, as_python, compare, to_csv
from pages.widgets import tuning_brush
from pages.widgets.drawing import table
from pages.widgets.words import term

MOST_COMPARED = 6
MOST_REASONS = 20


def show(whole: Board, live: bool) -> None:
    """The table, what to do with it, and what became of the trials that failed."""
    shown = tuning_brush.seen_by(whole, "trials")
    run_id = whole.state.run_id
    st.markdown("**Which trials were there, and how do they differ?**", help=term("trial"))
    st.dataframe(
        _cells(shown),
        key=tuning_brush.key(run_id, "trials"),
        on_select=tuning_brush.on_rows(run_id, "trials", shown.rows),
        selection_mode="multi-row",
        hide_index=True,
        height=min(420, 38 + 35 * max(1, len(shown.rows))),
        column_config=_columns(shown),
        placeholder="–",
        alt=f"Table of {len(shown.rows)} trials.",
    )
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.caption("Select rows to compare them; the other views follow the selection.", width="content")
        st.download_button(
            "CSV",
            lambda: to_csv(shown),
            f"{run_id}-trials.csv",
            "text/csv",
            on_click="ignore",
            icon=":material/download:",
            help="Every trial that is shown here, values in the objective's own unit.",
        )
    _selected(whole)
    _failed(shown)


def _cells(shown: Board) -> dict[str, list[Any]]:
    """The columns that anything fills, the parameters right behind the value; texts where a column mixes kinds."""
    told = as_columns(shown)
    titles = list(told)
    facts, parameters = titles[: len(titles) - len(shown.columns)], titles[len(titles) - len(shown.columns) :]
    found: dict[str, list[Any]] = {}
    for title in (*facts[:3], *parameters, *facts[3:]):
        cells = told[title]
        kinds = {type(cell) for cell in cells if cell is not None}
        if not kinds and title in ("stopped at", "if finished", "seconds"):
            continue
        mixed = len(kinds) > 1 and kinds != {int, float}
        found[title] = [None if cell is None else str(cell) for cell in cells] if mixed else cells
    return found


def _columns(shown: Board) -> dict[str, Any]:
    scale = shown.scale
    number = "%.1f" if scale.unit == "%" else "%.5g"
    config: dict[str, Any] = {
        "trial": st.column_config.NumberColumn(width="small", pinned=True, help=term("trial")),
        "status": st.column_config.TextColumn(help=term("trial status")),
        scale.axis.title: st.column_config.NumberColumn(
            format=number, help=f"The final result, else the newest one; {scale.better} is better."
        ),
        "steps": st.column_config.NumberColumn(width="small", help=term("intermediate result")),
        "budget": st.column_config.NumberColumn(width="small", help=term("budget")),
        "stopped at": st.column_config.NumberColumn(width="small", help=term("early stopped")),
        "if finished": st.column_config.NumberColumn(format=number, help=term("let it finish")),
        "seconds": st.column_config.NumberColumn(format="%.1f", width="small", help=term("seconds")),
        "origin": st.column_config.TextColumn(width="small", help="Who proposed it: the tuner, or a person."),
    }
    for column in shown.columns:
        if column.is_number:
            config[column.path] = st.column_config.NumberColumn(format="%d" if column.whole else "%.4g")
    return config


def _selected(whole: Board) -> None:
    """Comparing and copying: of what is selected, else of the best trial."""
    state = whole.state
    trials = tuning_brush.selected(state.run_id)
    chosen = [row.trial_id for row in whole.only(trials).ranked()] if trials else []
    if len(chosen) >= 2:
        _compared(whole, chosen)
    best = state.best
    candidates = chosen or ([best.trial_id] if best else [])
    if not candidates:
        return
    with st.expander("Copy a trial as Python or as JSON", icon=":material/content_copy:"):
        picked = candidates[0]
        if len(candidates) > 1:
            picked = st.selectbox("Trial", candidates, key=f"tuning/{state.run_id}/copied")
        trial = state.trials[picked]
        left, right = st.columns(2)
        left.code(as_python(trial), language="python")
        right.code(as_json(trial), language="json")


def _compared(whole: Board, chosen: list[int]) -> None:
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        best = (
            f"the best {MOST_COMPARED} of {len(chosen)}" if len(chosen) > MOST_COMPARED else f"{len(chosen)}"
        )
        st.markdown(f"**Comparing {best} trials**", width="content")
        everything = st.toggle("Also what is the same", key=f"tuning/{whole.state.run_id}/same")
    lines = compare(whole, chosen[:MOST_COMPARED], everything)
    head = [("", ""), *((f"trial {trial_id}", "") for trial_id in chosen[:MOST_COMPARED])]
    table(head, ((line.name, *line.texts) for line in lines), range(1, len(head)))


def _failed(shown: Board) -> None:
    failed = [row for row in shown.rows if row.status == "failed"]
    if not failed:
        return
    with st.expander(f"{len(failed)} trials failed" if len(failed) > 1 else "One trial failed"):
        for row in failed[:MOST_REASONS]:
            st.text(f"Trial {row.trial_id}: {row.reason or 'No reason was given.'}")
        if len(failed) > MOST_REASONS:
            st.caption(f"{len(failed) - MOST_REASONS:,} more are in the CSV.")
