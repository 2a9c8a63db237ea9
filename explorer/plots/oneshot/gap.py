"""What derivation costs: the supernet against its derived architecture, and the curvature that warns of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from explorer.plots.charts import Axis
from explorer.plots.oneshot.panels import (
    BLUE,
    GREEN,
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
from explorer.plots.oneshot.worth import Worth

NOTHING: Mapping[int, Worth] = {}


def gap(measurements: Sequence[Mapping[str, Any]], true: Mapping[int, Worth] = NOTHING) -> PanelsInfo:
    """Both accuracies are of shared weights on the same images; the gap is their difference.

    `true` is what the answer key says of the derived architecture at steps: a third line, trained alone.
    """
    pairs = [one for one in measurements if one["name"] == "discretization_gap"]
    supernet, derived = (
        Line("supernet", BLUE, _points(pairs, "supernet", 100)),
        Line("derived, inherited weights", ORANGE, _points(pairs, "derived", 100), "5 3"),
    )
    alone = Line("derived, trained alone (answer key)", GREEN, _alone(pairs, true), "1.5 3.5")
    eigenvalue = _points([one for one in measurements if one["name"] == "hessian_eigenvalue"], "value", 1)
    panels = [
        Panel(
            Axis("validation accuracy (%)" if alone.points else "search accuracy (%)", "higher"),
            tuple(line for line in (supernet, derived, alone) if line.points),
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
        _basis(pairs, bool(alone.points)),
        f"Supernet against derived architecture over the steps; at last {last_values(panels)}.",
    )


def gap_sentence(measurements: Sequence[Mapping[str, Any]], true: Mapping[int, Worth] = NOTHING) -> str:
    """The newest gap in words, and what the answer key says of the derived one; "" without a gap."""
    for one in reversed(measurements):
        data = one["data"]
        if one["name"] != "discretization_gap" or not isinstance(data, Mapping):
            continue
        supernet, derived = number(data.get("supernet")), number(data.get("derived"))
        if supernet is not None and derived is not None:
            return (
                f"At step {one['step']:,} the supernet gets {100 * supernet:.1f} % right, what would be derived "
                f"{100 * derived:.1f} % with inherited weights: a gap of {100 * (supernet - derived):.1f} points."
                f"{_third(true.get(one['step']), derived)}"
            )
    return ""


def _third(worth: Worth | None, derived: float) -> str:
    if worth is None:
        return ""
    more = 100 * (worth.validation - derived)
    return (
        f" Trained alone it gets {100 * worth.validation:.1f} % of these images right and "
        f"{100 * worth.place.test:.1f} % of the test images (answer key): with inherited weights it looks "
        f"{abs(more):.1f} points {'worse' if more >= 0 else 'better'} than it is."
    )


def _alone(pairs: Sequence[Mapping[str, Any]], true: Mapping[int, Worth]) -> Points:
    """Mean validation accuracies in percent at the steps of the measures."""
    steps = sorted({one["step"] for one in pairs} & true.keys())
    return tuple((float(step), 100 * true[step].validation) for step in steps)


def _points(measured: Sequence[Mapping[str, Any]], name: str, factor: float) -> Points:
    found = [
        (float(one["step"]), factor * value)
        for one in measured
        if isinstance(one["data"], Mapping) and (value := number(one["data"].get(name))) is not None
    ]
    return tuple(sorted(found))


def _basis(pairs: Sequence[Mapping[str, Any]], is_known: bool) -> str:
    if not pairs:
        return "Not measured yet: it is measured at the end of a search, and on demand."
    images = pairs[-1]["data"].get("images") if isinstance(pairs[-1]["data"], Mapping) else None
    on = f" on the same {images:,} images" if isinstance(images, int) else ""
    times = "Measured once" if len(pairs) == 1 else f"Measured {len(pairs)} times"
    told = f"{times} in one search{on}, shared weights in both"
    if is_known:
        return f"{told}; the third is the answer key's mean over seeds, each trained alone."
    return f"{told}; only retraining tells what it is worth."
