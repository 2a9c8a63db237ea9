"""The contract of every selector in the catalogue: it finds what is there, repeats, and orders ties as it says."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.stats import rankdata
from sklearn.feature_selection import f_classif

from explorer.adapters.selectors import gradient_selection
from explorer.catalogue import SELECTORS
from explorer.features.selectors import Ask, rank

INFORMED = [name for name, entry in SELECTORS.items() if entry.facts["needs_target"]]
KINDS = ("two classes", "four classes", "numbers")


def task(kind: str, seed: int = 0) -> tuple[Any, Any]:
    """Eight columns of which 3 and 6 decide, and the others are noise."""
    x = np.random.default_rng(seed).normal(size=(300, 8))
    value = 2 * x[:, 3] + 1.5 * x[:, 6]
    if kind == "numbers":
        return x, (value - value.mean()) / value.std()
    edges = [0.0] if kind == "two classes" else list(np.quantile(value, [0.25, 0.5, 0.75]))
    return x, np.digitize(value, edges)


def ranking(name: str, kind: str = "two classes", **changed: Any) -> Any:
    x, y = task(kind)
    return rank(name, x, y, Ask(kind != "numbers", 7, SELECTORS[name].settings(changed)))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", INFORMED)
def test_the_columns_that_decide_come_first(name: str, kind: str) -> None:
    assert set(ranking(name, kind).order[:2]) == {3, 6}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", SELECTORS)
def test_a_ranking_is_complete_finite_and_repeats_exactly(name: str, kind: str) -> None:
    first, again = ranking(name, kind), ranking(name, kind)
    assert sorted(first.order) == list(range(8)) and np.isfinite(first.scores).all()
    assert first.scores.tobytes() == again.scores.tobytes() and first.order.tolist() == again.order.tolist()
    assert [first.ranks[column] for column in first.order] == list(range(1, 9))
    assert (np.diff(first.scores[first.order]) <= 0).all()
    assert not first.tied


def test_anova_is_scikit_learns_own() -> None:
    x, y = task("two classes")
    expected = f_classif(x, y)[0]
    assert ranking("anova").ranks.tolist() == rankdata(-expected).astype(int).tolist()


@pytest.mark.parametrize("ones", range(10, 51, 4))
def test_a_column_that_says_it_all_comes_first_whatever_rounding_makes_of_its_f(ones: int) -> None:
    y = (np.arange(60) < ones).astype(int)
    x = np.random.default_rng(0).normal(size=(60, 4))
    x[:, 2] = (y - y.mean()) / y.std()  # scikit-learn's F of it is -2.4e17 for 14 ones
    assert rank("anova", x, y, Ask(True, 0, {})).order[0] == 2


def test_columns_that_do_not_vary_come_last_and_break_nothing() -> None:
    x, y = task("two classes")
    x[:, 0] = 0.0
    for name in INFORMED:
        found = rank(name, x, y, Ask(True, 7, SELECTORS[name].settings({})))
        assert np.isfinite(found.scores).all(), name
        assert found.ranks[0] > 2, name


def test_the_gradient_selectors_order_is_the_one_that_nni_returns() -> None:
    for epochs in (1, 10):
        found = ranking("gradient", n_epochs=epochs)
        for count in range(1, 8):
            if found.scores[found.order[count - 1]] > found.scores[found.order[count]]:  # no tie at the cut
                assert sorted(found.order[:count]) == gradient_selection(found.scores, count).tolist()


def test_one_epoch_is_told_as_a_tie_and_ten_are_not() -> None:
    assert ranking("gradient", n_epochs=1).tied
    assert not ranking("gradient").tied


def test_random_columns_depend_on_the_seed_only() -> None:
    x, y = task("two classes")
    orders = [rank("random_k", x, y, Ask(True, seed, {})).order.tolist() for seed in range(6)]
    assert len({tuple(order) for order in orders}) > 1
    assert rank("random_k", x[::-1], y, Ask(True, 3, {})).order.tolist() == orders[3]


def test_all_features_keep_the_tables_order() -> None:
    assert ranking("all_features").order.tolist() == list(range(8))
