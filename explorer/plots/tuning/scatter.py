"""A scatter of any two numeric columns, coloured by value."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from explorer.plots.charts import Axis
from explorer.plots.tuning import frame
from explorer.plots.tuning.columns import as_number, label
from explorer.plots.tuning.figure import dress
from explorer.plots.tuning.scale import Scale
from explorer.plots.tuning.statuses import QUIET, STATUS_LOOKS, plotly_ramp
from explorer.plots.tuning.table import Board, Row

if TYPE_CHECKING:
    from plotly.graph_objects import Figure


@dataclass(frozen=True)
class ScatterDot:
    """One trial in the units of the axes; `value` as shown, None without one."""

    trial_id: int
    status: str
    x: float
    y: float
    value: float | None


@dataclass(frozen=True)
class ScatterInfo:
    """Any two numeric columns, coloured by value."""

    question: str
    x: Axis
    y: Axis
    value: Axis
    scale: Scale
    dots: tuple[ScatterDot, ...]
    log_x: bool
    log_y: bool
    basis: str
    alt: str


FACTS = ("value", "trial", "seconds", "steps")


def numeric_columns(board: Board) -> tuple[str, ...]:
    """What `scatter` takes: the facts of a trial, then every parameter that is a number in some trial."""
    numeric = [
        column.path
        for column in board.columns
        if any(as_number(row.parameters.get(column.path)) is not None for row in board.rows)
    ]
    return (*FACTS, *(path for path in numeric if path not in FACTS))


def first_pair(board: Board) -> tuple[str, str]:
    """What to begin with: two parameters on a line of numbers, else what there is, else the value over the trials."""
    names = [name for name in numeric_columns(board) if name not in FACTS]
    smooth = [
        name for name in names if (c := board.column(name)) and c.is_number and not c.whole and not c.step
    ]
    ranked = [*smooth, *(name for name in names if name not in smooth)]
    if len(ranked) >= 2:
        return ranked[0], ranked[1]
    return (ranked[0], "value") if ranked else ("trial", "value")


def scatter(board: Board, x: str, y: str) -> ScatterInfo:
    """Trials that have both numbers; the logarithm of a parameter whose domain is one."""
    dots = []
    for row in board.rows:
        across, up = _number(board, row, x), _number(board, row, y)
        if across is not None and up is not None:
            value = None if row.reached is None else board.scale.shown(row.reached)
            dots.append(ScatterDot(row.trial_id, row.status, across, up, value))
    return ScatterInfo(
        f"How do {x} and {y} go together?",
        _axis(board, x),
        _axis(board, y),
        board.scale.axis,
        board.scale,
        tuple(dots),
        _is_log(board, x),
        _is_log(board, y),
        board.basis(len(board.rows) - len(dots)),
        f"{y} against {x} of {len(dots)} trials, coloured by {board.scale.title}.",
    )


def _number(board: Board, row: Row, name: str) -> float | None:
    if name not in FACTS:
        return as_number(row.parameters.get(name))
    if name == "value":
        return None if row.reached is None else board.scale.shown(row.reached)
    return {"trial": float(row.trial_id), "seconds": row.seconds, "steps": float(row.steps)}[name]


def _axis(board: Board, name: str) -> Axis:
    if name == "value":
        return board.scale.axis
    return Axis({"seconds": "seconds of training"}.get(name, name))


def _is_log(board: Board, name: str) -> bool:
    column = None if name in FACTS else board.column(name)
    return column is not None and column.log


def scatter_figure(info: ScatterInfo) -> Figure:
    """One trace a status (its shape), coloured by value; boxes and lassos report trials (`customdata`)."""
    from plotly.graph_objects import Figure, Scatter

    figure = Figure()
    low, high = frame.window([dot.value for dot in info.dots if dot.value is not None])
    for status, look in STATUS_LOOKS.items():
        mine = [dot for dot in info.dots if dot.status == status]
        if mine:
            plain = {
                "color": QUIET,
                "symbol": _solid(look.symbol),
                "size": 8,
            }  # the legend's: shapes, no values
            figure.add_trace(Scatter(x=[None], y=[None], mode="markers", name=look.word, marker=plain))
            figure.add_trace(
                Scatter(
                    x=[dot.x for dot in mine],
                    y=[dot.y for dot in mine],
                    customdata=[[dot.trial_id, info.scale.text(_stored(info, dot))] for dot in mine],
                    mode="markers",
                    name=look.word,
                    showlegend=False,
                    marker=_colored(info, mine, look.symbol),
                    hovertemplate="trial %{customdata[0]}: %{customdata[1]}<br>%{x:.4~g}, %{y:.4~g}<extra></extra>",
                )
            )
    dress(figure, info.x, info.y, 380)
    figure.update_layout(
        dragmode="select",
        coloraxis={
            "colorscale": plotly_ramp(info.value.better == "higher"),
            "cmin": low,
            "cmax": high,
            "colorbar": {
                "title": {"text": info.value.title, "side": "right"},
                "thickness": 12,
                "outlinewidth": 0,
            },
        },
    )
    figure.update_xaxes(_logarithm([dot.x for dot in info.dots]) if info.log_x else {})
    return figure.update_yaxes(_logarithm([dot.y for dot in info.dots]) if info.log_y else {})


def _logarithm(values: Sequence[float]) -> dict[str, Any]:
    """A logarithmic axis with its ticks written as everywhere: 0.001, 0.01, 1e-6."""
    positive = [value for value in values if value > 0]
    if not positive:
        return {"type": "log"}
    ticks = frame.log_ticks(math.log10(min(positive)) - 0.3, math.log10(max(positive)) + 0.3, 6)
    return {"type": "log", "tickvals": ticks, "ticktext": [label(tick) for tick in ticks]}


def _stored(info: ScatterInfo, dot: ScatterDot) -> float | None:
    return None if dot.value is None else dot.value / info.scale.factor


def _colored(info: ScatterInfo, dots: Sequence[ScatterDot], symbol: str) -> dict[str, Any]:
    size = 8 if len(info.dots) <= 500 else 5
    if any(dot.value is None for dot in dots):
        return {"color": QUIET, "symbol": symbol, "size": size}
    return {
        "color": [dot.value for dot in dots],
        "coloraxis": "coloraxis",
        "symbol": _solid(symbol),
        "size": size,
    }


def _solid(symbol: str) -> str:
    """Thin strokes carry no fill to colour."""
    return {"x-thin": "x"}.get(symbol, symbol)
