"""What every page that asks for a run and shows one does alike: form and run side by side, the run's title, its drawing
again and again while it lives.
"""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from explorer.runs.state import RunState
from explorer.runs.summary import RunSummary
from pages.widgets import run_actions, run_view, runs_at_hand
from pages.widgets.navigation import one_sentence

POLL_SECONDS = 1.0


def side_by_side(is_open: bool) -> list[DeltaGenerator]:
    """[the form's place, the run's]; on a phone what is open stands above the form (app.css)."""
    with st.container(key="desk-run" if is_open else "desk"):
        return st.columns([1, 2.6], gap="large")


def headline(state: RunState, named: str, stops: bool = True) -> RunSummary | None:
    """The title with the run's status, and where `stops` the button that ends it.

    Gives the run's row in the store, None for an example.
    """
    summary = runs_at_hand.summary(state.run_id)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.header(named, anchor=False, width="content")
        run_view.badge(state.status)
        if summary is None:
            st.badge("recorded example", icon=":material/history:", color="gray")
        elif stops:
            run_actions.stop_button(state.run_id, summary)
    return summary


def watched(run_id: str, draw: Callable[[RunState], None]) -> RunState | None:
    """Draw the run; while it lives, this alone is drawn again every `POLL_SECONDS`.

    Gives the run's state once it is over, for what comes below it then; None while it lives.
    """
    alive = not runs_at_hand.state(run_id).is_over

    def on_screen() -> None:
        with one_sentence():
            state = runs_at_hand.state(run_id)
            draw(state)
            if state.is_over and alive:
                st.rerun()  # once more as a whole: the timer stops, the charts become interactive

    st.fragment(on_screen, run_every=POLL_SECONDS if alive else None)()
    return None if alive else runs_at_hand.state(run_id)
