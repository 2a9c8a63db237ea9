"""Classical NAS: settings on the left; on the right what a strategy tries, alive, and how good that really is."""

from __future__ import annotations

import streamlit as st

from explorer.jobs import launch
from explorer.runs.state import RunState
from pages.widgets import nas_setup, run_actions, run_list, run_page, runs_at_hand
from pages.widgets.navigation import routed
from pages.widgets.place import limits_note, store, visitor
from pages.widgets.words import term

routed()
st.title("Classical NAS", anchor=False, help=term("classical NAS"))
st.caption(
    "A strategy proposes one architecture after the other, each is trained from scratch, and it learns from that."
)
limits_note()
run_id = runs_at_hand.current_run("nas")
form, shown = run_page.side_by_side(run_id is not None)

with form:
    first = st.container()  # the button stands above the settings: their defaults are a good run
    spec = nas_setup.settings()
    problems = spec.problems()
with first:
    if st.button(
        "Search", type="primary", icon=":material/play_arrow:", disabled=bool(problems), width="stretch"
    ):

        def start() -> None:
            """Queue it and make it the run on screen."""
            runs_at_hand.show(launch.start_run(store(), spec, visitor()), "nas")

        if run_actions.tried(start):
            st.rerun()
    for problem in problems[:3]:
        st.error(problem, icon=":material/error:")
    if not problems:
        st.caption(nas_setup.forecast(spec))


def title(state: RunState) -> None:
    """Which run this is, and how to stop it."""
    run_page.headline(state, f"{nas_setup.strategy_name(state.spec)}: {run_list.about_spec(state.spec)}")
    st.caption(nas_setup.about_settings(state.spec))


def draw(state: RunState) -> None:
    """Title, progress, charts, trials."""
    from pages.widgets import nas_view

    title(state)
    nas_view.show(state, live=not state.is_over)


with shown:
    if run_id is None:
        nas_setup.before_the_first(spec)
    else:
        ended = run_page.watched(run_id, draw)
        if ended is not None:
            from pages.widgets import nas_view

            summary = runs_at_hand.summary(run_id)
            if summary is not None:
                run_actions.after_the_end(ended, summary)
            run_actions.downloads(ended, tuple(nas_view.rows_of(ended)))
