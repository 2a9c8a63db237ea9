"""Small panels of lines over the steps of a search: what losses, uncertainty, policy and gap share.

Lines differ in colour and in dash. In the SVG a line has at most some hundred points, so that a picture of thousands of
snapshots can be sent once a second; the figure has them all.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from explorer.plots.charts import Axis
from explorer.plots.tuning import frame
from explorer.plots.tuning.figure import dress

if TYPE_CHECKING:
    from plotly.graph_objects import Figure

# Each keeps 3 : 1 on white and on the dark theme's near-black.
BLUE, ORANGE, GREEN, PURPLE, GREY, RED = "#2b7de0", "#c4620a", "#2a8f45", "#8f5fe0", "#7d8590", "#e5484d"
STEP = Axis("step of the search")
MOST_POINTS = 160  # of a line in the SVG
TALL = 190.0
Points = tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class Line:
    """(step, value) in order; `quiet` lines are the many behind a mean, and have no entry in the key.

    With `dots` only its points are drawn.
    """

    words: str
    color: str
    points: Points
    dash: str = ""
    quiet: bool = False
    dots: bool = False


@dataclass(frozen=True)
class Level:
    """A height to compare with, such as an alarm's."""

    words: str
    value: float
    color: str = GREY


@dataclass(frozen=True)
class Panel:
    """Lines that share one axis of values; `window` fixes it, None fits it to the lines and levels."""

    y: Axis
    lines: tuple[Line, ...]
    levels: tuple[Level, ...] = ()
    window: tuple[float, float] | None = None
    dots: bool = False

    @property
    def range(self) -> tuple[float, float]:
        """Lowest and highest value of the axis."""
        if self.window is not None:
            return self.window
        levels = [level.value for level in self.levels]
        return frame.window((value for line in self.lines for _, value in line.points), levels)


@dataclass(frozen=True)
class PanelsInfo:
    """Panels over the same steps. `basis` says on what they rest, `alt` describes the picture in words."""

    question: str
    x: Axis
    panels: tuple[Panel, ...]
    basis: str
    alt: str

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to draw yet."""
        return not any(line.points for panel in self.panels for line in panel.lines)


def over_steps(snapshots: Iterable[Mapping[str, Any]], name: str, factor: float = 1) -> Points:
    """(step, value times factor) where a snapshot has a finite number called `name`."""
    return tuple(
        (float(one["step"]), factor * value)
        for one in snapshots
        if (value := number(one.get(name))) is not None
    )


def number(value: Any) -> float | None:
    """A finite number, or None for anything else."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    return float(value) if is_number else None


def basis_of(snapshots: Sequence[Mapping[str, Any]], more: str = "") -> str:
    """`41 snapshots of one search, up to step 400.`"""
    if not snapshots:
        return "No snapshot yet."
    noun = "snapshot" if len(snapshots) == 1 else "snapshots"
    told = f"{len(snapshots):,} {noun} of one search (one seed), up to step {snapshots[-1]['step']:,}."
    return f"{told} {more}".strip()


def last_values(panels: Iterable[Panel]) -> str:
    """`training loss 0.31, validation loss 0.52`: the newest value of every line that is not quiet."""
    told = [
        f"{line.words} {line.points[-1][1]:.3g}"
        for panel in panels
        for line in panel.lines
        if line.points and not line.quiet
    ]
    return ", ".join(told) or "nothing yet"


# -- SVG --------------------------------------------------------------------------------------------------------------


def panels_svg(info: PanelsInfo, width: float = frame.WIDTH, across: int = 2) -> str:
    """The panels in rows, each with its own key below."""
    across = max(1, min(across, len(info.panels)))
    gap = 22.0
    wide = (width - gap * (across - 1)) / across
    rows = [info.panels[at : at + across] for at in range(0, len(info.panels), across)]
    x = step_range(line.points for panel in info.panels for line in panel.lines)
    body, top = [], 0.0
    for row in rows:
        keys = [_keys(panel, wide) for panel in row]
        foot = 40 + 17.0 * max(map(len, keys))
        for at, (panel, entries) in enumerate(zip(row, keys, strict=True)):
            left = at * (wide + gap)
            plane = frame.Plane(x, panel.range, (left + 44, top + 28, left + wide - 10, top + TALL))
            body.append(_panel(panel, plane, info.x if panel is row[-1] else None, entries))
        top += TALL + foot
    return frame.svg(info.alt, width, max(top, 40), "".join(body))


def step_range(courses: Iterable[Sequence[tuple[float, float]]]) -> tuple[float, float]:
    """The first and the last step of all courses; from 0 where there is only one."""
    steps = {step for points in courses for step, _ in points}
    low = min(steps) if len(steps) > 1 else 0.0
    return low, max([*steps, low + 1])


def thinned(points: Points, most: int = MOST_POINTS) -> list[tuple[float, float]]:
    """Evenly chosen points, the first and the last among them."""
    return [points[at] for at in frame.spread(range(len(points)), most)]


def _keys(panel: Panel, wide: float) -> list[list[frame.Key]]:
    """The key's entries in rows that fit below the panel."""
    shapes = {"": "line", "5 3": "dashed", "1.5 3.5": "dotted"}
    entries = [
        frame.Key(line.words, line.color, shapes.get(line.dash, "dashed"))
        for line in panel.lines
        if not line.quiet
    ]
    entries += [frame.Key(level.words, level.color, "dotted") for level in panel.levels]
    rows: list[list[frame.Key]] = [[]]
    used = 0.0
    for key in entries:
        needs = 23 + frame.key_width(key)
        if rows[-1] and used + needs > wide - 40:
            rows.append([])
            used = 0.0
        rows[-1].append(key)
        used += needs
    return rows


def _panel(panel: Panel, plane: frame.Plane, x: Axis | None, keys: Sequence[Sequence[frame.Key]]) -> str:
    left, _, right, bottom = plane.box
    parts = [frame.axes(plane, x, None, whole_x=True, most_x=5)]
    parts.append(frame.text((left - 40, plane.box[1] - 14), str(panel.y), 11, more='opacity=".88"'))
    for level in panel.levels:
        height = plane.at(plane.x[0], level.value)[1]
        parts.append(frame.stroke(f"M{left:.1f} {height:.1f}H{right:.1f}", level.color, 1.6, "1.5 3.5"))
    for line in sorted(panel.lines, key=lambda line: not line.quiet):
        points = thinned(line.points, 40 if line.quiet and not line.dots else MOST_POINTS)
        if line.dots:
            parts.append(frame.marks("dot", [plane.at(*point) for point in points], line.color, 3.2))
            continue
        width, opacity = (1.0, 0.45) if line.quiet else (2.2, 1.0)
        parts.append(
            frame.stroke(frame.line(plane, points), line.color, width, line.dash, opacity, line.words)
        )
        if panel.dots or len(line.points) == 1:
            places = [plane.at(*point) for point in points]
            parts.append(frame.marks("dot", places, line.color, 2.6, opacity))
    for at, row in enumerate(keys):
        parts.append(frame.legend(row, left, bottom + 48 + 17 * at))
    return "".join(parts)


# -- figure -----------------------------------------------------------------------------------------------------------

PLOTLY_DASH: Mapping[str, str] = {"": "solid", "5 3": "dash", "1.5 3.5": "dot"}


def panels_figure(info: PanelsInfo, across: int = 2) -> Figure:
    """The same as subplots over one axis of steps, to hover over and to zoom in."""
    from plotly.graph_objects import Scatter
    from plotly.subplots import make_subplots

    across = max(1, min(across, len(info.panels)))
    rows = max(1, math.ceil(len(info.panels) / across))
    spacing = {"horizontal_spacing": 0.22 / across, "vertical_spacing": 0.3 / rows}
    titles = [
        str(panel.y) for panel in info.panels
    ]  # above: beside it an axis' name needs room that phones lack
    figure = make_subplots(rows, across, shared_xaxes="all", subplot_titles=titles or None, **spacing)
    figure.update_annotations(font={"size": 12})
    named: set[tuple[str, str, str]] = set()
    for at, panel in enumerate(info.panels):
        row, column = at // across + 1, at % across + 1
        for line in panel.lines:
            steps, values = [step for step, _ in line.points], [value for _, value in line.points]
            look = {"color": line.color, "width": 1 if line.quiet else 2.4, "dash": _plotly_dash(line.dash)}
            figure.add_trace(
                Scatter(
                    x=steps,
                    y=values,
                    name=line.words,
                    mode=_mode(panel, line),
                    line=look,
                    opacity=0.5 if line.quiet and not line.dots else 1,
                    legendgroup=f"{line.words} {line.color}",
                    showlegend=not line.quiet and (line.words, line.color, line.dash) not in named,
                    hovertemplate=f"{line.words}<br>step %{{x}}: %{{y:.4~g}}<extra></extra>",
                ),
                row=row,
                col=column,
            )
            named.add((line.words, line.color, line.dash))
        for level in panel.levels:
            figure.add_hline(
                level.value,
                line={"color": level.color, "width": 1.6, "dash": "dot"},
                annotation={"text": level.words, "font": {"size": 11}},
                annotation_position="bottom right",
                row=row,
                col=column,
            )
    dress(figure, height=70 + 250 * rows)
    figure.update_layout(margin={"t": 46})
    low, high = step_range(line.points for panel in info.panels for line in panel.lines)
    air = 0.02 * (high - low)
    figure.update_xaxes(range=[low - air, high + air])
    for at, panel in enumerate(info.panels):
        row, column = at // across + 1, at % across + 1
        figure.update_yaxes(range=list(panel.range), automargin=True, row=row, col=column)
        if at + across >= len(info.panels):
            figure.update_xaxes(title={"text": str(info.x), "font": {"size": 12}}, row=row, col=column)
            figure.update_xaxes(showticklabels=True, row=row, col=column)
    return figure


def _mode(panel: Panel, line: Line) -> str:
    if line.dots:
        return "markers"
    return "lines+markers" if panel.dots or len(line.points) == 1 else "lines"


def _plotly_dash(dash: str) -> str:
    """plotly takes pixels with commas as well as names."""
    return PLOTLY_DASH.get(dash) or "px,".join(dash.split()) + "px"
