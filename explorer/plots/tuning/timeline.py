"""The timeline of workers: which trial ran when, in as many lanes as ran at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from explorer.plots.charts import Axis
from explorer.plots.tuning import frame
from explorer.plots.tuning.figure import dress
from explorer.plots.tuning.scale import Scale
from explorer.plots.tuning.statuses import STATUS_LOOKS
from explorer.plots.tuning.table import Board

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

MOST_BARS = 1500  # of the SVG
UNITS = ((2 * 3600.0, 3600.0, "hours"), (180.0, 60.0, "minutes"), (0.0, 1.0, "seconds"))


@dataclass(frozen=True)
class Bar:
    """One trial in its lane (from 0), in the unit of the axis."""

    trial_id: int
    status: str
    lane: int
    start: float
    end: float
    value: float | None


@dataclass(frozen=True)
class TimelineInfo:
    """Bars by start; `busy` is the share of the lanes' time, from the first start to the last end, that was used."""

    question: str
    x: Axis
    scale: Scale
    bars: tuple[Bar, ...]
    lanes: int
    busy: float
    basis: str
    alt: str


def timeline(board: Board) -> TimelineInfo:
    """Each trial takes the first lane that is free; a running one reaches to the newest event."""
    state = board.state
    now = max(0.0, (state.updated or 0.0) - (state.started or 0.0))
    spans = [
        (row.began, max(row.began, now if row.ended is None else row.ended), row)
        for row in board.rows
        if row.began is not None
    ]
    spans.sort(key=lambda span: (span[0], span[2].trial_id))
    last = max((end for _, end, _ in spans), default=0.0)
    _, divisor, unit = next(entry for entry in UNITS if last >= entry[0])
    free: list[float] = []
    bars = []
    for start, end, row in spans:
        lane = next((at for at, until in enumerate(free) if until <= start + 1e-6), len(free))
        free[lane : lane + 1] = [end]
        bars.append(Bar(row.trial_id, row.status, lane, start / divisor, end / divisor, row.reached))
    used, first = sum(bar.end - bar.start for bar in bars), min((bar.start for bar in bars), default=0.0)
    busy = used / (len(free) * (last / divisor - first)) if bars and last / divisor > first else 0.0
    return TimelineInfo(
        "Were the workers busy, and which trials took long?",
        Axis(f"time since the run began ({unit})"),
        board.scale,
        tuple(bars),
        len(free),
        busy,
        board.basis(),
        f"Timeline of {len(bars)} trials in {len(free)} lanes, busy {100 * busy:.0f} % of the time.",
    )


def timeline_svg(info: TimelineInfo, width: float = frame.WIDTH) -> str:
    """Bars in lanes; neighbours that are thinner than a pixel are drawn as one."""
    lane = 22.0 if info.lanes <= 8 else max(7.0, 176 / info.lanes)
    top, left = 10.0, 64.0
    bottom = top + max(1, info.lanes) * lane
    end = max((bar.end for bar in info.bars), default=1.0) or 1.0
    plane = frame.Plane((0, end), (0, 1), (left, top, width - 16, bottom))
    body = []
    found = frame.plain_ticks(0, end, 8)
    for tick in found:
        x = plane.at(tick, 0)[0]
        body.append(f'<path d="M{x:.1f} {top}V{bottom}" stroke="currentColor" stroke-opacity=".13"/>')
        body.append(frame.text((x, bottom + 12), frame.compact(tick), 11, "middle", frame.QUIET_TEXT))
    body.append(frame.text((width - 16, bottom + 28), info.x.title, 11, "end", 'opacity=".88"'))
    for at in range(info.lanes):
        if lane >= 12 or at % 4 == 0:
            place = (left - 7, top + (at + 0.5) * lane)
            body.append(frame.text(place, f"worker {at + 1}", 10.5, "end", frame.QUIET_TEXT))
    body += _bars(info, plane, lane)
    body.append(
        _legend([name for name in STATUS_LOOKS if any(bar.status == name for bar in info.bars)], bottom + 29)
    )
    return frame.svg(info.alt, width, bottom + 42, "".join(body))


def _legend(statuses: list[str], y: float) -> str:
    """A small bar in the form of each status, and its word."""
    parts, x = [], 12.0
    for status in statuses:
        tall = 14 * _TALL.get(status, 0.76)
        parts.append(_form(status, f"M{x:.1f} {y - tall / 2:.1f}h20v{tall:.1f}h-20z"))
        word = STATUS_LOOKS[status].word
        parts.append(frame.text((x + 26, y), word, 11, more='opacity=".9"'))
        x += 40 + 6 * len(word)
    return "".join(parts)


def _bars(info: TimelineInfo, plane: frame.Plane, lane: float) -> list[str]:
    """One path a status. Status is told by the bar's form as well: its height, filled or hollow."""
    top = plane.box[1]
    least = max(1.6, info.lanes * (plane.box[2] - plane.box[0]) / MOST_BARS)
    courses: dict[str, list[str]] = {}
    open_bars: dict[int, tuple[str, float, float]] = {}

    def close(at: int) -> None:
        status, start, end = open_bars.pop(at)
        tall = lane * _TALL.get(status, 0.76)
        y = top + (at + 0.5) * lane - tall / 2
        wide = max(0.8, end - start - (0.8 if end - start > 3 else 0))
        courses.setdefault(status, []).append(f"M{start:.1f} {y:.1f}h{wide:.1f}v{tall:.1f}h-{wide:.1f}z")

    for bar in info.bars:
        start, end = plane.at(bar.start, 0)[0], plane.at(bar.end, 0)[0]
        known = open_bars.get(bar.lane)
        if known and _is_sliver(known, bar.status, start, end, least):
            open_bars[bar.lane] = (known[0], known[1], end)
            continue
        if known:
            close(bar.lane)
        open_bars[bar.lane] = (bar.status, start, end)
    for at in list(open_bars):
        close(at)
    return [_form(status, "".join(parts)) for status, parts in courses.items()]


def _is_sliver(known: tuple[str, float, float], status: str, start: float, end: float, least: float) -> bool:
    """Whether a bar is too thin to be seen and may lengthen its neighbour, which stays short itself."""
    if end - start >= least or start - known[2] >= least or known[2] - known[1] >= 12:
        return False
    return known[0] == status or end - known[1] < least


_TALL = {"early_stopped": 0.42, "failed": 0.76, "cancelled": 0.42}
_HOLLOW = ("failed", "running", "cancelled")


def _form(status: str, course: str) -> str:
    color = STATUS_LOOKS[status].color
    if status not in _HOLLOW:
        return f'<path d="{course}" fill="{color}"/>'
    return f'<path d="{course}" fill="{color}" fill-opacity=".3" stroke="{color}" stroke-width="1.3"/>'


def timeline_figure(info: TimelineInfo) -> Figure:
    """The same to hover over and to select in (`customdata` is the trial)."""
    from plotly.graph_objects import Bar as Bars
    from plotly.graph_objects import Figure

    figure = Figure()
    for status, look in STATUS_LOOKS.items():
        mine = [bar for bar in info.bars if bar.status == status]
        if mine:
            figure.add_trace(
                Bars(
                    x=[bar.end - bar.start for bar in mine],
                    base=[bar.start for bar in mine],
                    y=[f"worker {bar.lane + 1}" for bar in mine],
                    customdata=[[bar.trial_id, info.scale.text(bar.value)] for bar in mine],
                    orientation="h",
                    name=look.word,
                    marker={
                        "color": look.color,
                        "pattern": {"shape": look.pattern, "size": 6, "solidity": 0.35},
                        "line": {"width": 1, "color": "rgba(255,255,255,.55)"},
                    },
                    hovertemplate=f"trial %{{customdata[0]}} {look.word}: %{{customdata[1]}}<extra></extra>",
                )
            )
    dress(figure, info.x, height=110 + 26 * max(2, info.lanes))
    figure.update_layout(barmode="overlay", bargap=0.25)
    names = [f"worker {at + 1}" for at in range(info.lanes)]
    return figure.update_yaxes(categoryorder="array", categoryarray=names[::-1])
