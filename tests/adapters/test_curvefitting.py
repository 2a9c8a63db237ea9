"""Our curve model gives NNI's numbers, and leaves NNI's module and numpy's random state as they were."""

from __future__ import annotations

import copy
import logging
import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from nni.algorithms.hpo.curvefitting_assessor import curvefunctions
from nni.algorithms.hpo.curvefitting_assessor.model_factory import CurveModel
from scipy import optimize

from explorer.adapters.curvefitting import MODELS, FastCurveModel, fresh_parameters, least_squares

TOLERANCE = 1e-9
KINDS = ("rising", "noisy", "flat", "jumpy", "percent", "falling", "ties", "negative", "large", "zero")


def history(kind: str, points: int, seed: int) -> list[float]:
    """A curve of this kind, as plain floats."""
    random = np.random.RandomState(seed)
    steps = np.arange(1, points + 1)
    top, gain, speed = random.uniform(0.5, 0.95), random.uniform(0.1, 0.6), random.uniform(0.3, 1.5)
    rising = top - gain * steps**-speed
    curves = {
        "rising": rising + 0.003 * random.randn(points),
        "noisy": rising + 0.05 * random.randn(points),
        "flat": np.full(points, top),
        "jumpy": random.uniform(0, 1, points),
        "percent": 100 * rising + random.randn(points),
        "falling": 1 - rising + 0.01 * random.randn(points),
        "ties": np.round(rising, 1),
        "negative": rising - 1.2,
        "large": 1e6 * rising,
        "zero": np.zeros(points),
    }
    return [float(value) for value in curves[kind]]


@pytest.fixture(autouse=True)
def quiet(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """NNI logs each fit that fails as critical."""
    caplog.set_level(logging.CRITICAL + 1, logger="curvefitting_Assessor")
    before = copy.deepcopy(curvefunctions.model_para)
    yield
    curvefunctions.model_para.update(before)


def nni(values: list[float], target: int, seed: int) -> tuple[float | None, CurveModel, dict[str, Any]]:
    """NNI's prediction from fresh parameters and this random state, its model, and the parameters left behind."""
    curvefunctions.model_para.update(fresh_parameters())
    np.random.seed(seed)
    model = CurveModel(target)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        prediction = model.predict(values)
    return prediction, model, copy.deepcopy(curvefunctions.model_para)


def assert_equal(values: list[float], target: int, seed: int) -> None:
    """Prediction, curves that count, parameters and weights are NNI's."""
    reference, slow, parameters = nni(values, target, seed)
    fast = FastCurveModel(target, np.random.RandomState(seed))
    prediction = fast.predict(values)
    assert (prediction is None) == (reference is None)
    assert fast.effective_model == slow.effective_model
    for name in MODELS:
        np.testing.assert_array_equal(fast.parameters[name], parameters[name], name)
    if reference is not None:
        np.testing.assert_allclose(prediction, reference, rtol=TOLERANCE, atol=TOLERANCE)
        np.testing.assert_allclose(fast.weight_samples, slow.weight_samples, rtol=0, atol=TOLERANCE)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("points", [4, 7])
def test_a_prediction_equals_nnis(kind: str, points: int) -> None:
    assert_equal(history(kind, points, seed=points), 2 * points, seed=3)


def test_a_prediction_from_fewer_points_than_parameters_equals_nnis() -> None:
    for points in (1, 2, 3):
        assert_equal(history("rising", points, seed=1), 10, seed=0)


def test_a_prediction_of_a_past_or_present_epoch_equals_nnis() -> None:
    assert_equal(history("rising", 6, seed=2), 3, seed=0)
    assert_equal(history("rising", 6, seed=2), 6, seed=0)


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("kind", KINDS)
def test_predictions_equal_nnis_over_hundreds_of_histories(kind: str) -> None:
    for seed in range(24):
        points = 4 + seed % 6
        assert_equal(history(kind, points, seed), points + (5, 10, 30)[seed % 3], seed)


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("points", [12, 20, 30])
def test_predictions_of_long_histories_equal_nnis(points: int) -> None:
    for kind in ("rising", "flat"):
        assert_equal(history(kind, points, seed=points), 2 * points, seed=points)


@pytest.mark.parametrize("kind", KINDS)
def test_a_fit_is_curve_fits_to_the_last_digit(kind: str) -> None:
    for seed, points in enumerate([3, 4, 5, 10, 20, 30]):
        values = history(kind, points, seed)
        for name in MODELS:
            ours, theirs = fitted(least_squares, name, values), fitted(reference_fit, name, values)
            assert (ours is None) == (theirs is None), name
            np.testing.assert_array_equal(ours or [], theirs or [], name)


def reference_fit(name: str, values: list[float]) -> list[float]:
    """As NNI calls scipy."""
    return list(optimize.curve_fit(curvefunctions.all_models[name], range(1, len(values) + 1), values)[0])


def fitted(fit: Any, name: str, values: list[float]) -> list[float] | None:
    """What a fit gives, None where it fails; numpy and scipy keep their warnings to themselves."""
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return fit(name, values)
        except (RuntimeError, TypeError, ValueError):
            return None


def test_nnis_parameters_and_numpys_random_state_are_left_alone() -> None:
    curvefunctions.model_para["linear"] = [17.0, 4.0]
    left = copy.deepcopy(curvefunctions.model_para)
    np.random.seed(5)
    state = np.random.get_state()[1].tolist()
    FastCurveModel(20).predict(history("rising", 6, seed=0))
    assert curvefunctions.model_para == left
    assert np.random.get_state()[1].tolist() == state


def test_every_model_begins_with_the_parameters_of_nnis_source() -> None:
    fresh = fresh_parameters()
    curvefunctions.model_para["linear"] = [17.0, 4.0]
    assert fresh_parameters() == fresh
    assert fresh["linear"] == [1.0, 0]
    first = FastCurveModel(20)
    first.predict(history("rising", 6, seed=0))
    assert FastCurveModel(20).parameters == fresh


def test_equal_random_numbers_give_equal_predictions() -> None:
    values = history("rising", 6, seed=0)
    once, again, other = (
        FastCurveModel(20, np.random.RandomState(seed)).predict(values) for seed in (1, 1, 2)
    )
    assert once == again != other


def test_the_report_adds_up_to_the_prediction() -> None:
    model = FastCurveModel(20)
    prediction = model.predict(history("rising", 8, seed=4))
    report = model.report()
    assert tuple(report) == MODELS
    used = [fitted for fitted in report.values() if fitted.dropped is None]
    assert len(used) == model.effective_model_num >= 4
    assert sum(fitted.weight for fitted in used) == pytest.approx(1)
    assert sum(fitted.weight * fitted.prediction for fitted in used) == pytest.approx(prediction, rel=1e-12)
    assert "too far from the results" in str(report["ilog2"].dropped)


def test_the_report_says_why_there_is_no_prediction() -> None:
    model = FastCurveModel(20)
    assert model.predict([0.0] * 6) is None
    assert {
        fitted.dropped.removesuffix(" (the fit did not converge)") for fitted in model.report().values()
    } == {"too far from the results so far"}
    few = FastCurveModel(20)
    assert few.predict(history("percent", 8, seed=0)) is None
    assert any("at least 4 are needed" in fitted.dropped for fitted in few.report().values())


def test_no_warning_escapes() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for kind in KINDS:
            for points in (1, 2, 4, 10):
                model = FastCurveModel(20)
                model.predict(history(kind, points, seed=0))
                model.report()
