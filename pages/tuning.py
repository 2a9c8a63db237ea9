"""Hyper-parameters: three steps on the left, the run on the right, alive while it trains; and the assessor's lens."""

from __future__ import annotations

import streamlit as st

from explorer.jobs import launch
from explorer.runs.state import RunState
from pages.widgets import run_actions, run_list, run_page, runs_at_hand, tuning_setup
from pages.widgets import search_space_editor as editor
from pages.widgets.navigation import routed
from pages.widgets.place import limits_note, store, visitor
from pages.widgets.words import term

routed()
st.title("Hyper-parameters", anchor=False, help=term("hyper-parameter optimisation"))
st.caption(
    "Say what may vary; a tuner proposes, trials train, an assessor stops what will not come to anything."
)
limits_note()
run_id = runs_at_hand.current_run("hpo")
form, shown = run_page.side_by_side(run_id is not None or bool(st.session_state.get(editor.OPEN)))

with form:
    first = st.container()  # the button stands above the settings: their defaults are a good run
    spec, problems = tuning_setup.settings()
with first:
    if st.button(
        "Start", type="primary", icon=":material/play_arrow:", disabled=bool(problems), width="stretch"
    ):

        def start() -> None:
            """Queue it and make it the run on screen."""
            st.session_state[editor.CLOSE] = True
            runs_at_hand.show(launch.start_run(store(), spec, visitor()), "hpo")

        if run_actions.tried(start):
            st.rerun()
    for problem in problems[:3]:
        st.error(problem, icon=":material/error:")
    if len(problems) > 3:
        st.caption(f"And {len(problems) - 3} more.")
    if not problems:
        st.caption(tuning_setup.forecast(spec))


def title(state: RunState) -> None:
    """Which run this is, and what can be done with it."""
    from pages.widgets import tuning_control

    summary = run_page.headline(state, run_list.about_spec(state.spec), stops=False)
    if summary is not None:
        tuning_control.show(state, summary)


def draw(state: RunState) -> None:
    """Title, progress, charts, lens."""
    from pages.widgets import tuning_view

    title(state)
    tuning_view.show(state, live=not state.is_over)


with shown:
    if st.session_state.get(editor.OPEN):
        editor.edit(spec.objective)
    elif run_id is None:
        tuning_setup.before_the_first(spec)
    else:
        if run_page.watched(run_id, draw) is not None:
            tuning_setup.take_away(run_id)
