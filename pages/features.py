"""Feature engineering: a table and selectors on the left; on the right how many columns are enough, and whose."""

from __future__ import annotations

import streamlit as st

from explorer.jobs import launch
from explorer.runs.state import RunState
from pages.widgets import features_setup, run_actions, run_page, runs_at_hand
from pages.widgets.navigation import routed
from pages.widgets.place import limits_note, store, visitor
from pages.widgets.words import term

routed()
st.title("Feature engineering", anchor=False, help=term("feature engineering"))
st.caption(
    "Selectors say which columns of a table matter; a model judges their choice on rows that chose nothing."
)
limits_note()
run_id = runs_at_hand.current_run("features")
form, shown = run_page.side_by_side(run_id is not None or features_setup.table_is_open())

with form:
    first = st.container()  # the button stands above the settings: their defaults are a good run
    spec, problems = features_setup.settings()
with first:
    if st.button(
        "Compare",
        type="primary",
        icon=":material/play_arrow:",
        disabled=spec is None or bool(problems),
        width="stretch",
    ):

        def start() -> None:
            """Keep the table, queue the run and make it the one on screen."""
            assert spec is not None  # else the button is disabled
            started = launch.start_run(store(), features_setup.with_table(spec), visitor())
            features_setup.close_table()
            runs_at_hand.show(started, "features")

        if run_actions.tried(start):
            st.rerun()
    for problem in problems[:3]:
        st.error(features_setup.literal(problem), icon=":material/error:")
    if spec is not None and not problems:
        st.caption(features_setup.forecast(spec))


def title(state: RunState) -> None:
    """Which run this is, and how to stop it."""
    run_page.headline(state, features_setup.named(state.spec))
    st.caption(features_setup.about_settings(state.spec))


def draw(state: RunState) -> None:
    """Title, progress, what is known."""
    from pages.widgets import features_view

    title(state)
    features_view.show(state, live=not state.is_over)


with shown:
    if features_setup.table_is_open():
        features_setup.show_table(spec)
    elif run_id is None:
        features_setup.before_the_first()
    else:
        ended = run_page.watched(run_id, draw)
        if ended is not None:
            from pages.widgets import features_view

            features_view.take_away(ended, runs_at_hand.summary(run_id))
