"""Objectives and their parameters: every default space fits, every unknown name and impossible value is told."""

from __future__ import annotations

import random
from typing import Any

import pytest

from explorer.catalogue import MLP, OBJECTIVES, TRAINING
from explorer.hyper import (
    DEFAULT_SPACES,
    PARAMETERS,
    flat,
    joint,
    parameter_names,
    read_search_space,
    unknown_names,
)
from explorer.space import preset


def _told(objective: str, form: dict[str, Any], labels: tuple[str, ...] = ()) -> list[str]:
    return unknown_names(objective, read_search_space(form), labels)


def test_every_objective_has_parameters_and_a_space_to_begin_with() -> None:
    assert set(PARAMETERS) == set(DEFAULT_SPACES) == set(OBJECTIVES)
    training = {parameter.name for parameter in TRAINING.parameters}
    assert set(PARAMETERS["train"]) == training
    assert set(PARAMETERS["mlp"]) == training | {parameter.name for parameter in MLP.parameters}


@pytest.mark.parametrize("objective", DEFAULT_SPACES)
def test_a_default_space_holds_what_the_objective_takes(objective: str) -> None:
    space = read_search_space(DEFAULT_SPACES[objective])
    assert unknown_names(objective, space) == []
    rng = random.Random(0)
    for _ in range(50):
        for name, value in space.sample(rng).items():
            assert PARAMETERS[objective][name].problem(value) is None


def test_labels_of_the_network_are_known() -> None:
    space = preset("notes-net")
    both = joint(space, read_search_space(DEFAULT_SPACES["train"]))
    assert unknown_names("train", both, parameter_names(space).values()) == []
    assert any("conv1" in problem for problem in unknown_names("train", both))


@pytest.mark.parametrize(
    ("objective", "form", "words"),
    [
        ("train", {"learning_rat": {"_type": "uniform", "_value": [0.1, 1]}}, "did you mean 'learning_rate'?"),
        ("train", {"hidden_units": {"_type": "choice", "_value": [16]}}, "No parameter of train is called"),
        ("train", {"learning_rate": {"_type": "uniform", "_value": [0, 1]}}, "learning_rate is 0.0; give"),
        ("train", {"learning_rate": {"_type": "normal", "_value": [0, 1]}}, "normal has no ends: take uniform"),
        ("train", {"batch_size": {"_type": "quniform", "_value": [16, 64, 16]}}, "take randint or choice"),
        ("train", {"batch_size": {"_type": "randint", "_value": [1, 64]}}, "batch_size is 1;"),
        ("train", {"batch_size": {"_type": "randint", "_value": [2, 5000]}}, "batch_size is 4999;"),
        ("train", {"optimizer": {"_type": "choice", "_value": ["sgd", "rmsprop"]}}, "optimizer is 'rmsprop'; pick"),
        ("mlp", {"dropout": {"_type": "uniform", "_value": [0, 1]}}, "dropout is 1.0"),
        ("branin", {"x1": {"_type": "uniform", "_value": [0, 1]}}, "branin needs x2"),
        ("branin", {**DEFAULT_SPACES["branin"], "x3": {"_type": "choice", "_value": [1]}}, "called 'x3'. Known"),
        ("hartmann6", {**DEFAULT_SPACES["hartmann6"], "x1": {"_type": "choice", "_value": ["a"]}}, "x1 is 'a'"),
        (
            "train",
            {"combine_params": {"_type": "choice", "_value": [{"learning_rate": 0.1}, {"learning_rate": -1}]}},
            "learning_rate is -1;",
        ),
    ],
)  # fmt: skip
def test_what_an_objective_would_not_understand_is_told(
    objective: str, form: dict[str, Any], words: str
) -> None:
    problems = _told(objective, form)
    assert any(words in problem for problem in problems), problems
    assert len(problems) == 1


def _nested(**sgd: Any) -> dict[str, Any]:
    return {"optimizer": {"_type": "choice", "_value": [{"_name": "sgd", **sgd}, {"_name": "adam"}]}}


def test_nested_parameters_count_under_their_own_names() -> None:
    form = _nested(momentum={"_type": "uniform", "_value": [0.5, 0.99]})
    assert _told("train", form) == []
    drawn = read_search_space(form).sample(random.Random(1))
    assert set(flat(drawn)) <= set(PARAMETERS["train"])
    wrong = _nested(momentum={"_type": "uniform", "_value": [0.5, 2]})
    assert _told("train", wrong) == [
        "optimizer/sgd/momentum is 2.0; give a number from 0 to 0.999 (it is drawn from uniform)."
    ]
    assert "'optimizer/sgd/momentun'" in _told("train", _nested(momentun=form["optimizer"]))[0]


def test_one_name_twice_in_one_trial_is_told_but_not_in_two_options_of_a_choice() -> None:
    momentum = {"_type": "uniform", "_value": [0.5, 0.99]}
    assert (
        "have one name in one trial" in _told("train", _nested(momentum=momentum) | {"momentum": momentum})[0]
    )
    both = _nested(momentum=momentum)
    both["optimizer"]["_value"][1]["momentum"] = momentum
    assert _told("train", both) == []
