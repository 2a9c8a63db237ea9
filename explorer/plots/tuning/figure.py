"""What every plotly figure of a run shares: clear paper, small margins, a legend above, axes with units."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from explorer.plots.charts import Axis
from explorer.plots.tuning.statuses import STATUS_LOOKS

if TYPE_CHECKING:
    from plotly.graph_objects import Figure


def dress(figure: Figure, x: Axis | None = None, y: Axis | None = None, height: int = 340) -> Figure:
    """The figure with its axes named; colours of paper and words come from the page's theme."""
    figure.update_layout(
        margin={"l": 10, "r": 10, "t": 10, "b": 10},
        height=height,
        hovermode="closest",
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
    )
    if x is not None:
        figure.update_xaxes(title=str(x), automargin=True)
    if y is not None:
        figure.update_yaxes(title=str(y), automargin=True)
    return figure


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
