"""New columns: each operator against numbers worked out by hand, and no way for a target to leak."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pandas as pd
import pytest

from explorer.catalogue import TUNERS
from explorer.features.generating import AGGREGATES, CROSSES, OFF, Generator, names_of, search_space
from explorer.hyper import read_search_space
from explorer.hyper.tuner_rules import tuners_for

FRAME = pd.DataFrame(
    {
        "shop": ["a", "a", "a", "b", "b", None],
        "price": [1.0, 2.0, 3.0, 10.0, 20.0, np.nan],
        "size": [2.0, 0.0, 4.0, 5.0, 5.0, 1.0],
    }
)
TARGET = np.array([1, 0, 1, 0, 0, 1])
NEW = pd.DataFrame({"shop": ["a", "b", "c"], "price": [2.0, 12.0, 5.0], "size": [0.0, 5.0, 3.0]})


def made(parameters: dict[str, Any], rows: pd.DataFrame | None = None) -> Any:
    """The new columns of the training rows, or of others: (rows, new columns)."""
    generator = Generator(parameters, 2, 0)
    train = generator.fit_transform(FRAME, TARGET)
    found = train if rows is None else generator.transform(rows)
    assert tuple(found.columns) == (*FRAME.columns, *names_of(parameters, 2))
    return found.iloc[:, 3:].to_numpy()


def test_a_count_is_the_share_of_training_rows_in_the_group() -> None:
    assert made({"count_of": "shop"})[:, 0].tolist() == pytest.approx([0.5, 0.5, 0.5, 2 / 6, 2 / 6, 1 / 6])
    assert made({"count_of": "shop"}, NEW)[:, 0].tolist() == pytest.approx([0.5, 2 / 6, 0])


@pytest.mark.parametrize(
    ("how", "expected"),
    [
        ("product", [2, 0, 12, 50, 100, np.nan]),
        ("ratio", [0.5, np.nan, 0.75, 2, 4, np.nan]),
        ("difference", [-1, 2, -1, 5, 15, np.nan]),
        ("sum", [3, 2, 7, 15, 25, np.nan]),
    ],
)
def test_a_cross_is_arithmetic(how: str, expected: list[float]) -> None:
    found = made({"cross": how, "cross_left": "price", "cross_right": "size"})[:, 0]
    np.testing.assert_allclose(found, expected)


def test_a_cross_of_groups_counts_them_together() -> None:
    parameters = {"cross": "together", "cross_left": "size", "cross_right": "size", "bins": 2}
    # the median of the sizes is 3: two groups of three rows
    assert made(parameters)[:, 0].tolist() == pytest.approx([0.5] * 6)


@pytest.mark.parametrize("how", AGGREGATES)
def test_an_aggregate_is_that_of_the_training_rows_and_of_all_for_an_unknown_group(how: str) -> None:
    found = made({"aggregate": how, "aggregate_of": "price", "aggregate_by": "shop"}, NEW)[:, 0]
    prices = [[1.0, 2, 3], [10.0, 20], [1.0, 2, 3, 10, 20]]
    expected = [getattr(pd.Series(group), how)() for group in prices]
    assert found.tolist() == pytest.approx(expected)


def test_a_histogram_is_how_frequent_a_value_is_within_its_group() -> None:
    parameters = {"histogram": "on", "histogram_of": "size", "histogram_by": "shop", "bins": 2}
    assert made(parameters)[:, 0].tolist() == pytest.approx([2 / 3, 2 / 3, 1 / 3, 1, 1, 1])
    assert made(parameters, NEW)[:, 0].tolist() == pytest.approx([2 / 3, 1, 0])


def test_a_number_of_values_is_counted_within_the_group() -> None:
    parameters = {"unique": "on", "unique_of": "size", "unique_by": "shop", "bins": 2}
    assert made(parameters)[:, 0].tolist() == [2, 2, 2, 1, 1, 1]


def test_a_target_mean_of_new_rows_is_drawn_towards_the_mean_of_all() -> None:
    found = made({"target_of": "shop"}, NEW)[:, 0]
    assert found.tolist() == pytest.approx([(2 + 10 * 0.5) / 13, (0 + 10 * 0.5) / 12, 0.5])


def test_several_classes_have_a_share_each() -> None:
    target = np.array([0, 1, 2, 0, 1, 2])
    generator = Generator({"target_of": "shop"}, 3, 0)
    assert list(generator.fit_transform(FRAME, target).columns[3:]) == list(
        names_of({"target_of": "shop"}, 3)
    )
    assert generator.transform(NEW).iloc[2, 3:].tolist() == pytest.approx([1 / 3, 1 / 3])


def _assignment(rng: random.Random, frame: pd.DataFrame) -> dict[str, Any]:
    """Every operator on, with columns drawn."""
    drawn = read_search_space(search_space(frame)).sample(rng)
    columns = list(frame.columns)
    drawn |= {"count_of": rng.choice(columns), "target_of": rng.choice(columns)}
    return drawn | {
        "cross": rng.choice(CROSSES),
        "aggregate": rng.choice(AGGREGATES),
        "histogram": "on",
        "unique": "on",
    }


def _table(rng: np.random.Generator, rows: int = 80) -> pd.DataFrame:
    frame = pd.DataFrame({"a": rng.normal(size=rows), "b": rng.integers(0, 4, rows).astype(float)})
    frame["word"] = [f"w{code}" for code in rng.integers(0, 30, rows)]
    return frame


@pytest.mark.parametrize("seed", range(8))
def test_no_training_rows_new_columns_depend_on_its_own_target(seed: int) -> None:
    rng = np.random.default_rng(seed)
    frame, target = _table(rng), rng.integers(0, 2, 80)
    parameters = _assignment(random.Random(seed), frame)
    before = Generator(parameters, 2, seed).fit_transform(frame, target)
    for row in range(0, 80, 9):
        changed = target.copy()
        changed[row] = 1 - changed[row]
        after = Generator(parameters, 2, seed).fit_transform(frame, changed)
        np.testing.assert_array_equal(before.iloc[row, 3:], after.iloc[row, 3:])


@pytest.mark.parametrize("seed", range(4))
def test_what_is_looked_up_for_other_rows_does_not_depend_on_other_rows(seed: int) -> None:
    rng = np.random.default_rng(seed)
    frame, target = _table(rng), rng.integers(0, 2, 80)
    generator = Generator(_assignment(random.Random(seed), frame), 2, seed)
    generator.fit_transform(frame.iloc[:50], target[:50])
    together = generator.transform(frame.iloc[50:])
    for row in range(50, 80, 7):
        alone = generator.transform(frame.iloc[[row]])
        np.testing.assert_array_equal(
            alone.iloc[0, 3:].astype(float), together.loc[row].iloc[3:].astype(float)
        )


def test_the_search_space_is_nnis_and_the_usual_tuners_take_it() -> None:
    space = read_search_space(search_space(FRAME))
    assert {"TPE", "Random", "Evolution"} <= set(tuners_for(space)) <= set(TUNERS)
    assert space.domain("count_of").to_json()["_value"][0] == OFF
    assert space.domain("aggregate_of").to_json()["_value"] == ["price", "size"]


def test_without_numbers_only_groups_are_searched() -> None:
    space = search_space(FRAME[["shop"]])
    assert "aggregate" not in space and "cross" not in space and "count_of" in space


def test_everything_off_makes_nothing() -> None:
    frame = Generator({"count_of": OFF, "target_of": OFF}, 2, 0).fit_transform(FRAME, TARGET)
    assert frame is FRAME
