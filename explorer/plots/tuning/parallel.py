"""Parallel coordinates: one line a trial through all its parameters, to its value.

Positions are worked out here, from 0 to 1 on each axis (logarithms and categories included), so that the SVG and the
plotly figure show the same. A parameter that a trial does not have (another nested option) lies below its axis.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from explorer.plots.charts import Axis
from explorer.plots.tuning import frame
from explorer.plots.tuning.columns import Column, Ruler, jitter, place, ruler
from explorer.plots.tuning.figure import dress
from explorer.plots.tuning.scale import Scale
from explorer.plots.tuning.statuses import RAMP, plotly_ramp, ramp_color
from explorer.plots.tuning.table import Board, Row

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

MOST_AXES = 10
MOST_LEVEL = 8  # axes whose titles are written level
MOST_VERTICES = 3000  # of the SVG
ABSENT = -0.12  # where a parameter lies that a trial does not have


@dataclass(frozen=True)
class ParallelAxis:
    """A title, ticks (position, label), whether some trials lack it, whether it is a category."""

    title: str
    ticks: tuple[tuple[float, str], ...]
    has_absent: bool
    is_category: bool


@dataclass(frozen=True)
class ParallelLine:
    """One trial: a position an axis, and its rank among those drawn as a share (0 worst, 1 best)."""

    trial_id: int
    positions: tuple[float, ...]
    share: float


@dataclass(frozen=True)
class ParallelInfo:
    """Axes and lines, better lines last; `left_out` names the parameters without an axis."""

    question: str
    value: Axis
    scale: Scale
    axes: tuple[ParallelAxis, ...]
    lines: tuple[ParallelLine, ...]
    left_out: tuple[str, ...]
    basis: str
    alt: str


def parallel_coordinates(board: Board, paths: Sequence[str] | None = None) -> ParallelInfo:
    """The parameters in `paths` (None: the first ten) and the value as the last axis; trials without a value are
    left out.
    """
    wanted = [c for c in board.columns if paths is None or c.path in paths][:MOST_AXES]
    rows = [row for row in board.rows if row.reached is not None]
    rulers = [ruler(column, (row.parameters.get(column.path) for row in rows)) for column in wanted]
    values = [board.scale.shown(row.reached or 0.0) for row in rows]
    low, high = frame.window(values, [v for row, v in zip(rows, values, strict=True) if row.is_best])
    axes = [_axis(column, scale, rows) for column, scale in zip(wanted, rulers, strict=True)]
    ticks = tuple(((tick - low) / (high - low), f"{tick:g}") for tick in frame.plain_ticks(low, high, 6))
    axes.append(ParallelAxis(board.scale.short, ticks, False, False))
    lines = []
    for row, value in zip(rows, values, strict=True):
        across = min(1.0, max(0.0, (value - low) / (high - low)))
        positions = tuple(_position(scale, row) for scale in rulers)
        lines.append(ParallelLine(row.trial_id, (*positions, across), board.scale.sign * value))
    lines.sort(key=lambda line: line.share)
    lines = [replace(line, share=at / max(1, len(lines) - 1)) for at, line in enumerate(lines)]
    left_out = tuple(column.path for column in board.columns if column not in wanted)
    return ParallelInfo(
        "Which combinations of parameters lead to good values?",
        board.scale.axis,
        board.scale,
        tuple(axes),
        tuple(lines),
        left_out,
        board.basis(len(board.rows) - len(lines)),
        f"Parallel coordinates of {len(lines)} trials over {len(wanted)} parameters and the value; "
        f"{len(left_out)} parameters have no axis.",
    )


def _axis(column: Column, scale: Ruler, rows: Sequence[Row]) -> ParallelAxis:
    absent = any(scale.at(row.parameters.get(column.path)) is None for row in rows)
    return ParallelAxis(column.path, scale.ticks, absent, not column.is_number)


def _position(scale: Ruler, row: Row) -> float:
    at = place(scale, row.parameters.get(scale.column.path), row.trial_id, 0.45)
    return ABSENT + 0.02 * jitter(row.trial_id) if at is None else at


def parallel_svg(info: ParallelInfo, width: float = frame.WIDTH, height: float = 320) -> str:
    """Lines in a few classes of goodness: better ones darker, wider and on top."""
    left, right, top = 46.0, width - 34.0, 46.0
    bottom = height - (70.0 if any(axis.has_absent for axis in info.axes) else 44.0)
    gap = (right - left) / max(1, len(info.axes) - 1)
    places = [left + at * gap for at in range(len(info.axes))]
    most = max(20, MOST_VERTICES // max(1, len(info.axes)))
    best = info.lines[-(most // 8) :]
    others = info.lines[: len(info.lines) - len(best)]
    kept = [*(others[at] for at in frame.spread(range(len(others)), most - len(best))), *best]
    classes: dict[str, list[str]] = {color: [] for color in RAMP}
    for drawn in kept:
        points = [
            f"{x:.0f} {bottom - at * (bottom - top):.1f}"
            for x, at in zip(places, drawn.positions, strict=True)
        ]
        classes[ramp_color(drawn.share)].append("M" + "L".join(points))
    body, dense = [], min(1.0, max(0.5, 60 / max(1, len(kept))))
    for at, (color, courses) in enumerate(classes.items()):
        share = at / (len(RAMP) - 1)
        body.append(frame.stroke("".join(courses), color, 0.7 + 1.3 * share * dense, "", 0.4 + 0.45 * share))
    longest = max(4, int(gap / 6.3))
    body += [_pole(info, at, x, (top, bottom), longest) for at, x in enumerate(places)]
    told = f" · {len(info.lines) - len(kept):,} lines not drawn" if len(kept) < len(info.lines) else ""
    words = f"by rank, from thin grey (worst) to wide violet (best){told}"
    body.append(frame.text((12, height - 12), words, 11, more=frame.QUIET_TEXT))
    return frame.svg(info.alt, width, height, "".join(body))


def _pole(info: ParallelInfo, number: int, x: float, ends: tuple[float, float], longest: int) -> str:
    """One axis with its ticks; titles take turns in two heights so that they do not touch."""
    axis, (top, bottom) = info.axes[number], ends
    last = number == len(info.axes) - 1
    parts = [
        f'<path d="M{x:.0f} {top:.0f}V{bottom:.0f}" stroke="currentColor" stroke-opacity=".55" stroke-width="1.2"/>'
    ]
    anchor = "end" if last else "start" if number == 0 else "middle"
    at = x + 30 if last else x - 42 if number == 0 else x
    title = frame.small_path(axis.title, 2 * longest - 2)
    parts.append(frame.text((at, 12 if number % 2 else 28), title, 11, anchor, 'font-weight="600"'))
    for position, words in axis.ticks:
        height = bottom - position * (bottom - top)
        parts.append(_halo(x, height, frame.small(words, max(5, longest - 2)), last))
    if axis.has_absent:
        parts.append(_halo(x, bottom - ABSENT * (bottom - top), "not used", last))
    return "".join(parts)


def _halo(x: float, y: float, words: str, right: bool) -> str:
    """A tick's label right of its axis (left of the first would leave the picture)."""
    return f'<path d="M{x - 3:.0f} {y:.1f}h6" stroke="currentColor" stroke-opacity=".7"/>' + frame.text(
        (x + 6 if right else x - 6, y), words, 10.5, "start" if right else "end", 'opacity=".92"'
    )


def parallel_figure(info: ParallelInfo) -> Figure:
    """Plotly's own parallel coordinates: axes can be brushed and moved (it does not report what was brushed)."""
    from plotly.graph_objects import Figure, Parcoords

    dimensions = []
    level = len(info.axes) <= MOST_LEVEL  # then the titles fit side by side
    for at, axis in enumerate(info.axes):
        ticks = [*axis.ticks, *([(ABSENT, "not used")] if axis.has_absent else [])]
        dimensions.append(
            {
                "label": frame.small_path(axis.title, 15 if level else 18),
                "values": [line.positions[at] for line in info.lines],
                "range": [ABSENT - 0.02 if axis.has_absent else 0, 1],
                "tickvals": [position for position, _ in ticks],
                "ticktext": [frame.small(words, 14) for _, words in ticks],
            }
        )
    figure = Figure(
        Parcoords(
            dimensions=dimensions,
            labelangle=0 if level else -12,
            labelside="top",
            line={
                "color": [line.share for line in info.lines],
                "colorscale": plotly_ramp(True),
                "cmin": 0,
                "cmax": 1,
            },
        )
    )
    dress(figure, height=380)
    return figure.update_layout(margin={"l": 60, "r": 50, "t": 76, "b": 20})
