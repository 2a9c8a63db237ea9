"""Decisions and paths: every architecture is a path and back; what no supernet can hold is one sentence."""

from __future__ import annotations

import random
from collections import Counter
from typing import Any

import pytest
from hypothesis import given, settings

from explorer.errors import SpaceError
from explorer.space import (
    CellSpace,
    DartsSpace,
    Input,
    InputChoice,
    Layer,
    LayerChoice,
    MacroSpace,
    Operation,
    SearchSpace,
    ValueChoice,
    architecture_of,
    decisions,
    path_of,
    preset,
    supernet_problems,
)
from tests.space.generated import macro_spaces

NAMES = ("cell", "notes-net", "enas-macro", "darts-cell")


def relu_chain(*skips: InputChoice, first: LayerChoice | None = None) -> MacroSpace:
    layers = tuple(Layer(f"layer_{at}", Operation("relu")) for at in range(4))
    chosen = first or LayerChoice("one", (("a", Operation("relu")), ("pass", Operation("identity"))))
    return MacroSpace("macro", Input(1, 8), layers=(Layer("one", chosen), *layers), skips=skips)


def round_trips(space: SearchSpace, count: int) -> None:
    labels = [each.label for each in decisions(space)]
    for architecture in space.sample(count, random.Random(0)):
        path = path_of(space, architecture)
        assert list(path) == labels
        assert architecture_of(space, path) == architecture


@pytest.mark.parametrize("name", NAMES)
def test_an_architecture_is_a_path_and_back(name: str) -> None:
    round_trips(preset(name), 50)


@given(macro_spaces())
@settings(max_examples=40, deadline=None)
def test_so_it_is_in_any_macro_space_that_a_supernet_can_hold(space: MacroSpace) -> None:
    if not supernet_problems(space):
        round_trips(space, 10)


@pytest.mark.parametrize("name", NAMES)
def test_different_architectures_are_different_paths(name: str) -> None:
    space = preset(name)
    paths = {tuple(path_of(space, each).values()) for each in space.sample(300, random.Random(1))}
    assert len(paths) == min(300, space.size)


def test_a_cell_decides_on_every_edge_by_the_node_it_feeds() -> None:
    made = decisions(preset("cell"))
    assert [each.label for each in made] == [mutable.label for mutable in preset("cell").mutables]
    assert Counter(each.group for each in made) == {"node_1": 1, "node_2": 2, "node_3": 3}
    assert {(each.nones, each.skips, each.kind) for each in made} == {((0,), (1,), "operation")}


def test_a_darts_cell_decides_on_all_edges_though_two_a_node_are_kept() -> None:
    space = preset("darts-cell", nodes=4)
    made = decisions(space)
    assert len(made) == 2 * 14
    assert Counter(each.group for each in made)["reduce/node_5"] == 5
    path = path_of(space, space.default)
    assert Counter(value is None for value in path.values()) == {False: 16, True: 12}


def test_a_skip_of_any_number_is_a_switch_a_source_and_a_fixed_number_one_decision() -> None:
    free = InputChoice("any", ("one", "layer_0"), "layer_2", None, "none")
    fixed = InputChoice("two", ("one", "layer_0", "layer_1"), "layer_3", 2, "none")
    made = {each.label: each for each in decisions(relu_chain(free, fixed))}
    assert list(made) == ["one", "any/0", "any/1", "two"]
    assert made["one"].skips == (1,)  # the operation counts, not its name
    assert (made["any/1"].kind, made["any/1"].candidates, made["any/1"].group) == (
        "switch",
        ("off", "on"),
        "layer_2",
    )
    assert (made["two"].kind, made["two"].chosen, len(made["two"].candidates)) == ("inputs", 2, 3)
    path = path_of(relu_chain(free, fixed), {"one": "a", "any": [1], "two": [0, 2]})
    assert path == {"one": 0, "any/0": 0, "any/1": 1, "two": (0, 2)}


def conv(channels: Any, kernel: int = 3, padding: int = 1) -> Operation:
    return Operation("conv2d", {"out_channels": channels, "kernel_size": kernel, "padding": padding})


WIDTHS = LayerChoice("one", (("narrow", conv(4)), ("wide", conv(8))))
FOUR = LayerChoice("one", (("3x3", conv(4)), ("5x5", conv(4, 5, 2))))
UNFIT = {
    "nothing to choose": relu_chain(first=LayerChoice("one", (("a", Operation("relu")),))),
    "chooses values": relu_chain(first=LayerChoice("one", (("a", conv(ValueChoice("width", (4, 8)))),))),
    "before or at 'one'": relu_chain(first=WIDTHS),
    "skip 'jump' adds": relu_chain(InputChoice("jump", ("input",), "layer_2", None, "none"), first=FOUR),
    "cannot run": preset("notes-net-as-written"),
}


@pytest.mark.parametrize("words", UNFIT)
def test_what_a_supernet_cannot_hold_is_said(words: str) -> None:
    problems = supernet_problems(UNFIT[words])
    assert len(problems) == 1 and words in problems[0] and problems[0].endswith(".")
    with pytest.raises(SpaceError, match=words):
        decisions(UNFIT[words])


def test_an_aligned_skip_of_another_shape_is_no_problem() -> None:
    skip = InputChoice("jump", ("input",), "layer_2", None, "crop")
    assert not supernet_problems(relu_chain(skip, first=FOUR))
    assert not supernet_problems(
        relu_chain(InputChoice("jump", ("one",), "layer_2", None, "none"), first=FOUR)
    )


CELL = CellSpace("pair", Input(1, 8), nodes=2, edges=((0, 1),), operations=("none", "nor_conv_3x3"))
DARTS = DartsSpace("small", Input(1, 8), nodes=1)


@pytest.mark.parametrize(
    ("space", "path", "words"),
    [
        (CELL, {}, "does not say what runs at edge_0_1"),
        (CELL, {"edge_0_1": None}, "None at edge_0_1"),
        (CELL, {"edge_0_1": 2}, "from 0 to 1"),
        (CELL, {"edge_0_1": -1}, "from 0 to 1"),
        (CELL, {"edge_0_1": (1,)}, "from 0 to 1"),
        (DARTS, dict.fromkeys((each.label for each in decisions(DARTS)), None), "has 0 inputs"),
        (DARTS, dict.fromkeys((each.label for each in decisions(DARTS)), 0), "'none'"),
        (
            relu_chain(InputChoice("two", ("one", "layer_0"), "layer_3", 1, "none")),
            {"one": 0, "two": 1},
            "tuple",
        ),
        (
            relu_chain(InputChoice("two", ("one", "layer_0"), "layer_3", 1, "none")),
            {"one": 0, "two": (0, 1)},
            "exactly 1",
        ),
    ],
)
def test_a_path_that_leads_nowhere_is_refused(space: SearchSpace, path: Any, words: str) -> None:
    with pytest.raises(SpaceError, match=words):
        architecture_of(space, path)


def test_a_round_trip_notices_a_switch_read_backwards() -> None:
    """The mutant takes `off` for `on`."""
    space = preset("enas-macro")
    swapped = 0
    for architecture in space.sample(10, random.Random(0)):
        path = path_of(space, architecture)
        wrong = {label: 1 - at if "/" in label else at for label, at in path.items()}  # type: ignore[operator]
        swapped += architecture_of(space, wrong) != architecture
    assert swapped == 10
