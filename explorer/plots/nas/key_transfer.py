"""The same cells on two datasets: whether what is good on one is good on the other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from explorer.plots.charts import Axis
from explorer.plots.nas.grid import HALF
from explorer.plots.oneshot.panels import GREY, PURPLE
from explorer.plots.tuning import frame

MOST = 1_200  # dots
HEIGHT = 360.0
Dots = tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class TransferInfo:
    """(here, there) in percent: `both` of cells in the best tenth of both datasets, `others` of the rest."""

    question: str
    x: Axis
    y: Axis
    others: Dots
    both: Dots
    answer: str
    basis: str
    alt: str


def carried_over(
    here: Any, there: Any, names: tuple[str, str], best: int, spearman: float, overlap: float
) -> TransferInfo:
    """`here` and `there` (cells,) are mean test accuracies of the same cells as shares of 1; `best` cells make a tenth,
    `overlap` of them are in both.
    """
    x, y = 100 * np.asarray(here, dtype=float), 100 * np.asarray(there, dtype=float)
    top = np.zeros(len(x), dtype=bool)
    top[np.intersect1d(_first(x, best), _first(y, best))] = True
    shown = frame.spread(range(len(x)), MOST)
    pairs = [(float(x[at]), float(y[at]), bool(top[at])) for at in shown]
    answer = (
        f"Of the best {best:,} cells on {names[0]}, {100 * overlap:.0f} % are among the best {best:,} on {names[1]}; "
        f"drawn blindly it would be {100 * best / len(x):.0f} %. The ranks' Spearman correlation is {spearman:.2f}."
    )
    return TransferInfo(
        "Is what is good here good there?",
        Axis(f"test accuracy on {names[0]} (%)", "higher"),
        Axis(f"on {names[1]} (%)", "higher"),
        tuple((a, b) for a, b, both in pairs if not both),
        tuple((a, b) for a, b, both in pairs if both),
        answer,
        f"{len(x):,} live cells that both keys hold, means over seeds.",
        f"{len(x):,} cells by accuracy on {names[0]} and on {names[1]}. {answer}",
    )


def _first(values: Any, best: int) -> Any:
    return np.argsort(-values, kind="stable")[:best]


def transfer_svg(info: TransferInfo) -> str:
    """A dot a cell; what is in both best tenths stands out."""
    every = [*info.others, *info.both]
    plane = frame.Plane(
        _window([one[0] for one in every]),
        _window([one[1] for one in every]),
        (46, 30, HALF - 12, HEIGHT - 62),
    )
    body = frame.axes(plane, info.x, info.y)
    body += frame.marks("dot", [plane.at(*one) for one in info.others], GREY, 2, 0.6)
    body += frame.marks("diamond", [plane.at(*one) for one in info.both], PURPLE, 4)
    keys = [frame.Key("cell", GREY, "dot"), frame.Key("in both best tenths", PURPLE, "diamond")]
    return frame.svg(info.alt, HALF, HEIGHT, body + frame.legend(keys, 46, HEIGHT - 12))


def _window(values: list[float]) -> tuple[float, float]:
    low, high = min(values), max(values)
    air = (high - low) * 0.04 or 1.0
    return low - air, high + air
