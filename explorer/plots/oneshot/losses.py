"""Is the supernet learning? Loss and accuracy on the images that the weights and the alphas learn from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from explorer.plots.charts import Axis
from explorer.plots.oneshot.panels import (
    BLUE,
    ORANGE,
    STEP,
    Line,
    Panel,
    PanelsInfo,
    basis_of,
    last_values,
    over_steps,
)

_WORDS = (("train", "training batches", BLUE, ""), ("validation", "validation batches", ORANGE, "5 3"))


def losses(snapshots: Sequence[Mapping[str, Any]]) -> PanelsInfo:
    """Means since the snapshot before. Accuracies are search accuracies: shared weights, no architecture's own."""
    panels = (
        Panel(Axis("loss (cross-entropy, nats)", "lower"), _lines(snapshots, "loss", 1)),
        Panel(Axis("search accuracy (%)", "higher"), _lines(snapshots, "accuracy", 100)),
    )
    told = "Means since the snapshot before, inside the supernet: no derived architecture has these numbers."
    return PanelsInfo(
        "Is the supernet learning, and does it hold on images that its weights never saw?",
        STEP,
        panels,
        basis_of(snapshots, told),
        f"Loss and search accuracy over the steps; at last {last_values(panels)}.",
    )


def _lines(snapshots: Sequence[Mapping[str, Any]], measure: str, factor: float) -> tuple[Line, ...]:
    found = (
        Line(words, color, over_steps(snapshots, f"{part}_{measure}", factor), dash)
        for part, words, color, dash in _WORDS
    )
    return tuple(line for line in found if line.points)
