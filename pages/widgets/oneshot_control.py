"""What can be done with a one-shot search: pause, step, stop with what is there, measure, branch, retrain."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import streamlit as st

from explorer.catalogue import METHODS
from explorer.jobs import launch
from explorer.jobs.asking import (
    MEASURES,
    MOST_RIVALS,
    MOST_SEEDS,
    PHASES,
    checkpoints_of,
    derived_of,
    epoch_at,
)
from explorer.runs.spec import MAX_EPOCHS
from explorer.runs.state import RunState
from explorer.runs.summary import RunSummary
from pages.widgets import film, runs_at_hand
from pages.widgets.parameter_form import begin, widget
from pages.widgets.place import may_control, store, visitor
from pages.widgets.run_actions import RESUMABLE
from pages.widgets.run_buttons import button, menu
from pages.widgets.tuning_answers import answer, attempted, toast
from pages.widgets.words import term

_PLACE = "oneshot"


def show(state: RunState, summary: RunSummary) -> None:
    """The row of buttons that fits the run's state."""
    mine, run_id = may_control(summary), state.run_id
    with st.container(horizontal=True, vertical_alignment="center", key="control"):
        if state.status == "running":
            _button(state, "Pause", ":material/pause:", mine, lambda: launch.pause(store(), run_id))
        if state.status in RESUMABLE:
            _button(state, "Resume", ":material/resume:", mine, lambda: launch.resume(store(), run_id), True)
        if state.status in ("running", "paused") and derived_of(state) is None:
            _button(state, "Derive now", ":material/flag:", mine, lambda: launch.stop_search(store(), run_id))
        if not state.is_over:
            _button(state, "Stop", ":material/stop:", mine, lambda: launch.cancel(store(), run_id))
        if state.status == "paused" and _is_own(state):
            menu("Step", ":material/skip_next:", mine, run_id, lambda: _steps(state))
        if state.status != "queued" and _is_own(state):
            menu("Measure", ":material/straighten:", mine, run_id, lambda: _measures(state))
            if checkpoints_of(state):
                menu("Branch", ":material/call_split:", mine, run_id, lambda: _branch(state))
        if state.is_over and derived_of(state) is not None:
            menu("Retrain", ":material/replay:", mine, run_id, lambda: _retrain(state))
    answer(run_id, _PLACE, state.status)


def _is_own(state: RunState) -> bool:
    return state.spec.method.get("engine", "own") == "own"


_ANSWERS: Mapping[str, str] = {
    "Pause": "Pausing after this step; a checkpoint is kept.",
    "Resume": "Going on.",
    "Derive now": "Ending the search: what it believes now is derived.",
    "Stop": "Stopping: the run ends within a second or two; its snapshots and a checkpoint are kept.",
}


def _button(
    state: RunState, label: str, icon: str, mine: bool, action: Callable[[], object], first: bool = False
) -> None:
    button(state, label, icon, mine, action, _ANSWERS[label], _PLACE, first)


def _steps(state: RunState) -> None:
    run_id = state.run_id
    st.caption("Paused: look at single steps. A snapshot follows the last of them.")
    count = st.number_input("Steps", 1, 1000, key=begin(f"oneshot/{run_id}/count", 1))
    labels = {"both": "Both", "weights": "Weights only", "architecture": "Architecture only"}
    with st.container(horizontal=True):
        for phase in PHASES:
            pressed = st.button(labels[phase], key=f"oneshot/{run_id}/step/{phase}")
            if pressed and attempted(
                run_id, "step", partial(launch.step, store(), run_id, phase, int(count)), count
            ):
                st.rerun()
    answer(run_id, "step", count)


def _measures(state: RunState) -> None:
    run_id = state.run_id
    when = "of the last checkpoint" if state.is_over else "now"
    st.caption(f"Measured {when}; the search waits meanwhile.")
    for name, cost in MEASURES.items():
        if name == "hessian_eigenvalue" and not METHODS[state.spec.method["method"]].facts["alphas"]:
            continue
        pressed = st.button(name.replace("_", " ").capitalize(), key=f"oneshot/{run_id}/measure/{name}")
        st.caption(f"{cost.capitalize()}.")
        if pressed and attempted(
            run_id, "measure", partial(launch.measure, store(), run_id, name), state.status
        ):
            toast(f"Asked for: {name.replace('_', ' ')}.")
            st.rerun()
    answer(run_id, "measure", state.status)


def _branch(state: RunState) -> None:
    """Another run from a checkpoint, with one parameter or the length changed."""
    run_id, steps = state.run_id, checkpoints_of(state)
    st.caption(term("branch"))
    stopped = film.stopped_at(state)  # the last checkpoint before the moment on screen
    before = [one for one in steps if stopped is None or one <= stopped] or steps[:1]
    at = st.selectbox(
        "From the checkpoint of step", steps, steps.index(before[-1]), key=f"oneshot/{run_id}/at/{before[-1]}"
    )
    done = epoch_at(state, at)
    epochs = st.number_input(
        "Epochs in all",
        min(done + 1, MAX_EPOCHS),
        MAX_EPOCHS,
        min(MAX_EPOCHS, max(state.spec.epochs, done + 10 * (done >= state.spec.epochs))),
        key=f"oneshot/{run_id}/epochs/{at}",
    )
    entry = METHODS[state.spec.method["method"]]
    now = entry.defaults() | state.spec.settings.get("method", {})
    names = [parameter.name for parameter in entry.parameters]
    name = st.selectbox(
        "Change",
        [None, *names],
        format_func=lambda one: "nothing else" if one is None else one.replace("_", " "),
        key=f"oneshot/{run_id}/change",
    )
    changes: dict[str, Any] = {}
    if name is not None:
        parameter = next(one for one in entry.parameters if one.name == name)
        place = begin(f"oneshot/{run_id}/to/{name}", now[name])
        changes[name] = widget(parameter, place)
    if int(epochs) != state.spec.epochs:
        changes["epochs"] = int(epochs)
    if st.button("Branch", type="primary", key=f"oneshot/{run_id}/branch"):

        def go() -> None:
            """Start it, and show it."""
            st.session_state["branched"] = launch.branch(store(), run_id, at, changes, visitor())

        if attempted(run_id, "branch", go, (at, name)):
            runs_at_hand.open_run(st.session_state.pop("branched"), "oneshot")
    answer(run_id, "branch", (at, name))


def _retrain(state: RunState) -> None:
    """Train what was derived from scratch, beside architectures drawn at random."""
    run_id = state.run_id
    st.caption("Was the search better than luck? Only training from scratch can tell.")
    seeds = st.number_input(
        "Seeds", 1, MOST_SEEDS, key=begin(f"oneshot/{run_id}/seeds", 3), help=term("seed")
    )
    rivals = st.number_input(
        "Random rivals", 0, MOST_RIVALS, key=begin(f"oneshot/{run_id}/rivals", 5), help=term("rival")
    )
    epochs = st.number_input(
        "Epochs each", 1, MAX_EPOCHS, key=begin(f"oneshot/{run_id}/retraining", 20), help=term("epoch")
    )
    wish = {"trial_id": 0, "seeds": int(seeds), "rivals": int(rivals), "epochs": int(epochs)}
    if st.button(
        f"Train {int(seeds * (1 + rivals))} networks", type="primary", key=f"oneshot/{run_id}/go"
    ) and attempted(
        run_id, "retrain", lambda: launch.resume(store(), run_id, retrain=wish), tuple(wish.values())
    ):
        st.rerun()
    answer(run_id, "retrain", tuple(wish.values()))
