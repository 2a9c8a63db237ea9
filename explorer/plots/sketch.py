"""The charts of `charts.py` as small SVG: on screen at once, changing in place, readable on light and on
dark.

For first paints and live runs; `figures.py` makes the ones to hover and zoom in.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape, quoteattr

from explorer.plots.charts import Axis, CurvesInfo, Dot, Ghost, ParetoInfo
from explorer.plots.figures import BEST, FRESH, FRONT, GHOST_WORDS, OTHER
from explorer.plots.svg import FONT, text
from explorer.plots.tuning.statuses import GHOST

WIDTH, HEIGHT = 420.0, 286.0
LEFT, RIGHT, TOP, BOTTOM = 46.0, 14.0, 26.0, 60.0  # below: ticks, the axis' name, the key


@dataclass(frozen=True)
class Plane:
    """Data ranges onto pixels."""

    x: tuple[float, float]
    y: tuple[float, float]

    def at(self, x: float, y: float) -> tuple[float, float]:
        """Where a data point lies on the picture."""
        across = (x - self.x[0]) / ((self.x[1] - self.x[0]) or 1)
        up = (y - self.y[0]) / ((self.y[1] - self.y[0]) or 1)
        return LEFT + across * (WIDTH - LEFT - RIGHT), HEIGHT - BOTTOM - up * (HEIGHT - TOP - BOTTOM)


def curves_svg(info: CurvesInfo) -> str:
    """Learning curves; the best thick and named."""
    steps = [step for line in info.lines for step in line.steps]
    values = [value for line in info.lines for value in line.values]
    plane = Plane(
        (min(steps, default=0), max(max(steps, default=1), min(steps, default=0) + 1)), _room(values)
    )
    drawn = [_ghost(plane, ghost) for ghost in info.ghosts]
    for curve in info.curves:
        points = [plane.at(step, value) for step, value in zip(curve.steps, curve.values, strict=True)]
        path = "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points)
        color, width, opacity = (BEST, 3, 1.0) if curve.is_best else ("currentColor", 1.2, 0.38)
        drawn.append(
            f'<g opacity="{opacity}"><title>{escape(curve.name)}: {curve.values[-1]:.1f} %</title>'
            f'<path d="{path}" fill="none" stroke="{color}" stroke-width="{width}" stroke-linejoin="round"/>'
            + "".join(
                f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{width + 0.6}" fill="{color}"/>'
                for x, y in (points if len(points) <= 12 else points[-1:])
            )
            + "</g>"
        )
    best = next((curve for curve in info.curves if curve.is_best), None)
    key = [("best: " + best.name, BEST, "line")] if best else []
    key += [(GHOST_WORDS, GHOST, "dashed")] if info.ghosts else []
    return _frame(info.alt, plane, info.x, info.y, key, "".join(drawn), whole_x=True)


def _ghost(plane: Plane, ghost: Ghost) -> str:
    path = "M" + "L".join(
        "{:.1f} {:.1f}".format(*plane.at(step, value))
        for step, value in zip(ghost.steps, ghost.values, strict=True)
    )
    return (
        f'<path d="{path}" fill="none" stroke="{GHOST}" stroke-width="1.4" stroke-dasharray="5 3" opacity=".6">'
        f"<title>{escape(ghost.words)}</title></path>"
    )


def pareto_svg(info: ParetoInfo) -> str:
    """Accuracy against parameters with the front as a step line."""
    everyone = (*info.dots, *info.retrained)
    sizes = [float(dot.parameters) for dot in everyone]
    tops = [dot.value + (dot.spread or 0) for dot in everyone]
    bottoms = [dot.value - (dot.spread or 0) for dot in everyone]
    plane = Plane(_margin(sizes), _room([*tops, *bottoms]))
    front = [plane.at(dot.parameters, dot.value) for dot in info.front]
    steps = "".join(f"H{x:.1f}V{y:.1f}" for x, y in front[1:])
    line = f"M{front[0][0]:.1f} {front[0][1]:.1f}{steps}" if front else ""
    drawn = (
        f'<path d="{line}" fill="none" stroke="{FRONT}" stroke-width="2" stroke-dasharray="2 4"/>'
        if line
        else ""
    )
    drawn += "".join(_dot(plane, dot) for dot in info.dots) + "".join(
        _fresh(plane, dot) for dot in info.retrained
    )
    key = [("Pareto front", FRONT, "dot")] if front else []
    key += [("other", OTHER, "ring")] if len(front) < len(info.dots) else []
    key += [("retrained ± sd", FRESH, "diamond")] if info.retrained else []
    return _frame(info.alt, plane, info.x, info.y, key, drawn)


def _dot(plane: Plane, dot: Dot) -> str:
    x, y = plane.at(dot.parameters, dot.value)
    look = f'fill="{FRONT}"' if dot.on_front else f'fill="none" stroke="{OTHER}" stroke-width="2"'
    return (
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="5.5" {look}><title>{escape(dot.name)}: {dot.value:.1f} %, '
        f"{dot.parameters:,} parameters</title></circle>"
    )


def _fresh(plane: Plane, dot: Dot) -> str:
    x, y = plane.at(dot.parameters, dot.value)
    bar = ""
    if dot.spread:
        top = plane.at(dot.parameters, dot.value + dot.spread)[1]
        low = plane.at(dot.parameters, dot.value - dot.spread)[1]
        course = f"M{x:.1f} {top:.1f}V{low:.1f}M{x - 4:.1f} {top:.1f}h8M{x - 4:.1f} {low:.1f}h8"
        bar = f'<path d="{course}" stroke="{FRESH}" stroke-width="2"/>'
    title = f"<title>{escape(dot.name)}: {dot.value:.1f} %, {dot.seeds} fresh seeds</title>"
    return f'{bar}<path d="M{x:.1f} {y - 7:.1f}l6 7l-6 7l-6 -7z" fill="{FRESH}">{title}</path>'


def _frame(
    alt: str,
    plane: Plane,
    x: Axis,
    y: Axis,
    key: Sequence[tuple[str, str, str]],
    drawn: str,
    whole_x: bool = False,
) -> str:
    grid = []
    for value in ticks(*plane.y):
        across = plane.at(plane.x[0], value)[1]
        grid.append(
            f'<path d="M{LEFT} {across:.1f}H{WIDTH - RIGHT}" stroke="currentColor" stroke-opacity=".13"/>'
            + text((LEFT - 7, across), f"{value:g}", 11, "end", 'opacity=".75"')
        )
    for value in ticks(*plane.x, whole=whole_x):
        grid.append(
            text(
                (plane.at(value, plane.y[0])[0], HEIGHT - BOTTOM + 13),
                compact(value),
                11,
                "middle",
                'opacity=".75"',
            )
        )
    words = text((WIDTH - RIGHT, HEIGHT - 29), str(x), 11, "end", 'opacity=".85"')
    words += text((4, 10), str(y), 11, more='opacity=".85"')
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-label={quoteattr(alt)} '
        f'viewBox="0 0 {WIDTH:.0f} {HEIGHT:.0f}" width="100%" style="display:block;height:auto" '
        f'font-family="{FONT}" fill="currentColor">'
        f"<title>{escape(alt)}</title>{''.join(grid)}{words}{_key(key)}{drawn}</svg>"
    )


def _key(entries: Sequence[tuple[str, str, str]]) -> str:
    parts, x, y = [], LEFT, HEIGHT - 10
    for name, color, mark in entries:
        shape = {
            "line": f'<path d="M{x} {y}h14" stroke="{color}" stroke-width="3"/>',
            "dashed": f'<path d="M{x} {y}h14" stroke="{color}" stroke-width="2" stroke-dasharray="5 3"/>',
            "dot": f'<circle cx="{x + 7}" cy="{y}" r="5" fill="{color}"/>',
            "ring": f'<circle cx="{x + 7}" cy="{y}" r="4.5" fill="none" stroke="{color}" stroke-width="2"/>',
            "diamond": f'<path d="M{x + 7} {y - 6}l5 6l-5 6l-5 -6z" fill="{color}"/>',
        }[mark]
        parts.append(shape + text((x + 18, y), name, 11))
        x += 30 + 6 * len(name)
    return "".join(parts)


def ticks(low: float, high: float, whole: bool = False) -> list[float]:
    """Three to seven round numbers between `low` and `high`."""
    if high <= low:
        return [low]
    rough = (high - low) / 5
    power = 10 ** math.floor(math.log10(rough))
    step = next(power * factor for factor in (1, 2, 2.5, 5, 10) if power * factor >= rough * 0.999)
    step = max(1.0, float(round(step))) if whole else step
    first = math.ceil(low / step - 1e-9)
    return [round(number * step, 10) for number in range(first, math.floor(high / step + 1e-9) + 1)]


def compact(value: float) -> str:
    """`84.5k`, `1.2M`."""
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= size:
            return f"{value / size:.4g}{letter}"
    return f"{value:g}"


def _margin(values: Sequence[float]) -> tuple[float, float]:
    if not values:
        return (0.0, 1.0)
    room = (max(values) - min(values)) * 0.08 or max(abs(values[0]) * 0.05, 1.0)
    return (min(values) - room, max(values) + room)


def _room(values: Sequence[float]) -> tuple[float, float]:
    """The range of percentages with some air, never beyond 0 to 100."""
    low, high = _margin(values) if values else (0.0, 100.0)
    return (max(0.0, low), min(100.0, high) if max(values, default=0) <= 100 else high)
