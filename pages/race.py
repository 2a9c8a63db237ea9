"""Race: settings on the left; on the right whether any strategy is better than random search, and how sure that is."""

from __future__ import annotations

import streamlit as st

from explorer.jobs import launch
from explorer.runs.state import RunState
from pages.widgets import race_setup, run_actions, run_list, run_page, runs_at_hand
from pages.widgets.navigation import routed
from pages.widgets.place import limits_note, store, visitor
from pages.widgets.words import term

routed()
st.title("Race", anchor=False, help=term("race"))
st.caption("Strategies search the same space many times each; the answer key says how good they really get.")
limits_note()
run_id = runs_at_hand.current_run("race")
form, shown = run_page.side_by_side(run_id is not None)

with form:
    first = st.container()  # the button stands above the settings: their defaults are a good race
    spec = race_setup.settings()
    problems = race_setup.problems(spec)
    key, why = race_setup.key_of(spec)
with first:
    if st.button(
        "Race",
        type="primary",
        icon=":material/sports_score:",
        disabled=bool(problems) or key is None,
        width="stretch",
    ):

        def start() -> None:
            """Queue it and make it the race on screen."""
            runs_at_hand.show(launch.start_run(store(), spec, visitor()), "race")

        if run_actions.tried(start):
            st.rerun()
    for problem in problems[:3]:
        st.error(problem, icon=":material/error:")
    if why:
        st.info(f"Nothing can race here. {why}", icon=":material/key_off:")
    elif not problems:
        st.caption(race_setup.forecast(spec))


def title(state: RunState) -> None:
    """Which race this is, and how to stop it."""
    run_page.headline(state, run_list.about_spec(state.spec))


def draw(state: RunState) -> None:
    """Title, progress, result."""
    from pages.widgets import race_view

    title(state)
    st.caption(race_view.about_settings(state.spec))
    race_view.show(state)


with shown:
    if run_id is None:
        race_setup.before_the_first(ready=key is not None)
    else:
        ended = run_page.watched(run_id, draw)
        if ended is not None:
            from pages.widgets import race_view

            summary = runs_at_hand.summary(run_id)
            if summary is not None:
                run_actions.after_the_end(ended, summary)
            race_view.downloads(ended)
