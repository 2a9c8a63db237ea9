"""The list of runs: one row a run, its menu drawn only when it is opened."""

from __future__ import annotations

import streamlit as st

from explorer.catalogue import OBJECTIVES, SPACES
from explorer.jobs import launch
from explorer.plots.progress import duration
from explorer.runs.spec import RunSpec
from explorer.runs.summary import RunSummary
from pages.widgets import run_view, runs_at_hand, stills
from pages.widgets.drawing import facts, picture, two_lines
from pages.widgets.place import may_control, store
from pages.widgets.run_actions import RESUMABLE, tried
from pages.widgets.words import ago, percent, term

WIDTHS = (0.8, 2.2, 0.9, 3.2, 1.4)
PAGE_KEY = "runs/page"


def row(summary: RunSummary, now: float) -> None:
    """One run."""
    with st.container(key=f"row-{summary.run_id}"):
        drawn, name, state, numbers, actions = st.columns(WIDTHS, vertical_alignment="center")
        if still := stills.still_of(summary):
            with drawn:
                picture(still, "still")
        with name:
            noted = " · has a note" if summary.note else ""
            two_lines(summary.name or about(summary), f"{_method(summary)} · {summary.run_id}{noted}")
        with state:
            run_view.badge(summary.status)
        with numbers:
            facts(
                (
                    _progress(summary),
                    (_best_title(summary), _best(summary), term("final result")),
                    ("Cost", duration(summary.cost_seconds), term("cost")),
                    ("Created", ago(summary.created, now), "When it was asked for."),
                )
            )
        with actions, st.container(horizontal=True, horizontal_alignment="right", gap="small"):
            if st.button("Open", key=f"open/{summary.run_id}"):
                runs_at_hand.open_run(summary.run_id, summary.kind)
            _menu(summary)


def _progress(summary: RunSummary) -> tuple[str, str, str]:
    """How far it is: trials of how many, how often a supernet was looked at, or how many race."""
    if summary.kind == "race":
        return ("Strategies", f"{len(summary.method.get('strategies', []))}", term("race"))
    if summary.kind == "oneshot" and not summary.trials_done:
        return ("Snapshots", f"{summary.snapshots:,}", term("snapshot"))
    done = f"{summary.trials_done} / {max(summary.trials, summary.trials_done)}"
    return ("Trials", done, term("trial"))


def about(summary: RunSummary) -> str:
    """What a run is about, in a few words."""
    return _about(summary.space, summary.dataset)


def about_spec(spec: RunSpec) -> str:
    """The same of a run's settings."""
    return _about(spec.subject, spec.dataset)


def _about(space: str, dataset: str) -> str:
    """Of a network's space or, where none is trained, of an objective."""
    if space in OBJECTIVES:
        label = OBJECTIVES[space].label
        return f"{label} on {dataset}" if OBJECTIVES[space].facts["trains"] else label
    return f"{SPACES[space].label if space in SPACES else space} on {dataset}"


def _method(summary: RunSummary) -> str:
    if summary.kind == "oneshot":
        return f"one-shot, {summary.method.get('method')}"
    if summary.kind == "nas":
        return f"nas, {str(summary.method.get('strategy')).replace('_', ' ')}"
    if summary.kind != "hpo":
        return summary.kind
    names = [summary.method.get("tuner"), summary.method.get("assessor")]
    return "hpo, " + " and ".join(str(name) for name in names if name and name != "none")


def _best_title(summary: RunSummary) -> str:
    """What the best number is of: a one-shot run's trials are what it derived and its rivals alike."""
    return "Best retrained" if summary.kind == "oneshot" else "Best"


def _best(summary: RunSummary) -> str:
    objective = OBJECTIVES.get(summary.space)
    if objective is None or objective.facts["unit"] == "accuracy" or summary.best_value is None:
        return percent(summary.best_value)
    return f"{summary.best_value:.4g}"


def _menu(summary: RunSummary) -> None:
    menu = st.popover(
        "More",
        icon=":material/more_horiz:",
        on_change="rerun",
        key=f"menu/{summary.run_id}",
        help="Note, stop, delete",
    )
    if not menu.open:
        return
    with menu:
        mine = may_control(summary)
        if not mine:
            st.caption("On a shared machine only the visitor who started a run may change it.")
        if summary.reason:
            st.text(summary.reason)
        _words(summary, mine)
        with st.container(horizontal=True):
            _actions(summary, mine)


def _words(summary: RunSummary, mine: bool) -> None:
    name = st.text_input("Name", summary.name, key=f"name/{summary.run_id}", max_chars=200, disabled=not mine)
    note = st.text_area(
        "Note", summary.note, key=f"note/{summary.run_id}", max_chars=10_000, disabled=not mine
    )
    if name != summary.name and tried(lambda: store().rename(summary.run_id, name)):
        st.rerun()
    if note != summary.note and tried(lambda: store().set_note(summary.run_id, note)):
        st.rerun()


def _actions(summary: RunSummary, mine: bool) -> None:
    run_id = summary.run_id
    if (
        not summary.is_over
        and st.button("Stop", icon=":material/stop:", disabled=not mine, key=f"stop/{run_id}")
        and tried(lambda: launch.cancel(store(), run_id))
    ):
        st.rerun()
    if (
        summary.status in RESUMABLE
        and st.button("Resume", icon=":material/resume:", disabled=not mine, key=f"resume/{run_id}")
        and tried(lambda: launch.resume(store(), run_id))
    ):
        st.rerun()
    if not summary.is_over:
        return
    sure = st.checkbox("Yes, delete it for good", key=f"sure/{run_id}", disabled=not mine)
    wanted = st.button(
        "Delete", icon=":material/delete:", disabled=not (mine and sure), key=f"delete/{run_id}"
    )
    if wanted and tried(lambda: launch.delete(store(), run_id)):
        runs_at_hand.forget_run(run_id)
        st.rerun()


def pager(number: int, more: bool) -> None:
    """Newer and older, when there is more than one page."""
    if not number and not more:
        return
    with st.container(horizontal=True, horizontal_alignment="center", vertical_alignment="center"):
        st.button("Newer", icon=":material/chevron_left:", disabled=not number, on_click=_turn, args=(-1,))
        st.caption(f"Page {number + 1}")
        st.button("Older", icon=":material/chevron_right:", disabled=not more, on_click=_turn, args=(1,))


def _turn(step: int) -> None:
    st.session_state[PAGE_KEY] = max(0, st.session_state.get(PAGE_KEY, 0) + step)


def empty(filtered: bool) -> None:
    """Nothing to list, and what to do about it."""
    with st.container(border=True):
        if filtered:
            st.markdown("**No run is in this state.** Click the state again to see all runs.")
            return
        st.markdown("**No runs yet.** Everything that you start is kept here, also when you close the page.")
        with st.container(horizontal=True):
            st.page_link("pages/random_architectures.py", label="Start one", icon=":material/play_arrow:")
            st.page_link("pages/home.py", label="See a finished example", icon=":material/history:")
