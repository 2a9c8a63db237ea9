"""Every column names an element that the drawing has, and every choice of the drawing has a column."""

from __future__ import annotations

import random

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from explorer.catalogue import SPACES
from explorer.plots import scene_of
from explorer.plots.drawn import still
from explorer.space import InputChoice, MacroSpace, SearchSpace, ValueChoice, decisions, path_of, preset
from explorer.space.decisions import OFF, ON
from explorer.space.restrict import Restriction, restrict
from tests.plots.drawn.stories import candidates, elements, frames, starts
from tests.space.generated import darts_spaces, macro_spaces

SPACES_DRAWN = [preset(name) for name in sorted(SPACES)] + [
    preset("darts-cell", nodes=4),
    preset("enas-macro", layers=3),
]


def check_names(space: SearchSpace) -> None:
    """Columns name elements; undecided elements are named."""
    drawn = still(space, space.default)
    ids = {form["i"] for form in (*drawn["scene"]["nodes"], *drawn["scene"]["edges"])}
    named = {name for row in elements(drawn) for name in row}
    assert named <= ids
    scene = scene_of(space)
    undecided = {edge.id for edge in scene.edges if edge.state == "open"}
    undecided |= {node.id for node in scene.nodes if node.state == "open" and node.kind != "sum"}
    assert undecided <= named


@pytest.mark.parametrize("space", SPACES_DRAWN, ids=lambda space: space.name)
def test_columns_and_elements_of_every_preset_find_each_other(space: SearchSpace) -> None:
    check_names(space)


@settings(max_examples=60, deadline=None)
@given(st.one_of(macro_spaces(), darts_spaces()))
def test_columns_and_elements_of_any_space_find_each_other(space: SearchSpace) -> None:
    assume(space.size > 1)
    check_names(space)


@settings(max_examples=60, deadline=None)
@given(st.one_of(macro_spaces(), darts_spaces()), st.integers(0, 2**32))
def test_rows_are_the_decisions_and_a_frame_is_the_path(space: SearchSpace, seed: int) -> None:
    assume(space.size > 1 and not any(isinstance(one, ValueChoice) for one in space.mutables))
    try:
        made = decisions(space)
    except ValueError:  # shapes that no supernet adds up
        assume(False)
    architecture = space.sample(1, random.Random(seed))[0]
    drawn = still(space, architecture)
    assert [(row["l"], row["k"]) for row in drawn["rows"]] == [(one.label, one.kind) for one in made]
    assert [len(row) for row in candidates(drawn)] == [len(one.candidates) for one in made]
    path, frame = path_of(space, architecture), frames(drawn)[0]
    for one, start in zip(made, starts(drawn), strict=True):
        held = path[one.label]
        taken = held if isinstance(held, tuple) else () if held is None else (held,)
        on = [at for at in range(len(one.candidates)) if frame[start + at] == 255]
        assert on == list(taken)


def test_a_switch_names_its_arc_twice_off_before_on() -> None:
    space = preset("enas-macro")
    drawn = still(space, space.default)
    rows = {
        row["l"]: (named, held)
        for row, named, held in zip(drawn["rows"], elements(drawn), candidates(drawn), strict=True)
    }
    assert rows["skip_2/0"][0] == ["skip_2", "skip_2"]  # a single source: the arc is called like its choice
    assert rows["skip_3/1"][0] == ["skip_3/1", "skip_3/1"]
    assert [name for name, _ in rows["skip_3/1"][1]] == [OFF, ON]


def test_sources_name_their_own_arcs_and_are_called_by_their_names() -> None:
    base = preset("notes-net")
    assert isinstance(base, MacroSpace)
    jump = InputChoice("jump", ("conv1", "pool1", "mid_conv"), "conv2", n_chosen=2)
    space = MacroSpace("own", base.input, layers=base.layers, skips=(jump,))
    drawn = still(space, space.default.with_choice("jump", (0, 2)))
    assert drawn["rows"][-1]["k"] == "inputs" and elements(drawn)[-1] == ["jump/0", "jump/1", "jump/2"]
    assert [name for name, _ in candidates(drawn)[-1]] == ["conv1", "pool1", "mid_conv"]
    assert list(frames(drawn)[0][-3:]) == [255, 0, 255]


def test_an_edge_of_a_darts_cell_that_is_not_kept_takes_no_column() -> None:
    space = preset("darts-cell", nodes=4)
    architecture = space.sample(1, random.Random(2))[0]
    frame = frames(still(space, architecture))[0]
    assert len(frame) == 2 * 14 * 8 and frame.count(255) == 2 * 4 * 2
    assert set(frame) == {0, 255}


def test_values_have_rows_at_their_layer_though_no_supernet_can_hold_them() -> None:
    base = preset("notes-net")
    assert isinstance(base, MacroSpace)
    wide = ValueChoice("width", (8, 16))
    layers = list(base.layers)
    first = layers[4]  # conv2, a fixed layer
    operation = type(first.content)("conv2d", {"out_channels": wide, "kernel_size": 5})  # type: ignore[call-arg, arg-type]
    layers[4] = type(first)(first.name, operation)
    space = MacroSpace("own", base.input, layers=tuple(layers), skips=())
    drawn = still(space, space.default.with_choice("width", 16))
    row = next(at for at, row in enumerate(drawn["rows"]) if row["l"] == "width")
    assert drawn["rows"][row]["k"] == "value" and elements(drawn)[row] == ["conv2", "conv2"]
    start = starts(drawn)[row]
    assert list(frames(drawn)[0][start : start + 2]) == [0, 255]


def test_chips_stand_in_the_order_of_their_rows_columns() -> None:
    space = preset("enas-macro")
    drawn = still(space, space.default)
    chips = {node["i"]: [chip[0] for chip in node.get("c", [])] for node in drawn["scene"]["nodes"]}
    for row, held, named in zip(drawn["rows"], candidates(drawn), elements(drawn), strict=True):
        if row["k"] == "operation":
            assert chips[named[0]] == [name for name, _ in held]


def test_operations_of_columns_are_those_of_the_scene() -> None:
    space = preset("cell")
    drawn = still(space, space.default)
    for held in candidates(drawn):
        assert [drawn["scene"]["ops"][number][0] for _, number in held] == list(space.operations)  # type: ignore[attr-defined]


def test_a_restricted_space_has_the_columns_that_it_kept() -> None:
    allowed = restrict(preset("notes-net"), Restriction({"conv1": ("conv3x3",)}))
    drawn = still(allowed, allowed.default)
    assert [name for name, _ in candidates(drawn)[0]] == ["conv3x3"]
