"""How one cell of the answer key learned: validation accuracy after every epoch, a line a seed and their mean."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from explorer.plots.charts import Axis
from explorer.plots.nas.grid import HALF
from explorer.plots.oneshot.panels import BLUE, GREY
from explorer.plots.tuning import frame

HEIGHT = 290.0


@dataclass(frozen=True)
class LearnedInfo:
    """`seeds` has one line a seed, `mean` their mean: (epoch from 1, percent)."""

    question: str
    x: Axis
    y: Axis
    seeds: tuple[tuple[tuple[float, float], ...], ...]
    mean: tuple[tuple[float, float], ...]
    answer: str
    basis: str
    alt: str


def learned(values: Any) -> LearnedInfo:
    """`values` (seeds, epochs) as shares of 1."""
    percent = 100 * np.asarray(values, dtype=float)
    mean = percent.mean(axis=0)
    near = int(np.argmax(mean >= mean.max() - 1)) + 1
    answer = f"After epoch {near} of {len(mean)} it is within one point of its best mean, {mean.max():.1f} %."
    return LearnedInfo(
        "How did it learn?",
        Axis("epoch"),
        Axis("validation accuracy (%)", "higher"),
        tuple(_points(row) for row in percent),
        _points(mean),
        answer,
        f"{len(percent)} seed{'s' if len(percent) > 1 else ''}. Batch-norm statistics as they stood after each epoch; "
        "the score that counts recomputes them, so it is not the last point.",
        f"Learning curves of {len(percent)} seeds over {len(mean)} epochs. {answer}",
    )


def _points(row: Any) -> tuple[tuple[float, float], ...]:
    return tuple((float(at + 1), float(value)) for at, value in enumerate(row))


def learned_svg(info: LearnedInfo) -> str:
    """Thin lines and a thick one."""
    values = [value for line in info.seeds for _, value in line]
    low, high = frame.window(values, floor=0.0)
    plane = frame.Plane(
        (1.0, max(2.0, float(len(info.mean)))), (low, min(101.0, high)), (46, 30, HALF - 12, HEIGHT - 62)
    )
    body = frame.axes(plane, info.x, info.y, whole_x=True)
    for line in info.seeds:
        body += frame.stroke(frame.line(plane, line), GREY, 1.1, opacity=0.7)
    body += frame.stroke(frame.line(plane, info.mean), BLUE, 2.6)
    keys = [frame.Key("a seed", GREY, "line"), frame.Key("mean", BLUE, "line")]
    return frame.svg(info.alt, HALF, HEIGHT, body + frame.legend(keys, 46, HEIGHT - 12))
