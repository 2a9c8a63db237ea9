"""The charts of `charts.py` as plotly figures; plotly is imported when the first one is made."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from explorer.plots.charts import CurvesInfo, Dot, ParetoInfo
from explorer.plots.tuning.statuses import GHOST

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

BEST, OTHER, FRONT, FRESH = "#0b6bcb", "#8c959f", "#1a7f37", "#8250df"
GHOST_WORDS = "had it finished"


def curves_figure(info: CurvesInfo) -> Figure:
    """Learning curves: the best in colour and thick, the others thin and grey."""
    from plotly.graph_objects import Figure, Scatter

    figure = Figure()
    for at, ghost in enumerate(info.ghosts):
        figure.add_trace(
            Scatter(
                x=ghost.steps,
                y=ghost.values,
                mode="lines",
                name=GHOST_WORDS,
                legendgroup="ghost",
                line={"color": GHOST, "width": 1.6, "dash": "dash"},
                opacity=0.6,
                showlegend=at == 0,
                text=[ghost.words] * len(ghost.steps),
                hovertemplate="%{text}<br>epoch %{x}: %{y:.1f} %<extra></extra>",
            )
        )
    for curve in info.curves:
        figure.add_trace(
            Scatter(
                x=curve.steps,
                y=curve.values,
                mode="lines+markers",
                name=f"{curve.name} (best)" if curve.is_best else curve.name,
                line={"color": BEST if curve.is_best else OTHER, "width": 3.5 if curve.is_best else 1.3},
                marker={"size": 7 if curve.is_best else 4},
                opacity=1 if curve.is_best else 0.55,
                showlegend=curve.is_best,
                hovertemplate="%{fullData.name}<br>epoch %{x}: %{y:.1f} %<extra></extra>",
            )
        )
    _dress(figure, info)
    figure.update_xaxes(dtick=1 if max((line.steps[-1] for line in info.lines), default=0) <= 12 else None)
    return figure


def pareto_figure(info: ParetoInfo) -> Figure:
    """Dots, the front as a step line, retrained architectures as diamonds with error bars."""
    from plotly.graph_objects import Figure

    figure = Figure()
    for name, dots, color, symbol, course in (
        ("other", tuple(dot for dot in info.dots if not dot.on_front), OTHER, "circle-open", "markers"),
        ("Pareto front", info.front, FRONT, "circle", "lines+markers"),
        ("retrained ± sd", info.retrained, FRESH, "diamond", "markers"),
    ):
        if dots:
            figure.add_trace(_dots(name, dots, color, symbol, course))
    _dress(figure, info)
    figure.update_xaxes(tickformat="~s")
    return figure


def _dots(name: str, dots: tuple[Dot, ...], color: str, symbol: str, course: str) -> Any:
    from plotly.graph_objects import Scatter

    return Scatter(
        x=[dot.parameters for dot in dots],
        y=[dot.value for dot in dots],
        error_y={
            "type": "data",
            "array": [dot.spread or 0 for dot in dots],
            "visible": any(d.spread for d in dots),
        },
        mode=course,
        line={"color": color, "width": 2, "shape": "hv", "dash": "dot"},
        name=name,
        marker={"color": color, "symbol": symbol, "size": 11, "line": {"width": 2, "color": color}},
        text=[f"{dot.name} · {dot.seeds} {'seed' if dot.seeds == 1 else 'seeds'}" for dot in dots],
        hovertemplate="%{text}<br>%{x:,} parameters<br>%{y:.1f} %<extra></extra>",
    )


def _dress(figure: Figure, info: CurvesInfo | ParetoInfo) -> None:
    """Axes with units; colours of paper and words come from the page's theme."""
    figure.update_layout(
        margin={"l": 10, "r": 10, "t": 10, "b": 10},
        height=340,
        hovermode="closest",
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom", "x": 0},
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
    )
    figure.update_xaxes(title=str(info.x), automargin=True)
    figure.update_yaxes(title=str(info.y), automargin=True)
