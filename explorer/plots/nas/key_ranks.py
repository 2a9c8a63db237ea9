"""How sure each rank of the answer key is: the band that luck leaves it, from the best cell to the worst."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from explorer.plots.charts import Axis
from explorer.plots.nas.grid import HALF, grid
from explorer.plots.oneshot.panels import BLUE
from explorer.plots.tuning import frame

SHOWN = 100  # ranks
HEIGHT = 330.0


@dataclass(frozen=True)
class RanksInfo:
    """`bands` are (rank, low, high) of a sample of cells, from the best to the worst of `of`."""

    question: str
    x: Axis
    y: Axis
    bands: tuple[tuple[int, int, int], ...]
    of: int
    answer: str
    basis: str
    alt: str


def sample(of: int, most: int = SHOWN) -> Any:
    """Places 0 to `of` - 1 in the order of ranks, close together at the top: evenly spread on a logarithmic axis."""
    if of < 1:
        return np.zeros(0, dtype=np.int64)
    return np.unique(np.geomspace(1, of, most).round().astype(np.int64)) - 1


def rank_bands(rank: Any, low: Any, high: Any, of: int) -> RanksInfo:
    """Ranks and their 95 % bands, the best first; at least one."""
    bands = tuple((int(one), int(least), int(most)) for one, least, most in zip(rank, low, high, strict=True))
    best, middle = bands[0], min(bands, key=lambda each: abs(each[0] - of / 2))
    answer = (
        f"The cell on rank 1 may truly stand anywhere from 1 to {best[2]:,}; one in the middle, on rank {middle[0]:,}, "
        f"from {middle[1]:,} to {middle[2]:,}."
    )
    return RanksInfo(
        "How sure is a rank?",
        Axis("rank by mean test accuracy"),
        Axis("ranks that 95 % confidence leaves"),
        bands,
        of,
        answer,
        f"{len(bands):,} of {of:,} ranks; two cells are compared at a time. Both axes are logarithmic.",
        f"Band of possible ranks over the rank, for {of:,} cells. {answer}",
    )


def ranks_svg(info: RanksInfo) -> str:
    """The band around the diagonal; logarithmic, because the top is what a search is after."""
    end = math.log10(max(info.of, 2))
    plane = frame.Plane((0.0, end), (0.0, end), (52, 30, HALF - 14, HEIGHT - 62))
    marks = [(math.log10(value), f"{value:,.0f}") for value in (10.0**power for power in range(int(end) + 1))]
    body = grid(plane, info.x, info.y, marks, marks)
    xs = [math.log10(rank) for rank, _, _ in info.bands]
    upper = [plane.at(x, math.log10(most)) for x, (_, _, most) in zip(xs, info.bands, strict=True)]
    lower = [plane.at(x, math.log10(least)) for x, (_, least, _) in zip(xs, info.bands, strict=True)]
    around = "L".join(f"{x:.1f} {y:.1f}" for x, y in [*upper, *reversed(lower)])
    body += f'<path d="M{around}Z" fill="{BLUE}" fill-opacity=".3" stroke="{BLUE}" stroke-linejoin="round"/>'
    body += frame.stroke(frame.line(plane, [(0.0, 0.0), (end, end)]), "currentColor", 1.4, opacity=0.75)
    keys = [frame.Key("95 % band", BLUE, "square"), frame.Key("rank", "currentColor", "line")]
    return frame.svg(info.alt, HALF, HEIGHT, body + frame.legend(keys, 52, HEIGHT - 12))
