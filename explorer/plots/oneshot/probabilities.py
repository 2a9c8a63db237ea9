"""What the search believes, decision by decision: one small panel each, one line a candidate, the derived one marked.

All panels share steps and 0 to 1, so that they can be compared at a glance. Colour says the operation; dash and the tag
at a line's end say it again.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Any

from explorer.errors import ExplorerError
from explorer.plots.charts import Axis
from explorer.plots.oneshot.candidates import Candidate, Row, described, key_of
from explorer.plots.oneshot.panels import STEP, Points, basis_of, number, step_range, thinned
from explorer.plots.tuning import frame
from explorer.plots.tuning.figure import dress
from explorer.space import SearchSpace, path_of
from explorer.space.decisions import ON

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

MOST_POINTS = 4_500  # of all lines in the SVG together
FIGURE_POINTS = 40_000  # the same in the figure
TALL, LOW = 76.0, 44.0  # a panel with several lines, one of a switch
ROOM = 21.0  # right of a panel, for the tags


@dataclass(frozen=True)
class Course:
    """The probability of one candidate over the steps; `chosen`: the newest snapshot derives it."""

    candidate: Candidate
    points: Points
    chosen: bool

    @property
    def last(self) -> float:
        """The newest probability."""
        return self.points[-1][1]


@dataclass(frozen=True)
class Small:
    """One decision. `derived` says in words what the newest snapshot makes of it; "" before the first."""

    row: Row
    courses: tuple[Course, ...]
    derived: str


@dataclass(frozen=True)
class ProbabilitiesInfo:
    """Decisions in the order of the network, in sections; `key` holds every look once.

    `top` is the highest probability that the axes show.
    """

    question: str
    x: Axis
    y: Axis
    smalls: tuple[Small, ...]
    key: tuple[Candidate, ...]
    basis: str
    alt: str
    top: float = 1.0

    @property
    def sections(self) -> tuple[tuple[str, tuple[Small, ...]], ...]:
        """Neighbours that belong together, by the name of their section."""
        return tuple(
            (name, tuple(found)) for name, found in groupby(self.smalls, key=lambda small: small.row.section)
        )

    @property
    def steps(self) -> tuple[float, float]:
        """The first and the last step."""
        return step_range(course.points for small in self.smalls for course in small.courses)


def probabilities(
    snapshots: Sequence[Mapping[str, Any]], space: SearchSpace | None, whole: bool = True
) -> ProbabilitiesInfo:
    """What is no decision or candidate of `space` is left out.

    Unless `whole`, the axes end a little above the highest probability, so that a young search can be seen to move.
    """
    rows = described(space)
    chosen = _chosen(snapshots[-1] if snapshots else None, space)
    smalls = tuple(_small(row, snapshots, chosen) for row in rows)
    return ProbabilitiesInfo(
        "Which candidate does each decision believe in, and since when?",
        STEP,
        Axis("probability"),
        smalls,
        key_of(rows),
        basis_of(snapshots, "A probability is a belief under shared weights, not an operation's worth."),
        _alt(smalls, snapshots),
        1.0 if whole else _top(smalls),
    )


def _top(smalls: Sequence[Small]) -> float:
    """The first tenth above everything that is drawn."""
    highest = max(
        (value for small in smalls for course in small.courses for _, value in course.points), default=1.0
    )
    return min(1.0, math.ceil(10 * highest + 1e-9) / 10)


def _chosen(snapshot: Mapping[str, Any] | None, space: SearchSpace | None) -> Mapping[str, Any]:
    """The path of what would be derived now; empty where that is none of the space."""
    if snapshot is None or space is None or not snapshot.get("derived"):
        return {}
    try:
        return path_of(space, snapshot["derived"])
    except ExplorerError:
        return {}


def _small(row: Row, snapshots: Sequence[Mapping[str, Any]], chosen: Mapping[str, Any]) -> Small:
    taken = _taken(row, chosen[row.label]) if row.label in chosen else None
    courses = []
    for candidate in row.candidates:
        points = tuple(
            (float(one["step"]), value)
            for one in snapshots
            if (value := number((one["probabilities"].get(row.label) or {}).get(candidate.name))) is not None
        )
        if points:
            courses.append(Course(candidate, points, candidate.name in (taken or ())))
    return Small(row, tuple(courses), _derived(row, taken))


def _taken(row: Row, path: int | tuple[int, ...] | None) -> tuple[str, ...]:
    """The names of the candidates that a path runs."""
    if path is None:
        return ()
    if row.kind == "switch":
        return (ON,) if path == 1 else ()
    indices = path if isinstance(path, tuple) else (path,)
    return tuple(row.candidates[at].name for at in indices)


def _derived(row: Row, taken: tuple[str, ...] | None) -> str:
    if taken is None:
        return ""
    if row.kind == "switch":
        return "on" if taken else "off"
    words = {candidate.name: candidate.words for candidate in row.candidates}
    return " + ".join(words[name] for name in taken) or "not kept"


def _alt(smalls: Sequence[Small], snapshots: Sequence[Mapping[str, Any]]) -> str:
    if not snapshots:
        return f"Probabilities of {len(smalls)} decisions; no snapshot yet."
    told = "; ".join(
        f"{small.row.section} {small.row.title}: {small.derived}".strip() for small in smalls if small.derived
    )
    return (
        f"Probabilities of {len(smalls)} decisions over {len(snapshots)} snapshots; "
        f"derived at step {snapshots[-1]['step']}: {told or 'nothing'}."
    )


# -- SVG --------------------------------------------------------------------------------------------------------------


def probabilities_svg(info: ProbabilitiesInfo, width: float = frame.WIDTH) -> str:
    """Small multiples; with more decisions the panels get narrower and their lines have fewer points."""
    lines = sum(len(small.courses) for small in info.smalls)
    most = max(12, MOST_POINTS // max(1, lines))
    body, top = [], 4.0
    for name, smalls in info.sections:
        if name:
            body.append(frame.text((2, top + 8), name, 12, more='font-weight="650"'))
            top += 20
        across = _across(smalls)
        rows = [smalls[at : at + across] for at in range(0, len(smalls), across)]
        for row in rows:
            tall = TALL if any(small.row.kind != "switch" for small in row) else LOW
            wide = (width - 26) / across
            for at, small in enumerate(row):
                left = 26 + at * wide
                plane = frame.Plane(
                    info.steps, (0, info.top), (left, top + 20, left + wide - ROOM - 10, top + 20 + tall)
                )
                body.append(_panel(small, plane, most, first=at == 0, last=row is rows[-1]))
            top += tall + 28
        top += 14
    keys = _key(info.key, width, top + 2)
    return frame.svg(info.alt, width, top + 6 + 19 * len(keys), "".join((*body, *keys)))


def _across(smalls: Sequence[Small]) -> int:
    """Panels in a row: fewer, and so wider, where there are few."""
    if all(small.row.kind == "switch" for small in smalls):
        return min(4, max(3, len(smalls)))
    return 3 if len(smalls) <= 6 else 4 if len(smalls) <= 12 else 5


def _panel(small: Small, plane: frame.Plane, most: int, first: bool, last: bool) -> str:
    left, top, right, bottom = plane.box
    parts = [
        f'<rect x="{left:.1f}" y="{top:.1f}" width="{right - left:.1f}" height="{bottom - top:.1f}" '
        'fill="currentColor" fill-opacity=".035"/>',
        _head(small, left, right + ROOM, top - 11.5),
    ]
    top_value = plane.y[1]
    for tick in (0, top_value / 2, top_value) if small.row.kind != "switch" else (0, top_value):
        height = plane.at(0, tick)[1]
        parts.append(
            f'<path d="M{left:.1f} {height:.1f}H{right:.1f}" stroke="currentColor" stroke-opacity=".13"/>'
        )
        if first:
            parts.append(frame.text((left - 5, height), f"{tick:g}", 10, "end", frame.QUIET_TEXT))
    if last:
        parts += [
            frame.text((x, bottom + 9), frame.compact(step), 10, anchor, frame.QUIET_TEXT)
            for x, step, anchor in ((left, plane.x[0], "start"), (right, plane.x[1], "end"))
        ]
    for course in sorted(small.courses, key=lambda course: course.chosen):
        points = thinned(course.points, most)
        look, wide = course.candidate, 2.8 if course.chosen else 1.5
        told = f"{look.words}: {course.last:.2f}{', derived' if course.chosen else ''}"
        parts.append(
            frame.stroke(
                frame.line(plane, points), look.color, wide, look.dash, 1 if course.chosen else 0.85, told
            )
        )
        if len(points) == 1:
            parts.append(frame.marks("dot", [plane.at(*points[0])], look.color, 2.4))
    return "".join((*parts, *_tags(small, plane)))


def _head(small: Small, left: float, right: float, y: float) -> str:
    """Which decision, and what would be derived, as far as there is room."""
    room = int((right - left) / 5.5)
    title = frame.small(small.row.title, max(6, room - 5))
    parts = [frame.text((left, y), title, 11, more='font-weight="650"')]
    told = frame.small(small.derived, max(0, room - len(title) - 2))
    if len(told) >= min(3, len(small.derived)):
        parts.append(frame.text((right, y), told, 10.5, "end", 'opacity=".85"'))
    full = f"{small.row.section} {small.row.title}: {small.derived or 'no snapshot yet'}".strip()
    return f"<g><title>{frame.escape(full)}</title>{''.join(parts)}</g>"


def _tags(small: Small, plane: frame.Plane) -> list[str]:
    """A tag at the end of every line, pushed apart; the derived candidate's is filled."""
    right, top, bottom = plane.box[2], plane.box[1], plane.box[3]
    ends = sorted(small.courses, key=lambda course: -course.last)
    gap = min(9.5, (bottom - top + 3) / max(1, len(ends) - 1))
    heights = apart([plane.at(0, course.last)[1] for course in ends], gap, top + 1, bottom + 4)
    found = []
    for course, y in zip(ends, heights, strict=True):
        look = course.candidate
        wide = 6.2 * len(look.tag) + 4
        if course.chosen:
            found.append(
                f'<rect x="{right + 3:.1f}" y="{y - 5.5:.1f}" width="{wide:.1f}" height="11" rx="2.5" '
                f'fill="{look.color}"/>'
                + frame.text(
                    (right + 3 + wide / 2, y), look.tag, 9, "middle", 'fill="#fff" font-weight="700"'
                )
            )
        else:
            found.append(frame.text((right + 3 + wide / 2, y), look.tag, 9, "middle", 'opacity=".8"'))
    return found


def apart(places: Sequence[float], gap: float, low: float, high: float) -> list[float]:
    """Sorted places moved as little as this simple way can, so that neighbours keep `gap`, inside low to high."""
    found: list[float] = []
    for place in places:
        found.append(max(place, found[-1] + gap) if found else max(low, place))
    limit = high
    for at in range(len(found) - 1, -1, -1):
        found[at] = min(found[at], limit)
        limit = found[at] - gap
    return found


def _key(key: Sequence[Candidate], width: float, top: float) -> list[str]:
    """Tag, dash and colour of every candidate with its words, in rows."""
    rows: list[str] = []
    parts: list[str] = []
    x = 26.0
    for look in key:
        needs = 52 + 6.1 * len(look.words)
        if parts and x + needs > width:
            rows.append("".join(parts))
            parts, x = [], 26.0
        y = top + 19 * len(rows)
        parts.append(frame.stroke(f"M{x:.1f} {y:.1f}h20", look.color, 2.6, look.dash))
        tag_and_words = look.words if look.tag in look.words.split() else f"{look.tag}  {look.words}"
        parts.append(frame.text((x + 25, y), tag_and_words, 11, more='opacity=".9"'))
        x += needs
    return [*rows, "".join(parts)] if parts else rows


# -- figure -----------------------------------------------------------------------------------------------------------


def probabilities_figure(info: ProbabilitiesInfo) -> Figure:
    """The same as subplots; a click in the legend takes a candidate out of all of them."""
    from plotly.graph_objects import Scatter
    from plotly.subplots import make_subplots

    across = max(1, min(_across(info.smalls), len(info.smalls)))
    places = _places(info, across)
    rows = max((row for row, _ in places), default=1)
    titles = dict(zip(places, map(_title, info.smalls), strict=True))
    figure = make_subplots(
        rows,
        across,
        shared_xaxes="all",
        shared_yaxes="all",
        subplot_titles=list(titles.values()) or None,  # of the cells that exist, row by row
        specs=[
            [{} if (row, column) in titles or not titles else None for column in range(1, across + 1)]
            for row in range(1, rows + 1)
        ],
        horizontal_spacing=0.08 / across,
        vertical_spacing=min(0.12, 0.3 / rows),
    )
    lines = sum(len(small.courses) for small in info.smalls)
    named: set[str] = set()
    for (row, column), small in zip(places, info.smalls, strict=True):
        for course in small.courses:
            look = course.candidate
            points = thinned(course.points, max(40, FIGURE_POINTS // max(1, lines)))
            figure.add_trace(
                Scatter(
                    x=[step for step, _ in points],
                    y=[value for _, value in points],
                    name=_plain(look.words),
                    legendgroup=look.words,
                    showlegend=look.words not in named,
                    mode="lines" if len(points) > 1 else "markers",
                    line={
                        "color": look.color,
                        "width": 3 if course.chosen else 1.5,
                        "dash": _dash(look.dash),
                    },
                    opacity=1 if course.chosen else 0.8,
                    hovertemplate=f"{_plain(look.words)}<br>step %{{x}}: %{{y:.3f}}<extra></extra>",
                ),
                row=row,
                col=column,
            )
            named.add(look.words)
    dress(figure, height=90 + 150 * rows)
    figure.update_layout(margin={"t": 46})
    figure.update_annotations(font={"size": 12})
    figure.update_yaxes(range=[-0.02 * info.top, 1.02 * info.top], tickvals=[0, info.top / 2, info.top])
    for row, column in places:
        if (row + 1, column) not in titles:  # the lowest of its column in its section
            title = {"text": str(info.x), "font": {"size": 11}} if row == rows else None
            figure.update_xaxes(title=title, showticklabels=True, row=row, col=column)
    return figure


def _places(info: ProbabilitiesInfo, across: int) -> list[tuple[int, int]]:
    """(row, column) of every panel, from 1; a section begins on a row of its own."""
    found: list[tuple[int, int]] = []
    row = 1
    for _, smalls in info.sections:
        found += [(row + at // across, at % across + 1) for at in range(len(smalls))]
        row += math.ceil(len(smalls) / across)
    return found


def _title(small: Small) -> str:
    where = {"Normal cell": "normal ", "Reduction cell": "reduction "}.get(small.row.section, "")
    told = f": <b>{_plain(small.derived)}</b>" if small.derived else ""
    return f"{where}{_plain(small.row.title)}{told}"


def _plain(words: str) -> str:
    """plotly reads a few HTML tags in its titles; a stranger's label must not be one."""
    return words.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _dash(dash: str) -> str:
    return "px,".join(dash.split()) + "px" if dash else "solid"
