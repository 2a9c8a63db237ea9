"""NNI's model spaces: the same choices, and frozen the same network as ours for the same weights."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from numpy.random import RandomState
from torch import nn

from explorer.errors import SpaceError
from explorer.nets.model_space import SpaceModel, build_model_space, weight_names
from explorer.nets.network import NetworkModule
from explorer.nets.nni_modules import model_context
from explorer.nets.samples import from_nni_sample, to_nni_sample
from explorer.space import (
    Architecture,
    DartsSpace,
    Input,
    InputChoice,
    Layer,
    LayerChoice,
    MacroSpace,
    Operation,
    SearchSpace,
    ValueChoice,
    load_space,
    preset,
)
from tests.nets.spaces import changing
from tests.space.generated import darts_spaces, macro_spaces


def carry_weights(space: SearchSpace, architecture: Mapping[str, Any], frozen: nn.Module) -> NetworkModule:
    """Our network with the weights of NNI's; both must have exactly the same ones."""
    network, names = NetworkModule(space.lower(architecture)), weight_names(space, architecture)
    theirs = frozen.state_dict()
    ours = {}
    for key in network.state_dict():
        node, _, rest = key.partition(".")
        ours[key] = theirs[f"{names[node]}.{rest}"]
    assert len(ours) == len(theirs), f"{set(theirs)} has more than {set(ours)}"
    network.load_state_dict(ours)
    return network


def check_equal(space: SearchSpace, architecture: Architecture, frozen: nn.Module, seed: int) -> None:
    ours = carry_weights(space, architecture, frozen)
    images = torch.randn(3, *space.input.shape, generator=torch.Generator().manual_seed(seed))
    for mode in (True, False):  # batch statistics, then running statistics
        assert torch.equal(ours.train(mode)(images), frozen.train(mode)(images)), architecture


def by_freezing(space: SearchSpace, architecture: Architecture) -> nn.Module:
    frozen: nn.Module = build_model_space(space).freeze(to_nni_sample(space, architecture))
    return frozen


def in_context(space: SearchSpace, architecture: Architecture) -> nn.Module:
    with model_context(to_nni_sample(space, architecture)):
        return build_model_space(space)


WAYS = [by_freezing, in_context]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_every_frozen_notes_net_equals_the_plain_network(way: Any, seed: int) -> None:
    space = preset("notes-net")
    torch.manual_seed(seed)
    for architecture in space:
        check_equal(space, architecture, way(space, architecture), seed)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_frozen_cells_equal_the_plain_network(way: Any, seed: int) -> None:
    space = preset("cell")
    torch.manual_seed(seed)
    for architecture in space.sample(12, random.Random(seed)):
        check_equal(space, architecture, way(space, architecture), seed)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", ["darts-cell", "enas-macro"])
def test_frozen_darts_cells_and_enas_networks_equal_the_plain_network(way: Any, name: str) -> None:
    torch.manual_seed(0)
    for space in (preset(name), preset(name).bound_to(2, 9, 7)):
        (architecture,) = space.sample(1, random.Random(1))
        check_equal(space, architecture, way(space, architecture), 0)


@pytest.mark.slow
@pytest.mark.parametrize("way", WAYS)
@settings(max_examples=25, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(space=macro_spaces())
def test_frozen_generated_spaces_equal_the_plain_network(way: Any, space: SearchSpace) -> None:
    """With widths to choose and skips from everywhere; spaces that cannot run are another test's business."""
    for architecture in space.sample(3, random.Random(0)):
        check_equal(space, architecture, way(space, architecture), 0)


@pytest.mark.slow
@pytest.mark.parametrize("way", WAYS)
@settings(max_examples=8, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
@given(space=darts_spaces())
def test_frozen_generated_darts_cells_equal_the_plain_network(way: Any, space: SearchSpace) -> None:
    for architecture in space.sample(2, random.Random(0)):
        check_equal(space, architecture, way(space, architecture), 0)


def test_a_cell_on_another_dataset_takes_over_its_shape_and_classes() -> None:
    space = preset("cell").bound_to(3, 12, 7)
    architecture = space.from_code("340213")
    frozen = by_freezing(space, architecture)
    check_equal(space, architecture, frozen, 0)
    assert frozen(torch.zeros(2, 3, 12, 12)).shape == (2, 7)


def test_the_align_convolution_exists_only_where_the_skip_is_chosen() -> None:
    space = preset("notes-net")
    for code, expected in (("000", False), ("001", True)):
        for way in WAYS:
            names = [name for name, _ in way(space, space.from_code(code)).named_parameters()]
            assert any("from_0" in name for name in names) == expected


def test_nni_sees_our_labels_and_candidates() -> None:
    simple = build_model_space(preset("notes-net")).simplify()
    assert list(simple["conv1"].values) == ["conv3x3", "conv5x5"]
    assert simple["skip"].n_chosen is None
    assert set(simple) == {"conv1", "mid_conv", "skip"}
    edges = build_model_space(preset("cell")).simplify()
    assert len(edges) == 6
    assert list(edges["edge_0_1"].values) == list(preset("cell").operations)


def darts(**changes: Any) -> DartsSpace:
    space = preset("darts-cell")
    assert isinstance(space, DartsSpace)
    return replace(space, **changes)


@pytest.mark.parametrize(
    "space",
    [
        pytest.param(preset("notes-net"), id="notes-net"),
        pytest.param(darts(operations=("none", "skip_connect")), id="darts", marks=pytest.mark.slow),
    ],
)
def test_nnis_own_random_samples_are_architectures_of_the_space(space: SearchSpace) -> None:
    model, dice = build_model_space(space), RandomState(0)
    seen = set()
    for _ in range(60):
        sample: dict[str, Any] = {}
        model.random(sample, random_state=dice)
        seen.add(from_nni_sample(space, sample))
    assert seen == set(space)


def test_nni_sees_the_choices_of_a_darts_cell() -> None:
    simple = build_model_space(preset("darts-cell")).simplify()
    assert set(simple) == {mutable.label.replace("/", "_") for mutable in preset("darts-cell").mutables}
    assert (list(simple["reduce_inputs_3"].values), simple["reduce_inputs_3"].n_chosen) == ([0, 1, 2], 2)
    assert "none" not in simple["normal_op_2_0"].values


def test_a_darts_cell_holds_every_operation_of_every_edge_and_freezing_shares_what_it_keeps() -> None:
    space = darts(nodes=2)
    model = build_model_space(space)
    names = [f"from_{source}" for source in range(3)]
    assert [name for name, _ in model.parts["cell2_node_3"].named_children()] == names
    assert all(list(getattr(model.parts["cell2_node_3"], name)) == list(space.operations) for name in names)
    architecture = space.sample(1, random.Random(2))[0]
    theirs = dict(model.named_parameters())
    frozen = dict(model.freeze(to_nni_sample(space, architecture)).named_parameters())
    edges = [name for name in frozen if ".from_" in name]
    assert edges and all(frozen[name] is theirs[name] for name in edges)
    assert {name.split(".")[3] for name in edges} < set(architecture.values())


def test_freezing_keeps_the_weights_of_a_trained_space() -> None:
    space = preset("notes-net")
    model = build_model_space(space)
    frozen = model.freeze(to_nni_sample(space, space.from_code("111")))
    assert torch.equal(frozen.parts["mid_conv"].weight, model.parts["mid_conv"]["conv5x5"].weight)
    assert torch.equal(frozen.parts["func1"].weight, model.parts["func1"].weight)


def test_the_unfrozen_space_runs_too() -> None:
    assert build_model_space(preset("notes-net"))(torch.zeros(2, 3, 32, 32)).shape == (2, 10)


def test_a_model_space_can_be_built_again_from_what_nni_recorded() -> None:
    """NNI sends the constructor's arguments to other processes, so they must be plain and enough."""
    model = build_model_space(preset("cell").bound_to(1, 8, 4))
    again = SpaceModel(*model.trace_args, **model.trace_kwargs)
    assert again(torch.zeros(2, 1, 8, 8)).shape == (2, 4)


def test_a_space_that_cannot_run_is_refused_with_every_problem() -> None:
    with pytest.raises(SpaceError) as caught:
        build_model_space(preset("notes-net-as-written"))
    assert len(caught.value.problems) == 2


@pytest.mark.slow
@pytest.mark.parametrize("way", WAYS)
def test_values_that_change_shapes_downstream_freeze_to_the_plain_network(way: Any) -> None:
    space = changing()
    for architecture in space.sample(24, random.Random(3)):
        check_equal(space, architecture, way(space, architecture), 0)


def test_values_are_nni_choices() -> None:
    simple = build_model_space(changing()).simplify()
    assert list(simple["width"].values) == [4, 6]
    assert list(simple["bias"].values) == [True, False]
    assert set(simple) == {mutable.label.replace(" ", "_") for mutable in changing().mutables}


@pytest.mark.parametrize("way", WAYS)
def test_hostile_names_reach_nni_as_names_that_it_takes(way: Any) -> None:
    """Labels with slashes, candidates called like NNI's own attributes, names that differ only in punctuation."""
    conv = Operation("conv2d", {"out_channels": 3, "kernel_size": 3, "padding": 1})
    candidates = (
        ("names", conv),
        ("choice", Operation("identity")),
        ("a.b", conv),
        ("a/b", conv),
        ("forward", conv),
    )
    space = MacroSpace(
        "hostile",
        Input(3, 6),
        layers=(
            Layer("parts", LayerChoice("parts", candidates)),
            Layer("a/b", Operation("conv2d", {"out_channels": ValueChoice("_/", (2, 4))})),
            Layer("a.b", Operation("global_avg_pool")),
            Layer('");raise SystemExit', Operation("linear", {"out_features": 2})),
        ),
        skips=(InputChoice("freeze", ("input",), "a/b"), InputChoice("s/k", ("parts", "input"), "a/b")),
    )
    for architecture in space.sample(20, random.Random(0)):
        assert from_nni_sample(space, to_nni_sample(space, architecture)) == architecture
        check_equal(space, architecture, way(space, architecture), 0)


def test_a_sample_that_is_no_architecture_is_refused() -> None:
    space = load_space("notes-net")
    with pytest.raises(SpaceError, match="skip"):
        from_nni_sample(space, {"conv1": "conv3x3", "mid_conv": "conv3x3"})
