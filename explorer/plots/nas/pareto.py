"""Accuracy against what a network costs: `charts.accuracy_against_parameters`, parameters or multiply-accumulates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from explorer.plots.charts import Axis, ParetoInfo, accuracy_against_parameters
from explorer.plots.figures import pareto_figure
from explorer.plots.leaderboard import Row
from explorer.plots.sketch import pareto_svg
from explorer.runs.state import RunState

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

PARAMETERS, MACS = "parameters", "multiply-accumulates"


def trade(state: RunState, rows: Sequence[Row], cost: str = PARAMETERS) -> ParetoInfo:
    """The dots' `parameters` hold whatever `cost` names."""
    if cost == PARAMETERS:
        return accuracy_against_parameters(state, rows)
    info = accuracy_against_parameters(state, [replace(row, parameters=row.macs) for row in rows])
    return replace(
        info,
        question="Does more work buy accuracy?",
        x=Axis(f"{MACS} of one image", "lower"),
        alt=info.alt.replace("parameters", MACS),
    )


def trade_svg(info: ParetoInfo) -> str:
    """The dots and the front; what a dot says under the pointer names its cost."""
    return pareto_svg(info).replace(" parameters</title>", f" {_cost(info)}</title>")


def trade_figure(info: ParetoInfo) -> Figure:
    """The same to hover over."""
    figure = pareto_figure(info)
    return figure.for_each_trace(
        lambda trace: trace.update(
            hovertemplate=trace.hovertemplate.replace(" parameters<", f" {_cost(info)}<")
        )
    )


def _cost(info: ParetoInfo) -> str:
    return MACS if info.x.title.startswith(MACS) else PARAMETERS
