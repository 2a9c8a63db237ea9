"""How long does each selector take? Seconds a resample, without the judging."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from explorer.plots.charts import Axis
from explorer.plots.features.looks import basis, label, look
from explorer.plots.tuning.figure import dress
from explorer.runs.feature_story import FeaturePlan, SelectorStory

if TYPE_CHECKING:
    from plotly.graph_objects import Figure


@dataclass(frozen=True)
class TimeBar:
    """Median seconds of one selector, with the quickest and the slowest resample."""

    selector: str
    median: float
    low: float
    high: float


@dataclass(frozen=True)
class TimesInfo:
    """The slowest first."""

    question: str
    x: Axis
    bars: tuple[TimeBar, ...]
    basis: str
    alt: str


def times(plan: FeaturePlan, told: Sequence[SelectorStory]) -> TimesInfo:
    """A bar a selector; the median, because the first resample of a process also pays for imports."""
    bars = []
    for story in told:
        ordered = sorted(story.seconds.values())
        if ordered:
            middle = (ordered[(len(ordered) - 1) // 2] + ordered[len(ordered) // 2]) / 2
            bars.append(TimeBar(story.name, middle, ordered[0], ordered[-1]))
    bars.sort(key=lambda bar: -bar.median)
    slowest = f"the slowest is {label(bars[0].selector)} with {bars[0].median:.2g} s" if bars else "none yet"
    return TimesInfo(
        "How long does each selector take?",
        Axis("seconds a resample (median; quickest to slowest)", "lower"),
        tuple(bars),
        f"{basis(plan.resamples, plan.rows, plan.table)} One thread each; whatever else ran on the machine slows them.",
        f"Times of {len(bars)} selectors; {slowest}.",
    )


def times_figure(info: TimesInfo) -> Figure:
    """Bars on a logarithmic axis: between ANOVA and a forest lie factors of a thousand."""
    from plotly.graph_objects import Bar, Figure

    least = 1e-4  # what an axis of logarithms can show of no time at all
    figure = Figure(
        Bar(
            x=[max(least, bar.median) for bar in info.bars],
            y=[label(bar.selector) for bar in info.bars],
            orientation="h",
            marker={"color": [look(bar.selector).color for bar in info.bars]},
            error_x={
                "type": "data",
                "symmetric": False,
                "array": [bar.high - bar.median for bar in info.bars],
                "arrayminus": [bar.median - bar.low for bar in info.bars],
                "thickness": 1.5,
            },
            hovertemplate="%{y}: %{x:.3g} s<extra></extra>",
        )
    )
    dress(figure, info.x, height=90 + 28 * max(3, len(info.bars)))
    figure.update_xaxes(type="log")
    return figure.update_yaxes(autorange="reversed", automargin=True)
