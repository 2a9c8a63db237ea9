"""What a features run came to, as parts of a report: the plan, every selector's worth, its first columns, ties."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from explorer.catalogue import SELECTORS
from explorer.plots.features.looks import label
from explorer.plots.progress import duration
from explorer.runs.feature_story import (
    SelectorStory,
    generation,
    generation_sentence,
    mean_and_error,
    plan_of,
    selections,
    stories,
)
from explorer.runs.state import RunState

_HEADINGS = ("selector", "features", "worth", "stability", "seconds", "first columns")


def about(state: RunState) -> str:
    """What was compared on what."""
    plan = plan_of(state)
    if plan is None:
        return f"Run {state.run_id}: nothing was compared. {state.reason or ''}".strip()
    return (
        f"Run {state.run_id}: {len(plan.selectors)} selectors on {plan.table} ({plan.rows:,} rows, {len(plan.columns)} "
        f"columns, {plan.task} of {plan.target}), {plan.resamples} resamples, {duration(state.cost_seconds)} of "
        "computing."
    )


def parts(state: RunState) -> Iterable[str]:
    """Paragraphs and a table; every text in them is escaped."""
    plan, told = plan_of(state), stories(state)
    if plan is None:
        return
    yield from (f"<p>{escape(sentence)}</p>" for sentence in plan.pipeline)
    made = generation(state)
    if made is not None:
        yield f"<h2>Do new columns help?</h2><p>{escape(generation_sentence(made, plan.metric))}</p>"
    advice = {data["selector"]: data["k"] for data in selections(state)}
    yield "<h2>How many features are enough, and whose?</h2>"
    yield _table([_row(plan.columns, one, advice) for one in told])
    yield (
        f"<p>Worth is {escape(plan.metric)} on rows that chose nothing, with its standard error over resamples that "
        "share most of their rows. The number of features is the smallest within one standard error of the best. "
        "Stability is 1 where all resamples choose the same columns and 0 where they agree no more than by chance.</p>"
    )


def _row(columns: Sequence[str], story: SelectorStory, advice: dict[str, int]) -> tuple[str, ...]:
    count = advice.get(story.name, story.counts[-1] if story.counts else 0)
    values, stable = story.at(count), story.stability(count)
    mean, error = mean_and_error(values) if values else (float("nan"), 0.0)
    first = ", ".join(columns[column] for column in story.best_columns(min(5, count)))
    if not SELECTORS[story.name].facts["needs_target"]:
        first = "–"
    if story.tied:
        first = f"all scores tie: {first}"
    return (
        label(story.name),
        str(count),
        f"{mean:.4f} ± {error:.4f}",
        "–" if stable is None else f"{stable:.2f}",
        f"{sum(story.seconds.values()):.2f}",
        first,
    )


def _table(rows: Sequence[Sequence[str]]) -> str:
    head = "".join(f"<th>{name}</th>" for name in _HEADINGS)
    body = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
