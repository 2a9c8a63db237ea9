"""Slices: the value against one parameter at a time, in small scatters that share the axis of values."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from explorer.plots.charts import Axis
from explorer.plots.tuning import frame
from explorer.plots.tuning.columns import place, ruler
from explorer.plots.tuning.figure import dress, status_marker
from explorer.plots.tuning.scale import Scale
from explorer.plots.tuning.statuses import STATUS_LOOKS
from explorer.plots.tuning.table import Board

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

MOST_SLICES = 12
MOST_DOTS = 1300  # over all slices of the SVG


@dataclass(frozen=True)
class SliceDot:
    """One trial: its position on the parameter's axis (0 to 1, categories spread a little), its shown value."""

    trial_id: int
    status: str
    position: float
    value: float
    cell: str


@dataclass(frozen=True)
class Slice:
    """One parameter."""

    title: str
    log: bool
    ticks: tuple[tuple[float, str], ...]
    dots: tuple[SliceDot, ...]


@dataclass(frozen=True)
class SlicesInfo:
    """Small scatters that share the axis of values; `left_out` names the parameters without one."""

    question: str
    y: Axis
    scale: Scale
    window: tuple[float, float]
    slices: tuple[Slice, ...]
    left_out: tuple[str, ...]
    basis: str
    alt: str


def slices(board: Board, paths: Sequence[str] | None = None) -> SlicesInfo:
    """The parameters in `paths` (None: the first twelve); trials without a value are left out."""
    wanted = [c for c in board.columns if paths is None or c.path in paths][:MOST_SLICES]
    rows = [row for row in board.rows if row.reached is not None]
    found = []
    for column in wanted:
        scale = ruler(column, (row.parameters.get(column.path) for row in rows), 4)
        dots = []
        for row in rows:
            at = place(scale, row.parameters.get(column.path), row.trial_id, 0.6)
            if at is not None:
                value = board.scale.shown(row.reached or 0.0)
                told = column.words(row.parameters.get(column.path))
                dots.append(SliceDot(row.trial_id, row.status, at, value, told))
        found.append(Slice(column.path, column.log, scale.ticks, tuple(dots)))
    values = [board.scale.shown(row.reached or 0.0) for row in rows]
    left_out = tuple(column.path for column in board.columns if column not in wanted)
    return SlicesInfo(
        "Where in each parameter's range do the good values lie?",
        board.scale.axis,
        board.scale,
        frame.window(values, [v for row, v in zip(rows, values, strict=True) if row.is_best]),
        tuple(found),
        left_out,
        board.basis(len(board.rows) - len(rows)),
        f"The value against each of {len(found)} parameters for {len(rows)} trials; "
        f"{len(left_out)} parameters are not shown.",
    )


def slices_svg(info: SlicesInfo, width: float = frame.WIDTH, across: int = 3) -> str:
    """Small scatters in rows."""
    across = max(1, min(across, len(info.slices)))
    tall, gap, left, right = 150.0, 18.0, 46.0, 12.0
    wide = (width - left - right - gap * (across - 1)) / across
    rows = math.ceil(len(info.slices) / across)
    height = 30 + rows * (tall + 6) + 20
    most = max(20, MOST_DOTS // max(1, len(info.slices)))
    body = [frame.text((4, 12), str(info.y), 11, more='opacity=".88"')]
    for at, part in enumerate(info.slices):
        x, y = left + (at % across) * (wide + gap), 30 + (at // across) * (tall + 6)
        plane = frame.Plane((-0.03, 1.03), info.window, (x, y, x + wide, y + tall - 46))
        body.append(_panel(part, plane, most, at % across == 0))
    keys = frame.status_keys(dot.status for part in info.slices for dot in part.dots)
    return frame.svg(info.alt, width, height, "".join(body) + frame.legend(keys, left, height - 10))


def _panel(part: Slice, plane: frame.Plane, most: int, with_labels: bool) -> str:
    left, top, right, bottom = plane.box
    body = [
        f'<rect x="{left:.1f}" y="{top:.1f}" width="{right - left:.1f}" height="{bottom - top:.1f}" '
        'fill="currentColor" fill-opacity=".03"/>'
    ]
    for tick in frame.plain_ticks(*plane.y, most=4):
        height = plane.at(0, tick)[1]
        body.append(
            f'<path d="M{left:.1f} {height:.1f}H{right:.1f}" stroke="currentColor" stroke-opacity=".13"/>'
        )
        if with_labels:
            body.append(frame.text((left - 6, height), f"{tick:g}", 10.5, "end", frame.QUIET_TEXT))
    room = max(3, int((right - left) / max(1, len(part.ticks)) / 6.2))
    for position, words in part.ticks:
        at = (plane.at(position, 0)[0], bottom + 11)
        body.append(frame.text(at, frame.small(words, room), 10.5, "middle", frame.QUIET_TEXT))
    title = frame.small_path(part.title, int((right - left) / 6.5)) + (" (log)" if part.log else "")
    body.append(frame.text(((left + right) / 2, bottom + 27), title, 11, "middle", 'font-weight="600"'))
    for status, look in STATUS_LOOKS.items():
        mine = [dot for dot in part.dots if dot.status == status]
        share = max(1, round(most * len(mine) / max(1, len(part.dots))))
        kept = (mine[at] for at in frame.spread(range(len(mine)), share))
        places = [plane.at(dot.position, min(plane.y[1], max(plane.y[0], dot.value))) for dot in kept]
        body.append(frame.marks(look.shape, places, look.color, 3 if len(part.dots) <= 80 else 1.9, 0.75))
    return "".join(body)


def slices_figure(info: SlicesInfo, across: int = 3) -> Figure:
    """Subplots that share the axis of values; boxes and lassos report trials (`customdata`)."""
    from plotly.graph_objects import Scatter
    from plotly.subplots import make_subplots

    across = max(1, min(across, len(info.slices)))
    rows = max(1, math.ceil(len(info.slices) / across))
    figure = make_subplots(
        rows, across, shared_yaxes=True, horizontal_spacing=0.03, vertical_spacing=min(0.5, 90 / (230 * rows))
    )
    named: set[str] = set()
    for at, part in enumerate(info.slices):
        row, column = at // across + 1, at % across + 1
        for status, look in STATUS_LOOKS.items():
            mine = [dot for dot in part.dots if dot.status == status]
            if not mine:
                continue
            figure.add_trace(
                Scatter(
                    x=[dot.position for dot in mine],
                    y=[dot.value for dot in mine],
                    customdata=[[dot.trial_id, dot.cell] for dot in mine],
                    mode="markers",
                    name=look.word,
                    legendgroup=status,
                    showlegend=status not in named,
                    marker=status_marker(status, 7 if len(part.dots) <= 500 else 4),
                    opacity=0.8,
                    cliponaxis=False,
                    hovertemplate=(
                        f"trial %{{customdata[0]}}<br>{part.title.replace('%', '%%')} %{{customdata[1]}}<br>"
                        f"%{{y:{info.scale.hover}<extra></extra>"
                    ),
                ),
                row=row,
                col=column,
            )
            named.add(status)
        figure.update_xaxes(
            title=part.title + (" (log)" if part.log else ""),
            tickvals=[position for position, _ in part.ticks],
            ticktext=[frame.small(words, 12) for _, words in part.ticks],
            range=[-0.04, 1.04],
            row=row,
            col=column,
        )
    dress(figure, height=60 + 230 * rows)
    figure.update_layout(dragmode="select")
    figure.update_yaxes(range=list(info.window))
    return figure.update_yaxes(title={"text": str(info.y), "font": {"size": 12}}, col=1, row=(rows + 1) // 2)
