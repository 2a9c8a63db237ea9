"""Which run a page shows, and its state: from the address, else the session's newest of the page's kind."""

from __future__ import annotations

import time

import streamlit as st

from explorer.errors import CodecError, NotFound
from explorer.jobs import launch
from explorer.runs.state import RunState
from explorer.runs.store import Store
from explorer.runs.summary import RunSummary
from pages.widgets import examples
from pages.widgets.place import store

MOST_KNOWN = 24
RECONCILED_SECONDS = 1.0
_NEXT: dict[tuple[str, str], float] = {}  # (store, run) -> when to look after lost runs again
_KNOWN: dict[
    tuple[str, str], RunState
] = {}  # (store, run) -> its newest known state; a state never changes itself


def current_run(kind: str) -> str | None:
    """The run of the address, else the session's of this kind; written back into the address, which a page switch
    empties. A run of another kind is shown by the page that is made for it.

    A run that is not there gives one sentence and the page without a run.
    """
    run_id = st.query_params.get("run") or st.session_state.get(_key(kind))
    if not run_id:
        return None
    try:
        found = state(run_id)
    except (NotFound, CodecError) as problem:
        forget(kind)
        st.warning(f"{problem} Pick another on the Runs page, or start one here.", icon=":material/link_off:")
        return None
    if found.spec.kind != kind:
        open_run(run_id, found.spec.kind)
    show(run_id, kind)
    return str(run_id)


def show(run_id: str, kind: str) -> None:
    """Make this the run that the page of its kind shows."""
    st.session_state[_key(kind)] = run_id
    if st.query_params.get("run") != run_id:
        st.query_params["run"] = run_id


def open_run(run_id: str, kind: str) -> None:
    """Go to the page that shows it."""
    st.session_state[_key(kind)] = run_id
    st.switch_page(examples.PAGES[kind], query_params={"run": run_id})


def forget(kind: str) -> None:
    """Show no run of this kind."""
    st.session_state.pop(_key(kind), None)
    st.query_params.pop("run", None)


def forget_run(run_id: str) -> None:
    """Show this run nowhere: it was deleted."""
    for kind in examples.PAGES:
        if st.session_state.get(_key(kind)) == run_id:
            forget(kind)


def state(run_id: str) -> RunState:
    """What is known about the run now; only new events are read, once for all who watch it."""
    if examples.is_example(run_id):
        return examples.example(run_id)
    here = store()
    name = (here.url, run_id)
    _reconcile(here, name)
    known = _KNOWN.get(name)
    if known is not None:
        here.summary(run_id)  # raises NotFound for what was deleted meanwhile
    fresh = here.state(run_id, known)
    if known is None or fresh.last_seq >= known.last_seq:
        _KNOWN[name] = fresh
    while len(_KNOWN) > MOST_KNOWN:
        _KNOWN.pop(next(iter(_KNOWN)), None)
    return fresh


def _reconcile(here: Store, name: tuple[str, str]) -> None:
    """Once a second, however many look at the run, and however often."""
    now = time.monotonic()
    if now < _NEXT.get(name, 0.0):
        return
    _NEXT[name] = now + RECONCILED_SECONDS
    while len(_NEXT) > MOST_KNOWN:
        _NEXT.pop(next(iter(_NEXT)), None)
    launch.reconcile(here)


def summary(run_id: str) -> RunSummary | None:
    """The run's row in the store; None for an example."""
    return None if examples.is_example(run_id) else store().summary(run_id)


def _key(kind: str) -> str:
    return f"run_id/{kind}"
