"""NNI's learning-curve model in milliseconds: the same numbers as its CurveModel, without its loops.

NNI evaluates twelve curves anew for each of 10 weight vectors, 20 sampling steps and every pair of points, which
costs a second at 20 points. Here each curve is evaluated once at each point, by NNI's own functions, and the
sampling runs over arrays, in the order in which NNI adds and multiplies. What decides is left to NNI: its curve
functions, scipy's fit from the same start, its filter of the curves.

Two things of NNI are global and are left alone: the parameters, which a fit that fails takes over from whatever was
fitted before (of another trial, perhaps), and numpy's random state. Each model here begins with fresh parameters and
has a generator of its own.
"""

from __future__ import annotations

import importlib.util
import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType, ModuleType
from typing import Any

import numpy as np
from nni.algorithms.hpo.curvefitting_assessor import curvefunctions
from nni.algorithms.hpo.curvefitting_assessor.model_factory import (
    LEAST_FITTED_FUNCTION,
    NUM_OF_INSTANCE,
    NUM_OF_SIMULATION_TIME,
    STEP_SIZE,
    CurveModel,
)
from scipy import optimize

MODELS: tuple[str, ...] = tuple(curvefunctions.curve_combination_models)


@cache
def _pristine() -> ModuleType:
    """A second copy of NNI's module of curves, whose parameters nobody has overwritten."""
    spec = importlib.util.find_spec(curvefunctions.__name__)
    if spec is None or spec.loader is None:  # cannot be: the same module was imported above
        raise ImportError(f"{curvefunctions.__name__} cannot be found again.")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def fresh_parameters() -> dict[str, list[float]]:
    """The parameters with which each curve of NNI starts, as its source has them: new lists at every call."""
    return {name: list(_pristine().model_para[name]) for name in MODELS}


def least_squares(name: str, history: Sequence[float]) -> list[float]:
    """What `scipy.optimize.curve_fit` gives for this curve from all-ones, its start where none is named.

    `curve_fit` ends in the same call of `leastsq`; what it wraps around each evaluation takes half of the time, and so
    does turning NNI's `range` into an array anew. Raises ValueError, TypeError or RuntimeError where it does.
    """
    curve, count = curvefunctions.all_models[name], curvefunctions.model_para_num[name]
    values = np.asarray_chkfinite(history, float)
    steps = np.arange(1.0, len(values) + 1)  # (points,)

    def residuals(parameters: Any) -> Any:
        # Python's floats are quicker; the smaller curves need numpy's, whose powers of negative numbers are nan
        away = curve(steps, *(parameters.tolist() if count == 4 else parameters))
        away -= values
        return away

    fitted, outcome = optimize.leastsq(residuals, np.ones(count))
    if outcome not in (1, 2, 3, 4):
        raise RuntimeError(f"{name} was not fitted.")
    return list(fitted)


@dataclass(frozen=True)
class Fitted:
    """What became of one curve. `dropped` says why it has no part in the prediction; its weight is then 0."""

    parameters: tuple[float | None, ...]
    weight: float
    prediction: float | None
    dropped: str | None = None
    converged: bool = True

    def to_json(self) -> dict[str, Any]:
        """As the assessment event has it."""
        form: dict[str, Any] = {"parameters": list(self.parameters), "prediction": self.prediction}
        if not self.converged:
            form["converged"] = False  # the fit failed, so these are the parameters that NNI starts with
        return form | ({"weight": self.weight} if self.dropped is None else {"dropped": self.dropped})


class FastCurveModel(CurveModel):
    """NNI's CurveModel with the same results for the same random numbers, at least 50 times faster at 20 points.

    `random` stands for numpy's global generator: `RandomState(7)` here equals `np.random.seed(7)` there.
    """

    def __init__(self, target_pos: int, random: np.random.RandomState | None = None) -> None:
        super().__init__(target_pos)
        self.random = np.random.RandomState(0) if random is None else random
        self.parameters = fresh_parameters()
        self.failed: set[str] = set()
        self._values: dict[tuple[str, int], Any] = {}

    def predict(self, trial_history: list[float]) -> float | None:
        """The value expected at the target position; None where fewer than 4 curves agree."""
        with np.errstate(all="ignore"):
            prediction = super().predict(trial_history)
        return None if prediction is None else float(prediction)

    def fit_theta(self) -> None:
        """Each curve fitted by least squares; a curve whose fit fails keeps its start, as in NNI."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # scipy's way to say that a fit failed
            for name in MODELS:
                try:
                    self.parameters[name] = least_squares(name, self.trial_history)
                except Exception:  # NNI goes on after every one of them as well
                    self.failed.add(name)

    def filter_curve(self) -> None:
        """NNI's own filter; it takes the median of nothing when no curve is near the results."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)
            super().filter_curve()

    def predict_y(self, model: str, pos: int) -> Any:
        """The value of one curve at one step; worked out once."""
        key = (model, pos)
        if key not in self._values:
            self._values[key] = curvefunctions.all_models[model](pos, *self.parameters[model])
        return self._values[key]

    def mcmc_sampling(self) -> None:
        """Metropolis sampling of the weights, all 10 chains at once."""
        self._curves = np.array(  # (effective models, points)
            [
                [self.predict_y(name, step) for step in range(1, self.point_num + 1)]
                for name in self.effective_model
            ]
        )
        self._ends = [
            (self.predict_y(name, 1), self.predict_y(name, self.target_pos)) for name in self.effective_model
        ]
        shape = (NUM_OF_INSTANCE, self.effective_model_num)
        weights = np.broadcast_to(np.ones(shape[1]) / shape[1], shape)
        density = self.target_distribution(weights)
        for _ in range(NUM_OF_SIMULATION_TIME):
            proposed = self.normalize_weight(self.random.randn(*shape) * STEP_SIZE + weights)
            proposed_density = self.target_distribution(proposed)
            accepted = self.random.rand(shape[0]) < np.minimum(
                1, proposed_density / density
            )  # nan is not less
            weights = np.where(accepted[:, None], proposed, weights)
            density = np.where(accepted, proposed_density, density)
        self.weight_samples = weights

    def normalize_weight(self, samples: Any) -> Any:
        """Each row divided by its sum."""
        total: Any = 0
        for column in samples.T:
            total = total + column
        return samples / total[:, None]

    def target_distribution(self, samples: Any) -> Any:
        """The posterior density of each row of weights, up to a constant."""
        return self.likelihood(samples) * self.prior(samples)

    def likelihood(self, samples: Any) -> Any:
        """As NNI has it: a normal density at each point, its variance that of the row's own errors."""
        combined: Any = 0
        for weight, curve in zip(samples.T, self._curves, strict=True):
            combined = combined + weight[:, None] * curve  # (instances, points)
        errors = np.asarray(self.trial_history) - combined  # (instances, points)
        squares = np.add.accumulate(errors * errors, axis=1)[:, -1]  # in order, as NNI adds
        variance = (1.0 * squares / self.point_num)[:, None]  # (instances, 1)
        densities = np.exp(np.square(errors) / (-2.0 * variance)) / np.sqrt(2 * np.pi * np.sqrt(variance))
        return np.multiply.accumulate(densities, axis=1)[:, -1]  # (instances,)

    def prior(self, samples: Any) -> Any:
        """1 where all weights are positive and the combined curve ends above its beginning, else 0."""
        first: Any = 0
        last: Any = 0
        for weight, (begin, end) in zip(samples.T, self._ends, strict=True):
            first, last = first + weight * begin, last + weight * end
        return np.where((samples > 0).all(axis=1) & ~(first >= last), 1.0, 0.0)

    def report(self) -> MappingProxyType[str, Fitted]:
        """Each curve after a prediction: its parameters, its mean weight over the samples, its value at the target."""
        used = len(self.weight_samples) > 0
        weights = (
            dict(zip(self.effective_model, np.mean(self.weight_samples, axis=0), strict=True)) if used else {}
        )
        reasons = self._reasons()
        return MappingProxyType({name: self._fitted(name, weights, reasons) for name in MODELS})

    def _fitted(self, name: str, weights: dict[str, Any], reasons: dict[str, str]) -> Fitted:
        with np.errstate(all="ignore"):
            prediction = _finite(self.predict_y(name, self.target_pos))
        dropped = reasons.get(name)
        if dropped is None and name not in weights:
            found = f"{self.effective_model_num} of {len(MODELS)}"
            dropped = f"only {found} curves agree, and at least {LEAST_FITTED_FUNCTION} are needed"
        parameters = tuple(_finite(value) for value in self.parameters[name])
        return Fitted(
            parameters, float(weights.get(name, 0.0)), prediction, dropped, converged=name not in self.failed
        )

    def _reasons(self) -> dict[str, str]:
        """Why a curve was filtered out: model -> the end of a sentence. The rule is NNI's `filter_curve`."""
        reasons: dict[str, str] = {}
        mean = sum(self.trial_history) / self.point_num
        standard = mean * mean * self.point_num
        out = [name for name in MODELS if name not in self.effective_model]
        with np.errstate(all="ignore"):
            for name in out:
                errors = [
                    self.predict_y(name, step) - value for step, value in enumerate(self.trial_history, 1)
                ]
                if sum(error * error for error in errors) < standard:
                    reasons[name] = "its value at the target is too far from the others'"
                else:
                    reasons[name] = "too far from the results so far"
                if name in self.failed:
                    reasons[name] += " (the fit did not converge)"
        return reasons


def _finite(value: Any) -> float | None:
    number = float(value)
    return number if math.isfinite(number) else None
