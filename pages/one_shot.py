"""One-shot search: settings on the left; on the right a supernet's probabilities, alive, and what it derives."""

from __future__ import annotations

import streamlit as st

from explorer.jobs import launch
from explorer.runs.state import RunState
from pages.widgets import oneshot_setup, run_actions, run_list, run_page, runs_at_hand
from pages.widgets.navigation import one_sentence, routed
from pages.widgets.place import limits_note, store, visitor
from pages.widgets.words import term

POLL_SECONDS = 0.5
CHARTS_SECONDS = 2.0

routed()
st.title("One-shot search", anchor=False, help=term("one-shot"))
st.caption(
    "Train one network that holds every candidate, watch the probabilities of its candidates move, and derive an "
    "architecture from them."
)
limits_note()
run_id = runs_at_hand.current_run("oneshot")
form, shown = run_page.side_by_side(run_id is not None)

with form:
    first = st.container()  # the button stands above the settings: their defaults are a good run
    spec = oneshot_setup.settings()
    problems = spec.problems()
with first:
    if st.button(
        "Search", type="primary", icon=":material/play_arrow:", disabled=bool(problems), width="stretch"
    ):

        def start() -> None:
            """Queue it and make it the run on screen."""
            runs_at_hand.show(launch.start_run(store(), spec, visitor()), "oneshot")

        if run_actions.tried(start):
            st.rerun()
    for problem in problems[:3]:
        st.error(problem, icon=":material/error:")
    if not problems:
        st.caption(oneshot_setup.forecast(spec))


def title(state: RunState) -> None:
    """Which run this is, and what can be done with it."""
    from pages.widgets import oneshot_control

    named = f"{oneshot_setup.method_name(state.spec)}: {run_list.about_spec(state.spec)}"
    summary = run_page.headline(state, named, stops=False)
    st.caption(oneshot_setup.about_settings(state.spec))
    if summary is not None:
        oneshot_control.show(state, summary)


def film_on_screen() -> None:
    """Title, progress, the film and what it would derive; while the run lives, drawn again twice a second."""
    from pages.widgets import oneshot_view

    with one_sentence():
        state = runs_at_hand.state(str(run_id))
        title(state)
        oneshot_view.head(state)
        oneshot_view.watch(state, live=not state.is_over)
        if state.is_over and alive:
            st.rerun()  # once more as a whole: the timers stop, the whole film comes down


def charts_on_screen() -> None:
    """The charts over time; they need to be new less often."""
    from pages.widgets import oneshot_view

    with one_sentence():
        state = runs_at_hand.state(str(run_id))
        oneshot_view.below(state, live=not state.is_over)


with shown:
    if run_id is None:
        oneshot_setup.before_the_first(spec)
    else:
        alive = not runs_at_hand.state(run_id).is_over
        st.fragment(film_on_screen, run_every=POLL_SECONDS if alive else None)()
        st.fragment(charts_on_screen, run_every=CHARTS_SECONDS if alive else None)()
        if not alive:
            oneshot_setup.take_away(run_id)
