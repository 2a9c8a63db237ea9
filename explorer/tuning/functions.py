"""Objectives in closed form: for lessons, tests, and comparing tuners in seconds.

Branin and Hartmann-6 are minimised and have known optima. The curves are a simulator: accuracy over steps in the shape
of pow3 (Domhan, Springenberg & Hutter 2015), whose asymptote and speed depend on the parameters, with noise drawn by
the trial's seed; wide, strongly regularised settings start slowly and end high, which is what fools an assessor.
"""

from __future__ import annotations

import math
import random
from collections.abc import Mapping, Sequence
from typing import Any

_HARTMANN_ALPHA = (1.0, 1.2, 3.0, 3.2)
_HARTMANN_A = (
    (10.0, 3.0, 17.0, 3.5, 1.7, 8.0),
    (0.05, 10.0, 17.0, 0.1, 8.0, 14.0),
    (3.0, 3.5, 1.7, 10.0, 17.0, 8.0),
    (17.0, 8.0, 0.05, 10.0, 0.1, 14.0),
)
_HARTMANN_P = (
    (0.1312, 0.1696, 0.5569, 0.0124, 0.8283, 0.5886),
    (0.2329, 0.4135, 0.8307, 0.3736, 0.1004, 0.9991),
    (0.2348, 0.1451, 0.3522, 0.2883, 0.3047, 0.6650),
    (0.4047, 0.8828, 0.8732, 0.5743, 0.1091, 0.0381),
)
CURVE_NOISE = 0.008  # standard deviation of one step, about that of 300 validation images at 0.98


def branin(x1: float, x2: float) -> float:
    """Three minima of 0.397887 at (-pi, 12.275), (pi, 2.275) and (9.42478, 2.475); x1 in [-5, 10], x2 in [0, 15]."""
    curve = x2 - 5.1 / (4 * math.pi**2) * x1**2 + 5 / math.pi * x1 - 6
    return curve**2 + 10 * (1 - 1 / (8 * math.pi)) * math.cos(x1) + 10


def hartmann6(x: Sequence[float]) -> float:
    """Minimum -3.32237 at (0.20169, 0.150011, 0.476874, 0.275332, 0.311652, 0.6573); each x in [0, 1]."""
    return -sum(
        alpha * math.exp(-sum(a * (value - p) ** 2 for a, p, value in zip(row, centre, x, strict=True)))
        for alpha, row, centre in zip(_HARTMANN_ALPHA, _HARTMANN_A, _HARTMANN_P, strict=True)
    )


def curves(parameters: Mapping[str, Any], steps: int, seed: int) -> list[float]:
    """Accuracies in 0 .. 1 after each of `steps` epochs: asymptote - amplitude * step ** -speed, plus noise."""
    rate = math.log10(float(parameters.get("learning_rate", 0.05)))
    width = float(parameters.get("width", 64))
    penalty = math.log10(float(parameters.get("regularisation", 1e-4)))
    asymptote = 0.985 - 0.05 * (rate + 1.2) ** 2 - 0.25 * math.exp(-width / 24) - 0.006 * (penalty + 3) ** 2
    speed = max(0.3, 1.9 + 0.4 * rate - 0.08 * (penalty + 4) - width / 250)
    asymptote = min(0.99, max(0.1, asymptote))
    noise = random.Random(seed)
    return [
        min(1.0, max(0.0, asymptote - (asymptote - 0.1) * step**-speed + noise.gauss(0, CURVE_NOISE)))
        for step in range(1, steps + 1)
    ]
