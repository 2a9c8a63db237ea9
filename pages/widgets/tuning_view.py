"""A tuned run on screen: how far it is, the best so far, the learning curves, and one click away all other views.

Live everything is drawn as SVG, once a second; after the end as plotly charts to hover over and to select in. Only the
view that is open is computed.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import streamlit as st

from explorer.catalogue import OBJECTIVES
from explorer.plots.progress import duration
from explorer.plots.tuning.best import best_so_far, best_svg
from explorer.plots.tuning.curves import curves_svg, learning_curves
from explorer.plots.tuning.importance import importance
from explorer.plots.tuning.parallel import MOST_AXES, parallel_coordinates, parallel_svg
from explorer.plots.tuning.scatter import first_pair, numeric_columns, scatter
from explorer.plots.tuning.slices import MOST_SLICES, slices, slices_svg
from explorer.plots.tuning.table import Board
from explorer.plots.tuning.timeline import timeline, timeline_svg
from explorer.runs.state import RunState, Trial
from pages.widgets import examples, tuning_brush, tuning_lens, tuning_table
from pages.widgets.drawing import facts, picture
from pages.widgets.tuning_board import board_of, code, kept, wide
from pages.widgets.words import term

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

TOPS = {"top 5": 5, "top 10": 10, "top 25": 25, "all": None}
NARROW = 400.0  # pixels of a picture that stands beside another one
NAMED = 5  # parameters of the best trial that the head names
WARNINGS = 3
_SELECT = {"displaylogo": False, "modeBarButtonsToRemove": ["autoScale2d"]}
_QUIET = {"displaylogo": False, "modeBarButtonsToRemove": ["select2d", "lasso2d", "autoScale2d"]}


def show(state: RunState, live: bool) -> None:
    """Everything of a run below its title; while it lives, call it once a second."""
    whole = board_of(state)
    head(whole)
    if not whole.rows:
        _nothing_yet(state)
        return
    _first_screen(whole, live)
    tuning_brush.chip(whole)
    names = list(_VIEWS)
    chosen = st.segmented_control(
        "View",
        names,
        default="Assessor lens" if state.spec.method.get("assessor", "none") != "none" else "Slices",
        required=True,
        key=f"tuning/{state.run_id}/view",
        label_visibility="collapsed",
        on_change=_look_again,
    )
    _VIEWS[chosen or names[0]].draw(whole, live)


# -- the head ---------------------------------------------------------------------------------------------


def head(whole: Board) -> None:
    """Progress while it lives, the ending in one sentence afterwards; the best so far; what went wrong."""
    state = whole.state
    ended = _ended(state)
    if state.status == "queued":
        st.progress(0.0, "Waiting for a worker. The first start after a while takes a few seconds.")
    elif not state.is_over:
        left = time_left(state, time.time())
        words = f"{ended:,} of {state.planned_trials:,} trials"
        words += " · paused" if state.status == "paused" else ""
        words += "" if left is None else f" · about {duration(left)} left"
        st.progress(min(1.0, _share(state)), words)
        _finishing(state)
    else:
        _ending(whole, ended)
    best = state.best
    if best is not None:
        word = "Best" if state.is_over else "Best so far"
        value = whole.scale.text(best.value)
        st.markdown(f"{word}: **{value}** in trial {best.trial_id}, with {_named(whole)}.")
    if ended:
        facts(_numbers(whole))
    for sentence in dict.fromkeys(state.warnings[-WARNINGS:]):
        st.caption(f":material/warning: {_plain(sentence)}")
    earlier = list(dict.fromkeys(state.warnings[:-WARNINGS]))
    if earlier:
        with st.expander(f"{len(earlier)} earlier warnings" if len(earlier) > 1 else "One earlier warning"):
            for sentence in earlier[-50:]:
                st.text(sentence)


def _ended(state: RunState) -> int:
    return sum(
        trial.repeat_of is None and trial.status not in ("running", "waiting")
        for trial in state.trials.values()
    )


def _share(state: RunState) -> float:
    """How much of the plan is done; a running trial counts by its epochs."""
    done = 0.0
    for trial in state.trials.values():
        if trial.repeat_of is None:
            budget = max(1, trial.budget or state.spec.epochs)
            done += min(1.0, len(trial.intermediate) / budget) if trial.status == "running" else 1.0
    return done / max(1, state.planned_trials)


def time_left(state: RunState, now: float) -> float | None:
    """Seconds at the pace of this attempt's trials, stopped ones included; None until one of them has ended."""
    since = state.attempt_started
    if since is None or state.status != "running":
        return None
    own = [trial for trial in state.trials.values() if trial.repeat_of is None]
    here = sum(trial.ended is not None and trial.ended >= since for trial in own)
    if not here:
        return None
    missing = (1 - min(1.0, _share(state))) * state.planned_trials
    return max(0.0, (now - since) / here * missing)


def _ending(whole: Board, ended: int) -> None:
    state = whole.state
    if state.status == "finished":
        later = finishing_seconds(state)
        told = f"Finished: {ended:,} trials in {duration(max(0.0, state.cost_seconds - later))}."
        finished = sum(row.finished is not None for row in whole.rows)
        if finished:
            trials = "One stopped trial was" if finished == 1 else f"{finished:,} stopped trials were"
            told += f" {trials} finished later, in {duration(later)} more."
        st.markdown(told)
        return
    kind = {"failed": st.error, "cancelled": st.info, "lost": st.warning}[state.status]
    count = sum(row.status in ("succeeded", "early_stopped") for row in whole.rows)
    noun = "trial with a result is" if count == 1 else "trials with results are"
    told = f"{count:,} {noun} kept; Resume trains what is missing." if count else "Resume starts it again."
    kind(f"{_plain(state.reason or 'It ended.')} {told}")


def _finishing(state: RunState) -> None:
    """How far those are that were stopped and are now trained to their end."""
    asked = set(state.finishes)
    if not asked:
        return
    ends = [trial for trial in state.trials.values() if trial.continues and trial.repeat_of in asked]
    done = {trial.repeat_of for trial in ends if trial.status == "succeeded"}
    share = {
        trial.repeat_of: (len(trial.intermediate) + len(state.trials[trial.repeat_of].intermediate))
        / max(1, trial.budget or state.spec.epochs)
        for trial in ends
        if trial.status == "running" and trial.repeat_of is not None and trial.repeat_of in state.trials
    }
    if len(done) == len(asked):
        return
    part = (len(done) + sum(min(1.0, at) for at in share.values())) / len(asked)
    words = f"{len(done):,} of {len(asked):,} finished" if len(asked) > 1 else "On its way"
    noun = "Stopped trials" if len(asked) > 1 else "The stopped trial"
    st.progress(min(1.0, part), f"{noun}, trained to the end for comparison: {words[0].lower()}{words[1:]}")


def finishing_seconds(state: RunState) -> float:
    """How long the run trained nothing but stopped trials to their end."""
    later = [trial for trial in state.trials.values() if trial.continues]
    own = [trial for trial in state.trials.values() if not trial.continues]
    return _covered([*later, *own]) - _covered(own)


def _covered(trials: Sequence[Trial]) -> float:
    """Seconds in which at least one of them ran."""
    spans = sorted((t.started, t.ended) for t in trials if t.started is not None and t.ended is not None)
    seconds, until = 0.0, float("-inf")
    for start, end in spans:
        seconds += max(0.0, end - max(start, until))
        until = max(until, end)
    return seconds


def _named(whole: Board) -> str:
    row = next(row for row in whole.rows if row.is_best)
    cells = [f"{c.path} {c.words(row.parameters[c.path])}" for c in whole.columns if c.path in row.parameters]
    told = ", ".join(code(cell) for cell in cells[:NAMED])
    more = len(cells) - NAMED
    return (told or "no parameters") + (f" and {more} more" if more > 0 else "")


def _numbers(whole: Board) -> list[tuple[str, str, str]]:
    """What the run came to, in a row of numbers."""
    counts = {
        status: sum(row.status == status for row in whole.rows)
        for status in ("running", "succeeded", "early_stopped", "failed", "cancelled")
    }
    used = sum(row.steps for row in whole.rows)
    saved = sum(max(0, row.budget - row.steps) for row in whole.rows if row.status == "early_stopped")
    found = [
        (name.replace("_", " ").capitalize(), f"{count:,}", term("trial status"))
        for name, count in counts.items()
        if count or name == "succeeded"
    ]
    if used:
        told = f"{used:,}, {saved:,} saved" if saved else f"{used:,}"
        found.append(("Epochs", told, f"{term('epochs used')} Saved: what stopped trials did not take."))
    return [*found, ("Cost", duration(whole.state.cost_seconds), term("cost"))]


def _plain(words: str) -> str:
    """A sentence that may hold a person's own names, safe as Markdown."""
    return "".join(f"\\{letter}" if letter in "\\`*_[]<>#$~|" else letter for letter in words)


def _nothing_yet(state: RunState) -> None:
    if not state.is_over:
        st.caption("The first point appears when the first trial has a result, usually within a few seconds.")
    else:
        st.caption("It ended before a trial had started, so there is nothing to draw.")


# -- the first screen -------------------------------------------------------------------------------------


def _first_screen(whole: Board, live: bool) -> None:
    """Best so far beside the learning curves; alone where the objective reports no intermediate results."""
    if not OBJECTIVES[whole.state.spec.objective].facts["intermediate"]:
        _best(whole, live, 640)
        return
    left, right = st.columns(2, gap="medium")
    with left:
        _best(whole, live, NARROW)
    with right:
        _curves(whole, live)


def _best(whole: Board, live: bool, width: float) -> None:
    shown = tuning_brush.seen_by(whole, "best")
    range_place = f"tuning/{whole.state.run_id}/best/range"
    info = best_so_far(shown, st.session_state.get(range_place) == _ALL)
    st.markdown(f"**{info.question}**", help=term("best so far"))
    if live:
        picture(best_svg(info, width))
    else:
        from explorer.plots.tuning.best import best_figure

        _plot(best_figure(info), whole, "best", info.alt)
    if info.close_up:
        _range(range_place, _GOOD)
    if info.outside:
        noun = "trial lies" if info.outside == 1 else "trials lie"
        st.caption(f"{info.outside:,} {noun} outside of this range and stand at its edge.")
    st.caption(info.basis)


_ALL, _GOOD = "all", "the good ones"


def _range(place: str, first: str) -> None:
    """Whether the axis of values shows everything or only where the better half lies."""
    st.segmented_control(
        "Range of the axis",
        [_GOOD, _ALL],
        default=first,
        required=True,
        key=place,
        label_visibility="collapsed",
    )


def _curves(whole: Board, live: bool) -> None:
    place = f"tuning/{whole.state.run_id}/top"
    top = TOPS[st.session_state.get(place) or "top 10"]
    range_place = f"tuning/{whole.state.run_id}/curves/range"
    close = st.session_state.get(range_place) == _GOOD
    info = learning_curves(tuning_brush.seen_by(whole, "curves"), top, whole=not close)
    st.markdown(f"**{info.question}**", help=term("learning curve"))
    if not info.curves:
        st.caption("The first curve appears when the first epoch is done.")
        return
    if live:
        picture(curves_svg(info, NARROW, 290))
    else:
        from explorer.plots.tuning.curves import curves_figure

        _plot(curves_figure(info), whole, "curves", info.alt)
    with st.container(horizontal=True):
        st.segmented_control(
            "Curves", list(TOPS), default="top 10", required=True, key=place, label_visibility="collapsed"
        )
        if info.close_up:
            _range(range_place, _ALL)
    if info.hidden:
        st.caption(f"{info.hidden:,} curves are not drawn; choose more, or select trials.")


def _plot(figure: Figure, whole: Board, view: str, alt: str) -> None:
    """A figure in which a box, a lasso or a click selects trials."""
    run_id = whole.state.run_id
    st.plotly_chart(
        figure,
        key=tuning_brush.key(run_id, view),
        on_select=tuning_brush.on_points(run_id, view),
        alt=alt,
        config=_SELECT,
    )


# -- the views, one at a time -----------------------------------------------------------------------------


def _lens(whole: Board, live: bool) -> None:
    tuning_lens.show(whole.state)


def _slices(whole: Board, live: bool) -> None:
    shown = tuning_brush.seen_by(whole, "slices")
    info = slices(shown, _chosen_paths(whole, "slices", MOST_SLICES))
    st.markdown(f"**{info.question}**", help=term("slice"))
    if live:
        wide(slices_svg(info))
    else:
        from explorer.plots.tuning.slices import slices_figure

        _plot(slices_figure(info), whole, "slices", info.alt)
    _basis(info.basis, live)


def _parallel(whole: Board, live: bool) -> None:
    shown = tuning_brush.seen_by(whole, "parallel")
    info = parallel_coordinates(shown, _chosen_paths(whole, "parallel", MOST_AXES))
    st.markdown(f"**{info.question}**", help=term("parallel coordinates"))
    if not info.lines:
        st.caption("The first line appears when a trial has a result.")
        return
    if live:
        wide(parallel_svg(info))
    else:
        from explorer.plots.tuning.parallel import parallel_figure

        with st.container(key="wide-parallel"):
            st.plotly_chart(parallel_figure(info), key="tuning/parallel", alt=info.alt, config=_QUIET)
    st.caption(info.basis if live else f"{info.basis} Drag along an axis to fade the lines outside.")


def _chosen_paths(whole: Board, view: str, most: int) -> list[str] | None:
    """Which parameters to draw, asked only where there are too many for all."""
    paths = [column.path for column in whole.columns]
    if len(paths) <= most:
        return None
    chosen = st.multiselect(
        f"Parameters (at most {most} of {len(paths)})",
        paths,
        paths[:most],
        max_selections=most,
        key=f"tuning/{whole.state.run_id}/{view}/paths",
    )
    return chosen or paths[:most]


def _scatter(whole: Board, live: bool) -> None:
    shown = tuning_brush.seen_by(_as_of(whole, live), "scatter")
    names = numeric_columns(whole)
    first, second = first_pair(whole)
    left, right = st.columns(2)
    across = left.selectbox("Across", names, names.index(first), key=f"tuning/{whole.state.run_id}/x")
    up = right.selectbox("Up", names, names.index(second), key=f"tuning/{whole.state.run_id}/y")
    info = scatter(shown, across, up)
    st.markdown(f"**{_plain(info.question)}**", help=term("scatter"))
    if not info.dots:
        st.caption("No trial has both numbers yet.")
        return
    from explorer.plots.tuning.scatter import scatter_figure

    _plot(scatter_figure(info), whole, "scatter", info.alt)
    _basis(info.basis, False)


def _importance(whole: Board, live: bool) -> None:
    frozen = _as_of(whole, live)
    shown = tuning_brush.seen_by(frozen, "importance")
    mark = (frozen.state.run_id, frozen.state.last_seq, tuning_brush.selected(frozen.state.run_id))
    info = kept("importance", mark, lambda: importance(shown))
    st.markdown(f"**{info.question}**", help=term("importance"))
    if info.missing:
        st.markdown(info.missing)
        st.caption(_how_to_get_more(whole.state))
        return
    if info.caution:
        st.warning(f"{info.caution} {_how_to_get_more(whole.state)}", icon=":material/warning:")
    from explorer.plots.tuning.importance import importance_figure

    st.plotly_chart(importance_figure(info), key="tuning/importance", alt=info.alt, config=_QUIET)
    st.caption(info.basis)


def _how_to_get_more(state: RunState) -> str:
    """What to press for more trials that run to their end."""
    if examples.is_example(state.run_id):
        return (
            "In a run of your own, ask for more trials, or let fewer be stopped: a lower threshold does that."
        )
    press = "*More trials*" if state.is_over else "*Trials and workers*"
    return f"{press} above trains more of them."


def _timeline(whole: Board, live: bool) -> None:
    info = timeline(tuning_brush.seen_by(whole, "timeline"))
    st.markdown(f"**{info.question}**", help=term("timeline"))
    if live:
        wide(timeline_svg(info))
    else:
        from explorer.plots.tuning.timeline import timeline_figure

        _plot(timeline_figure(info), whole, "timeline", info.alt)
    st.caption(f"{info.lanes} at once, busy {100 * info.busy:.0f} % of the time. {info.basis}")


def _trials(whole: Board, live: bool) -> None:
    tuning_table.show(whole, live)


def _basis(words: str, live: bool) -> None:
    st.caption(words if live else f"{words} Draw a box to select trials: all other views follow.")


def _as_of(whole: Board, live: bool) -> Board:
    """The board when this view was opened: these charts would flicker if they were drawn every second."""
    if not live:
        return whole
    place = "tuning/kept/as of"
    known = st.session_state.get(place)
    if known is None or known.state.run_id != whole.state.run_id:
        known = st.session_state[place] = whole
    missing = whole.state.last_seq - known.state.last_seq
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(f"As of {known.total:,} trials." + (" There is news." if missing else ""), width="content")
        st.button("Show the newest", icon=":material/refresh:", type="tertiary", on_click=_look_again)
    fixed: Board = known
    return fixed


def _look_again() -> None:
    st.session_state.pop("tuning/kept/as of", None)


@dataclass(frozen=True)
class _View:
    """One of the views below the first screen."""

    draw: Callable[[Board, bool], Any]


_VIEWS: Mapping[str, _View] = {
    "Assessor lens": _View(_lens),
    "Slices": _View(_slices),
    "Parallel": _View(_parallel),
    "Scatter": _View(_scatter),
    "Importance": _View(_importance),
    "Workers": _View(_timeline),
    "Trials": _View(_trials),
}
