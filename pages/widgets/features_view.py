"""A comparison of selectors on screen: how far it is and what is known; ended, the answer, its charts and its columns.

Which columns are enough is said as a sentence first; every chart opens with the question that it answers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import streamlit as st

from explorer.catalogue import SELECTORS
from explorer.errors import SpecError
from explorer.export.features_code import features_code, selected_csv
from explorer.jobs import launch
from explorer.plots.features.agreement import agreement_figure, agreements
from explorer.plots.features.looks import basis, label
from explorer.plots.features.scores import scores, scores_figure
from explorer.plots.features.times import times, times_figure
from explorer.plots.features.worth import worth, worth_figure
from explorer.runs.feature_story import (
    FeaturePlan,
    SelectorStory,
    done_pairs,
    generation,
    generation_sentence,
    mean_and_error,
    missing_of_features,
    plan_of,
    selections,
    stories,
)
from explorer.runs.state import RunState
from explorer.runs.summary import RunSummary
from pages.widgets import examples, run_actions
from pages.widgets.drawing import table
from pages.widgets.features_setup import literal
from pages.widgets.place import may_control, store
from pages.widgets.words import term

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

MOST_WARNINGS = 6
MOST_NAMED = 12  # columns in a cell of a table
_NOTHING = "–"
_QUIET = {"displaylogo": False, "modeBarButtonsToRemove": ["select2d", "lasso2d", "autoScale2d"]}


def show(state: RunState, live: bool) -> None:
    """Everything below the title."""
    plan, told = plan_of(state), stories(state)
    _head(state, plan, told)
    made = generation(state)
    if made is not None:
        metric = plan.metric if plan is not None else "the score"
        st.markdown("**Do new columns help?**", help=term("new columns"))
        st.markdown(literal(generation_sentence(made, metric)))
    if plan is None or not told:
        if state.is_over and made is None:
            st.caption("It ended before there was anything to draw.")
        return
    if live:
        _so_far(state, plan, told)
        return
    _charts(state, plan, told)
    _selected(state, plan, told)


# -- above the charts -------------------------------------------------------------------------------------------------


def _head(state: RunState, plan: FeaturePlan | None, told: Sequence[SelectorStory]) -> None:
    """Progress while it lives, the answer in one sentence afterwards."""
    if state.status == "queued":
        st.progress(0.0, "Waiting for a worker. The first start after a while takes a few seconds.")
    elif not state.is_over:
        st.progress(share(state), _step(state))
    elif state.status != "finished":
        ending = {"failed": st.error, "cancelled": st.info, "lost": st.warning}[state.status]
        kept = len(done_pairs(state))
        ending(
            f"{literal(state.reason or 'It ended.')} {kept} finished selections are kept; Resume does what is missing."
        )
    if plan is not None and state.is_over and told:
        st.markdown(answer(plan, told), help=term("one standard error"))
        st.caption(_how_sure(plan, told))
    tied = [story for story in told if story.tied]
    if plan is not None and tied:
        names = "; ".join(f"{label(story.name)}: {scores(plan, story).caution}" for story in tied)
        st.warning(f"{literal(names)} It is left out of the answer.", icon=":material/warning:")
    for sentence in list(dict.fromkeys(state.warnings))[-MOST_WARNINGS:]:
        st.caption(f":material/info: {literal(sentence)}")


def share(state: RunState) -> float:
    """How much of what was asked for is done, 0 to 1."""
    all_of_it = missing_of_features(RunState(state.run_id, state.spec))
    return min(1.0, max(0.0, 1 - missing_of_features(state) / max(1, all_of_it)))


def _step(state: RunState) -> str:
    if state.spec.planned_trials and generation(state) is None:
        tried = sum(trial.status in ("succeeded", "failed") for trial in state.trials.values())
        best = (
            "" if state.best is None or state.best.value is None else f" · best so far {state.best.value:.4f}"
        )
        return f"Searching new columns: {tried} of {state.spec.planned_trials} sets{best}"
    plan = plan_of(state)
    if plan is None:
        return "Reading the table"
    return f"{len(done_pairs(state))} of {len(plan.selectors) * plan.resamples} selections"


@dataclass(frozen=True)
class _Choice:
    """A selector with so many columns: what they are worth over the resamples, and its standard error."""

    story: SelectorStory
    count: int
    mean: float
    error: float


def _choices(told: Sequence[SelectorStory]) -> list[_Choice]:
    """Of the selectors that look at the target and whose order says something."""
    return [
        _Choice(story, count, *mean_and_error(story.at(count)))
        for story in told
        if _looks(story.name) and not story.tied
        for count in story.counts
    ]


def _looks(name: str) -> bool:
    """Whether it looks at the target; baselines do not."""
    return name not in SELECTORS or bool(SELECTORS[name].facts["needs_target"])


def enough(told: Sequence[SelectorStory]) -> tuple[_Choice, _Choice] | None:
    """The fewest columns within one standard error of the best choice of all, and that best; the better mean at equal
    numbers. None where no selector says anything.
    """
    known = _choices(told)
    if not known:
        return None
    best = max(known, key=lambda one: (one.mean, -one.count))
    good = [one for one in known if one.mean >= best.mean - best.error]
    return min(good, key=lambda one: (one.count, -one.mean)), best


def answer(plan: FeaturePlan, told: Sequence[SelectorStory]) -> str:
    """How many columns are enough and whose, in Markdown."""
    found = enough(told)
    if found is None:
        return "No selector that looks at the target came to an order that says something."
    few, best = found
    every = len(plan.columns)
    begun = (
        f"**{few.count} of {every} columns {'is' if few.count == 1 else 'are'} enough**"
        if few.count < every
        else f"**All {every} columns are needed**: no fewer come within one standard error of them"
    )
    reach = "it reaches" if few.count == 1 else "they reach"
    parts = [f"{begun}: chosen by {label(few.story.name)}, {reach} {_worth(plan, few.mean, few.error)}"]
    if (few.story.name, few.count) != (best.story.name, best.count):
        parts.append(
            f"the best, {label(best.story.name)} with {best.count}, reaches {_worth(plan, best.mean, best.error)}"
        )
    for name, count, called in (
        ("all_features", every, f"all {every}"),
        ("random_k", few.count, "as many drawn at random"),
    ):
        values = next((story.at(count) for story in told if story.name == name), ())
        if values and few.count < every:
            parts.append(f"{called} reach {_worth(plan, *mean_and_error(values))}")
    return "; ".join(parts) + "."


def _how_sure(plan: FeaturePlan, told: Sequence[SelectorStory]) -> str:
    count = sum(_looks(story.name) for story in told)
    return (
        f"{literal(basis(plan.resamples, plan.rows, plan.table))} Mean ± standard error of {_unit(plan)}; more is "
        f"better. It was picked among {count} selectors on the rows that judged them, so it is rather flattering."
    )


def _unit(plan: FeaturePlan) -> str:
    return "accuracy" if plan.metric == "accuracy" else "R2"


def _worth(plan: FeaturePlan, mean: float, error: float) -> str:
    """`97.7 ± 0.5 %`, or `R2 0.48 ± 0.03`."""
    if plan.metric == "accuracy":
        return f"{100 * mean:.1f} ± {100 * error:.1f} %"
    return f"R2 {mean:.3f} ± {error:.3f}"


def _so_far(state: RunState, plan: FeaturePlan, told: Sequence[SelectorStory]) -> None:
    """While it lives: a row a selector."""
    st.markdown("**What is known so far?**", help=term("worth"))
    head = [
        ("Selector", term("selector")),
        ("Resamples", term("resample")),
        ("Columns", term("one standard error")),
        ("Worth", term("worth")),
        ("Seconds", term("seconds")),
    ]
    rows = []
    for story in told:
        count = story.advised()
        reached = _NOTHING if count is None else _worth(plan, *mean_and_error(story.at(count)))
        done = f"{len(story.ranks)} of {plan.resamples}"
        seconds = f"{sum(story.seconds.values()):.2f}"
        rows.append((label(story.name), done, _NOTHING if count is None else str(count), reached, seconds))
    table(head, rows, (2, 3, 4))
    st.caption(
        f"{_unit(plan).capitalize()} with the advised number of columns; it moves until the last resample."
    )


# -- charts -----------------------------------------------------------------------------------------------------------


def _charts(state: RunState, plan: FeaturePlan, told: Sequence[SelectorStory]) -> None:
    """What they are worth, across; which columns beside how long it took; how far they agree, across."""
    curves = worth(plan, told)
    _title(curves.question, "worth")
    st.plotly_chart(worth_figure(curves), key="features/worth", alt=curves.alt, config=_QUIET)
    st.caption(literal(curves.basis))
    left, right = st.columns(2, gap="large")
    with left:
        _scores(state, plan, told)
    with right:
        bars = times(plan, told)
        if bars.bars:
            _title(bars.question, "seconds")
            figure = _in_lines(times_figure(bars))
            st.plotly_chart(figure, key="features/times", alt=bars.alt, config=_QUIET)
            st.caption(literal(bars.basis))
        with st.expander("How was it judged?", icon=":material/gavel:"):
            for sentence in plan.pipeline:
                st.markdown(f"- {literal(sentence)}")
    _agreement(state, plan, told)


def _in_lines(figure: Figure) -> Figure:
    """The axis' name in lines of a few words, so that half a page, or a phone, has room for it."""
    text = str(figure.layout.xaxis.title.text or "")
    return figure.update_xaxes(title_text=text.replace(" (", "<br>(").replace(" · ", "<br>"))


def _title(question: str, word: str) -> None:
    st.markdown(f"**{literal(question)}**", help=term(word))


def _scores(state: RunState, plan: FeaturePlan, told: Sequence[SelectorStory]) -> None:
    """The columns of one selector, the answer's first."""
    looking = {story.name: story for story in told if _looks(story.name)} or {
        story.name: story for story in told
    }
    found = enough(told)
    names = list(looking)
    first = names.index(found[0].story.name) if found is not None else 0
    place = st.container()  # the question stands above what it asks about
    name = st.selectbox(
        "Selector",
        names,
        first,
        format_func=label,
        key=f"features/scores/{state.run_id}",
        help=term("selector"),
    )
    by = st.segmented_control(
        "By",
        ["rank", "score"],
        default="rank",
        format_func=str.capitalize,
        key=f"features/by/{state.run_id}",
        label_visibility="collapsed",
        required=True,
    )
    info = scores(plan, looking[name])
    with place:
        _title(info.question, "column rank")
    if info.caution:
        st.caption(f":material/warning: {info.caution}")
    figure = _in_lines(scores_figure(info, by or "rank"))
    st.plotly_chart(figure, key="features/scores", alt=info.alt, config=_QUIET)
    hidden = f" {info.hidden} more columns are not drawn." if info.hidden else ""
    st.caption(literal(f"{info.basis}{hidden}"))


def _agreement(state: RunState, plan: FeaturePlan, told: Sequence[SelectorStory]) -> None:
    """At a number of columns that leaves something to choose."""
    counts = [count for count in plan.counts if 0 < count < len(plan.columns)]
    looking = [story for story in told if story.name != "all_features"]
    if not counts or not looking:
        return
    found = enough(told)
    wanted = found[0].count if found is not None else counts[-1]
    place = st.container()
    count = st.selectbox(
        "Number of columns",
        counts,
        counts.index(wanted) if wanted in counts else len(counts) - 1,
        key=f"features/count/{state.run_id}",
        help=term("agreement"),
    )
    info = agreements(plan, told, count)
    with place:
        _title(info.question, "agreement")
    # pushed sideways on a phone, as parallel coordinates are (app.css)
    with st.container(key="wide-parallel"):
        st.plotly_chart(agreement_figure(info), key="features/agreement", alt=info.alt, config=_QUIET)
    st.caption(literal(info.basis))


# -- what is taken away -----------------------------------------------------------------------------------------------


def _selected(state: RunState, plan: FeaturePlan, told: Sequence[SelectorStory]) -> None:
    """Which columns each selector keeps at its own number."""
    advised: dict[str, Mapping[str, object]] = {data["selector"]: data for data in selections(state)}
    rows = []
    for story in told:
        count = advised.get(story.name, {}).get("k")
        if not isinstance(count, int):
            continue
        values, stable = story.at(count), story.stability(count)
        rows.append(
            (
                label(story.name),
                str(count),
                _worth(plan, *mean_and_error(values)) if values else _NOTHING,
                _NOTHING if stable is None else f"{stable:.2f}",
                _named([plan.columns[at] for at in story.best_columns(count)], bool(story.tied)),
            )
        )
    if not rows:
        return
    _title("Which columns does each selector keep?", "one standard error")
    head = [
        ("Selector", term("selector")),
        ("Columns", term("one standard error")),
        ("Worth", term("worth")),
        ("Stability", term("stability")),
        ("Which, the best first", term("column rank")),
    ]
    table(head, rows, (1, 2, 3))
    st.caption("Each selector's own number: the fewest columns within one standard error of its best.")


def _named(columns: Sequence[str], tied: bool) -> str:
    more = f" and {len(columns) - MOST_NAMED} more" if len(columns) > MOST_NAMED else ""
    return f"{'all scores tie: ' if tied else ''}{', '.join(columns[:MOST_NAMED])}{more}"


def take_away(state: RunState, summary: RunSummary | None) -> None:
    """Resume what is missing; the columns as CSV, NNI's selectors as a script, the run as a file."""
    if (
        summary is not None
        and state.status in run_actions.RESUMABLE
        and st.button("Resume", icon=":material/resume:", type="primary", disabled=not may_control(summary))
        and run_actions.tried(lambda: launch.resume(store(), state.run_id))
    ):
        st.rerun()
    code, why = _code(state)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.download_button(
            "Columns as CSV",
            lambda: selected_csv(state),
            f"{state.run_id}-columns.csv",
            "text/csv",
            on_click="ignore",
            icon=":material/download:",
            disabled=not stories(state),
        )
        st.download_button(
            "NNI's selectors as a script",
            code or "",
            f"{state.run_id}-features.py",
            "text/x-python",
            on_click="ignore",
            icon=":material/code:",
            disabled=code is None,
            help=why or "It runs without this app, with NNI's two selectors mended for today's libraries.",
        )
        if state.is_over and not examples.is_example(state.run_id):
            st.download_button(
                "Recorded run",
                lambda: run_actions.recorded(state.run_id),
                f"{state.run_id}.jsonl.gz",
                "application/gzip",
                on_click="ignore",
                icon=":material/download:",
                help=term("recorded run"),
            )
    if code is None:
        st.caption(literal(why))
        return
    with st.expander("The script", icon=":material/code:"):
        st.code(code, "python")


def _code(state: RunState) -> tuple[str | None, str]:
    """The script, or why there is none."""
    try:
        return features_code(state), ""
    except SpecError as problem:
        return None, str(problem)
