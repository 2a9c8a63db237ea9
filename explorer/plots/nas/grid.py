"""Axes with given ticks, for charts whose axes are no plain numbers: generations, blocks of a map, regret on a log."""

from __future__ import annotations

from collections.abc import Iterable

from explorer.plots.charts import Axis
from explorer.plots.tuning import frame

HALF, WIDE = 430.0, 640.0  # pixels of a chart that shares its row, and of one that has it to itself
Ticks = Iterable[tuple[float, str]]


def grid(plane: frame.Plane, x: Axis, y: Axis, x_ticks: Ticks, y_ticks: Ticks, lines: bool = True) -> str:
    """Ticks as (place, words); the names stand where `frame.axes` has them."""
    left, top, right, bottom = plane.box
    parts = []
    for value, words in y_ticks:
        height = plane.at(plane.x[0], value)[1]
        if lines:
            parts.append(
                f'<path d="M{left:.1f} {height:.1f}H{right:.1f}" stroke="currentColor" stroke-opacity=".13"/>'
            )
        parts.append(frame.text((left - 7, height), words, 11, "end", frame.QUIET_TEXT))
    for value, words in x_ticks:
        across = plane.at(value, plane.y[0])[0]
        parts.append(frame.text((across, bottom + 13), words, 11, "middle", frame.QUIET_TEXT))
    parts.append(frame.text((right, bottom + 31), str(x), 11, "end", 'opacity=".88"'))
    parts.append(frame.text((4, top - 14), str(y), 11, more='opacity=".88"'))
    return "".join(parts)


def whole_ticks(low: float, high: float, most: int = 8) -> list[tuple[float, str]]:
    """Some whole numbers from `low` to `high`."""
    numbers = [round(value) for value in frame.plain_ticks(low, high, most)]
    return [(float(number), f"{number:,}") for number in dict.fromkeys(numbers) if low <= number <= high]
