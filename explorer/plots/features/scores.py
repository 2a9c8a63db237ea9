"""Which columns a selector prefers, and how far that changes from resample to resample."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from explorer.plots.charts import Axis
from explorer.plots.features.looks import basis, label, look
from explorer.plots.tuning import frame
from explorer.plots.tuning.figure import dress
from explorer.runs.feature_story import FeaturePlan, SelectorStory

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

MOST_BARS = 30


@dataclass(frozen=True)
class FeatureBar:
    """One column: its mean rank and score over the resamples, each with the lowest and the highest."""

    name: str
    rank: tuple[float, float, float]
    score: tuple[float, float, float]


@dataclass(frozen=True)
class ScoresInfo:
    """The best column first. `caution` is a sentence where the ranks mean nothing, `hidden` how many are not drawn."""

    question: str
    selector: str
    rank_axis: Axis
    score_axis: Axis
    bars: tuple[FeatureBar, ...]
    hidden: int
    caution: str | None
    basis: str
    alt: str


def scores(plan: FeaturePlan, story: SelectorStory, most: int = MOST_BARS) -> ScoresInfo:
    """The columns of one selector by mean rank."""
    order = story.best_columns(len(plan.columns))
    bars = tuple(
        FeatureBar(
            plan.columns[column],
            _spread([ranks[column] for ranks in story.ranks.values()]),
            _spread([row[column] for row in story.scores.values()]),
        )
        for column in order[:most]
    )
    name = label(story.name)
    first = ", ".join(bar.name for bar in bars[:3])
    return ScoresInfo(
        f"Which columns does {name} prefer, and how sure is it?",
        story.name,
        Axis("rank (mean, lowest and highest)", "lower"),
        Axis("score of the selector (mean, lowest and highest)", "higher"),
        bars,
        len(order) - len(bars),
        _caution(story),
        basis(len(story.ranks), plan.rows, plan.table),
        f"Ranks of {len(bars)} columns by {name}; the first are {first}.",
    )


def _caution(story: SelectorStory) -> str | None:
    if not story.tied:
        return None
    where = (
        "every resample"
        if len(story.tied) == len(story.ranks)
        else f"{len(story.tied)} of {len(story.ranks)} resamples"
    )
    return f"All scores tie in {where}: the order says nothing about the columns."


def _spread(values: Sequence[float | None]) -> tuple[float, float, float]:
    """Mean, lowest, highest."""
    known = [float(value) for value in values if value is not None] or [0.0]
    return sum(known) / len(known), min(known), max(known)


def scores_figure(info: ScoresInfo, by: str = "rank") -> Figure:
    """A dot a column with its spread, the best on top; `by` is rank or score."""
    from plotly.graph_objects import Figure, Scatter

    spreads = [bar.rank if by == "rank" else bar.score for bar in info.bars]
    drawn = look(info.selector)
    figure = Figure(
        Scatter(
            x=[mean for mean, _, _ in spreads],
            y=list(range(len(spreads))),
            error_x={
                "type": "data",
                "symmetric": False,
                "array": [high - mean for mean, _, high in spreads],
                "arrayminus": [mean - low for mean, low, _ in spreads],
                "thickness": 1.5,
            },
            mode="markers",
            marker={"color": drawn.color, "symbol": drawn.symbol, "size": 9},
            customdata=[[bar.name, *bar.rank, bar.score[0]] for bar in info.bars],
            hovertemplate="%{customdata[0]}<br>rank %{customdata[1]:.1f} (%{customdata[2]} to %{customdata[3]})"
            "<br>score %{customdata[4]:.4g}<extra></extra>",
            showlegend=False,
        )
    )
    dress(figure, info.rank_axis if by == "rank" else info.score_axis, height=90 + 22 * max(3, len(spreads)))
    return figure.update_yaxes(
        autorange="reversed",
        automargin=True,
        tickvals=list(range(len(spreads))),
        ticktext=[frame.small(bar.name, 28) for bar in info.bars],
        showgrid=False,
    )
