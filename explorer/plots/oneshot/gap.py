"""What derivation costs: the supernet against its derived architecture, and the curvature that warns of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from explorer.plots.charts import Axis
from explorer.plots.oneshot.panels import (
    BLUE,
    ORANGE,
    PURPLE,
    STEP,
    Line,
    Panel,
    PanelsInfo,
    Points,
    last_values,
    number,
)


def gap(measurements: Sequence[Mapping[str, Any]]) -> PanelsInfo:
    """Both accuracies are of shared weights on the same images; the gap is their difference."""
    pairs = [one for one in measurements if one["name"] == "discretization_gap"]
    supernet, derived = (
        Line("supernet", BLUE, _points(pairs, "supernet", 100)),
        Line("derived, inherited weights", ORANGE, _points(pairs, "derived", 100), "5 3"),
    )
    eigenvalue = _points([one for one in measurements if one["name"] == "hessian_eigenvalue"], "value", 1)
    panels = [
        Panel(
            Axis("search accuracy (%)", "higher"),
            tuple(line for line in (supernet, derived) if line.points),
            dots=True,
        )
    ]
    if eigenvalue:
        panels.append(
            Panel(
                Axis("largest eigenvalue over alpha", "lower"),
                (Line("of the Hessian", PURPLE, eigenvalue),),
                dots=True,
            )
        )
    return PanelsInfo(
        "What is lost when one architecture is cut out of the supernet?",
        STEP,
        tuple(panels),
        _basis(pairs),
        f"Supernet against derived architecture over the steps; at last {last_values(panels)}.",
    )


def gap_sentence(measurements: Sequence[Mapping[str, Any]]) -> str:
    """The newest gap in words; "" without one."""
    for one in reversed(measurements):
        data = one["data"]
        if one["name"] != "discretization_gap" or not isinstance(data, Mapping):
            continue
        supernet, derived = number(data.get("supernet")), number(data.get("derived"))
        if supernet is not None and derived is not None:
            return (
                f"At step {one['step']:,} the supernet gets {100 * supernet:.1f} % right, what would be derived "
                f"{100 * derived:.1f} % with inherited weights: a gap of {100 * (supernet - derived):.1f} points."
            )
    return ""


def _points(measured: Sequence[Mapping[str, Any]], name: str, factor: float) -> Points:
    found = [
        (float(one["step"]), factor * value)
        for one in measured
        if isinstance(one["data"], Mapping) and (value := number(one["data"].get(name))) is not None
    ]
    return tuple(sorted(found))


def _basis(pairs: Sequence[Mapping[str, Any]]) -> str:
    if not pairs:
        return "Not measured yet: it is measured at the end of a search, and on demand."
    images = pairs[-1]["data"].get("images") if isinstance(pairs[-1]["data"], Mapping) else None
    on = f" on the same {images:,} images" if isinstance(images, int) else ""
    times = "Measured once" if len(pairs) == 1 else f"Measured {len(pairs)} times"
    return f"{times} in one search{on}, shared weights in both; only retraining tells what it is worth."
