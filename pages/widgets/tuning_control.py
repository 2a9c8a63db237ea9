"""What can be done with a tuned run: pause, stop, resume, other numbers, trials by hand, one trial again or no more."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import streamlit as st

from explorer.errors import SpecError
from explorer.hyper import Domain, HyperSpace
from explorer.hyper.domain import Option, plain
from explorer.jobs import launch
from explorer.runs.spec import MAX_TRIALS, MAX_WORKERS
from explorer.runs.state import RunState
from explorer.runs.summary import RunSummary
from pages.widgets import examples
from pages.widgets.place import limits, may_control, store
from pages.widgets.run_actions import RESUMABLE, tried
from pages.widgets.tuning_board import space_of
from pages.widgets.words import term

MAX_FIELDS = 60
NOT_YOURS = "On a shared machine only the visitor who started a run may change it."


def show(state: RunState, summary: RunSummary | None) -> None:
    """The row of buttons that fits the run's state; nothing for an example."""
    if summary is None or examples.is_example(state.run_id):
        return
    mine = may_control(summary)
    run_id = state.run_id
    with st.container(horizontal=True, vertical_alignment="center", key="control"):
        if state.status == "running":
            _button("Pause", ":material/pause:", mine, run_id, lambda: launch.pause(store(), run_id))
        if state.status in RESUMABLE:
            _button("Resume", ":material/resume:", mine, run_id, lambda: launch.resume(store(), run_id), True)
        if not state.is_over:
            _button("Stop", ":material/stop:", mine, run_id, lambda: launch.cancel(store(), run_id))
        if state.status in ("running", "paused"):
            _menu("Trials and workers", ":material/tune:", mine, run_id, lambda: _numbers(state))
            _menu("Add a trial", ":material/add:", mine, run_id, lambda: _by_hand(state))
            _menu("One trial", ":material/more_horiz:", mine, run_id, lambda: _one_trial(state))


def _button(
    label: str, icon: str, mine: bool, run_id: str, action: Callable[[], object], first: bool = False
) -> None:
    pressed = st.button(
        label,
        icon=icon,
        type="primary" if first else "secondary",
        disabled=not mine,
        key=f"control/{run_id}/{label}",
        help=None if mine else NOT_YOURS,
    )
    if pressed and tried(action):
        _toast(_ANSWERS[label])
        st.rerun()


_ANSWERS: Mapping[str, str] = {
    "Pause": "Pausing: running trials come to their end, no new one starts.",
    "Resume": "Going on.",
    "Stop": "Stopping: the run ends within a second or two; finished trials are kept.",
}


def _toast(words: str) -> None:
    """What was asked for; it stays for some seconds, however often the page is drawn again."""
    st.toast(words, icon=":material/check:")


def _menu(label: str, icon: str, mine: bool, run_id: str, draw: Callable[[], None]) -> None:
    """A popover whose content is made only while it is open."""
    popover = st.popover(
        label,
        icon=icon,
        disabled=not mine,
        on_change="rerun",
        key=f"control/{run_id}/{label}",
        help=None if mine else NOT_YOURS,
    )
    if popover.open:
        with popover:
            draw()


# -- numbers ----------------------------------------------------------------------------------------------


def _numbers(state: RunState) -> None:
    """How many trials in all, and how many at once."""
    run_id = state.run_id
    begun = sum(trial.repeat_of is None for trial in state.trials.values())
    trials = st.number_input(
        "Trials in all",
        max(1, begun),
        MAX_TRIALS,
        min(MAX_TRIALS, max(1, begun, state.planned_trials)),
        key=f"control/{run_id}/trials",
        help=f"{begun} have begun. More may be asked for, or fewer than planned.",
    )
    most = min(MAX_WORKERS, limits().workers or MAX_WORKERS)
    workers = st.number_input(
        "Workers",
        1,
        most,
        min(most, max(1, state.workers)),
        key=f"control/{run_id}/workers",
        help=term("worker"),
    )
    if not st.button("Apply", type="primary", key=f"control/{run_id}/apply"):
        return
    wanted = {"trials": (int(trials), state.planned_trials), "workers": (int(workers), state.workers)}
    changed = {name: value for name, (value, now) in wanted.items() if value != now}
    if not changed:
        st.caption("Nothing to change: the run has these numbers already.")
    elif tried(lambda: [store().request(run_id, "set", {"name": n, "value": v}) for n, v in changed.items()]):
        told = " and ".join(f"{value} {name}" for name, value in changed.items())
        _toast(f"Asked for: {told}.")


# -- a trial by hand --------------------------------------------------------------------------------------


def _by_hand(state: RunState) -> None:
    """A form made of the run's search space, or the same as JSON; begins with the best trial."""
    space = space_of(state)
    if space is None:
        st.caption("This run's search space can no longer be read, so no trial can be added by hand.")
        return
    start = _start(state, space)
    whole_form = space.combinations is None and space.dimensions <= MAX_FIELDS
    place = f"control/{state.run_id}/add"
    as_json = not whole_form or st.toggle("As JSON", key=f"{place}/json")
    if as_json:
        text = st.text_area(
            "Parameters",
            json.dumps(start, indent=1, ensure_ascii=False),
            height=220,
            key=f"{place}/text",
            help="As the copied JSON of another trial.",
        )
    else:
        parameters = _form(space, start, place)
    best = state.best
    st.caption(
        (f"It begins with the best trial ({best.trial_id}). " if best else "")
        + "Your trial runs before the tuner's next one, and the tuner learns from it."
    )
    if not st.button("Add it", type="primary", key=f"{place}/go"):
        return
    if tried(lambda: _add(state, space, _read(text) if as_json else parameters)):
        _toast("Asked for: it starts as soon as a worker is free.")


def _start(state: RunState, space: HyperSpace) -> dict[str, Any]:
    """The best trial's parameters, else what the space draws first."""
    import random

    best = state.best
    if best is not None and best.parameters and space.problem_with(dict(best.parameters)) is None:
        return dict(best.parameters)
    return space.sample(random.Random(0))


def _read(text: str) -> dict[str, Any]:
    try:
        parameters = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise SpecError(f"These parameters are no JSON: {error}") from error
    if not isinstance(parameters, dict):
        raise SpecError('A trial is a JSON object such as {"learning_rate": 0.1}.')
    return parameters


def _add(state: RunState, space: HyperSpace, parameters: Mapping[str, Any]) -> None:
    problem = space.problem_with(parameters)
    if problem:
        raise SpecError(problem)
    launch.add_trial(store(), state.run_id, parameters)


def _form(space: HyperSpace, start: Mapping[str, Any], place: str) -> dict[str, Any]:
    """One widget a parameter; a nested choice is followed by the parameters of its option."""
    return {domain.name: _field(domain, start.get(domain.name), f"{place}/{domain.name}") for domain in space}


def _field(domain: Domain, start: Any, place: str) -> Any:
    if domain.is_nested:
        return _nested(domain, start, place)
    if domain.is_choice:
        options = [plain(value) for value in domain.values]
        at = options.index(start) if start in options else 0
        picked = st.selectbox(domain.name, range(len(options)), at, lambda at: _told(options[at]), key=place)
        return options[picked]
    if domain.type == "randint":
        low, high = int(domain.low), int(domain.high) - 1
        start = start if isinstance(start, int) and low <= start <= high else low
        return int(st.number_input(domain.name, low, high, start, key=place, help=domain.expected()))
    return _number(domain, start, place)


def _nested(domain: Domain, start: Any, place: str) -> dict[str, Any]:
    options = {option.name: option for option in domain.values if isinstance(option, Option)}
    names = list(options)
    chosen = start.get("_name") if isinstance(start, Mapping) else None
    picked = st.selectbox(domain.name, names, names.index(chosen) if chosen in names else 0, key=place)
    inner = start if isinstance(start, Mapping) and chosen == picked else {}
    space = options[picked].space
    if not len(space):
        return {"_name": picked}
    with st.container(border=True):
        return {"_name": picked, **_form(space, inner, f"{place}/{picked}")}


def _number(domain: Domain, start: Any, place: str) -> float:
    low, high = (None, None) if domain.is_normal else (float(domain.low), float(domain.high))
    usual = float(domain.ends[0]) if domain.is_normal else float(domain.low)
    value = float(start) if isinstance(start, int | float) and not isinstance(start, bool) else usual
    if low is not None and high is not None:
        value = min(high, max(low, value))
    step = domain.q or (
        10 ** _magnitude(value) if domain.is_log else ((high or 1.0) - (low or 0.0)) / 100 or 0.01
    )
    return float(
        st.number_input(domain.name, low, high, value, step, format="%.6g", key=place, help=domain.expected())
    )


def _magnitude(value: float) -> int:
    """The power of ten of the second digit."""
    import math

    return math.floor(math.log10(abs(value))) - 1 if value else -3


def _told(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


# -- one trial --------------------------------------------------------------------------------------------


def _one_trial(state: RunState) -> None:
    """Run it again, or end it while it runs."""
    run_id = state.run_id
    own = [trial for trial in state.trials.values() if trial.repeat_of is None]
    running = sorted(trial.trial_id for trial in state.trials.values() if trial.status == "running")
    others = sorted((trial.trial_id for trial in own if trial.status != "running"), reverse=True)
    if not running and not others:
        st.caption("No trial has begun yet.")
        return
    picked = st.selectbox(
        "Trial, running ones first",
        [*running, *others],
        format_func=lambda number: f"Trial {number}, {state.trials[number].status.replace('_', ' ')}",
        key=f"control/{run_id}/one",
    )
    with st.container(horizontal=True):
        again = st.button(
            "Run it again",
            icon=":material/replay:",
            key=f"control/{run_id}/again",
            help="A new trial with the same parameters.",
        )
        kill = st.button(
            "End it",
            icon=":material/stop:",
            key=f"control/{run_id}/kill",
            disabled=picked not in running,
            help="Ends this trial alone; the run goes on.",
        )
    here = store()
    if again and tried(lambda: launch.add_trial(here, run_id, launch.parameters_of(here, run_id, picked))):
        _toast("Asked for: it starts as soon as a worker is free.")
    if kill and tried(lambda: here.request(run_id, "kill_trial", {"trial_id": picked})):
        _toast("Asked for: it ends within a second or two.")
