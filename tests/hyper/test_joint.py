"""Layers and training settings in one search space: nothing lost on the way in, nothing invented on the way out."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nni.common.hpo_utils import deformat_parameters, format_search_space

from explorer.catalogue import SPACES
from explorer.errors import SpecError
from explorer.hyper import DEFAULT_SPACES, joint, joint_problems, parameter_names, read_search_space, split
from explorer.space import Input, InputChoice, Layer, LayerChoice, MacroSpace, Operation, SearchSpace, preset
from tests.hyper.generated import PROPERTY
from tests.space.generated import macro_spaces

TRAIN = read_search_space(DEFAULT_SPACES["train"])
BLOCK = (("a", Operation("identity")), ("b", Operation("relu")))


def _layers(*labels: str) -> MacroSpace:
    layers = tuple(Layer(f"layer{at}", LayerChoice(label, BLOCK)) for at, label in enumerate(labels))
    return MacroSpace("s", Input(1, 8), layers=layers)


@pytest.mark.parametrize("name", SPACES)
def test_every_space_of_the_catalogue_is_tuned_jointly(name: str) -> None:
    _goes_through(preset(name), random.Random(0))


@PROPERTY
@given(macro_spaces(), st.randoms(use_true_random=False))
def test_any_space_is_tuned_jointly(space: SearchSpace, rng: random.Random) -> None:
    _goes_through(space, rng)


def _goes_through(space: SearchSpace, rng: random.Random) -> None:
    both = joint(space, TRAIN)
    assert both.names[: len(TRAIN)] == TRAIN.names
    assert both.dimensions == len(TRAIN) + len(space.mutables)
    assert read_search_space(json.dumps(both.to_json())) == both
    theirs = format_search_space(both.to_json())
    drawn = deformat_parameters(
        {key: 0 if spec.categorical else spec.low for key, spec in theirs.items()}, theirs
    )
    for parameters in (both.sample(rng), drawn):
        rest, choices = split(space, parameters)
        assert tuple(rest) == TRAIN.names and TRAIN.problem_with(rest) is None
        assert space.architecture(choices).to_json() == choices == json.loads(json.dumps(choices))


def test_the_layers_alone_have_as_many_assignments_as_the_space_has_architectures() -> None:
    space = preset("notes-net")
    nothing = read_search_space({"fixed": {"_type": "choice", "_value": [1]}})
    assert joint(space, nothing).size == space.size == 8
    assert joint(space, TRAIN).size is None
    assert joint(space, nothing).to_json()["skip"] == {"_type": "choice", "_value": [[], [0]]}


def test_a_label_that_is_called_like_a_training_setting_gets_a_prefix() -> None:
    space = _layers("learning_rate", "layer/learning_rate", "_name", "conv")
    assert parameter_names(space) == {
        "learning_rate": "layer/layer/learning_rate",
        "layer/learning_rate": "layer/learning_rate",
        "_name": "layer/_name",
        "conv": "conv",
    }
    both = joint(space, TRAIN)
    assert len(set(both.names)) == len(both) == len(TRAIN) + 4
    rest, choices = split(space, both.sample(random.Random(3)))
    assert set(choices) == set(parameter_names(space)) and "learning_rate" in rest


def test_a_label_can_be_restricted_to_some_of_its_options() -> None:
    space = preset("notes-net")
    first = space.mutables[0].option(0)
    only = read_search_space(
        {"conv1": {"_type": "choice", "_value": [first]}, "skip": {"_type": "choice", "_value": [[0]]}}
    )
    both = joint(space, only)
    assert both.names == ("conv1", "skip", "mid_conv") and both.size == 2
    assert split(space, both.sample(random.Random(0)))[1]["skip"] == [0]


@pytest.mark.parametrize(
    ("form", "words"),
    [
        (
            {"conv1": {"_type": "choice", "_value": ["conv9"]}},
            "conv1 offers 'conv9', which the network does not",
        ),
        ({"skip": {"_type": "choice", "_value": [[0], [1]]}}, "skip offers [1]"),
        ({"skip": {"_type": "choice", "_value": [0]}}, "skip offers 0"),
        ({"conv1": {"_type": "uniform", "_value": [0, 1]}}, "conv1 is a uniform, but it stands for a choice"),
        ({"conv1": {"_type": "choice", "_value": [{"_name": "a"}]}}, "conv1 is a nested choice"),
        ({"combine_params": {"_type": "choice", "_value": [{"a": 1}]}}, "lists complete assignments"),
    ],
)
def test_a_restriction_that_the_network_cannot_keep_is_told(form: dict[str, Any], words: str) -> None:
    space = preset("notes-net")
    (problem,) = joint_problems(space, read_search_space(form))
    assert words in problem and problem.endswith(".")
    with pytest.raises(SpecError):
        joint(space, read_search_space(form))


def test_a_choice_with_too_many_options_is_refused_until_it_is_restricted() -> None:
    layers = tuple(Layer(f"l{at}", Operation("identity")) for at in range(21))
    skip = InputChoice("skip", tuple(layer.name for layer in layers[:20]), "l20")
    space = MacroSpace("s", Input(1, 8), layers=layers, skips=(skip,))
    assert "skip has 1,048,576 options" in joint_problems(space, TRAIN)[0]
    some = read_search_space({"skip": {"_type": "choice", "_value": [[], [0], [19]]}})
    assert joint(space, some).size == 3


def test_too_many_parameters_together_are_refused() -> None:
    many = read_search_space({f"x{at}": {"_type": "choice", "_value": [1]} for at in range(299)})
    assert "301 parameters" in joint_problems(_layers("a", "b"), many)[0]
