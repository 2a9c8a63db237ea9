"""NNI's two feature selectors behind their adapters: they run, repeat, agree with NNI, and leave the process as it
was.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.datasets import load_breast_cancer, load_diabetes, load_wine
from sklearn.feature_selection import f_classif
from sklearn.preprocessing import scale

from explorer.adapters.selectors import gbdt_scores, gradient_scores, gradient_selection
from explorer.catalogue import SELECTORS
from explorer.errors import TrialFailed

BOTH = pytest.mark.parametrize("name", ["gradient", "gbdt"])
SCORERS: dict[str, Callable[..., Any]] = {"gradient": gradient_scores, "gbdt": gbdt_scores}
LOADERS = {"classification": load_breast_cancer, "classes": load_wine, "regression": load_diabetes}


def _scores(name: str, kind: str = "classification", seed: int = 3, **changed: Any) -> Any:
    x, y = LOADERS[kind](return_X_y=True)
    settings = SELECTORS[name].settings(changed)
    return SCORERS[name](scale(x), y, classification=kind != "regression", seed=seed, settings=settings)


@BOTH
@pytest.mark.parametrize("kind", LOADERS)
def test_every_column_gets_a_finite_score_that_repeats_exactly(name: str, kind: str) -> None:
    first = _scores(name, kind)
    random.random(), np.random.random(), torch.rand(1)
    again = _scores(name, kind)
    assert first.shape == (LOADERS[kind]().data.shape[1],)
    assert np.isfinite(first).all() and len(set(first)) > 1
    assert first.tobytes() == again.tobytes()


def test_the_seed_reaches_nnis_split_of_the_rows() -> None:
    assert not np.array_equal(_scores("gbdt", seed=1), _scores("gbdt", seed=2))


def test_the_gradient_selector_finds_at_least_four_of_anovas_top_five() -> None:
    x, y = load_breast_cancer(return_X_y=True)
    top = set(np.argsort(-f_classif(x, y)[0])[:5])
    assert len(top & set(gradient_selection(_scores("gradient"), 5))) >= 4


def test_one_epoch_on_few_rows_ties_all_scores_and_returns_the_last_columns() -> None:
    x, y = load_breast_cancer(return_X_y=True)  # as a user gives them: nothing scaled
    once = SELECTORS["gradient"].settings({"n_epochs": 1})
    scores = gradient_scores(x, y, classification=True, seed=3, settings=once)
    assert np.ptp(scores) < 1e-6
    assert gradient_selection(scores, 5).tolist() == [25, 26, 27, 28, 29]


@BOTH
def test_nothing_of_the_process_is_changed(name: str) -> None:
    random.seed(5), np.random.seed(6), torch.manual_seed(7)
    before = (random.getstate(), np.random.get_state()[1].tolist(), torch.get_rng_state().tolist())
    torch.set_default_dtype(torch.float64)
    try:
        _scores(name)
        assert torch.get_default_dtype() is torch.float64
    finally:
        torch.set_default_dtype(torch.float32)
    after = (random.getstate(), np.random.get_state()[1].tolist(), torch.get_rng_state().tolist())
    assert after == before


def test_numbers_that_are_not_finite_are_one_sentence() -> None:
    settings = SELECTORS["gradient"].settings({})
    with pytest.raises(TrialFailed, match="not finite"):
        gradient_scores(
            np.full((60, 3), np.nan), np.arange(60) % 2, classification=True, seed=0, settings=settings
        )


def test_a_loss_that_is_no_number_leaves_the_default_type_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    from nni.algorithms.feature_engineering.gradient_selector import FeatureGradientSelector, constants

    types = []

    def fit(self: Any, *_: Any, **__: Any) -> None:
        types.append(torch.get_default_dtype())
        raise constants.NanError

    monkeypatch.setattr(FeatureGradientSelector, "_fit", fit)
    with pytest.raises(TrialFailed, match="not finite"):
        _scores("gradient")
    assert types == [torch.float32, torch.float64], "NNI tries again in doubles"
    assert torch.get_default_dtype() is torch.float32


def test_nnis_files_are_as_they_were() -> None:
    from nni.algorithms.feature_engineering.gbdt_selector import gbdt_selector
    from nni.algorithms.feature_engineering.gradient_selector import fginitialize, fgtrain, learnability

    _scores("gradient", "classes"), _scores("gbdt", "classes")
    assert fginitialize.scipy.__name__ == "scipy" and gbdt_selector.lgb.__name__ == "lightgbm"
    assert fgtrain.Solver is learnability.Solver
