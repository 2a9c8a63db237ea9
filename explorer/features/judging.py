"""Which rows teach and which judge, how many features are judged, and what a choice of columns is worth.

Selection happens inside each resample, on its training rows alone: choosing on all rows first makes noise look useful
(Ambroise & McLachlan 2002, PNAS 99; Hastie, Tibshirani & Friedman 2009, section 7.10.2).
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import r2_score
from sklearn.model_selection import KFold, StratifiedKFold, train_test_split

Rows = NDArray[np.int64]
JUDGES = {
    ("linear", "classification"): "logistic regression (L2, strength 1)",
    ("linear", "regression"): "ridge regression (strength 1)",
    ("forest", "classification"): "a random forest of 50 trees",
    ("forest", "regression"): "a random forest of 50 trees",
}
_TREES = 50


def folds(values: NDArray[Any], classification: bool, count: int, seed: int) -> Iterator[tuple[Rows, Rows]]:
    """(training rows, judging rows) of each of `count` folds; classes keep their shares."""
    cut = (StratifiedKFold if classification else KFold)(count, shuffle=True, random_state=seed)
    yield from cut.split(np.zeros((len(values), 1)), values)


def held_out(values: NDArray[Any], classification: bool, share: float, seed: int) -> tuple[Rows, Rows]:
    """Rows that a search for new columns may see, and rows that it never sees; both ascending."""
    seen, kept = train_test_split(
        np.arange(len(values)),
        test_size=share,
        random_state=seed,
        stratify=values if classification else None,
    )
    return np.sort(seen), np.sort(kept)


def resamples(
    values: NDArray[Any], classification: bool, count: int, seed: int, kept_share: float | None = None
) -> list[tuple[Rows, Rows]]:
    """(training rows, judging rows) of each resample.

    After a search for new columns (`kept_share`) the judging rows are always those that it never saw, and the training
    rows leave out a fold of the others; else this is plain cross-validation.
    """
    if kept_share is None:
        return list(folds(values, classification, count, seed))
    seen, kept = held_out(values, classification, kept_share, seed)
    return [(seen[train], kept) for train, _ in folds(values[seen], classification, count, seed)]


def counts_of(columns: int, most: int | None) -> tuple[int, ...]:
    """How many features are judged: 1, 2, 3, 5, 8 … and all of them (or `most`)."""
    last = columns if most is None else min(most, columns)
    found, step = [1], 2
    while step < last:
        found.append(step)
        step = sum(found[-2:])
    return tuple(dict.fromkeys([*found, last]))


def judged(
    judge: str,
    classification: bool,
    train: tuple[NDArray[np.float64], NDArray[Any]],
    other: tuple[NDArray[np.float64], NDArray[Any]],
    seed: int,
) -> float:
    """Accuracy (or R2) on `other` of the judge trained on `train`; each is (columns as (rows, k), target)."""
    if judge == "forest":
        forest = RandomForestClassifier if classification else RandomForestRegressor
        model: Any = forest(_TREES, random_state=seed, n_jobs=1)
    else:
        model = LogisticRegression(max_iter=300) if classification else Ridge()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # the last digit of an accuracy is not at stake
        said = model.fit(*train).predict(other[0])
    return float((said == other[1]).mean()) if classification else float(r2_score(other[1], said))


def chance(values: NDArray[Any], classification: bool) -> float:
    """What always saying the most frequent class (or the mean) reaches."""
    return float(np.bincount(values).max() / len(values)) if classification else 0.0
