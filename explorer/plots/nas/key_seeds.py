"""Every live cell of the answer key, one seed against another: how much of a difference is luck."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from explorer.plots.charts import Axis
from explorer.plots.nas.grid import HALF
from explorer.plots.oneshot.panels import BLUE
from explorer.plots.tuning import frame

BINS = 44
LEVELS = (1, 2, 4, 8, 16)  # cells a square, each up to the next
OPACITIES = (0.16, 0.32, 0.5, 0.72, 1.0)
HEIGHT = 410.0


@dataclass(frozen=True, eq=False)
class SeedsInfo:
    """`counts` (bins, bins) are cells by their accuracy with the second seed (rows, the lowest first) and the first.

    `limits` is the range of both axes in percent.
    """

    question: str
    x: Axis
    y: Axis
    limits: tuple[float, float]
    counts: Any
    answer: str
    basis: str
    alt: str


def seed_against_seed(scored: Any) -> SeedsInfo:
    """`scored` (cells, k >= 2) are test accuracies as shares of 1; the first two columns are drawn."""
    first, second = 100 * np.asarray(scored, dtype=float)[:, :2].T  # (cells,) each
    low, high = float(min(first.min(), second.min())), float(max(first.max(), second.max()))
    air = (high - low) * 0.02 or 0.5
    limits = (low - air, high + air)
    counts, _, _ = np.histogram2d(second, first, bins=BINS, range=(limits, limits))
    apart = np.abs(first - second)
    half, tenth = np.quantile(apart, [0.5, 0.9])
    answer = (
        f"Trained again with another seed, half of the cells move by more than {half:.1f} points and a tenth by more "
        f"than {tenth:.1f}."
    )
    return SeedsInfo(
        "Does a cell do as well with another seed?",
        Axis("test accuracy with one seed (%)"),
        Axis("with another seed (%)"),
        limits,
        counts.astype(np.int64),
        answer,
        f"{len(first):,} live cells, two seeds each; on the line both seeds agree.",
        f"Density of {len(first):,} cells by test accuracy with one seed and with another. {answer}",
    )


def seeds_svg(info: SeedsInfo) -> str:
    """Squares, the darker the more cells, and the line of equal accuracy."""
    keys = [frame.Key(words, BLUE, "square") for words in _words()]
    box = (46.0, 30.0, HALF - 12, HEIGHT - 62)
    plane = frame.Plane(info.limits, info.limits, box)
    wide, high = (box[2] - box[0]) / BINS, (box[3] - box[1]) / BINS
    body = frame.axes(plane, info.x, info.y)
    for level, (least, opacity) in enumerate(zip(LEVELS, OPACITIES, strict=True)):
        most = LEVELS[level + 1] - 1 if level + 1 < len(LEVELS) else np.inf
        rows, columns = np.nonzero((info.counts >= least) & (info.counts <= most))
        course = "".join(
            f"M{box[0] + column * wide:.1f} {box[3] - (row + 1) * high:.1f}h{wide:.1f}v{high:.1f}h-{wide:.1f}z"
            for row, column in zip(rows, columns, strict=True)
        )
        if course:
            body += (
                f'<path d="{course}" fill="{BLUE}" fill-opacity="{opacity:g}" shape-rendering="crispEdges"/>'
            )
    body += frame.stroke(
        frame.line(plane, [(info.limits[0], info.limits[0]), (info.limits[1], info.limits[1])]),
        "currentColor",
        1,
        "4 4",
        0.6,
    )
    return frame.svg(info.alt, HALF, HEIGHT, body + _legend(keys))


def _words() -> list[str]:
    ends = [*(f"to {after - 1}" for after in LEVELS[1:]), "or more"]
    return [
        str(least) if end == f"to {least}" else f"{least} {end}"
        for least, end in zip(LEVELS, ends, strict=True)
    ]


def _legend(keys: list[frame.Key]) -> str:
    parts, x = [], 46.0
    for key, opacity in zip(keys, OPACITIES, strict=True):
        parts.append(frame.marks("square", [(x + 5, HEIGHT - 12)], key.color, 5, opacity))
        parts.append(frame.text((x + 15, HEIGHT - 12), key.words, 11, more='opacity=".9"'))
        x += 15 + frame.key_width(key)
    return "".join(parts) + frame.text((x, HEIGHT - 12), "cells", 11, more='opacity=".9"')
