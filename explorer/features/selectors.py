"""The selectors of the catalogue, one function each: prepared rows in, a score for each column out; more is better.

What a selector sees is standardised; a target of numbers is standardised too. How equal scores are ordered is part of a
selector: NNI's two take the last columns first, all others the first.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.exceptions import ConvergenceWarning
from sklearn.feature_selection import (
    RFE,
    f_classif,
    f_regression,
    mutual_info_classif,
    mutual_info_regression,
)
from sklearn.inspection import permutation_importance
from sklearn.linear_model import Lasso, Ridge, RidgeClassifier
from sklearn.model_selection import train_test_split
from sklearn.svm import LinearSVC

from explorer.catalogue import SELECTORS

Matrix = NDArray[np.float64]  # (rows, columns)
Scores = NDArray[np.float64]  # (columns,)

_TIE = 1e-6  # of float32, NNI's arithmetic, after a few operations
_UNSEEN = 0.25  # share of the training rows on which permutation importance looks


@dataclass(frozen=True)
class Ask:
    """What a selector is told beside the rows."""

    classification: bool
    seed: int
    settings: Mapping[str, Any]


@dataclass(frozen=True, eq=False)
class Ranking:
    """`order` holds the columns, the best first; `tied` says that the scores do not tell them apart at all."""

    scores: Scores
    order: NDArray[np.int64]
    tied: bool

    @property
    def ranks(self) -> NDArray[np.int64]:
        """Place of each column in `order`, from 1."""
        places = np.empty(len(self.order), dtype=np.int64)
        places[self.order] = np.arange(1, len(self.order) + 1)
        return places


def rank(name: str, x: Matrix, y: NDArray[Any], ask: Ask) -> Ranking:
    """The columns of `x` as the selector called `name` ranks them."""
    module, _, attribute = SELECTORS.find(name).path.partition(":")
    build: Callable[[Matrix, NDArray[Any], Ask], Scores] = getattr(import_module(module), attribute)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # a ranking, not a model, is wanted
        scores = np.nan_to_num(np.asarray(build(x, y, ask), dtype=np.float64), nan=-np.inf, posinf=1e100)
    scores[np.isneginf(scores)] = scores[np.isfinite(scores)].min(initial=0.0)
    if SELECTORS[name].facts["source"] == "nni":
        order = np.argsort(scores, kind="stable")[::-1]
    else:
        order = np.argsort(-scores, kind="stable")
    tied = bool(np.ptp(scores) <= _TIE * max(1.0, float(np.abs(scores).max())))
    return Ranking(scores, order, tied and SELECTORS[name].facts["needs_target"])


def gradient(x: Matrix, y: NDArray[Any], ask: Ask) -> Scores:
    """NNI's FeatureGradientSelector."""
    from explorer.adapters.selectors import gradient_scores  # brings torch and nni

    return gradient_scores(x, y, classification=ask.classification, seed=ask.seed, settings=ask.settings)


def gbdt(x: Matrix, y: NDArray[Any], ask: Ask) -> Scores:
    """NNI's GBDTSelector."""
    from explorer.adapters.selectors import gbdt_scores

    return gbdt_scores(x, y, classification=ask.classification, seed=ask.seed, settings=ask.settings)


def anova(x: Matrix, y: NDArray[Any], ask: Ask) -> Scores:
    """F of each column alone; one that does not vary among these rows has none.

    Where a column tells the classes apart without an error, the variance that is left is 0, or by rounding less.
    """
    with warnings.catch_warnings(), np.errstate(divide="ignore", invalid="ignore"):
        warnings.filterwarnings("ignore", "Features .* are constant", UserWarning)
        found = (f_classif if ask.classification else f_regression)(x, y)[0]
    return np.where(found < 0, np.inf, found)


def mutual_information(x: Matrix, y: NDArray[Any], ask: Ask) -> Scores:
    """In nats."""
    measure = mutual_info_classif if ask.classification else mutual_info_regression
    return measure(x, y, n_neighbors=ask.settings["neighbours"], random_state=ask.seed)


def l1(x: Matrix, y: NDArray[Any], ask: Ask) -> Scores:
    """Length of each column's weights: of a linear support vector machine for classes, of the lasso for numbers."""
    strength = ask.settings["strength"]
    if not ask.classification:
        return np.abs(Lasso(alpha=0.01 * strength, max_iter=5000).fit(x, y).coef_)
    model = LinearSVC(C=0.1 / strength, penalty="l1", dual=False, max_iter=3000, random_state=ask.seed)
    return np.linalg.norm(model.fit(x, y).coef_, axis=0)  # over classes


def random_forest(x: Matrix, y: NDArray[Any], ask: Ask) -> Scores:
    """Mean decrease of impurity; the scores add up to 1."""
    return _forest(ask).fit(x, y).feature_importances_


def permutation(x: Matrix, y: NDArray[Any], ask: Ask) -> Scores:
    """Loss of accuracy (or R2) when a column is shuffled among rows that the forest has not seen."""
    stratify = y if ask.classification and np.bincount(y).min() >= 2 else None
    seen, unseen, target, judged = train_test_split(
        x, y, test_size=_UNSEEN, random_state=ask.seed, stratify=stratify
    )
    forest = _forest(ask).fit(seen, target)
    found = permutation_importance(
        forest, unseen, judged, n_repeats=ask.settings["repeats"], random_state=ask.seed
    )
    return found.importances_mean


def rfe(x: Matrix, y: NDArray[Any], ask: Ask) -> Scores:
    """Minus the round, counted from the end, in which a column was dropped; ridge models, because they are quick."""
    model = RidgeClassifier() if ask.classification else Ridge()
    dropped = max(1, int(ask.settings["step"] * x.shape[1]))
    return -RFE(model, n_features_to_select=1, step=dropped).fit(x, y).ranking_


def all_features(x: Matrix, y: NDArray[Any], ask: Ask) -> Scores:
    """No choice at all."""
    return np.ones(x.shape[1])


def random_k(x: Matrix, y: NDArray[Any], ask: Ask) -> Scores:
    """A random order."""
    return np.random.default_rng(ask.seed).permutation(x.shape[1]).astype(np.float64)


def _forest(ask: Ask) -> Any:
    forest = RandomForestClassifier if ask.classification else RandomForestRegressor
    return forest(n_estimators=ask.settings["trees"], random_state=ask.seed, n_jobs=1)
