"""From a table to a task: what is predicted, from what, and what is left out with a word about it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from explorer.errors import SpecError
from explorer.tables import split_target
from explorer.tables.reading import from_frame

ROWS = 60


def task(target: str | None = None, resamples: int = 5, kind: str = "auto", **columns: Any) -> Any:
    """The task on two useful columns and those that are given."""
    base = {"a": np.arange(ROWS, dtype=float), "b": np.arange(ROWS, dtype=float) % 7}
    return split_target(from_frame("t", pd.DataFrame(base | columns)), target, kind, resamples)


def test_the_last_column_is_the_target_unless_one_is_named() -> None:
    assert task(y=["no", "yes"] * 30).target == "y"
    named = task("b", y=np.linspace(0, 1, ROWS))
    assert named.target == "b" and [column.name for column in named.columns] == ["a", "y"]


@pytest.mark.parametrize(
    ("values", "kind", "classes"),
    [
        (["no", "yes"] * 30, "classification", ("no", "yes")),
        ([0, 1, 2] * 20, "classification", ("0", "1", "2")),
        (np.linspace(0, 1, ROWS), "regression", ()),
        (list(range(ROWS)), "regression", ()),
    ],
)
def test_words_and_few_whole_numbers_are_classes_and_the_rest_is_a_regression(
    values: Any, kind: str, classes: tuple[str, ...]
) -> None:
    found = task(y=values)
    assert (found.kind, found.classes) == (kind, classes)
    if classes:
        assert [found.classes[code] for code in found.values] == [str(value) for value in values]


def test_the_task_can_be_said() -> None:
    assert task(y=[0, 1, 2] * 20, kind="regression").kind == "regression"
    assert task(y=[0.5, 1.5] * 30, kind="classification").classes == ("0.5", "1.5")


def test_what_cannot_help_is_left_out_with_a_notice() -> None:
    found = task(
        same=[1.0] * ROWS,
        empty=[None] * ROWS,
        names=[f"person {i}" for i in range(ROWS)],
        y=["no", "yes", None] * 20,
    )
    assert [column.name for column in found.columns] == ["a", "b"] and len(found.values) == 40
    told = " ".join(found.notices)
    for words in (
        "20 rows without a value of 'y'",
        "the same in every row: 'same'",
        "empty: 'empty'",
        "text: 'names'",
    ):
        assert words in told


@pytest.mark.parametrize(
    ("columns", "more", "said"),
    [
        ({"y": ["yes"] * ROWS}, {}, "has one class only ('yes')"),
        ({"y": [None] * ROWS}, {}, "is empty in every row"),
        ({"y": ["a"] * 57 + ["b"] * 3}, {}, "Class 'b' of 'y' has 3 row(s)"),
        ({"y": [f"c{i}" for i in range(ROWS)]}, {}, "has 60 different values; at most 50"),
        ({"y": ["a", "b"] * 30}, {"kind": "regression"}, "holds words such as 'a'"),
        ({"y": ["a", "b"] * 5 + [None] * 50}, {}, "10 rows have a value"),
        ({"y": ["a", "b"] * 30}, {"target": "z"}, "No column is called 'z'"),
        ({"a": [1.0] * ROWS, "y": ["a", "b"] * 30}, {}, "1 column(s) of 't' can be chosen"),
    ],
)
def test_a_target_that_cannot_be_learned_is_one_sentence(
    columns: dict[str, Any], more: dict[str, Any], said: str
) -> None:
    with pytest.raises(SpecError) as caught:
        task(**more, **columns)
    assert said in str(caught.value) and "\n" not in str(caught.value)


def test_rare_classes_serve_where_fewer_resamples_are_asked_for() -> None:
    assert task(y=["a"] * 57 + ["b"] * 3, resamples=3).classes == ("a", "b")
