"""Columns made into numbers that every selector takes: medians, standardised, categories as columns of 0 and 1.

Medians, means and spreads are learned from training rows only. Which categories exist is read from all rows: it says
nothing about the target, and a column then means the same in every resample.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler

MOST_LEVELS = 10
NOTHING = "(missing)"


@dataclass(frozen=True)
class Layout:
    """Which columns are numbers, and which categories of the others get a column of their own."""

    numbers: tuple[str, ...]
    levels: tuple[tuple[str, tuple[str, ...]], ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The prepared columns, in order: numbers by their name, a category as `name = value`."""
        made = tuple(f"{name} = {level}" for name, levels in self.levels for level in levels)
        return (*self.numbers, *made)

    def sentences(self) -> tuple[str, ...]:
        """What `pipeline` does, for people."""
        told = [
            "Numbers: what is missing becomes the training rows' median; then mean 0 and spread 1 of the training rows."
        ]
        if self.levels:
            told.append(
                f"Categories: a column of 0 and 1 for each value (the {MOST_LEVELS} most frequent of a column; what is "
                f"missing is the value {NOTHING}); then standardised as well."
            )
        return tuple(told)


def layout_of(frame: pd.DataFrame) -> Layout:
    """How the columns of `frame` are prepared."""
    numbers = tuple(name for name in frame.columns if pd.api.types.is_numeric_dtype(frame[name].dtype))
    levels = []
    for name in frame.columns:
        if name not in numbers:
            counts = frame[name].fillna(NOTHING).value_counts()
            ranked = sorted(counts.index, key=lambda level: (-counts[level], level))[:MOST_LEVELS]
            # of two values one column says it all
            levels.append((name, tuple(sorted(ranked))[1:] if len(counts) == 2 else tuple(sorted(ranked))))
    return Layout(numbers, tuple(levels))


def pipeline(layout: Layout) -> Pipeline:
    """scikit-learn's pipeline, unfitted: a frame in, (rows, prepared columns) floats out."""
    numbers = SimpleImputer(strategy="median", keep_empty_features=True)
    parts: list[tuple[str, Any, Sequence[str]]] = [("numbers", numbers, list(layout.numbers))]
    if layout.levels:
        known = [np.array(levels, dtype=object) for _, levels in layout.levels]
        words = Pipeline(
            [
                ("missing", FunctionTransformer(_named)),
                ("values", OneHotEncoder(categories=known, handle_unknown="ignore", sparse_output=False)),
            ]
        )
        parts.append(("categories", words, [name for name, _ in layout.levels]))
    return Pipeline([("columns", ColumnTransformer(parts)), ("scale", StandardScaler())])


def _named(words: pd.DataFrame) -> pd.DataFrame:
    """What is missing as a value of its own."""
    return words.astype(object).where(words.notna(), NOTHING)


def prepared(
    layout: Layout, train: pd.DataFrame, other: pd.DataFrame
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Both as (rows, columns), everything learned from `train`."""
    made = pipeline(layout)
    return made.fit_transform(train), made.transform(other)
