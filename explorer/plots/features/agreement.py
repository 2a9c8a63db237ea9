"""Do selectors choose the same columns? Every pair at one number of features, and each with itself over resamples."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from explorer.plots.charts import Axis
from explorer.plots.features.looks import basis, label
from explorer.plots.tuning.figure import dress
from explorer.runs.feature_story import FeaturePlan, SelectorStory, agreement

if TYPE_CHECKING:
    from plotly.graph_objects import Figure


@dataclass(frozen=True)
class AgreementInfo:
    """`cells[i][j]`: mean agreement beyond chance of selectors i and j on the same resample, -1 to 1; on the diagonal a
    selector with itself on other resamples. None where there is nothing to compare.
    """

    question: str
    selectors: tuple[str, ...]
    count: int
    cells: tuple[tuple[float | None, ...], ...]
    basis: str
    alt: str


def agreements(plan: FeaturePlan, told: Sequence[SelectorStory], count: int) -> AgreementInfo:
    """At `count` features; a selector that chooses nothing (all features) is left out."""
    shown = [story for story in told if story.name != "all_features"]
    cells = tuple(tuple(_cell(one, other, count) for other in shown) for one in shown)
    pairs = [
        (cells[i][j], shown[i].name, shown[j].name)
        for i in range(len(shown))
        for j in range(i)
        if cells[i][j] is not None
    ]
    closest = max(pairs, key=lambda pair: pair[0] or 0.0, default=None)
    told_of = (
        "no pair to compare"
        if closest is None
        else f"{label(closest[2])} and {label(closest[1])} agree most ({closest[0]:.2f})"
    )
    return AgreementInfo(
        f"Do selectors choose the same {count} of {len(plan.columns)} columns?",
        tuple(story.name for story in shown),
        count,
        cells,
        f"{basis(plan.resamples, plan.rows, plan.table)} Kuncheva's index: 1 the same columns, 0 no more than chance. "
        "Diagonal: the same selector on different resamples.",
        f"Agreement of {len(shown)} selectors at {count} features: {told_of}.",
    )


def _cell(one: SelectorStory, other: SelectorStory, count: int) -> float | None:
    if one is other:
        return one.stability(count)
    found = [
        agreement(_top(one.ranks[at], count), _top(other.ranks[at], count), len(one.ranks[at]))
        for at in sorted(one.ranks.keys() & other.ranks.keys())
    ]
    known = [value for value in found if value is not None]
    return sum(known) / len(known) if known else None


def _top(ranks: Sequence[int], count: int) -> set[int]:
    return {column for column, rank in enumerate(ranks) if rank <= count}


def agreement_figure(info: AgreementInfo) -> Figure:
    """A square a pair, its number written in it."""
    from plotly.graph_objects import Figure, Heatmap

    names = [label(name) for name in info.selectors]
    figure = Figure(
        Heatmap(
            z=[list(row) for row in info.cells],
            x=names,
            y=names,
            zmin=0,
            zmax=1,
            colorscale=[[0, "#f6f8fa"], [1, "#0b6bcb"]],
            text=[["" if cell is None else f"{cell:.2f}" for cell in row] for row in info.cells],
            texttemplate="%{text}",
            hovertemplate="%{y} and %{x}: %{z:.2f}<extra></extra>",
            colorbar={"title": {"text": "agreement"}},
        )
    )
    dress(figure, Axis(""), Axis(""), height=110 + 36 * max(3, len(names)))
    return figure.update_yaxes(autorange="reversed")
