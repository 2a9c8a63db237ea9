"""Which run a page shows, and its state: from the address, else from the session, read piece by piece."""

from __future__ import annotations

import streamlit as st

from explorer.errors import CodecError, NotFound
from explorer.jobs import launch
from explorer.runs.state import RunState
from explorer.runs.summary import RunSummary
from pages.widgets import examples
from pages.widgets.place import store


def current_run() -> str | None:
    """The run of the address, else the session's; written back into the address, which a page switch empties.

    A run that is not there gives one sentence and the page without a run.
    """
    run_id = st.query_params.get("run") or st.session_state.get("run_id")
    if not run_id:
        return None
    try:
        state(run_id)
    except (NotFound, CodecError) as problem:
        forget()
        st.warning(f"{problem} Pick another on the Runs page, or start one here.", icon=":material/link_off:")
        return None
    show(run_id)
    return str(run_id)


def show(run_id: str) -> None:
    """Make this the run that pages show."""
    st.session_state["run_id"] = run_id
    if st.query_params.get("run") != run_id:
        st.query_params["run"] = run_id


def forget() -> None:
    """Show no run."""
    st.session_state.pop("run_id", None)
    st.session_state.pop("run_state", None)
    st.query_params.pop("run", None)


def state(run_id: str) -> RunState:
    """What is known about the run now; only new events are read."""
    if examples.is_example(run_id):
        return examples.example(run_id)
    launch.reconcile(store())
    known = st.session_state.get("run_state")
    known = known if known is not None and known.run_id == run_id else None
    fresh = store().state(run_id, known)
    st.session_state["run_state"] = fresh
    return fresh


def summary(run_id: str) -> RunSummary | None:
    """The run's row in the store; None for an example."""
    return None if examples.is_example(run_id) else store().summary(run_id)
