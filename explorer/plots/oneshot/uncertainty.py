"""Is the search making up its mind? Entropy of its decisions, the share of skips, the temperature."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from explorer.plots.charts import Axis
from explorer.plots.oneshot.candidates import rows_of
from explorer.plots.oneshot.panels import (
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    PURPLE,
    RED,
    STEP,
    Level,
    Line,
    Panel,
    PanelsInfo,
    Points,
    basis_of,
    last_values,
    number,
    over_steps,
)
from explorer.space import Decision, SearchSpace

SKIP_ALARM = 0.5


def uncertainty(
    snapshots: Sequence[Mapping[str, Any]], space: SearchSpace | None, skip_alarm: float = SKIP_ALARM
) -> PanelsInfo:
    """`skip_alarm` is the share of skips among the derived operations at which the search says so."""
    rows = rows_of(space)
    panels = [_entropy(snapshots, rows), _shares(snapshots, skip_alarm)]
    temperature = over_steps(snapshots, "temperature")
    if temperature:
        line = Line("temperature", PURPLE, temperature)
        panels.append(Panel(Axis("temperature"), (line,), window=(0.0, 1.05 * _highest(temperature))))
    return PanelsInfo(
        "Is the search making up its mind, and on skips only?",
        STEP,
        tuple(panels),
        basis_of(snapshots, "An entropy of 0 is a made-up mind; it says nothing about whether it is right."),
        f"Mean entropy, share of skips and temperature over the steps; at last {last_values(panels)}.",
    )


def _entropy(snapshots: Sequence[Mapping[str, Any]], rows: Sequence[Decision]) -> Panel:
    """Every decision thin, their mean thick; the level is that of a coin with as many sides as candidates."""
    each: dict[str, list[tuple[float, float]]] = {row.label: [] for row in rows}
    means: list[tuple[float, float]] = []
    for one in snapshots:
        entropy = one.get("entropy") or {}
        found = {label: value for label in each if (value := number(entropy.get(label))) is not None}
        for label, value in found.items():
            each[label].append((float(one["step"]), value))
        if found:
            means.append((float(one["step"]), sum(found.values()) / len(found)))
    quiet = tuple(Line(label, GREY, tuple(points), quiet=True) for label, points in each.items() if points)
    lines = (*quiet, Line("mean", BLUE, tuple(means))) if means else ()
    most = _undecided(rows)
    level = (Level("nothing decided (mean)", most),) if most else ()
    top = max([most, *(value for line in lines for _, value in line.points)], default=1.0) or 1.0
    return Panel(Axis("entropy of a decision (nats)"), lines, level, (0.0, 1.05 * top))


def _undecided(rows: Sequence[Decision]) -> float:
    """The mean entropy when every candidate is as likely as any other."""
    if not rows:
        return 0.0
    return sum(math.log(len(row.candidates)) for row in rows) / len(rows)


def _shares(snapshots: Sequence[Mapping[str, Any]], skip_alarm: float) -> Panel:
    lines = (
        Line("skips among the derived", GREEN, over_steps(snapshots, "skip_share", 100)),
        Line("mean probability of none", ORANGE, over_steps(snapshots, "none_share", 100), "5 3"),
    )
    kept = tuple(line for line in lines if line.points)
    return Panel(
        Axis("share (%)"), kept, (Level("alarm for skips", 100 * skip_alarm, RED),), window=(0.0, 100.0)
    )


def _highest(points: Points) -> float:
    return max(value for _, value in points) or 1.0
