"""Code for NNI 1.x: under a stand-in for that NNI's mutables it computes what our own network computes.

NNI 1.x cannot be installed beside the NNI of this app, so `nni.nas.pytorch.mutables` is played by the classes below:
they decide as a fixed architecture of NNI 1.x does, and refuse what it refuses.
"""

from __future__ import annotations

import ast
import random
import subprocess
import sys
from collections.abc import Mapping
from types import ModuleType
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from torch import nn

from explorer.catalogue import SPACES
from explorer.errors import SpaceError
from explorer.export.nni1_code import nni1_code
from explorer.export.torch_code import torch_code
from explorer.space import (
    Architecture,
    CellSpace,
    Input,
    InputChoice,
    Layer,
    LayerChoice,
    MacroSpace,
    Operation,
    SearchSpace,
    preset,
)
from tests.export.test_code import HOSTILE, Load, check_equal, load
from tests.nets.spaces import changing
from tests.space.generated import macro_spaces

__all__ = ["load"]  # a fixture of the siblings' tests
WRITTEN = [name for name in SPACES if name not in ("notes-net-as-written", "darts-cell")]


class Mutable(nn.Module):
    """Knows its key; runs only after something has been decided for it."""

    def __init__(self, key: str | None = None) -> None:
        super().__init__()
        assert isinstance(key, str), (
            "the code must name its keys: a counter would depend on what was built before"
        )
        self.key = key
        self.chosen: tuple[int, ...] | None = None

    def _picked(self) -> tuple[int, ...]:
        if self.chosen is None:
            raise ValueError(f"Mutator not set for {self.key}.")
        return self.chosen


class OneOf(Mutable):
    """LayerChoice: runs one of a list of modules; other numbers of them are a mutator's affair."""

    def __init__(
        self,
        op_candidates: list[nn.Module],
        reduction: str = "sum",
        return_mask: bool = False,
        key: Any = None,
    ) -> None:
        super().__init__(key)
        assert isinstance(op_candidates, list) and reduction == "sum" and not return_mask
        self.length = len(op_candidates)
        for number, candidate in enumerate(op_candidates):
            self.add_module(str(number), candidate)

    def forward(self, *inputs: torch.Tensor) -> torch.Tensor:
        (number,) = self._picked()
        out: torch.Tensor = self.get_submodule(str(number))(*inputs)
        return out


class SomeOf(Mutable):
    """InputChoice: any number where n_chosen is None; the sum, or None when nothing is chosen."""

    def __init__(
        self,
        n_candidates: int | None = None,
        choose_from: Any = None,
        n_chosen: int | None = None,
        reduction: str = "sum",
        return_mask: bool = False,
        key: Any = None,
    ) -> None:
        super().__init__(key)
        assert n_candidates is not None and choose_from is None and reduction == "sum" and not return_mask
        assert n_candidates > 0 and (n_chosen is None or 0 <= n_chosen <= n_candidates)
        self.n_candidates, self.n_chosen = n_candidates, n_chosen

    def forward(self, optional_inputs: list[torch.Tensor]) -> torch.Tensor | None:
        assert isinstance(optional_inputs, list) and len(optional_inputs) == self.n_candidates
        picked = [optional_inputs[number] for number in self._picked()]
        assert self.n_chosen in (None, len(picked))
        return torch.stack(picked).sum(0) if picked else None


@pytest.fixture(scope="module", autouse=True)
def nni1() -> Any:
    """`from nni.nas.pytorch import mutables` gives the stand-in."""
    names = ("nni", "nni.nas", "nni.nas.pytorch", "nni.nas.pytorch.mutables")
    packages = {name: ModuleType(name) for name in names}
    for name, package in packages.items():
        parent, _, child = name.rpartition(".")
        if parent:
            setattr(packages[parent], child, package)
    mutables: Any = packages["nni.nas.pytorch.mutables"]
    mutables.LayerChoice, mutables.InputChoice = OneOf, SomeOf
    with pytest.MonkeyPatch.context() as patch:
        for name, package in packages.items():
            patch.setitem(sys.modules, name, package)
        yield


def decide(network: nn.Module, space: SearchSpace, architecture: Mapping[str, Any]) -> nn.Module:
    """What NNI 1.x's apply_fixed_architecture does: one decision a key, none missing, none left over."""
    chosen = space.architecture(architecture)
    decisions = {
        one.label: (one.names.index(chosen[one.label]),)
        if isinstance(one, LayerChoice)
        else chosen[one.label]
        for one in space.mutables
    }
    found = [each for each in network.modules() if isinstance(each, Mutable)]
    assert {each.key for each in found} == set(decisions)
    for each in found:
        each.chosen = tuple(decisions[each.key])
    return network


def check_architecture(load: Load, space: SearchSpace, architecture: Architecture) -> None:
    """Output as our network's, and as many parameters in use as the space counts and the plain code has."""
    network = decide(load(nni1_code(space)).Net(), space, architecture)
    check_equal(space, architecture, network)
    plain = load(torch_code(space, architecture)).Net()
    used = sum(weight.numel() for weight in network.parameters() if weight.grad is not None)
    reached = space.lower(architecture)
    if reached.is_connected:
        plain(torch.randn(2, *space.input.shape)).sum().backward()
        assert used == sum(weight.numel() for weight in plain.parameters() if weight.grad is not None)
    if isinstance(space, MacroSpace):  # in a chain every weight counts
        assert used == reached.parameters


@pytest.mark.parametrize("name", WRITTEN)
def test_the_code_of_every_preset_computes_what_the_space_says(load: Load, name: str) -> None:
    space = preset(name)
    if isinstance(space, CellSpace):
        space = space.bound_to(1, 8, 7)
    last = space.architecture_at(space.size - 1)
    for architecture in (space.default, last, *space.sample(min(6, space.size), random.Random(0))):
        check_architecture(load, space, architecture)


@pytest.mark.slow
@settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(space=macro_spaces())
def test_generated_spaces_compute_the_same_or_are_refused_in_one_sentence(
    load: Load, space: MacroSpace
) -> None:
    try:
        nni1_code(space)
    except SpaceError as refused:
        assert len(refused.problems) == 1 and "NNI 1.x" in str(refused)
        return
    check_architecture(load, space, space.sample(1, random.Random(0))[0])


def test_a_skip_is_one_more_choice_with_the_same_key_as_in_the_space(load: Load) -> None:
    network = load(nni1_code(preset("notes-net"))).Net()
    choices = {each.key: each for each in network.modules() if isinstance(each, Mutable)}
    assert {key: type(each) for key, each in choices.items()} == {
        "conv1": OneOf,
        "mid_conv": OneOf,
        "skip": SomeOf,
    }
    assert choices["skip"].n_candidates == 1 and choices["skip"].n_chosen is None


def test_undecided_the_network_does_not_run_as_in_nni_1(load: Load) -> None:
    with pytest.raises(ValueError, match="Mutator not set"):
        load(nni1_code(preset("notes-net"))).Net()(torch.zeros(1, 3, 32, 32))


def test_the_code_stands_alone() -> None:
    for name, allowed in (("notes-net", {"torch", "nni"}), ("blank", {"torch"})):
        tree = ast.walk(ast.parse(nni1_code(preset(name))))
        imported = {
            word.split(".")[0]
            for node in tree
            for word in (
                [alias.name for alias in node.names]
                if isinstance(node, ast.Import)
                else [node.module or ""]
                if isinstance(node, ast.ImportFrom)
                else []
            )
        }
        assert imported == allowed


def test_writing_it_loads_neither_torch_nor_nni() -> None:
    script = (
        "import sys; from explorer.export.nni1_code import nni1_code; from explorer.space import preset; "
        "nni1_code(preset('cell')); assert not {'torch', 'nni'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", script], check=True, timeout=60)


def test_what_cannot_run_is_refused_with_every_problem() -> None:
    with pytest.raises(SpaceError) as caught:
        nni1_code(preset("notes-net-as-written"))
    assert len(caught.value.problems) == 2


def test_a_choice_of_values_is_refused_in_one_sentence_with_its_label() -> None:
    with pytest.raises(SpaceError, match="never among values, but 'width' is a choice of 2 values") as caught:
        nni1_code(changing())
    assert len(caught.value.problems) == 1


def test_candidates_that_change_the_shape_behind_them_are_refused() -> None:
    wide, narrow = (Operation("conv2d", {"out_channels": width, "kernel_size": 1}) for width in (4, 8))
    space = MacroSpace(
        "own",
        Input(1, 6),
        layers=(
            Layer("first", LayerChoice("first", (("wide", wide), ("narrow", narrow)))),
            Layer("pool", Operation("global_avg_pool")),
            Layer("head", Operation("linear", {"out_features": 2})),
        ),
    )
    with pytest.raises(SpaceError, match="the candidates of 'first' give different shapes") as caught:
        nni1_code(space)
    assert len(caught.value.problems) == 1


def test_darts_cells_are_refused_with_what_to_take_instead() -> None:
    with pytest.raises(SpaceError, match="'darts-cell' is of the darts family; take its NNI 3 code"):
        nni1_code(preset("darts-cell"))


@pytest.mark.parametrize("name", [*HOSTILE, "mutables", "chosen", "key"])
def test_no_name_breaks_out_of_the_code(load: Load, name: str) -> None:
    conv = Operation("conv2d", {"out_channels": 3, "kernel_size": 3, "padding": 1})
    space = MacroSpace(
        name,
        Input(3, 6),
        title=name,
        remarks=(name,),
        layers=(
            Layer(name, LayerChoice(name, ((name, conv), (name + "'", Operation("identity"))))),
            Layer(name + ".", Operation("conv2d", {"out_channels": 4})),
            Layer(name + "/", Operation("global_avg_pool")),
            Layer(name + " ", Operation("linear", {"out_features": 2})),
        ),
        skips=(
            InputChoice(name + "-", (name, "input"), name + "."),
            InputChoice(name + "+", (name,), name + ".", n_chosen=1),
        ),
    )
    for architecture in (space.default, space.architecture_at(space.size - 1)):
        check_architecture(load, space, architecture)
