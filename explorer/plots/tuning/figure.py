"""What every plotly figure of a run shares: clear paper, small margins, a legend below, axes with units.

The legend stands below because plotly's row of buttons lies over the top right corner.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from explorer.plots.charts import Axis
from explorer.plots.tuning.statuses import BEST, QUIET, STATUS_LOOKS

if TYPE_CHECKING:
    from plotly.graph_objects import Figure


def dress(figure: Figure, x: Axis | None = None, y: Axis | None = None, height: int = 370) -> Figure:
    """The figure with its axes named; colours of paper and words come from the page's theme."""
    figure.update_layout(
        margin={"l": 10, "r": 10, "t": 34, "b": 10},  # above: room for plotly's row of buttons
        modebar={"bgcolor": "rgba(0,0,0,0)", "color": QUIET, "activecolor": BEST},
        height=height + 20,
        hovermode="closest",
        legend={"orientation": "h", "yref": "container", "y": 0, "yanchor": "bottom", "x": 0},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
    )
    if x is not None:
        figure.update_xaxes(title=_small(x), automargin=True)
    if y is not None:
        figure.update_yaxes(title=_small(y), automargin=True)
    return figure


def _small(axis: Axis) -> dict[str, Any]:
    """The axis' name; small, because an upright one has little room."""
    return {"text": str(axis), "font": {"size": 12}}


def status_marker(status: str, size: float = 8) -> dict[str, Any]:
    """Plotly's marker of a status: its colour and its shape."""
    look = STATUS_LOOKS[status]
    return {
        "color": look.color,
        "symbol": look.symbol,
        "size": size,
        "line": {
            "width": 2 if look.symbol == "x-thin" else 0 if look.symbol == "circle" else 1,
            "color": look.color,
        },
    }


def add_marks(
    figure: Figure,
    status: str,
    points: Sequence[tuple[float, float]],
    window: tuple[float, float],
    data: Sequence[Any],
    hover: str,
    size: float = 8,
) -> None:
    """The status' marks at (x, value); what lies beyond the axis of values stands at its edge, as a hollow triangle
    that points outwards. `data` is the customdata of each.
    """
    from plotly.graph_objects import Scatter

    low, high = window
    look, plain = STATUS_LOOKS[status], status_marker(status, size)
    hollow = {"line": {"width": 2, "color": look.color}}
    for inside, marker in ((True, plain), (False, plain | hollow)):
        mine = [at for at, (_, value) in enumerate(points) if (low <= value <= high) is inside]
        if not mine and not inside:
            continue
        if not inside:
            up = [points[at][1] > high for at in mine]
            marker["symbol"] = ["triangle-up-open" if is_up else "triangle-down-open" for is_up in up]
        # the legend names the status also when all lie beyond
        xs: list[float | None] = [points[at][0] for at in mine] or [None]
        ys: list[float | None] = [min(high, max(low, points[at][1])) for at in mine] or [None]
        figure.add_trace(
            Scatter(
                x=xs,
                y=ys,
                customdata=[data[at] for at in mine] or None,
                mode="markers",
                name=look.word,
                legendgroup=status,
                showlegend=inside,
                marker=marker,
                cliponaxis=False,
                opacity=0.85,
                hovertemplate=hover,
            )
        )
