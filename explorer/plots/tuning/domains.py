"""A tiny picture of how a parameter is distributed: bars for the chances of categories or of bins of numbers."""

from __future__ import annotations

import math
from collections.abc import Sequence

from explorer.plots.tuning import frame
from explorer.plots.tuning.columns import label
from explorer.plots.tuning.statuses import STATUS_LOOKS

MOST_BARS = 48


def distribution_svg(
    bins: Sequence[float | str],
    probabilities: Sequence[float],
    name: str = "",
    width: float = 220,
    height: float = 64,
) -> str:
    """`bins` are the edges of bins (one more than there are probabilities) or the labels of categories.

    Bars stand side by side in the order given; edges on a logarithm therefore show as equal steps.
    """
    edges = len(bins) == len(probabilities) + 1
    count = len(probabilities)
    if count > MOST_BARS and edges:  # neighbours together, so that the sum stays
        size = math.ceil(count / MOST_BARS)
        ends = list(range(0, count, size))
        sums = [sum(probabilities[at : at + size]) for at in ends]
        return distribution_svg([bins[at] for at in (*ends, count)], sums, name, width, height)
    shown, chances = (bins, probabilities) if edges else (bins[:MOST_BARS], probabilities[:MOST_BARS])
    bottom, top, left, right = height - 17.0, 4.0, 3.0, width - 3.0
    step = (right - left) / max(1, len(chances))
    highest = max(chances, default=0.0) or 1.0
    gap = 0.6 if edges else max(1.0, step * 0.18)
    course = "".join(
        f"M{left + at * step + gap / 2:.1f} {bottom:.1f}v-{(bottom - top) * chance / highest:.1f}"
        f"h{max(0.6, step - gap):.1f}v{(bottom - top) * chance / highest:.1f}z"
        for at, chance in enumerate(chances)
        if chance > 0
    )
    color = STATUS_LOOKS["succeeded"].color
    body = (
        f'<path d="{course}" fill="{color}" fill-opacity=".75"/>'
        f'<path d="M{left} {bottom}H{right}" stroke="currentColor" stroke-opacity=".4"/>'
    )
    body += _edges(shown, left, right, bottom + 10) if edges else _labels(shown, left, step, bottom + 10)
    alt = f"How {name or 'it'} is distributed: {_told(shown, chances, edges)}."
    return frame.svg(alt, width, height, body)


def _edges(bins: Sequence[float | str], left: float, right: float, y: float) -> str:
    middle = bins[len(bins) // 2]
    return (
        frame.text((left, y), label(bins[0]), 10, more=frame.QUIET_TEXT)
        + frame.text(((left + right) / 2, y), label(middle), 10, "middle", frame.QUIET_TEXT)
        + frame.text((right, y), label(bins[-1]), 10, "end", frame.QUIET_TEXT)
    )


def _labels(bins: Sequence[float | str], left: float, step: float, y: float) -> str:
    every = max(1, round(24 / max(1.0, step)))
    room = max(1, int(step * every / 5.8))
    return "".join(
        frame.text(
            (left + (at + 0.5) * step, y), frame.small(label(bins[at]), room), 10, "middle", frame.QUIET_TEXT
        )
        for at in range(0, len(bins), every)
    )


def _told(bins: Sequence[float | str], chances: Sequence[float], edges: bool) -> str:
    if not chances:
        return "there is nothing to draw"
    if edges:
        return f"from {label(bins[0])} to {label(bins[-1])}"
    likeliest = max(range(len(chances)), key=lambda at: chances[at])
    return f"{len(chances)} categories, the likeliest {label(bins[likeliest])}"
