"""Planes, ticks, marks and the frame around them, for the SVG charts of a run.

Words and lines take the page's colour (`currentColor`). Many marks of one look share one path: a dot then costs a
dozen bytes, and a chart of hundreds stays small enough to be sent once a second.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from xml.sax.saxutils import escape, quoteattr

from explorer.plots.charts import Axis
from explorer.plots.sketch import compact, ticks
from explorer.plots.svg import FONT, shorten, text
from explorer.plots.tuning.statuses import STATUS_LOOKS

WIDTH = 640.0
LEAST_FOR_CLOSE_UP = 6  # values
QUIET_TEXT = 'opacity=".78"'
Point = tuple[float, float]


@dataclass(frozen=True)
class Plane:
    """Data ranges onto a rectangle of pixels (left, top, right, bottom)."""

    x: tuple[float, float]
    y: tuple[float, float]
    box: tuple[float, float, float, float]

    def at(self, x: float, y: float) -> Point:
        """Where a data point lies on the picture."""
        left, top, right, bottom = self.box
        across = (x - self.x[0]) / ((self.x[1] - self.x[0]) or 1)
        up = (y - self.y[0]) / ((self.y[1] - self.y[0]) or 1)
        return left + across * (right - left), bottom - up * (bottom - top)


def window(
    values: Iterable[float], must: Iterable[float] = (), floor: float | None = None
) -> tuple[float, float]:
    """The range that shows most of the values and all of `must`, with some air.

    When a few values lie far outside of the others (a function far from its minimum), they are left out.
    """
    every, needed = sorted(value for value in values if math.isfinite(value)), list(must)
    if not every and not needed:
        return 0.0, 1.0
    low, high = (every[0], every[-1]) if every else (needed[0], needed[0])
    if len(every) >= 20:
        inner = every[len(every) // 20], every[-1 - len(every) // 20]
        if high - low > 4 * (inner[1] - inner[0]) > 0:
            low, high = inner
    low, high = min([low, *needed]), max([high, *needed])
    air = (high - low) * 0.06 or max(abs(low) * 0.05, 1e-9)
    return (low - air if floor is None else max(floor, low - air)), high + air


def close_up(values: Iterable[float], sign: int, must: Iterable[float] = ()) -> tuple[float, float] | None:
    """The range of the better half of the values and of all of `must`, with some air; None where that is hardly less
    than the range of all, or where there are few values.

    `sign` is 1 where higher is better, else -1.
    """
    every = sorted((v for v in values if math.isfinite(v)), key=lambda value: -sign * value)
    if len(every) < LEAST_FOR_CLOSE_UP:
        return None
    half = [*every[: (len(every) + 1) // 2], *must]
    low, high = min(half), max(half)
    whole = max(every) - min(every)
    if not 0 < high - low < whole / 2:
        return None
    air = (high - low) * 0.12
    return low - air, high + air


def plain_ticks(low: float, high: float, most: int = 5) -> list[float]:
    """A few round numbers inside the range."""
    found = ticks(low, high) if high - low > 1e-9 else [low]
    while len(found) > most:
        found = found[::2]
    return found


def log_ticks(low: float, high: float, most: int = 5) -> list[float]:
    """Powers of ten inside 10**low to 10**high; 2 and 5 between them where there is room."""
    powers = range(math.floor(low), math.ceil(high) + 1)
    inside = [10.0**power for power in powers if low - 1e-9 <= power <= high + 1e-9]
    if len(inside) >= 3:
        return inside[:: math.ceil(len(inside) / most)]
    finer = [factor * 10.0**power for power in powers for factor in (1, 2, 5)]
    finer = [value for value in finer if low - 1e-9 <= math.log10(value) <= high + 1e-9]
    return finer[:most] if len(finer) >= 2 else plain_ticks(10**low, 10**high, most)


def spread(items: Sequence[int], most: int) -> list[int]:
    """At most `most` of the items, evenly spread, the first and the last among them."""
    if len(items) <= most:
        return list(items)
    if most <= 1:
        return list(items[:most])
    step = (len(items) - 1) / (most - 1)
    return [items[round(at * step)] for at in range(most)]


# -- marks ------------------------------------------------------------------------------------------


def line(plane: Plane, points: Sequence[Point], steps: bool = False) -> str:
    """The course (an SVG path's `d`) of a line through data points, cut off at the plane's top and bottom."""
    if steps:
        corners = [corner for one, two in pairwise(points) for corner in (one, (two[0], one[1]))]
        points = [*corners, *points[-1:]]
    parts: list[str] = []
    pen_up = True
    for one, two in pairwise(points):
        piece = _inside(one, two, plane.y)
        if piece is None:
            pen_up = True
            continue
        start, end = piece
        if pen_up or start != one:
            parts.append("M" + _xy(plane.at(*start)))
        parts.append("L" + _xy(plane.at(*end)))
        pen_up = end != two
    return "".join(parts)


def _inside(one: Point, two: Point, limits: tuple[float, float]) -> tuple[Point, Point] | None:
    """The part of a segment between two heights."""
    if not (math.isfinite(one[1]) and math.isfinite(two[1])):
        return None
    low, high = limits
    rise = two[1] - one[1]
    if rise == 0:
        return (one, two) if low <= one[1] <= high else None
    first, last = sorted(((low - one[1]) / rise, (high - one[1]) / rise))
    first, last = max(0.0, first), min(1.0, last)
    if first > last:
        return None
    along = two[0] - one[0]
    start = one if first == 0 else (one[0] + first * along, one[1] + first * rise)
    end = two if last == 1 else (one[0] + last * along, one[1] + last * rise)
    return start, end


def stroke(course: str, color: str, width: float, dash: str = "", opacity: float = 1, title: str = "") -> str:
    """A course drawn as a line; nothing for an empty one."""
    if not course:
        return ""
    more = f' stroke-dasharray="{dash}"' if dash else ""
    more += f' stroke-opacity="{opacity:g}"' if opacity < 1 else ""
    inner = f"<title>{escape(title)}</title>" if title else ""
    return (
        f'<path d="{course}" fill="none" stroke="{color}" stroke-width="{width:g}" stroke-linejoin="round"{more}'
        + (f">{inner}</path>" if inner else "/>")
    )


def marks(shape: str, points: Iterable[Point], color: str, radius: float = 3.2, opacity: float = 1) -> str:
    """One path with a mark of this shape at every pixel position."""
    r = f"{radius:g}"
    d = f"{2 * radius:g}"
    pieces = {
        "dot": "h0",
        "cross": f"m-{r}-{r}l{d} {d}m-{d} 0l{d}-{d}",
        "triangle": f"m-{r}-{r}h{d}l-{r} {d}z",
        "ring": f"m-{r} 0a{r} {r} 0 1 0 {d} 0a{r} {r} 0 1 0-{d} 0",
        "square": f"m-{r}-{r}h{d}v{d}h-{d}z",
        "frame": f"m-{r}-{r}h{d}v{d}h-{d}z",
        "diamond": f"m0-{r}l{r} {r}l-{r} {r}l-{r}-{r}z",
        "dash": f"m-{r} 0h{d}",
    }
    course = "".join(f"M{_xy(point)}{pieces[shape]}" for point in points)
    if not course:
        return ""
    faint = f' opacity="{opacity:g}"' if opacity < 1 else ""
    if shape == "dot":
        return f'<path d="{course}" stroke="{color}" stroke-width="{d}" stroke-linecap="round"{faint}/>'
    if shape in ("triangle", "square", "diamond"):
        return f'<path d="{course}" fill="{color}"{faint}/>'
    return f'<path d="{course}" fill="none" stroke="{color}" stroke-width="1.9"{faint}/>'


def _xy(point: Point) -> str:
    return f"{point[0]:.1f} {point[1]:.1f}".replace(".0", "")


# -- the frame --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Key:
    """One entry of the legend: words, colour, and a mark's shape or "line", "dashed", "dotted"."""

    words: str
    color: str
    shape: str


def status_keys(statuses: Iterable[str]) -> list[Key]:
    """The entries for these statuses, each once, in the usual order."""
    present = set(statuses)
    return [Key(look.word, look.color, look.shape) for name, look in STATUS_LOOKS.items() if name in present]


def foot(keys: Sequence[Key], width: float, x: Axis) -> list[list[Key]]:
    """The entries in rows: what fits beside the x axis' name, then full rows."""
    rows: list[list[Key]] = [[]]
    used, room = 0.0, width - 70 - 6.5 * len(str(x))
    for key in keys:
        if used + 23 + key_width(key) > room and rows[-1]:
            rows.append([])
            used, room = 0.0, width - 50
        rows[-1].append(key)
        used += 23 + key_width(key)
    return rows


def foot_height(rows: Sequence[Sequence[Key]]) -> float:
    """The pixels below a plane that ticks and these rows take."""
    return 24 + 19.0 * len(rows)


def foot_svg(rows: Sequence[Sequence[Key]], plane: Plane) -> str:
    """The rows below the ticks."""
    left, bottom = plane.box[0], plane.box[3]
    return "".join(legend(row, left, bottom + 31 + 19 * at) for at, row in enumerate(rows))


def legend(keys: Sequence[Key], left: float, y: float) -> str:
    """The entries in one row."""
    parts, x = [], left
    for key in keys:
        if key.shape in _DASHES:
            parts.append(stroke(f"M{x:.1f} {y:.1f}h18", key.color, 2.4, _DASHES[key.shape]))
        else:
            parts.append(marks(key.shape, [(x + 9, y)], key.color, 4))
        parts.append(text((x + 23, y), key.words, 11, more='opacity=".9"'))
        x += 23 + key_width(key)
    return "".join(parts)


_DASHES = {"line": "", "dashed": "5 3", "dotted": "1.5 3.5"}


def key_width(key: Key) -> float:
    """About how many pixels an entry's words take, with the air after them."""
    return 6.0 * len(key.words) + 16


def axes(plane: Plane, x: Axis | None, y: Axis | None, whole_x: bool = False, most_x: int = 9) -> str:
    """Grid lines, ticks and the axes' names: y above the top left corner, x below the bottom right one."""
    left, top, right, bottom = plane.box
    parts = []
    for value in plain_ticks(*plane.y, most=7):
        height = plane.at(plane.x[0], value)[1]
        parts.append(
            f'<path d="M{left:.1f} {height:.1f}H{right:.1f}" stroke="currentColor" stroke-opacity=".13"/>'
            + text((left - 7, height), compact(value), 11, "end", QUIET_TEXT)
        )
    found = ticks(*plane.x, whole=whole_x)
    for value in found[:: max(1, math.ceil(len(found) / most_x))]:
        parts.append(
            text((plane.at(value, plane.y[0])[0], bottom + 13), compact(value), 11, "middle", QUIET_TEXT)
        )
    if x is not None:
        parts.append(text((right, bottom + 31), str(x), 11, "end", 'opacity=".88"'))
    if y is not None:
        parts.append(text((4, top - 14), str(y), 11, more='opacity=".88"'))
    return "".join(parts)


def small(words: str, longest: int) -> str:
    """Words cut to a number of characters."""
    return shorten(words, longest)


def small_path(path: str, longest: int) -> str:
    """A parameter's path cut to a number of characters; of a nested one the end says more."""
    if "." in path and len(path) > longest:
        return "…" + path[-max(1, longest - 1) :]
    return shorten(path, longest)


def svg(alt: str, width: float, height: float, body: str) -> str:
    """The whole picture, as wide as its place."""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-label={quoteattr(alt)} '
        f'viewBox="0 0 {width:.0f} {height:.0f}" width="100%" style="display:block;height:auto" '
        f'font-family="{FONT}" fill="currentColor"><title>{escape(alt)}</title>{body}</svg>'
    )
