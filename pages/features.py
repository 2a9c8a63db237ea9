"""Feature engineering: a table and selectors on the left; on the right how many columns are enough, and whose."""

from __future__ import annotations

import streamlit as st

from explorer.jobs import launch
from explorer.runs.state import RunState
from pages.widgets import features_setup, run_actions, run_page, runs_at_hand
from pages.widgets.navigation import one_sentence, routed
from pages.widgets.place import limits_note, store, visitor
from pages.widgets.words import term

POLL_SECONDS = 1.0

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


def run_on_screen() -> None:
    """Title, progress, what is known; while the run lives this alone is drawn again."""
    from pages.widgets import features_view

    with one_sentence():
        state = runs_at_hand.state(str(run_id))
        title(state)
        features_view.show(state, live=not state.is_over)
        if state.is_over and alive:
            st.rerun()  # once more as a whole: the timer stops, the charts appear


with shown:
    if features_setup.table_is_open():
        features_setup.show_table(spec)
    elif run_id is None:
        features_setup.before_the_first()
    else:
        alive = not runs_at_hand.state(run_id).is_over
        st.fragment(run_on_screen, run_every=POLL_SECONDS if alive else None)()
        if not alive:
            from pages.widgets import features_view

            features_view.take_away(runs_at_hand.state(run_id), runs_at_hand.summary(run_id))
