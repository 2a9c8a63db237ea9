"""The twelve families of learning curves that Curvefitting fits, to draw what an assessment saw, without NNI.

Domhan, Springenberg & Hutter 2015, "Speeding up automatic hyperparameter optimization of deep neural networks by
extrapolation of learning curves", IJCAI, table 1, lists eleven. NNI leaves out the line between both logarithms and
adds a straight line and a line in the logarithm of the step. The parameters stand in NNI's order.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from explorer.errors import UnknownName, UserError
from explorer.hyper.curve_families import CURVE_PARAMETERS
from explorer.runs.bounds import MOST

Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Family:
    """One shape of curve: how it is called and written, its parameters in order, and its value at steps from 1."""

    label: str
    formula: str
    parameters: tuple[str, ...]
    value: Callable[..., Numbers]


def _vapour(x: Numbers, a: float, b: float, c: float) -> Numbers:
    return np.exp(a + b / x + c * np.log(x))


def _power_3(x: Numbers, c: float, a: float, alpha: float) -> Numbers:
    return c - a * x ** np.float64(-alpha)


def _line(x: Numbers, a: float, b: float) -> Numbers:
    return a * x + b


def _log_line(x: Numbers, a: float, b: float) -> Numbers:
    return a * np.log(x) + b


def _hill(x: Numbers, theta: float, eta: float, kappa: float) -> Numbers:
    grown = x**eta
    return theta * grown / (np.float64(kappa) ** eta + grown)


def _log_power(x: Numbers, a: float, b: float, c: float) -> Numbers:
    return a / (1 + (x / np.exp(b)) ** c)


def _power_4(x: Numbers, alpha: float, a: float, b: float, c: float) -> Numbers:
    return c - (a * x + b) ** np.float64(-alpha)


def _mmf(x: Numbers, alpha: float, beta: float, kappa: float, delta: float) -> Numbers:
    return alpha - (alpha - beta) / (1 + (kappa * x) ** delta)


def _exponential_4(x: Numbers, c: float, a: float, b: float, alpha: float) -> Numbers:
    return c - np.exp(b - a * x**alpha)


def _inverse_log(x: Numbers, c: float, a: float) -> Numbers:
    return c - a / np.log(x)


def _weibull(x: Numbers, alpha: float, beta: float, kappa: float, delta: float) -> Numbers:
    return alpha - (alpha - beta) * np.exp(-((kappa * x) ** delta))


def _janoschek(x: Numbers, a: float, beta: float, k: float, delta: float) -> Numbers:
    return a - (a - beta) * np.exp(-k * x**delta)


_DRAWN: Mapping[str, tuple[str, str, Callable[..., Numbers]]] = MappingProxyType(
    {
        "vap": ("vapour pressure", "exp(a + b/x + c·ln x)", _vapour),
        "pow3": ("power law, 3 parameters", "c − a·x^(−α)", _power_3),
        "linear": ("straight line", "a·x + b", _line),
        "logx_linear": ("line in the logarithm", "a·ln x + b", _log_line),
        "dr_hill_zero_background": ("Hill", "θ·x^η / (κ^η + x^η)", _hill),
        "log_power": ("log power", "a / (1 + (x/e^b)^c)", _log_power),
        "pow4": ("power law, 4 parameters", "c − (a·x + b)^(−α)", _power_4),
        "mmf": ("Morgan-Mercer-Flodin", "α − (α − β)/(1 + (κ·x)^δ)", _mmf),
        "exp4": ("exponential, 4 parameters", "c − exp(b − a·x^α)", _exponential_4),
        "ilog2": ("inverse logarithm", "c − a/ln x", _inverse_log),
        "weibull": ("Weibull", "α − (α − β)·exp(−(κ·x)^δ)", _weibull),
        "janoschek": ("Janoschek", "a − (a − β)·exp(−k·x^δ)", _janoschek),
    }
)
FAMILIES: Mapping[str, Family] = MappingProxyType(
    {
        name: Family(label, formula, CURVE_PARAMETERS[name], value)
        for name, (label, formula, value) in _DRAWN.items()
    }
)


def evaluate(model: str, parameters: Sequence[float | None], steps: Sequence[float] | Numbers) -> Numbers:
    """The curve at each of `steps` (from 1, fractions welcome); nan where it has no value that can be drawn.

    Raises UnknownName for a family that is not in FAMILIES and UserError for a wrong number of parameters.
    """
    if model not in FAMILIES:
        raise UnknownName("curve", model, FAMILIES)
    family = FAMILIES[model]
    if len(parameters) != len(family.parameters):
        raise UserError(
            f"The curve {model} has the parameters {', '.join(family.parameters)}; {len(parameters)} were given."
        )
    x = np.asarray(steps, dtype=float)
    numbers = [np.float64(np.nan if value is None else value) for value in parameters]
    with np.errstate(all="ignore"):
        values = family.value(x, *numbers)
    return _drawable(values)  # (steps,)


def combined(models: Mapping[str, Mapping[str, Any]], steps: Sequence[float] | Numbers) -> Numbers:
    """The weighted sum of the curves that an assessment used, at each of `steps`; all nan when it used none.

    `models` is the assessment event's; dropped curves have no part. At the target step the sum is the prediction.
    """
    used = {name: model for name, model in models.items() if "dropped" not in model}
    total = np.full(len(steps), 0.0 if used else np.nan)  # (steps,)
    for name, model in used.items():
        total = total + model["weight"] * evaluate(name, model["parameters"], steps)
    return _drawable(total)


def _drawable(values: Numbers) -> Numbers:
    """nan for what is not finite or so large that the arithmetic of a chart would overflow."""
    return np.where(np.abs(values) <= MOST, values, np.nan)
