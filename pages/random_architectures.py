"""Random architectures: settings on the left, the run on the right, alive while it trains."""

from __future__ import annotations

import streamlit as st

from explorer.export import key_says
from explorer.jobs import launch
from explorer.plots import scene_of
from explorer.plots.leaderboard import space_of
from explorer.runs.state import RunState
from explorer.space import load_space
from pages.widgets import run_actions, run_page, run_settings, run_view, runs_at_hand
from pages.widgets.drawing import draw
from pages.widgets.navigation import routed
from pages.widgets.place import limits_note, store, visitor
from pages.widgets.words import term

routed()
st.title("Random architectures", anchor=False, help=term("random search"))
st.caption("Draw architectures at random, train each from scratch, and see how good a space is by itself.")
limits_note()
run_id = runs_at_hand.current_run("random")
form, shown = run_page.side_by_side(run_id is not None)

with form:
    spec = run_settings.settings()
    problems = spec.problems()
    st.caption(run_settings.forecast(spec))
    for problem in problems:
        st.error(problem, icon=":material/error:")
    if st.button(
        "Run", type="primary", icon=":material/play_arrow:", disabled=bool(problems), width="stretch"
    ):

        def start() -> None:
            """Queue it and make it the run on screen."""
            runs_at_hand.show(launch.start_run(store(), spec, visitor()), "random")

        if run_actions.tried(start):
            st.rerun()


def title(state: RunState) -> None:
    """Which run this is."""
    space = load_space(state.spec.space)
    run_page.headline(state, f"{space.title or space.name} on {state.spec.dataset}")


def show(state: RunState) -> None:
    """Title, progress, charts, leaderboard."""
    truth = key_says.truth_of(state)
    rows = run_view.rows_of(state, truth)
    title(state)
    run_view.head(state)
    if told := key_says.standing(state, truth):
        st.markdown(told, help=term("answer key"))
    elif problem := key_says.damage(space_of(state.spec), state.spec.dataset):
        st.caption(f":material/warning: {problem}")
    run_view.charts(state, rows, live=not state.is_over, truth=truth)
    run_view.board(state, rows, live=not state.is_over)


with shown:
    if run_id is None:
        with st.container(border=True):
            st.markdown("**Nothing is running here yet.**")
            st.markdown(
                "Press *Run*: each architecture is trained in a process of its own, and its curve appears here "
                "after its first epoch. You may close the page meanwhile; the run goes on, and *Runs* lists it."
            )
        space = space_of(spec)
        if space is not None:
            draw(scene_of(space, spec.architecture), with_legend=space.family == "cell")
    else:
        ended = run_page.watched(run_id, show)
        if ended is not None:
            summary = runs_at_hand.summary(run_id)
            if summary is not None:
                run_actions.after_the_end(ended, summary)
            run_actions.downloads(ended, run_view.rows_of(ended, key_says.truth_of(ended)))
