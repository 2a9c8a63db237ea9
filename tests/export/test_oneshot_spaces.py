"""Generated code of the spaces for one-shot search: what it computes, and that NNI takes it for a space."""

from __future__ import annotations

import random
import re

import pytest

from explorer.export.darts_code import edge
from explorer.export.nni_code import nni_code
from explorer.export.torch_code import torch_code
from explorer.export.writing import HELPERS, LOCAL, helpers
from explorer.space import (
    CellSpace,
    DartsSpace,
    Input,
    Layer,
    LayerChoice,
    MacroSpace,
    Operation,
    SearchSpace,
    ValueChoice,
    full_edges,
    preset,
)
from explorer.space.darts import PRIMITIVES
from tests.export.test_code import Load, check_equal, load

__all__ = ["load"]  # the fixture that writes code to a file and imports it


def every_primitive() -> DartsSpace:
    """One node a cell, so that a dozen architectures show every primitive at stride 1 and at stride 2."""
    return DartsSpace("small", Input(2, 6), nodes=1, cells=4, channels=2, stem_multiplier=2, classes=3)


def blocks(size: int | ValueChoice = 3, is_narrowed: bool = False) -> MacroSpace:
    """Both ENAS blocks with widths to choose; behind a choice of widths when `is_narrowed`."""
    wide = ValueChoice("width", (4, 6))
    first = wide if is_narrowed else 5
    both = tuple(
        (name, Operation(name, {"out_channels": wide, "kernel_size": size}))
        for name in ("conv_bn_relu", "sep_conv_bn_relu")
    )
    return MacroSpace(
        "blocks",
        Input(2, 6),
        layers=(
            Layer("stem", Operation("conv_bn_relu", {"out_channels": first, "kernel_size": 1})),
            Layer("block", LayerChoice("block", both)),
            Layer("pool", Operation("global_avg_pool")),
            Layer("head", Operation("linear", {"out_features": 3})),
        ),
    )


def test_both_codes_of_a_darts_space_compute_the_same_with_every_primitive(load: Load) -> None:
    space = every_primitive()
    for operation in space.derivable:
        choices = {
            mutable.label: operation if isinstance(mutable, LayerChoice) else (0, 1)
            for mutable in space.mutables
        }
        architecture = space.architecture(choices)
        check_equal(space, architecture, load(torch_code(space, architecture)).Net())
        check_equal(space, architecture, load(nni_code(space, architecture)).frozen_network())


@pytest.mark.slow
@pytest.mark.parametrize("name", ["darts-cell", "enas-macro"])
def test_both_codes_of_the_presets_compute_the_same(load: Load, name: str) -> None:
    settings = {"nodes": 4, "cells": 6, "channels": 2} if name == "darts-cell" else {"layers": 8}
    for space in (preset(name), preset(name, **settings), preset(name).bound_to(3, 7, 4)):
        for architecture in space.sample(3, random.Random(0)):
            check_equal(space, architecture, load(torch_code(space, architecture)).Net())
            check_equal(space, architecture, load(nni_code(space, architecture)).frozen_network())


@pytest.mark.parametrize("mutant", ["stride=1", "kernel_size // 2 + 1"])
def test_the_comparison_rejects_code_with_another_stride_or_padding(load: Load, mutant: str) -> None:
    space = every_primitive()
    chosen = {
        mutable.label: "sep_conv_3x3" if isinstance(mutable, LayerChoice) else (0, 1)
        for mutable in space.mutables
    }
    architecture = space.architecture(chosen)
    code = torch_code(space, architecture)
    wrong = (
        code.replace("stride=2)", "stride=1)")
        if mutant == "stride=1"
        else code.replace("padding = kernel_size // 2", f"padding = {mutant}")
    )
    assert wrong != code
    with pytest.raises((AssertionError, RuntimeError)):
        check_equal(space, architecture, load(wrong).Net())


@pytest.mark.filterwarnings("ignore:Lazy modules are a new feature")
@pytest.mark.parametrize(
    "space",
    [blocks(), blocks(is_narrowed=True), blocks(ValueChoice("size", (1, 3)), is_narrowed=True)],
    ids=["width", "shape open", "window and shape open"],
)
def test_both_codes_of_the_enas_blocks_follow_values_to_choose(load: Load, space: MacroSpace) -> None:
    for architecture in (space.default, space.architecture_at(space.size - 1)):
        check_equal(space, architecture, load(torch_code(space, architecture)).Net())
        check_equal(space, architecture, load(nni_code(space, architecture)).frozen_network())


def test_a_cell_space_may_use_darts_operations(load: Load) -> None:
    operations = ("max_pool_3x3", "sep_conv_3x3", "sep_conv_5x5", "dil_conv_3x3", "dil_conv_5x5")
    space = CellSpace("mixed", Input(1, 6), edges=full_edges(4), operations=operations, channels=2, stages=1)
    for architecture in (space.from_code("012340"), space.from_code("443210")):
        check_equal(space, architecture, load(torch_code(space, architecture)).Net())
        check_equal(space, architecture, load(nni_code(space, architecture)).frozen_network())


def test_nni_counts_every_pair_of_inputs_of_a_darts_node(load: Load) -> None:
    space = preset("darts-cell")
    simple = load(nni_code(space)).Net().simplify()
    assert set(simple) == {
        f"{kind}/{what}_{target}_{at}"
        for kind in ("normal", "reduce")
        for what in ("op", "input")
        for target in (2, 3)
        for at in (0, 1)
    }
    assert list(simple["normal/op_3_1"].values) == list(PRIMITIVES[1:])
    assert "reads" not in nni_code(preset("cell")) and "read one input twice" in nni_code(space)


def test_what_passes_unchanged_has_no_module() -> None:
    assert edge("skip_connect", 1) is None and edge("skip_connect", 2) is not None


@pytest.mark.parametrize("space", [preset("cell"), preset("notes-net")], ids=lambda space: space.name)
def test_spaces_without_new_operations_get_none_of_their_helpers(space: SearchSpace) -> None:
    code = torch_code(space, space.default) + nni_code(space)
    assert not [name for name in HELPERS if re.search(rf"(def|class) {name}\b", code)]


def test_helpers_are_taken_in_when_called_and_their_names_are_nobodys_label() -> None:
    assert set(HELPERS) <= LOCAL
    for name in HELPERS:
        assert f" {name}(" in helpers(f"self.a = {name}(3)")
        assert helpers(f"self.a = {name}_of_mine(3)") == ""
