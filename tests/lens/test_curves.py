"""Our formulas are NNI's curves, and their weighted sum is the recorded prediction."""

from __future__ import annotations

import numpy as np
import pytest
from nni.algorithms.hpo.curvefitting_assessor import curvefunctions

from explorer.adapters.assessors import build_assessor
from explorer.adapters.curvefitting import MODELS, fresh_parameters
from explorer.errors import UnknownName, UserError
from explorer.lens.curves import FAMILIES, combined, evaluate
from explorer.runs.bounds import MOST

STEPS = np.arange(1, 31)


def test_the_families_are_nnis_twelve() -> None:
    assert tuple(FAMILIES) == MODELS
    counts = {name: len(family.parameters) for name, family in FAMILIES.items()}
    assert counts == curvefunctions.model_para_num


@pytest.mark.parametrize("name", MODELS)
def test_a_curve_is_nnis_curve(name: str) -> None:
    random = np.random.RandomState(1)
    for attempt in range(40):
        parameters = np.array(fresh_parameters()[name], dtype=float)
        if attempt:
            parameters = random.uniform(-2, 2, len(parameters))
        with np.errstate(all="ignore"):
            theirs = curvefunctions.all_models[name](STEPS, *parameters)
        ours = evaluate(name, [float(value) for value in parameters], STEPS)
        assert not np.isinf(ours).any()
        finite = np.abs(theirs) <= MOST  # what is larger is not drawn; nan is not
        np.testing.assert_array_equal(np.isfinite(ours), finite)
        np.testing.assert_allclose(ours[finite], theirs[finite], rtol=1e-9, atol=1e-12)


def test_the_combined_curve_meets_the_recorded_prediction_at_the_target() -> None:
    assessor = build_assessor("Curvefitting", {}, optimize_mode="maximize", epochs=20)
    assert assessor is not None
    data = assessor.assess(0, [0.9 - 0.5 * step**-0.8 for step in range(1, 9)]).data
    assert combined(data["models"], [20])[0] == pytest.approx(data["prediction"], rel=1e-9)
    assert combined(data["models"], [1, 2.5, 20]).shape == (3,)
    for name, model in data["models"].items():
        assert evaluate(name, model["parameters"], [20])[0] == pytest.approx(model["prediction"], rel=1e-9)


def test_nothing_used_is_nothing_drawn() -> None:
    assert np.isnan(combined({"linear": {"dropped": "far"}}, STEPS)).all()
    assert np.isnan(combined({}, STEPS)).all()
    assert np.isnan(evaluate("linear", [1.0, None], STEPS)).all()


def test_unknown_curves_and_wrong_counts_are_told() -> None:
    with pytest.raises(UnknownName, match="weibull"):
        evaluate("weibul", [1.0], STEPS)
    with pytest.raises(UserError, match="a, b"):
        evaluate("linear", [1.0], STEPS)
