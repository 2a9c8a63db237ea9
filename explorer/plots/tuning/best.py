"""Best so far: what the run has reached after so many trials, with a mark for every trial by its status."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from explorer.plots.charts import Axis
from explorer.plots.tuning import frame
from explorer.plots.tuning.figure import add_marks, dress
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
    """`line` holds (trial, best value so far) at the first trial and at every improvement and at the last trial.

    `window` is what the axis of values shows, `close_up` whether that can be less than all of them; `outside` trials
    then stand at its edge.
    """

    question: str
    x: Axis
    y: Axis
    scale: Scale
    marks: tuple[Mark, ...]
    line: tuple[tuple[int, float], ...]
    basis: str
    alt: str
    window: tuple[float, float] = (0.0, 1.0)
    close_up: bool = False
    outside: int = 0


def best_so_far(board: Board, whole: bool = True) -> BestInfo:
    """Only succeeded trials compete, and one that was given more epochs leads every shorter one; stopped and running
    ones are marked with their newest value.

    Unless `whole`, a few trials far off or many bad ones do not flatten the good ones.
    """
    scale = board.scale
    marks = tuple(Mark(row.trial_id, _shown(scale, row), row.status) for row in board.rows)
    line: list[tuple[int, float]] = []
    longest = 0
    for row in board.rows:
        if row.status == "succeeded" and row.value is not None:
            value = scale.shown(row.value)
            is_better = not line or scale.sign * (value - line[-1][1]) > 0
            if row.budget > longest or (row.budget == longest and is_better):
                line.append((row.trial_id, value))
                longest = row.budget
    improvements = len(line)
    if line and board.rows[-1].trial_id > line[-1][0]:
        line.append((board.rows[-1].trial_id, line[-1][1]))
    values = [mark.value for mark in marks if mark.value is not None]
    last = [value for _, value in line[-1:]]
    close = frame.close_up(values, scale.sign, last)
    window = frame.window(values, last) if whole or close is None else close
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
        window,
        close is not None,
        sum(not window[0] <= value <= window[1] for value in values),
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
    numbers = [mark.trial_id for mark in info.marks]
    x = (min(numbers, default=0) - 0.5, max([*numbers, min(numbers, default=0) + 4]) + 0.5)
    return frame.Plane(x, info.window, (50, 30, width - 12, bottom))


def best_figure(info: BestInfo) -> Figure:
    """The same to hover over and to select in (`customdata` is the trial)."""
    from plotly.graph_objects import Figure, Scatter

    figure = Figure()
    low, high = info.window
    for status, look in STATUS_LOOKS.items():
        mine = [mark for mark in info.marks if mark.status == status]
        if mine:
            points = [(m.trial_id, low if m.value is None else m.value) for m in mine]
            told = [info.scale.text(None if m.value is None else m.value / info.scale.factor) for m in mine]
            data = [[mark.trial_id, words] for mark, words in zip(mine, told, strict=True)]
            hover = f"trial %{{x}} {look.word}: %{{customdata[1]}}<extra></extra>"
            add_marks(figure, status, points, info.window, data, hover, 8 if len(info.marks) <= 500 else 5)
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
