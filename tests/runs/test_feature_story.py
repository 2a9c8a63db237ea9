"""The arithmetic over a features run's story, against numbers worked out by hand."""

from __future__ import annotations

from math import sqrt
from typing import Any

import pytest

from explorer.runs.feature_story import (
    SelectorStory,
    agreement,
    mean_agreement,
    mean_and_error,
    missing_of_features,
    plan_of,
    stories,
)
from explorer.runs.spec import RunSpec
from explorer.runs.state import RunState
from tests.runs.test_feature_specs import GOOD


def one(
    ranks: dict[int, tuple[int, ...]], worth: dict[tuple[int, int], float] | None = None
) -> SelectorStory:
    """A selector's story."""
    return SelectorStory("anova", {}, ranks, worth or {}, {}, frozenset())


@pytest.mark.parametrize(
    ("first", "second", "of", "expected"),
    [
        ({1, 2}, {1, 2}, 6, 1.0),
        ({1, 2}, {3, 4}, 6, -0.5),  # (0 * 6 - 4) / (2 * 4)
        ({1, 2, 3}, {3, 4, 5}, 9, 0.0),  # one of three is what chance gives
        ({1}, {1, 2}, 6, None),
        ({1, 2}, {1, 2}, 2, None),
        (set(), set(), 2, None),
    ],
)
def test_agreement_is_kunchevas_index(
    first: set[int], second: set[int], of: int, expected: float | None
) -> None:
    assert agreement(first, second, of) == expected == agreement(second, first, of)


def test_mean_agreement_is_over_all_pairs() -> None:
    assert mean_agreement([{1, 2}, {1, 2}, {3, 4}], 6) == pytest.approx((1.0 - 0.5 - 0.5) / 3)
    assert mean_agreement([{1, 2}], 6) is None


def test_columns_are_ordered_by_their_mean_rank_and_then_by_place() -> None:
    story = one({0: (1, 2, 3, 4), 1: (3, 2, 1, 4)})
    assert story.mean_ranks() == (2.0, 2.0, 2.0, 4.0)
    assert story.best_columns(2) == (0, 1)
    assert story.stability(1) == pytest.approx(-1 / 3)  # (0 * 4 - 1) / (1 * 3)
    assert story.stability(3) == 1.0 and story.stability(4) is None


def test_the_advice_is_the_smallest_number_within_one_standard_error_of_the_best() -> None:
    worth = {(1, 0): 0.5, (1, 1): 0.5, (2, 0): 0.8, (2, 1): 0.8, (3, 0): 0.75, (3, 1): 0.95}
    # the best is 3 features: 0.85 with an error of 0.1, so 0.75 would do
    assert one({0: (1, 2, 3), 1: (1, 2, 3)}, worth).advised() == 2
    assert one({}, {(1, 0): 0.5, (2, 0): 0.6}).advised() == 2
    assert one({}).advised() is None


def test_a_mean_has_its_standard_error() -> None:
    assert mean_and_error([1.0, 3.0]) == (2.0, pytest.approx(sqrt(2) / sqrt(2)))
    assert mean_and_error([1.0]) == (1.0, 0.0)


def _state(*measurements: tuple[str, dict[str, Any]], **form: Any) -> RunState:
    told = tuple({"name": name, "step": 0, "data": data} for name, data in measurements)
    return RunState("r", RunSpec(kind="features", dataset="wine", **form), measurements=told)


def test_scores_of_another_width_than_the_plan_are_left_out() -> None:
    plan = GOOD["feature_plan"] | {"columns": ["a", "b"]}
    short = GOOD["feature_scores"] | {"resample": 1, "ranks": [1], "scores": [0.5]}
    found = stories(
        _state(("feature_plan", plan), ("feature_scores", GOOD["feature_scores"]), ("feature_scores", short))
    )
    assert len(found) == 1 and set(found[0].ranks) == {0}
    assert stories(_state(("feature_scores", GOOD["feature_scores"]))) == ()


def test_the_worth_of_a_resample_counts_only_once_it_is_complete() -> None:
    plan = GOOD["feature_plan"] | {"columns": ["a", "b"]}
    early = GOOD["feature_accuracy"] | {"resample": 1}
    state = _state(
        ("feature_plan", plan),
        ("feature_accuracy", GOOD["feature_accuracy"]),
        ("feature_scores", GOOD["feature_scores"]),
        ("feature_accuracy", early),
    )
    assert plan_of(state) is not None
    assert stories(state)[0].at(1) == (0.5,)


def test_what_is_missing_is_counted_to_the_last_measurement() -> None:
    method = {"selectors": ["anova", "random_k"]}
    settings = {"features": {"resamples": 2}}
    state = _state(method=method, settings=settings)
    assert missing_of_features(state) == 5  # four pairs and the advice
    pairs = [
        ("feature_scores", GOOD["feature_scores"] | {"selector": name, "resample": resample})
        for name in method["selectors"]
        for resample in range(2)
    ]
    assert missing_of_features(_state(*pairs, method=method, settings=settings)) == 1
    done = (*pairs, ("feature_selection", GOOD["feature_selection"]))
    assert missing_of_features(_state(*done, method=method, settings=settings)) == 0
    assert missing_of_features(_state(method={**method, "tuner": "TPE"}, settings=settings, trials=3)) == 9
    blind = _state(*pairs[2:], method={"selectors": ["random_k"]}, settings=settings)
    assert missing_of_features(blind) == 0, "baselines advise nothing"
