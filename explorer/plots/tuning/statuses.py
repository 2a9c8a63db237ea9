"""How a trial's status looks in every chart: Optuna's colours, and a shape of its own for each.

Every colour stands out at least 3 : 1 from white and from the dark theme's near-black.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True)
class StatusLook:
    """A word, a colour, the marker's shape here and in plotly, a pattern for bars in plotly."""

    word: str
    color: str
    shape: str
    symbol: str
    pattern: str


STATUS_LOOKS: Mapping[str, StatusLook] = MappingProxyType(
    {
        "succeeded": StatusLook("succeeded", "#2b7de0", "dot", "circle", ""),
        "early_stopped": StatusLook("early stopped", "#c4620a", "cross", "x-thin", "/"),
        "failed": StatusLook("failed", "#e5484d", "triangle", "triangle-down", "x"),
        "running": StatusLook("running", "#2a8f45", "ring", "circle-open", "."),
        "cancelled": StatusLook("cancelled", "#7d8590", "square", "square", "-"),
        "waiting": StatusLook("waiting", "#7d8590", "frame", "square-open", "|"),
    }
)
GHOST = "#14868f"  # what a stopped trial did when it was finished later
QUIET = "#7d8590"  # everything that is only there for comparison
BEST = "#8f5fe0"

# Worse to better. Both ends keep 3 : 1 on white and on near-black; lines also grow wider and more opaque.
RAMP = ("#8c959f", "#7f93b8", "#5f8bd0", "#2f7fe0", "#5a6ee0", "#8f5fe0")


def ramp_color(share: float) -> str:
    """The colour of a value that lies at `share` (0 worst, 1 best) of the range."""
    return RAMP[min(len(RAMP) - 1, max(0, int(share * len(RAMP))))]


def plotly_ramp(higher_is_better: bool) -> list[tuple[float, str]]:
    """The same colours as plotly's colour scale over rising values."""
    colors = RAMP if higher_is_better else RAMP[::-1]
    return [(at / (len(colors) - 1), color) for at, color in enumerate(colors)]
