"""How good are the best k columns of each selector? Accuracy or R2 against k, on rows that chose nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from explorer.plots.charts import Axis
from explorer.plots.features.looks import basis, label, look
from explorer.plots.tuning.figure import dress
from explorer.runs.feature_story import FeaturePlan, SelectorStory, mean_and_error

if TYPE_CHECKING:
    from plotly.graph_objects import Figure


@dataclass(frozen=True)
class WorthCurve:
    """One selector: numbers of features, mean worth and its standard error at each; `advised` is one of the counts."""

    selector: str
    counts: tuple[int, ...]
    means: tuple[float, ...]
    errors: tuple[float, ...]
    advised: int | None


@dataclass(frozen=True)
class WorthInfo:
    """Accuracies in percent, R2 as it is; `chance` is what always saying the most frequent class (or the mean)
    reaches.
    """

    question: str
    x: Axis
    y: Axis
    curves: tuple[WorthCurve, ...]
    chance: float | None
    basis: str
    alt: str


def worth(plan: FeaturePlan, told: Sequence[SelectorStory]) -> WorthInfo:
    """A curve a selector, in the plan's order."""
    scale, unit = (100.0, "accuracy (%)") if plan.metric == "accuracy" else (1.0, "R2")
    curves = tuple(_curve(story, scale) for story in told)
    return WorthInfo(
        "How many features are enough, and whose?",
        Axis("number of features"),
        Axis(f"{unit} on judging rows", "higher"),
        curves,
        None if plan.chance is None else scale * plan.chance,
        f"{basis(plan.resamples, plan.rows, plan.table)} Selection happens inside each resample. Bars: standard error.",
        f"{unit} against the number of features for {len(curves)} selectors; {_leader(curves)}.",
    )


def _curve(story: SelectorStory, scale: float) -> WorthCurve:
    pairs = [mean_and_error(story.at(count)) for count in story.counts]
    return WorthCurve(
        story.name,
        story.counts,
        tuple(scale * mean for mean, _ in pairs),
        tuple(scale * error for _, error in pairs),
        story.advised(),
    )


def _leader(curves: Sequence[WorthCurve]) -> str:
    ends = [
        (mean, count, curve.selector)
        for curve in curves
        for mean, count in zip(curve.means, curve.counts, strict=True)
    ]
    if not ends:
        return "nothing yet"
    mean, count, name = max(ends, key=lambda end: end[0])
    return f"the best is {label(name)} with {count} features: {mean:.3g}"


def worth_figure(info: WorthInfo) -> Figure:
    """Lines with error bars; all selectors can be hidden one by one."""
    from plotly.graph_objects import Figure, Scatter

    figure = Figure()
    for curve in info.curves:
        drawn = look(curve.selector)
        figure.add_trace(
            Scatter(
                x=list(curve.counts),
                y=list(curve.means),
                error_y={"type": "data", "array": list(curve.errors), "thickness": 1, "width": 2},
                mode="lines+markers",
                name=label(curve.selector),
                line={"color": drawn.color, "dash": drawn.dash, "width": 2},
                marker={"symbol": drawn.symbol, "size": 8},
                hovertemplate="%{fullData.name}<br>%{x} features: %{y:.4g}<extra></extra>",
            )
        )
    if info.chance is not None:
        figure.add_hline(
            y=info.chance, line_dash="dot", line_width=1, line_color="#808495", annotation_text="chance"
        )
    return dress(figure, info.x, info.y, height=430)
