"""Search spaces against NNI's own reading of them: which values come out, how many there are, how they are spread."""

from __future__ import annotations

import json
import math
import random
from collections import Counter
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nni.algorithms.hpo.gridsearch_tuner import GridSearchTuner
from nni.algorithms.hpo.random_tuner import suggest
from nni.common.hpo_utils import (
    deformat_parameters,
    format_parameters,
    format_search_space,
    validate_search_space,
)

from explorer.hyper import HyperSpace, flat, preview, read_search_space
from explorer.hyper.domain import TYPES, Domain
from tests.hyper.generated import PROPERTY, ranges, spaces


def _one(kind: str, *values: Any) -> Domain:
    return read_search_space({"x": {"_type": kind, "_value": list(values)}}).domains[0]


@PROPERTY
@given(spaces())
def test_a_space_goes_to_json_and_back(form: dict[str, Any]) -> None:
    space = read_search_space(form)
    assert space.to_json() == form
    assert json.dumps(space.to_json()) == json.dumps(form)  # the order too
    assert read_search_space(json.dumps(form, indent=1)) == space
    assert hash(space) == hash(read_search_space(form))


@PROPERTY
@given(spaces())
def test_nni_sees_the_same_dimensions_and_types(form: dict[str, Any]) -> None:
    space = read_search_space(form)
    theirs = format_search_space(form)
    assert space.dimensions == len(theirs)
    assert space.types == {spec.type for spec in theirs.values()}
    assert validate_search_space({name: spec for name, spec in form.items() if spec["_type"] != "choice"})


@PROPERTY
@given(spaces(depth=1), st.integers(0, 10**6))  # NNI's own code raises KeyError two nested choices deep
def test_what_nni_draws_lies_inside_and_what_is_drawn_here_nni_can_read(
    form: dict[str, Any], seed: int
) -> None:
    space, theirs = read_search_space(form), format_search_space(form)
    drawn = deformat_parameters(suggest(np.random.default_rng(seed), theirs), theirs)
    assert space.problem_with(drawn) is None
    ours = space.sample(random.Random(seed))
    assert space.problem_with(ours) is None
    json.dumps(ours)
    assert set(ours) == set(drawn)
    if "qlognormal" not in space.types:  # whose 0 has no logarithm
        again = deformat_parameters(format_parameters(ours, theirs), theirs)
        assert _nearly(again, ours)


def _nearly(one: Any, other: Any) -> bool:
    if isinstance(one, dict):
        return set(one) == set(other) and all(_nearly(one[key], other[key]) for key in one)
    if isinstance(one, float) and isinstance(other, float):
        return math.isclose(one, other, rel_tol=1e-9, abs_tol=1e-9)
    return one == other and type(one) is type(other)


@PROPERTY
@given(ranges().filter(lambda form: form["_type"] != "randint"), st.floats(0.0, 1.0))
def test_a_draw_becomes_the_value_that_nni_makes_of_it(form: dict[str, Any], share: float) -> None:
    domain = read_search_space({"x": form}).domains[0]
    theirs = format_search_space({"x": form})
    spec = theirs[("x",)]
    drawn = (
        spec.mu + (6 * share - 3) * spec.sigma
        if spec.normal_distributed
        else spec.low + share * (spec.high - spec.low)
    )
    assert domain.finished(drawn) == deformat_parameters({("x",): drawn}, theirs)["x"]


@PROPERTY
@given(ranges())
def test_the_size_of_a_range_is_the_number_of_values_that_nni_makes(form: dict[str, Any]) -> None:
    domain = read_search_space({"x": form}).domains[0]
    theirs = format_search_space({"x": form})
    spec = theirs[("x",)]
    if spec.categorical:
        draws: Any = range(spec.size)
    elif spec.normal_distributed or spec.q is None:
        assert domain.size is None
        return
    else:
        steps = 4000
        draws = [spec.low + (at + 0.5) / steps * (spec.high - spec.low) for at in range(steps)]
    values = {deformat_parameters({("x",): drawn}, theirs)["x"] for drawn in draws}
    assert domain.size is not None and domain.size >= len(values)
    if domain.size <= 100:  # finer steps of a logarithm fall between the draws tried here
        assert domain.size == len(values)


def test_the_size_of_a_discrete_space_is_what_nnis_grid_walks_through() -> None:
    form = {
        "net": {
            "_type": "choice",
            "_value": [
                {"_name": "small"},
                {"_name": "big", "width": {"_type": "quniform", "_value": [0, 1, 0.25]}},
            ],
        },
        "depth": {"_type": "randint", "_value": [2, 5]},
        "activation": {"_type": "choice", "_value": ["relu", "tanh"]},
    }
    space = read_search_space(form)
    assert space.size == (1 + 5) * 3 * 2
    tuner = GridSearchTuner()
    tuner.update_search_space(form)
    seen = set()
    for number in range(space.size):
        seen.add(json.dumps(tuner.generate_parameters(number), sort_keys=True))
    assert len(seen) == space.size


@pytest.mark.parametrize(
    ("kind", "values", "size"),
    [
        ("randint", (0, 3), 3),
        ("randint", (-2, -1), 1),
        ("quniform", (0, 1, 0.1), 11),
        ("quniform", (0.05, 1, 0.1), 10),  # 0.05 rounds to 0.1 at once: every draw is above it
        ("quniform", (0, 1, 0.3), 4),  # 0, 0.3, 0.6, 0.9
        ("quniform", (0, 1, 0.37), 4),  # 0, 0.37, 0.74, and 1 by clipping 1.11
        ("qloguniform", (0.9, 8, 2), 5),  # 0.9 by clipping 0, then 2, 4, 6, 8
        ("uniform", (0, 1), None),
        ("qnormal", (0, 1, 1), None),
        ("choice", ("a", "b"), 2),
    ],
)
def test_sizes_are_exact(kind: str, values: tuple[Any, ...], size: int | None) -> None:
    assert _one(kind, *values).size == size


def test_an_infinite_parameter_makes_the_space_infinite_wherever_it_is() -> None:
    inner = {"_name": "a", "x": {"_type": "uniform", "_value": [0, 1]}}
    space = read_search_space({"c": {"_type": "choice", "_value": [inner, {"_name": "b"}]}})
    assert space.size is None and space.has_nested and space.dimensions == 2


@pytest.mark.parametrize(
    ("kind", "values", "value", "right"),
    [
        ("randint", (1, 4), 3, True),
        ("randint", (1, 4), 4, False),
        ("randint", (1, 4), 2.0, False),
        ("randint", (0, 2), True, False),
        ("uniform", (0, 1), 1, True),
        ("uniform", (0, 1), 1.0000001, False),
        ("uniform", (0, 1), math.nan, False),
        ("uniform", (0, 1), "0.5", False),
        ("quniform", (0, 1, 0.1), 0.3, True),
        ("quniform", (0, 1, 0.1), 0.1 * 3, True),
        ("quniform", (0, 1, 0.1), 0.35, False),
        ("quniform", (0.05, 1, 0.1), 0.05, True),  # a grid point, though no random draw
        ("quniform", (0.07, 1, 0.1), 0.07, False),  # rounds to 0.1
        ("quniform", (0, 1, 0.37), 1, True),
        ("quniform", (0, 1, 0.4), 1, False),
        ("loguniform", (0.1, 10), math.exp(math.log(10)), True),
        ("normal", (0, 1), -100, True),
        ("normal", (0, 1), math.inf, False),
        ("normal", (0, 1), 10**400, False),
        ("lognormal", (0, 1), 0, False),
        ("qlognormal", (0, 1, 1), 0, True),
        ("qnormal", (0, 1, 0.5), -1.5, True),
        ("choice", (1, "1", True), 1.0, True),
        ("choice", (1, 2), True, False),
        ("choice", ([], [0]), [0], True),
        ("choice", ([], [0]), [1], False),
        ("choice", ("a",), {"a": 1}, False),
    ],
)
def test_a_value_is_inside_or_outside_and_outside_says_why(
    kind: str, values: tuple[Any, ...], value: Any, right: bool
) -> None:
    problem = read_search_space({"x": {"_type": kind, "_value": list(values)}}).problem_with({"x": value})
    assert (problem is None) == right
    if problem is not None:
        assert problem.startswith("x is ") and problem.endswith(".") and "; " in problem


def test_an_assignment_with_a_wrong_name_a_missing_name_or_a_wrong_option_is_told_so() -> None:
    inner = {"_name": "sgd", "momentum": {"_type": "uniform", "_value": [0, 1]}}
    space = read_search_space({"opt": {"_type": "choice", "_value": [inner, {"_name": "adam"}]}})
    assert space.problem_with({"opt": {"_name": "sgd", "momentum": 0.5}}) is None
    assert space.problem_with({"opt": {"_name": "adam"}}) is None
    assert "opt/sgd/momentum is missing" in str(space.problem_with({"opt": {"_name": "sgd"}}))
    assert "opt/sgd/momentum is 2" in str(space.problem_with({"opt": {"_name": "sgd", "momentum": 2}}))
    assert "'opt/adam/momentum'" in str(space.problem_with({"opt": {"_name": "adam", "momentum": 2}}))
    assert "one of 'sgd', 'adam'" in str(space.problem_with({"opt": "sgd"}))
    assert "did you mean 'opt'" in str(space.problem_with({"opt": {"_name": "adam"}, "opts": 1}))
    assert "give an object" in str(space.problem_with([1]))


def test_flat_parameters_stand_side_by_side() -> None:
    nested = {"opt": {"_name": "sgd", "momentum": {"_name": "high", "value": 0.9}}, "lr": 0.1}
    assert flat(nested) == {"opt": "sgd", "momentum": "high", "value": 0.9, "lr": 0.1}
    assert flat({"combine_params": {"lr": 0.1}}) == {"lr": 0.1}


def test_a_list_of_complete_assignments_is_a_space_for_batch() -> None:
    form = {"combine_params": {"_type": "choice", "_value": [{"lr": 0.1, "n": 1}, {"lr": 0.2, "n": 1}]}}
    space = read_search_space(form)
    assert space.to_json() == form and space.size == 2 and not space.has_nested
    assert space.sample(random.Random(0)) in form["combine_params"]["_value"]
    assert space.problem_with({"n": 1, "lr": 0.2}) is None
    assert space.problem_with({"combine_params": {"n": 1, "lr": 0.2}}) is None
    assert "not in the list" in str(space.problem_with({"n": 2, "lr": 0.2}))
    assert hash(space) == hash(read_search_space(form))


def test_types_are_nnis() -> None:
    from nni.common.hpo_utils.validation import common_search_space_types

    assert tuple(common_search_space_types) == TYPES


@PROPERTY
@given(ranges(), st.integers(1, 60))
def test_the_bars_of_a_preview_hold_all_probability_and_are_few(form: dict[str, Any], bars: int) -> None:
    shown = preview(read_search_space({"x": form}).domains[0], bars)
    assert 1 <= len(shown.bars) <= min(bars, 40)
    assert math.isclose(math.fsum(bar.share for bar in shown.bars) + shown.rest, 1.0, abs_tol=1e-9)
    assert all(bar.share >= 0 for bar in shown.bars)
    assert all(density >= 0 for density in shown.density)
    lows = [bar.low for bar in shown.bars if bar.low is not None]
    assert lows == sorted(lows) and len(lows) == len(shown.bars)


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("randint", (0, 7)),
        ("quniform", (0.05, 1, 0.3)),
        ("qloguniform", (1, 8, 2)),
        ("qnormal", (1, 2, 1)),
        ("qlognormal", (0, 1, 1)),
        ("uniform", (-1, 3)),
        ("loguniform", (0.001, 10)),
        ("normal", (2, 0.5)),
        ("lognormal", (0, 1)),
    ],
)
def test_a_preview_tells_the_shares_in_which_nni_draws(kind: str, values: tuple[Any, ...]) -> None:
    shown = preview(_one(kind, *values), 12)
    theirs = format_search_space({"x": {"_type": kind, "_value": list(values)}})
    rng = np.random.default_rng(0)
    count = 6000
    drawn = [deformat_parameters(suggest(rng, theirs), theirs)["x"] for _ in range(count)]
    if shown.kind == "values":
        seen = Counter(round(value, 9) for value in drawn)
        found = [seen[round(bar.low or 0.0, 9)] / count for bar in shown.bars]
    else:
        edges = [bar.low for bar in shown.bars] + [shown.bars[-1].high]
        found = list(np.histogram(drawn, [edge for edge in edges if edge is not None])[0] / count)
    assert found == pytest.approx([bar.share for bar in shown.bars], abs=0.025)


def test_draws_here_are_spread_as_the_preview_says() -> None:
    rng = random.Random(0)
    for kind, values in (("qlognormal", (0, 1, 1)), ("quniform", (0, 1, 0.25)), ("choice", ("a", "b", "c"))):
        domain = _one(kind, *values)
        seen = Counter(str(domain.sample(rng)) for _ in range(4000))
        for bar in preview(domain).bars[:5]:
            label = bar.label if bar.low is None else str(float(bar.low))
            assert seen[label] / 4000 == pytest.approx(bar.share, abs=0.035)


def test_many_options_become_few_bars() -> None:
    shown = preview(_one("choice", *range(100)))
    assert len(shown.bars) == 40 and shown.bars[-1].label == "61 more"
    assert math.isclose(sum(bar.share for bar in shown.bars), 1.0)
    nested = read_search_space({"x": {"_type": "choice", "_value": [{"_name": "a"}, {"_name": "b"}]}})
    assert [bar.label for bar in preview(nested.domains[0]).bars] == ["a", "b"]


def test_nesting_is_how_many_choices_lie_inside_each_other() -> None:
    flat_form = {"x": {"_type": "uniform", "_value": [0, 1]}}
    assert read_search_space(flat_form).nesting == 0
    once = {"c": {"_type": "choice", "_value": [{"_name": "a", **flat_form}, {"_name": "b"}]}}
    assert read_search_space(once).nesting == 1
    twice = {"d": {"_type": "choice", "_value": [{"_name": "a", **once}]}}
    assert read_search_space(twice).nesting == 2
    assert read_search_space(twice).sample(random.Random(1))["d"]["_name"] == "a"


def test_an_empty_space_has_one_assignment() -> None:
    assert HyperSpace(()).size == 1 and HyperSpace(()).problem_with({}) is None
