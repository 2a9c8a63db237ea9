"""Best so far: what the run has reached after so many trials, with a mark for every trial by its status."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from explorer.plots.charts import Axis
from explorer.plots.tuning import frame
from explorer.plots.tuning.figure import dress, status_marker
from explorer.plots.tuning.scale import Scale
from explorer.plots.tuning.statuses import BEST, STATUS_LOOKS
from explorer.plots.tuning.table import Board, Row

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

MOST_MARKS = 600  # in the SVG


@dataclass(frozen=True)
class Mark:
    """One trial; the value as shown, None for a trial that has none (it failed)."""

    trial_id: int
    value: float | None
    status: str


@dataclass(frozen=True)
class BestInfo:
    """`line` holds (trial, best value so far) at the first trial and at every improvement and at the last trial."""

    question: str
    x: Axis
    y: Axis
    scale: Scale
    marks: tuple[Mark, ...]
    line: tuple[tuple[int, float], ...]
    basis: str
    alt: str


def best_so_far(board: Board) -> BestInfo:
    """Only succeeded trials compete; stopped and running ones are marked with their newest value."""
    scale = board.scale
    marks = tuple(Mark(row.trial_id, _shown(scale, row), row.status) for row in board.rows)
    line: list[tuple[int, float]] = []
    for row in board.rows:
        if row.status == "succeeded" and row.value is not None:
            value = scale.shown(row.value)
            if not line or scale.sign * (value - line[-1][1]) > 0:
                line.append((row.trial_id, value))
    improvements = len(line)
    if line and board.rows[-1].trial_id > line[-1][0]:
        line.append((board.rows[-1].trial_id, line[-1][1]))
    told = (
        f"; the best is {scale.text(line[-1][1] / scale.factor)} after {improvements} improvements"
        if line
        else ""
    )
    return BestInfo(
        "How good is the best so far, and is it still getting better?",
        Axis("trial"),
        scale.axis,
        scale,
        marks,
        tuple(line),
        board.basis(),
        f"Best value so far over {len(marks)} trials{told}.",
    )


def _shown(scale: Scale, row: Row) -> float | None:
    return None if row.reached is None else scale.shown(row.reached)


def best_svg(info: BestInfo, width: float = frame.WIDTH, height: float = 290) -> str:
    """The line, and at most some hundred marks; those without a value stand at the bottom."""
    keys = [frame.Key("best so far", BEST, "line"), *frame.status_keys(mark.status for mark in info.marks)]
    rows = frame.foot(keys, width, info.x)
    plane = _plane(info, width, height - frame.foot_height(rows))
    low, high = plane.y
    drawn = []
    for status, look in STATUS_LOOKS.items():
        mine = [mark for mark in info.marks if mark.status == status]
        share = max(1, round(MOST_MARKS * len(mine) / max(1, len(info.marks))))
        places = [
            plane.at(mark.trial_id, low if mark.value is None else min(high, max(low, mark.value)))
            for mark in (mine[at] for at in frame.spread(range(len(mine)), share))
        ]
        radius = 3.4 if len(info.marks) <= 120 else 2.2
        drawn.append(frame.marks(look.shape, places, look.color, radius, 0.8))
    drawn.append(frame.stroke(frame.line(plane, info.line, steps=True), BEST, 2.6))
    body = frame.axes(plane, info.x, info.y, whole_x=True) + "".join(drawn)
    return frame.svg(info.alt, width, height, body + frame.foot_svg(rows, plane))


def _plane(info: BestInfo, width: float, bottom: float) -> frame.Plane:
    values = [mark.value for mark in info.marks if mark.value is not None]
    numbers = [mark.trial_id for mark in info.marks]
    x = (min(numbers, default=0) - 0.5, max([*numbers, min(numbers, default=0) + 4]) + 0.5)
    return frame.Plane(
        x, frame.window(values, [value for _, value in info.line[-1:]]), (50, 30, width - 12, bottom)
    )


def best_figure(info: BestInfo) -> Figure:
    """The same to hover over and to select in (`customdata` is the trial)."""
    from plotly.graph_objects import Figure, Scatter

    figure = Figure()
    low, high = frame.window(
        [m.value for m in info.marks if m.value is not None], [v for _, v in info.line[-1:]]
    )
    for status, look in STATUS_LOOKS.items():
        mine = [mark for mark in info.marks if mark.status == status]
        if mine:
            figure.add_trace(
                Scatter(
                    x=[mark.trial_id for mark in mine],
                    y=[low if mark.value is None else mark.value for mark in mine],
                    customdata=[[mark.trial_id] for mark in mine],
                    mode="markers",
                    name=look.word,
                    marker=status_marker(status, 8 if len(info.marks) <= 500 else 5),
                    cliponaxis=False,
                    opacity=0.85,
                    hovertemplate=f"trial %{{x}} {look.word}: %{{y:{info.scale.hover}<extra></extra>",
                )
            )
    figure.add_trace(
        Scatter(
            x=[number for number, _ in info.line],
            y=[value for _, value in info.line],
            mode="lines",
            name="best so far",
            line={"color": BEST, "width": 3, "shape": "hv"},
            hoverinfo="skip",
        )
    )
    dress(figure, info.x, info.y)
    return figure.update_yaxes(range=[low, high])
