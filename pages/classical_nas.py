"""Classical NAS: settings on the left; on the right what a strategy tries, alive, and how good that really is."""

from __future__ import annotations

import streamlit as st

from explorer.jobs import launch
from explorer.runs.state import RunState
from pages.widgets import nas_setup, run_actions, run_list, run_page, runs_at_hand
from pages.widgets.navigation import one_sentence, routed
from pages.widgets.place import limits_note, store, visitor
from pages.widgets.words import term

POLL_SECONDS = 1.0

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


def run_on_screen() -> None:
    """Title, progress, charts, trials; while the run lives this alone is drawn again."""
    from pages.widgets import nas_view

    with one_sentence():
        state = runs_at_hand.state(str(run_id))
        title(state)
        nas_view.show(state, live=not state.is_over)
        if state.is_over and alive:
            st.rerun()  # once more as a whole: the timer stops, the charts become interactive


with shown:
    if run_id is None:
        nas_setup.before_the_first(spec)
    else:
        alive = not runs_at_hand.state(run_id).is_over
        st.fragment(run_on_screen, run_every=POLL_SECONDS if alive else None)()
        if not alive:
            from pages.widgets import nas_view

            state = runs_at_hand.state(run_id)
            summary = runs_at_hand.summary(run_id)
            if summary is not None:
                run_actions.after_the_end(state, summary)
            run_actions.downloads(state, tuple(nas_view.rows_of(state)))
