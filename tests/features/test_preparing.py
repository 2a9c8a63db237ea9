"""Prepared columns: what is learned from training rows only, and what a column means in every resample."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from explorer.features.preparing import MOST_LEVELS, layout_of, prepared

FRAME = pd.DataFrame(
    {
        "n": [1.0, 3.0, np.nan, 5.0, 100.0, 7.0],
        "word": ["a", "b", None, "a", "c", None],
        "two": ["no", "yes", "no", "no", "yes", "yes"],
    }
)


def test_columns_are_numbers_first_and_then_each_value_and_of_two_values_one() -> None:
    assert layout_of(FRAME).names == (
        "n",
        "word = (missing)",
        "word = a",
        "word = b",
        "word = c",
        "two = yes",
    )


@pytest.mark.parametrize("missing", [None, np.nan])
def test_medians_means_and_spreads_are_of_the_training_rows(missing: object) -> None:
    frame = FRAME.assign(word=FRAME["word"].astype(object).where(FRAME["word"].notna(), missing))
    train, other = prepared(layout_of(frame), frame.iloc[:4], frame.iloc[4:])
    numbers = np.array([1, 3, 3, 5])  # the median of 1, 3 and 5 where nothing is known
    assert train[:, 0] == pytest.approx((numbers - numbers.mean()) / numbers.std())
    assert other[:, 0] == pytest.approx((np.array([100, 7]) - numbers.mean()) / numbers.std())
    assert train.mean(axis=0) == pytest.approx(np.zeros(6))
    assert train[:, 1].argmax() == 2 and np.isfinite(other).all()


def test_a_value_that_no_training_row_has_is_a_column_of_zeros() -> None:
    train, other = prepared(layout_of(FRAME), FRAME.iloc[:4], FRAME.iloc[4:])
    assert (train[:, 4] == 0).all() and other[0, 4] == 1.0


def test_of_many_values_the_most_frequent_get_a_column() -> None:
    words = [f"w{at}" for at in range(30)] + ["w7"] * 3
    names = layout_of(pd.DataFrame({"word": words})).names
    assert len(names) == MOST_LEVELS and "word = w7" in names


def test_a_column_that_is_empty_among_the_training_rows_breaks_nothing() -> None:
    frame = pd.DataFrame({"n": [np.nan] * 4 + [1.0, 2.0], "m": np.arange(6.0)})
    train, other = prepared(layout_of(frame), frame.iloc[:4], frame.iloc[4:])
    assert np.isfinite(train).all() and np.isfinite(other).all()
