"""scikit-learn's regressors as ensembles: a process by its equations, a forest by what trees can say, both repeated."""

from __future__ import annotations

import numpy as np
import pytest

from explorer.nas.regressors import LENGTH, MOST, NOISE, forest, gaussian_process
from explorer.strategies.predictor import REGRESSORS, one_hot_pairs, regressor_of
from explorer.strategies.radix import choices_at

COUNTS = (4, 3, 5, 2)
ROWS = one_hot_pairs([choices_at(place, COUNTS) for place in range(120)], COUNTS)


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def test_the_process_is_that_of_the_textbook() -> None:
    """Rasmussen & Williams 2006, equations 2.23 and 2.24, by dense inverses."""
    trained, asked, values = ROWS[:30], ROWS[30:50], rng(1).normal(size=30)

    def kernel(a: np.ndarray, b: np.ndarray) -> np.ndarray:
        distance = ((a[:, None] - b[None]) ** 2).sum(-1)
        found: np.ndarray = np.exp(-distance / (2 * LENGTH**2 * 10))  # 4 choices and 6 pairs are ones
        return found

    inverse = np.linalg.inv(kernel(trained, trained) + NOISE * np.eye(30))
    across = kernel(asked, trained)
    mean = across @ inverse @ values
    variance = 1 - np.einsum("at,ts,as->a", across, inverse, across)
    found = gaussian_process(trained, values, rng())(asked)
    assert found.shape == (2, 20)
    assert found.mean(0) == pytest.approx(mean, abs=1e-8)
    assert found.std(0) == pytest.approx(np.sqrt(variance), abs=1e-6)


def test_the_process_looks_at_the_newest_results_only(monkeypatch: pytest.MonkeyPatch) -> None:
    assert MOST == 2000
    monkeypatch.setattr("explorer.nas.regressors.MOST", 10)
    values = rng(2).normal(size=30)
    forgetful = gaussian_process(ROWS[:30], values, rng())(ROWS[40:50])
    assert np.array_equal(forgetful, gaussian_process(ROWS[20:30], values[20:], rng())(ROWS[40:50]))


def test_trees_predict_means_of_results_and_doubt_what_they_never_saw() -> None:
    values = np.where(ROWS[:, 0] > 0, 1.0, -1.0)  # the first option of the first decision is what counts
    found = forest(ROWS[:80], values[:80], rng())(ROWS)
    assert found.shape == (100, 120) and np.abs(found).max() <= 1.0
    assert np.array_equal(np.sign(found.mean(0)), values)
    lucky = forest(ROWS[:80], values[:80] + rng(3).normal(size=80), rng())(ROWS)
    assert lucky.std(0).min() > 0


@pytest.mark.parametrize("name", list(REGRESSORS))
def test_the_generator_decides_what_a_regressor_predicts(name: str) -> None:
    values = rng(4).normal(size=40)
    first, again = (regressor_of(name)(ROWS[:40], values, rng(7))(ROWS[40:]) for _ in range(2))
    assert np.array_equal(first, again) and first.shape[1] == 80 and np.isfinite(first).all()
