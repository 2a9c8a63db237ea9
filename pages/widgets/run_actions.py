"""What can be done with a run: stop, resume, retrain its best, take it along."""

from __future__ import annotations

import io
from collections.abc import Callable

import streamlit as st

from explorer.errors import ExplorerError
from explorer.jobs import launch
from explorer.plots.leaderboard import Row, to_csv
from explorer.runs.recorded import write_recorded
from explorer.runs.state import RunState
from explorer.runs.summary import RunSummary
from explorer.space import load_space
from explorer.space.restrict import Restriction
from pages.widgets import desk, examples
from pages.widgets.place import may_control, store
from pages.widgets.words import term

RESUMABLE = ("failed", "cancelled", "lost", "paused")


def tried(action: Callable[[], object]) -> bool:
    """Do it; a problem becomes one sentence on the page."""
    try:
        action()
    except ExplorerError as problem:
        st.error(str(problem), icon=":material/error:")
        return False
    return True


def stop_button(run_id: str, summary: RunSummary) -> None:
    """Stop, while there is something to stop."""
    if summary.is_over:
        return
    mine = may_control(summary)
    if st.button(
        "Stop",
        icon=":material/stop:",
        disabled=not mine,
        key=f"stop/{run_id}",
        help=None if mine else "On a shared machine only the visitor who started a run may stop it.",
    ) and tried(lambda: launch.cancel(store(), run_id)):
        st.toast("Stopping: the run ends within a second or two.", icon=":material/stop:")


def after_the_end(state: RunState, summary: RunSummary) -> None:
    """Resume what is missing, retrain the best."""
    mine = may_control(summary)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        if (
            state.status in RESUMABLE
            and st.button("Resume", icon=":material/resume:", type="primary", disabled=not mine)
            and tried(lambda: launch.resume(store(), state.run_id))
        ):
            st.rerun()
        best = state.best
        if best is None:
            return
        seeds = st.number_input(
            "Seeds", 1, launch.MAX_SEEDS, 3, key="retrain/seeds", width=120, help=term("seed")
        )
        if st.button("Retrain the best", icon=":material/replay:", disabled=not mine, help=term("retrain")):
            wanted = {"trial_id": best.trial_id, "seeds": int(seeds)}
            if tried(lambda: launch.resume(store(), state.run_id, retrain=wanted)):
                st.rerun()


def _open_best(state: RunState) -> None:
    """A link to the best architecture, drawn in its space."""
    best = state.best
    if best is None or best.architecture is None:
        return
    try:
        space = load_space(state.spec.space)
        link = desk.link_of(space, Restriction(), space.code(best.architecture))
    except ExplorerError:
        return
    st.page_link("pages/space.py", label="Draw the best", icon=":material/account_tree:", query_params=link)


def downloads(state: RunState, rows: tuple[Row, ...]) -> None:
    """The leaderboard as CSV, the whole run as a file."""
    with st.container(horizontal=True, vertical_alignment="center"):
        _open_best(state)
        st.download_button(
            "Leaderboard as CSV",
            lambda: to_csv(rows),
            f"{state.run_id}.csv",
            "text/csv",
            on_click="ignore",
            icon=":material/download:",
            disabled=not rows,
        )
        if state.is_over and not examples.is_example(state.run_id):
            st.download_button(
                "Recorded run",
                lambda: recorded(state.run_id),
                f"{state.run_id}.jsonl.gz",
                "application/gzip",
                on_click="ignore",
                icon=":material/download:",
                help=term("recorded run"),
            )


def recorded(run_id: str) -> bytes:
    """The run as a recorded run's bytes."""
    file = io.BytesIO()
    here = store()
    write_recorded(file, here.state(run_id).spec, here.events(run_id))
    return file.getvalue()
