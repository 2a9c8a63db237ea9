"""The assessor lens: why a trial was stopped, whether that was right, and what other settings would have done.

Everything is read from the run's recorded assessments; the replay is arithmetic, without training and without NNI.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import streamlit as st

from explorer.catalogue import ASSESSORS, OBJECTIVES
from explorer.hyper.assessor_rules import CURVEFITTING, FIRST_STEP, MEDIANSTOP, NONE
from explorer.jobs import launch
from explorer.lens.curves import FAMILIES
from explorer.lens.explain import explain
from explorer.lens.ledger import Ledger, StoppedTrial, ledger
from explorer.lens.replay import Outcome, Replay, replay
from explorer.lens.trials import assessments, assessor_of, budget, ghosts, own_settings
from explorer.plots.progress import duration
from explorer.plots.tuning.lens import LensInfo, lens
from explorer.plots.tuning.lens_drawing import lens_svg
from explorer.plots.tuning.scale import Scale
from explorer.plots.tuning.table import Board, Row
from explorer.runs.state import RunState
from pages.widgets import examples, runs_at_hand, tuning_brush
from pages.widgets.drawing import facts, picture, table
from pages.widgets.place import may_control, store
from pages.widgets.tuning_answers import answer, attempted, toast
from pages.widgets.tuning_board import board_of, kept, trial_box
from pages.widgets.words import term

LISTED = 20
_QUIET = {"displaylogo": False, "modeBarButtonsToRemove": ["select2d", "lasso2d", "autoScale2d"]}
_Looks = Mapping[int, Sequence[Mapping[str, Any]]]


def show(state: RunState) -> None:
    """The lens on a run: one trial's looks, the account of all stops, and the replay."""
    looks = kept("looks", (state.run_id, state.last_seq), lambda: _looks(state))
    if not looks:
        st.markdown("**What did the assessor see, and why did it decide so?**", help=term("assessor lens"))
        _nothing(state)
        return
    whole = board_of(state)
    trial_id = _trial(whole, looks)
    left, right = st.columns([3, 2], gap="medium")
    with left:
        event = _picture(whole, trial_id, looks[trial_id])
    with right:
        _why(whole, trial_id, event)
    account = kept("ledger", (state.run_id, state.last_seq), lambda: ledger(state))
    before, after = st.columns(2, gap="large")
    with before:
        _account(account, whole.scale)
    with after:
        _replayed(state)
    _stops(state, account)


def _looks(state: RunState) -> _Looks:
    """Trial -> its assessments, in order of step."""
    found: dict[int, list[Mapping[str, Any]]] = {}
    for data in assessments(state):
        found.setdefault(data["trial_id"], []).append(data)
    return {trial_id: sorted(told, key=lambda data: data["step"]) for trial_id, told in found.items()}


def _nothing(state: RunState) -> None:
    """Why there is nothing to look at, and what to do."""
    objective = OBJECTIVES[state.spec.objective]
    if not objective.facts["intermediate"]:
        st.markdown(
            f"*{objective.label}* reports one result a trial and nothing on the way, so there is nothing for an "
            "assessor to judge. Take an objective that learns, such as *Train a network* or *Simulated learning "
            "curves*."
        )
    elif assessor_of(state) == NONE:
        st.markdown(
            "No assessor watched this run, so every trial ran to its last epoch. Choose *Curve fitting* or *Median "
            "stopping* as the assessor in the set-up and run again: this lens then shows each look at each trial, "
            "why it was stopped or went on, and what other settings would have done."
        )
    elif state.is_over:
        st.markdown("The run ended before the assessor had looked at a trial.")
    else:
        first = (
            f"after {FIRST_STEP} results" if assessor_of(state) == CURVEFITTING else "with the first result"
        )
        st.caption(f"The assessor's looks are recorded from every trial, {first} for the first time.")


# -- one trial --------------------------------------------------------------------------------------------


def _trial(whole: Board, looks: _Looks) -> int:
    """Which trial: the selected ones, where some are selected; stopped ones first."""
    run_id = whole.state.run_id
    chosen = tuning_brush.selected(run_id)
    rows = {row.trial_id: row for row in whole.rows if row.trial_id in looks}
    if chosen and (inside := {number: row for number, row in rows.items() if number in chosen}):
        rows = inside
    options = sorted(rows, key=lambda number: (rows[number].status != "early_stopped", number))
    place = f"tuning/{run_id}/lens/trial"
    held = st.session_state.get(f"{place}/held")  # the box in which somebody picked
    if held is None or st.session_state.get(held) not in options:
        held = f"{place}/{_of_itself(place, rows, options)}"
    picked = trial_box("Trial, stopped ones first", options, held, term("assessor lens"), _hold(place, held))
    st.caption(_fate(whole, rows[picked]))
    return picked


def _of_itself(place: str, rows: Mapping[int, Row], options: Sequence[int]) -> int:
    """Until somebody picks a trial: the first that was stopped, and from then on always that one."""
    shown = int(st.session_state.get(f"{place}/shown", options[0]))
    if shown not in rows or rows[shown].status != "early_stopped":
        shown = options[0]
    st.session_state[f"{place}/shown"] = shown
    return shown


def _hold(place: str, key: str) -> Callable[[], None]:
    """The callback of a widget that follows the run until somebody moves it.

    While it follows, each value has a widget of its own: the browser may still send back the value before, and that
    would look like a person's choice.
    """

    def hold() -> None:
        st.session_state[f"{place}/held"] = key

    return hold


def _fate(whole: Board, row: Row) -> str:
    """What became of the trial so far."""
    value = whole.scale.text(row.reached)
    if row.status == "early_stopped":
        return f"Stopped after step {row.steps} of {row.budget}, with {value}."
    if row.status == "running":
        return f"Running: step {row.steps} of {row.budget}, {value} so far."
    if row.status != "succeeded":
        return f"{row.status.capitalize()} after step {row.steps} of {row.budget}."
    return f"Ran to its end, with {value}{', the best of this run' if row.is_best else ''}."


def _picture(whole: Board, trial_id: int, told: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    """The chart and, below it, the slider over the looks; returns the look that is shown."""
    state = whole.state
    steps = [data["step"] for data in told]
    decisive = next((data["step"] for data in told if data["decision"] == "bad"), steps[-1])
    place = f"tuning/{state.run_id}/lens/{trial_id}/step"
    key = st.session_state.get(f"{place}/held") or f"{place}/{decisive}"
    step = st.session_state.get(key)
    if step not in steps:
        step = st.session_state[key] = decisive
    info = lens(whole, trial_id, step)
    st.markdown(f"**{info.question}**")
    if state.is_over:
        from explorer.plots.tuning.lens_drawing import lens_figure

        st.plotly_chart(lens_figure(info), key=f"tuning/lens/{trial_id}/{step}", alt=info.alt, config=_QUIET)
    else:
        picture(lens_svg(info, 460, 330))
    if len(steps) > 1:
        st.select_slider(
            "The look after step",
            steps,
            key=key,
            help=term("look"),
            on_change=_hold(place, key),
        )
    _family(info, told[steps.index(step)])
    return told[steps.index(step)]


def _family(info: LensInfo, event: Mapping[str, Any]) -> None:
    """What the look was made of: the fitted models with their weights, or the averages."""
    if event.get("assessor") == MEDIANSTOP:
        averages = event.get("averages") or ()
        if averages:
            st.caption(_averages(averages, event, info))
        return
    models: Mapping[str, Mapping[str, Any]] = event.get("models") or {}
    if not models:
        return
    used = [(name, model) for name, model in models.items() if "dropped" not in model]
    used.sort(key=lambda pair: -pair[1]["weight"])
    dropped = [(name, model) for name, model in models.items() if "dropped" in model]
    with st.expander(f"The curves that it fitted: {len(used)} used, {len(dropped)} dropped"):
        rows = [
            (
                FAMILIES[name].label,
                FAMILIES[name].formula,
                f"{100 * model['weight']:.0f} %",
                info.scale.text(model.get("prediction")),
                "used",
            )
            for name, model in used
        ]
        rows += [
            (FAMILIES[name].label, FAMILIES[name].formula, "–", "–", f"dropped: {model['dropped']}")
            for name, model in dropped
        ]
        head = [
            ("Curve", term("curve fitting")),
            ("Formula", "x is the step, from 1."),
            ("Weight", "Its share in the combined curve."),
            (f"At epoch {event['target']}", "What this curve alone predicts."),
            ("Part", "Curves whose prediction lies far from the others' median have no part."),
        ]
        table(head, rows, (2, 3))


def _averages(averages: Sequence[float], event: Mapping[str, Any], info: LensInfo) -> str:
    """What the median was taken of."""
    low, high = info.scale.text(min(averages)), info.scale.text(max(averages))
    count = int(event.get("completed") or len(averages))
    if count == 1:
        return f"It was compared with one completed trial, whose results up to this step average {low}."
    told = f"It was compared with {count:,} completed trials: their results up to this step average "
    return told + (f"{low} each." if low == high else f"between {low} and {high}.")


_BADGES: Mapping[str, tuple[str, str, Any]] = {
    "bad": ("stopped", ":material/stop_circle:", "orange"),
    "good": ("goes on", ":material/check:", "green"),
    "wait": ("goes on", ":material/hourglass_empty:", "gray"),
}


def _why(whole: Board, trial_id: int, event: Mapping[str, Any]) -> None:
    """The verdict in words, and what can be done about it."""
    word, icon, color = _BADGES[event["decision"]]
    with st.container(border=True):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f"**Trial {trial_id}, step {event['step']}**", width="content")
            st.badge(word, icon=icon, color=color)
        st.markdown(explain(event, whole.scale.text))
        _afterwards(whole.state, trial_id)
        _let_finish(whole.state, trial_id)


def _afterwards(state: RunState, trial_id: int) -> None:
    """What became of a stopped trial that was let finish."""
    ghost = ghosts(state).get(trial_id)
    if ghost is None:
        going = [t for t in state.trials.values() if t.continues and t.repeat_of == trial_id]
        if going and going[-1].status == "running":
            st.caption(f":material/play_arrow: It goes on: {len(going[-1].intermediate)} more epochs so far.")
        elif trial_id in state.finishes and not state.is_over:
            st.caption(":material/hourglass_empty: It is to be finished, as soon as a worker is free.")
        return
    account = kept("ledger", (state.run_id, state.last_seq), lambda: ledger(state))
    stop = next((stop for stop in account.stopped if stop.trial_id == trial_id), None)
    if stop is not None:
        st.markdown(stop.sentence(board_of(state).scale.text))


def _let_finish(state: RunState, trial_id: int) -> None:
    """Finish this trial, or all that were stopped; what that costs is said."""
    summary = None if examples.is_example(state.run_id) else runs_at_hand.summary(state.run_id)
    if summary is None:
        return
    open_ones = _unfinished(state)
    if not open_ones:
        return
    mine = may_control(summary)
    with st.container(horizontal=True, key="let-finish"):
        if trial_id in open_ones and st.button(
            "Let it finish",
            icon=":material/resume:",
            disabled=not mine,
            key=f"finish/{state.run_id}/{trial_id}",
            help=f"{term('let it finish')} {_price(state, [trial_id])}",
        ):
            _ask(state, [trial_id])
        if len(open_ones) > 1 and st.button(
            f"Let all {len(open_ones)} finish",
            icon=":material/done_all:",
            disabled=not mine,
            key=f"finish/{state.run_id}/all",
            help=f"{term('let it finish')} {_price(state, open_ones)}",
        ):
            _ask(state, open_ones)
    answer(state.run_id, _FINISH)
    if not mine:
        st.caption("On a shared machine only the visitor who started a run may go on with it.")
    elif trial_id in open_ones:
        st.caption(_price(state, [trial_id]))
    else:
        st.caption(f"All {len(open_ones)}: {_price(state, open_ones)}")


def _ask(state: RunState, trial_ids: Sequence[int]) -> None:
    if attempted(state.run_id, _FINISH, lambda: launch.let_finish(store(), state.run_id, trial_ids)):
        trained = (
            f"Trial {trial_ids[0]} is" if len(trial_ids) == 1 else f"{len(trial_ids)} stopped trials are"
        )
        toast(f"{trained} trained to the end, for comparison only.")
        st.rerun()


_FINISH = "finish"


def _unfinished(state: RunState) -> list[int]:
    """Stopped trials that were neither finished nor, in this attempt, asked for."""
    done = set(ghosts(state)) | ({*state.finishes} if not state.is_over else set())
    return [
        number
        for number, trial in sorted(state.trials.items())
        if trial.status == "early_stopped" and trial.repeat_of is None and number not in done
    ]


def _price(state: RunState, trial_ids: Sequence[int]) -> str:
    """What finishing these trials costs, at the pace of the run so far."""
    trials = [state.trials[number] for number in trial_ids]
    epochs = sum(max(0, budget(state, trial) - len(trial.intermediate)) for trial in trials)
    timed = [trial for trial in state.trials.values() if trial.seconds and trial.intermediate]
    told = f"Costs {epochs:,} more {'epoch' if epochs == 1 else 'epochs'}"
    if not timed:
        return f"{told}."
    pace = sum(trial.seconds or 0.0 for trial in timed) / sum(len(trial.intermediate) for trial in timed)
    seconds = pace * epochs
    about = "less than a second" if seconds < 1 else f"about {duration(seconds)}"
    return f"{told}, {about} of a worker's time."


# -- all stops --------------------------------------------------------------------------------------------


def _account(account: Ledger, scale: Scale) -> None:
    st.markdown("**Was it worth it?**", help=term("ledger"))
    st.markdown(" ".join(account.sentences(scale.text)))


def _stops(state: RunState, account: Ledger) -> None:
    """Every stop with what came of it, as wide as the page."""
    if not account.stopped:
        return
    with st.expander(f"All {len(account.stopped)} stops" if len(account.stopped) > 1 else "The stop"):
        scale = board_of(state).scale
        head = [
            ("Trial", term("trial")),
            ("Verdict", term("ledger")),
            ("After step", term("early stopped")),
            ("Expected", "What the assessor predicted; for median stopping the trial's best value so far."),
            ("Line", term("threshold line")),
            ("True end", term("let it finish")),
        ]
        known = sorted(account.stopped, key=lambda stop: (stop.final is None, stop.trial_id))
        rows = [
            (
                str(stop.trial_id),
                _verdict(stop),
                f"{stop.step} of {stop.budget}",
                scale.text(stop.predicted),
                scale.text(stop.line),
                scale.text(stop.final),
            )
            for stop in known[:LISTED]
        ]
        table(head, rows, (2, 3, 4, 5))
        if len(known) > LISTED:
            st.caption(f"{len(known) - LISTED:,} more are in the table of trials.")


def _verdict(stop: StoppedTrial) -> str:
    if stop.final is None:
        return "not known"
    right = {True: "right", False: "wrong", None: "no line"}[stop.right]
    return f"{right}, the best" if stop.would_be_best else right


# -- the replay -------------------------------------------------------------------------------------------


def _replayed(state: RunState) -> None:
    """Sliders, and at once what they would have changed."""
    assessor, own = assessor_of(state), own_settings(state)
    st.markdown("**What would other settings have done?**", help=term("replay"))
    settings = _sliders(state, assessor, own)
    mark = (state.run_id, state.last_seq, *sorted(settings.items()))
    told = kept("replay", mark, lambda: replay(state, assessor, settings))
    facts(_compared(state, told))
    st.markdown(told.sentence(board_of(state).scale.text))
    for note in told.notes:
        st.caption(note)
    _changes(told, board_of(state).scale)


def _sliders(state: RunState, assessor: str, own: Mapping[str, Any]) -> dict[str, Any]:
    places = f"tuning/{state.run_id}/replay"
    parameters = {parameter.name: parameter for parameter in ASSESSORS[assessor].parameters}
    settings: dict[str, Any] = {}
    if assessor == CURVEFITTING:
        given = float(own["threshold"])
        settings["threshold"] = st.slider(
            f"Threshold ({given:g} in this run)",
            min(0.5, given),
            max(1.0, given),
            given,
            0.01,
            key=f"{places}/threshold",
            help=f"NNI's *threshold*. {parameters['threshold'].help}",
        )
    given, last = int(own["start_step"]), max(1, state.spec.epochs)
    low = min(FIRST_STEP, given) if assessor == CURVEFITTING else 0
    if low < max(last, given):
        settings["start_step"] = st.slider(
            f"First step at which it may stop a trial ({given} in this run)",
            low,
            max(last, given),
            given,
            key=f"{places}/start_step",
            help=f"NNI's *start_step*. {parameters['start_step'].help}",
        )
    return settings


def _compared(state: RunState, told: Replay) -> list[tuple[str, str, str]]:
    """Numbers of the run and of the replay, side by side."""
    in_run = [outcome for outcome in told.outcomes if outcome.stopped_in_run is not None]
    saved = sum(outcome.budget - (outcome.stopped_in_run or 0) for outcome in in_run)
    scale, best = board_of(state).scale, told.best
    return [
        ("Stopped", f"{len(in_run)} → {len(told.stopped)}", "In the run, and with these settings."),
        ("Epochs saved", f"{saved:,} → {told.epochs_saved:,}", "In the run, and with these settings."),
        ("Unknown", f"{len(told.unknown)}", term("unknown beyond")),
        ("Best", "–" if best is None else scale.text(best.value), "Of the trials whose end is known."),
    ]


def _changes(told: Replay, scale: Scale) -> None:
    changed = [outcome for outcome in told.outcomes if outcome.changed]
    if not changed:
        st.caption("No trial's fate changes with these settings.")
        return
    head = [("Trial", term("trial")), ("In this run", ""), ("With these settings", term("replay"))]
    rows = [
        (str(outcome.trial_id), _in_run(outcome), _with_these(outcome, scale)) for outcome in changed[:LISTED]
    ]
    table(head, rows)
    if len(changed) > LISTED:
        st.caption(f"{len(changed) - LISTED:,} more trials change.")


def _in_run(outcome: Outcome) -> str:
    return "went on" if outcome.stopped_in_run is None else f"stopped at step {outcome.stopped_in_run}"


def _with_these(outcome: Outcome, scale: Scale) -> str:
    if outcome.fate == "stopped":
        return f"stopped at step {outcome.stopped_at}"
    if outcome.fate == "unknown":
        return f"goes on, unknown beyond step {outcome.known_to}"
    if outcome.fate == "finished later":
        return f"goes on, ends with {scale.text(outcome.value)}"
    return "goes on"
