"""Frozen networks: wiring, names, and costs equal to what torch measures for whole architectures."""

from __future__ import annotations

import random

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer.errors import SpaceError
from explorer.nets.network import NetworkModule, module_names
from explorer.space import (
    Input,
    InputChoice,
    Layer,
    MacroSpace,
    Network,
    Node,
    Operation,
    SearchSpace,
    preset,
)
from tests.nets.measuring import parameters, run
from tests.space.generated import darts_spaces, macro_spaces


def check_costs(space: SearchSpace, count: int) -> None:
    for architecture in space.sample(count, random.Random(1)):
        network = space.lower(architecture)
        module = NetworkModule(network)
        assert parameters(module) == network.parameters, architecture
        assert run(module, network.input_shape) == (network.output_shape, network.macs), architecture


def test_costs_of_every_notes_net_are_what_torch_measures() -> None:
    check_costs(preset("notes-net"), 8)


@pytest.mark.slow
def test_costs_of_two_hundred_cells_are_what_torch_measures() -> None:
    check_costs(preset("cell"), 200)


def test_costs_of_cells_are_what_torch_measures() -> None:
    check_costs(preset("cell"), 30)


@pytest.mark.parametrize("name", ["darts-cell", "enas-macro"])
def test_costs_of_other_presets_are_what_torch_measures(name: str) -> None:
    check_costs(preset(name), 3)
    check_costs(preset(name).bound_to(3, 9, 7), 2)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(space=macro_spaces())
def test_costs_of_generated_networks_are_what_torch_measures(space: SearchSpace) -> None:
    check_costs(space, 4)


@pytest.mark.slow
@settings(max_examples=40, deadline=None, derandomize=True)
@given(space=darts_spaces())
def test_costs_of_generated_darts_cells_are_what_torch_measures(space: SearchSpace) -> None:
    check_costs(space, 3)


def test_a_network_computes_what_its_graph_says() -> None:
    """Two branches and their sum, against the same arithmetic by hand."""
    network = Network(
        (1, 4, 4),
        (
            Node("a", "relu", ("input",)),
            Node("b", "avg_pool_3x3", ("input",)),
            Node("sum", "add", ("a", "b", "input")),
        ),
    )
    images = torch.randn(2, 1, 4, 4, generator=torch.Generator().manual_seed(0))
    means = torch.nn.functional.avg_pool2d(images, 3, 1, 1, count_include_pad=False)
    torch.testing.assert_close(NetworkModule(network)(images), images.relu() + means + images)


def test_the_skip_of_notes_net_adds_an_aligned_copy() -> None:
    space = preset("notes-net")
    module = NetworkModule(space.lower(space.from_code("001"))).eval()
    images = torch.randn(2, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    mid = module.mid_conv(module.pool1(module.relu1(module.conv1(images))))
    aligned = module.skip_0.conv(mid)[:, :, 2:14, 2:14]  # (2, 16, 12, 12)
    features = module.pool2(torch.relu(module.conv2(mid) + aligned)).flatten(1)  # (2, 576)
    expected = module.func3(torch.relu(module.func2(torch.relu(module.func1(features)))))
    torch.testing.assert_close(module(images), expected)


def test_an_architecture_that_cannot_run_is_refused_with_every_problem() -> None:
    space = preset("notes-net-as-written")
    with pytest.raises(SpaceError) as caught:
        NetworkModule(space.lower(space.from_code("001")))
    assert len(caught.value.problems) == 2


@given(st.lists(st.text(max_size=6), unique=True, max_size=12))
def test_module_names_are_distinct_and_torch_takes_them(names: list[str]) -> None:
    given_names = module_names(names)
    assert list(given_names) == names
    assert len(set(given_names.values())) == len(names)
    root, nested = torch.nn.Module(), torch.nn.ModuleDict()
    for name in given_names.values():
        root.add_module(name, torch.nn.Identity())
        nested[name] = torch.nn.Identity()


@pytest.mark.parametrize(
    "name", ["forward", "a.b", "state_dict", "", "training", "keys", "importlib; import os", "ü"]
)
def test_a_layer_may_be_called_anything(name: str) -> None:
    space = MacroSpace(
        "odd",
        Input(1, 4),
        layers=(
            Layer(name, Operation("conv2d", {"out_channels": 2})),
            Layer("a/b", Operation("relu")),
            Layer("a_b", Operation("global_avg_pool")),
        ),
        skips=(InputChoice("a", ("input",), "a/b"),),
    )
    for architecture in space:
        if not space.lower(architecture).problems:
            assert NetworkModule(space.lower(architecture))(torch.zeros(1, 1, 4, 4)).shape == (1, 2)
