"""What can be done with a tuned run: pause, stop, resume, other numbers, trials by hand, one trial again or no more."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import streamlit as st

from explorer.errors import SpecError
from explorer.hyper import Domain, HyperSpace
from explorer.hyper.domain import Option, plain
from explorer.jobs import launch
from explorer.plots.tuning.columns import Column
from explorer.runs.spec import MAX_TRIALS, MAX_WORKERS
from explorer.runs.state import RunState
from explorer.runs.summary import RunSummary
from pages.widgets import examples
from pages.widgets.place import limits, may_control, store
from pages.widgets.run_actions import RESUMABLE
from pages.widgets.run_buttons import button, menu
from pages.widgets.tuning_answers import answer, attempted, remark, toast
from pages.widgets.tuning_board import space_of, trial_box
from pages.widgets.words import term

MAX_FIELDS = 60


def show(state: RunState, summary: RunSummary | None) -> None:
    """The row of buttons that fits the run's state; nothing for an example."""
    if summary is None or examples.is_example(state.run_id):
        return
    mine = may_control(summary)
    run_id = state.run_id
    with st.container(horizontal=True, vertical_alignment="center", key="control"):
        if state.status == "running":
            _button(state, "Pause", ":material/pause:", mine, lambda: launch.pause(store(), run_id))
        if state.status in RESUMABLE:
            _button(state, "Resume", ":material/resume:", mine, lambda: launch.resume(store(), run_id), True)
        if not state.is_over:
            _button(state, "Stop", ":material/stop:", mine, lambda: launch.cancel(store(), run_id))
        if state.status in ("running", "paused"):
            menu("Trials and workers", ":material/tune:", mine, run_id, lambda: _numbers(state))
        if state.is_over:
            menu("More trials", ":material/playlist_add:", mine, run_id, lambda: _more(state))
        if state.status != "queued":
            menu("Add a trial", ":material/add:", mine, run_id, lambda: _by_hand(state))
            menu("One trial", ":material/more_horiz:", mine, run_id, lambda: _one_trial(state))
        address = nni_page(state)
        if address:
            st.link_button(
                "NNI's own page",
                address,
                icon=":material/open_in_new:",
                help="The web page of the NNI experiment behind this run, on the machine that trains.",
            )
    answer(run_id, _BUTTONS, state.status)


_BUTTONS = "buttons"
_NNI_ADDRESS = re.compile(r"http://127\.0\.0\.1:([0-9]{1,5})/?")


def nni_page(state: RunState) -> str | None:
    """Where NNI shows the experiment behind a running run; None unless that is a port of this machine.

    The address stands in an event, and events may come from a file.
    """
    if state.status not in ("running", "paused"):
        return None
    told = [entry["data"] for entry in state.measurements if entry["name"] == "nni_experiment"]
    url = told[-1].get("url") if told and isinstance(told[-1], Mapping) else None
    found = _NNI_ADDRESS.fullmatch(url) if isinstance(url, str) else None
    return url if found and 0 < int(found[1]) < 65536 else None


def _button(
    state: RunState, label: str, icon: str, mine: bool, action: Callable[[], object], first: bool = False
) -> None:
    button(state, label, icon, mine, action, _ANSWERS[label], _BUTTONS, first)


_ANSWERS: Mapping[str, str] = {
    "Pause": "Pausing: running trials come to their end, no new one starts.",
    "Resume": "Going on.",
    "Stop": "Stopping: the run ends within a second or two; finished trials are kept.",
}


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
    mark = (trials, workers)
    pressed = st.button("Apply", type="primary", key=f"control/{run_id}/apply")
    if pressed:
        _set(state, int(trials), int(workers), mark)
    answer(run_id, "numbers", mark)


def _set(state: RunState, trials: int, workers: int, mark: object) -> None:
    """Ask for other numbers, where they are others."""
    run_id = state.run_id
    wanted = {"trials": (trials, state.planned_trials), "workers": (workers, state.workers)}
    changed = {name: value for name, (value, now) in wanted.items() if value != now}
    if not changed:
        remark(run_id, "numbers", "Nothing to change: the run has these numbers already.", mark)
    elif attempted(
        run_id,
        "numbers",
        lambda: [store().request(run_id, "set", {"name": n, "value": v}) for n, v in changed.items()],
        mark,
    ):
        told = " and ".join(f"{value} {name}" for name, value in changed.items())
        toast(f"Asked for: {told}.")


def _more(state: RunState) -> None:
    """Go on after the end, with more trials than were planned."""
    run_id, place = state.run_id, f"control/{state.run_id}/more"
    begun = sum(trial.repeat_of is None for trial in state.trials.values())
    planned = max(state.planned_trials, begun)
    room = MAX_TRIALS - planned
    if room < 1:
        st.caption(f"This run has {planned:,} trials, as many as a run may have.")
        return
    extra = st.number_input(
        "How many more", 1, room, min(room, max(1, state.spec.trials // 2)), key=f"{place}/trials"
    )
    st.caption(
        f"The run goes on where it ended: the tuner keeps what it learned from {begun:,} "
        f"{'trial' if begun == 1 else 'trials'}."
    )
    if st.button(f"Train {extra:,} more", type="primary", key=f"{place}/go") and attempted(
        run_id, "more", lambda: launch.more_trials(store(), run_id, planned + int(extra)), extra
    ):
        toast(f"Going on to {planned + int(extra):,} trials in all.")
        st.rerun()
    answer(run_id, "more", extra)


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
    text, parameters = "", {}
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
        + (
            "The run goes on for this trial. "
            if state.is_over
            else "Your trial runs before the tuner's next one. "
        )
        + "The tuner learns from it."
    )
    mark = text if as_json else json.dumps(parameters, sort_keys=True, default=str)
    if st.button("Add it", type="primary", key=f"{place}/go") and attempted(
        state.run_id, "add", lambda: _add(state, space, _read(text) if as_json else parameters), mark
    ):
        _begun(state)
    answer(state.run_id, "add", mark)


def _begun(state: RunState) -> None:
    """A trial was asked for; a run that had ended is drawn anew, because it lives again."""
    toast("Asked for: it starts as soon as a worker is free.")
    if state.is_over:
        st.rerun()


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
    _ask_for(state, parameters)


def _ask_for(state: RunState, parameters: Mapping[str, Any]) -> None:
    ask = launch.add_after_end if state.is_over else launch.add_trial
    ask(store(), state.run_id, parameters)


def _form(space: HyperSpace, start: Mapping[str, Any], place: str) -> dict[str, Any]:
    """One widget a parameter; a nested choice is followed by the parameters of its option."""
    return {domain.name: _field(domain, start.get(domain.name), f"{place}/{domain.name}") for domain in space}


def _field(domain: Domain, start: Any, place: str) -> Any:
    if domain.is_nested:
        return _nested(domain, start, place)
    if domain.is_choice:
        options = [plain(value) for value in domain.values]
        at = options.index(start) if start in options else 0
        words = [_told(option, options) for option in options]
        picked = st.selectbox(domain.name, range(len(options)), at, words.__getitem__, key=place)
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


def _told(value: Any, options: Sequence[Any]) -> str:
    """An option in words: what is chosen of a skip's inputs by name, everything else as it is."""
    if isinstance(value, list):
        column = Column("", options=tuple(json.dumps(option, default=str) for option in options))
        return column.words(json.dumps(value, default=str))
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
    picked = trial_box(
        "Trial, running ones first" if running else "Trial, newest first",
        [*running, *others],
        f"control/{run_id}/one",
    )
    trial = state.trials[picked]
    st.caption(f"Trial {picked}: {trial.status.replace('_', ' ')}.")
    with st.container(horizontal=True):
        again = st.button(
            f"Run trial {picked} again",
            icon=":material/replay:",
            key=f"control/{run_id}/again/{picked}",
            help="A new trial with the same parameters.",
        )
        kill = not state.is_over and st.button(
            f"End trial {picked}",
            icon=":material/stop:",
            key=f"control/{run_id}/kill/{picked}",
            disabled=picked not in running,
            help="Ends this trial alone; the run goes on.",
        )
    here, mark = store(), (picked, trial.status)
    if again and attempted(
        run_id, "one", lambda: _ask_for(state, launch.parameters_of(here, run_id, picked)), mark
    ):
        _begun(state)
    if kill and attempted(
        run_id, "one", lambda: here.request(run_id, "kill_trial", {"trial_id": picked}), mark
    ):
        toast(f"Asked for: trial {picked} ends within a second or two.")
    answer(run_id, "one", mark)
