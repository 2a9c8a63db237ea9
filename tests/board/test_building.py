"""Building a chain: what comes of layers, candidates, skips and names, and what stays as it was."""

from __future__ import annotations

from typing import Any

import pytest

from explorer.board import Board, lay
from explorer.catalogue import SPACES
from explorer.errors import SpaceError, UnknownName
from explorer.space import LayerChoice, MacroSpace, ValueChoice, check, preset
from explorer.space.check import MAX_CANDIDATES, MAX_LAYERS
from explorer.space.restrict import Restriction
from tests.board.test_choosing import branching, say


def chain(board: Board) -> MacroSpace:
    """The board's space."""
    assert isinstance(board.space, MacroSpace)
    return board.space


def names(board: Board) -> list[str]:
    """Its layers."""
    return [layer.name for layer in chain(board).layers]


def test_a_network_with_choices_and_a_skip_is_built_from_blank_and_runs() -> None:
    board = lay(preset("blank"))
    assert (board.allowed.size, check(board.allowed)) == (1, [])
    board = say(board, "add_layer", after="input", operation="conv2d", parameters={"padding": 1})
    board = say(
        board,
        "add_candidate",
        layer="conv1",
        operation="conv2d",
        parameters={"kernel_size": 5, "padding": 2},
    )
    board = say(board, "add_layer", after="conv1", operation="conv_bn_relu")
    board = say(board, "add_skip", source="conv1", into="conv2")
    board = say(board, "add_skip", source="input", into="conv2", align="crop")
    assert names(board) == ["conv1", "conv2", "flatten", "head"]
    assert [mutable.label for mutable in board.space.mutables] == ["conv1", "skip", "skip_2"]
    assert board.architecture.to_json() == {"conv1": "conv3x3", "skip": [], "skip_2": []}
    assert (board.allowed.size, check(board.allowed)) == (8, [])
    assert (board.space.name, board.space.title) == ("own", "Blank, changed")


def test_a_space_that_equals_its_preset_again_is_the_preset_again() -> None:
    for name in SPACES:
        board = lay(preset(name))
        if not isinstance(board.space, MacroSpace):
            continue
        there = say(board, "add_layer", after="input", operation="identity", name="extra")
        assert there.space.name == "own" and there.space.title.count("changed") == 1
        twice = say(there, "add_layer", after="input", operation="identity", name="extra 2")
        assert twice.space.title == there.space.title
        assert say(there, "remove_layer", layer="extra") == board


def test_saying_a_default_makes_no_other_space() -> None:
    board = lay(preset("notes-net"))
    event: dict[str, Any] = {"layer": "conv1", "candidate": "conv3x3", "parameter": "stride"}
    changed = say(board, "set_parameter", **event, value=2)
    assert changed.space.name == "own"
    assert say(changed, "set_parameter", **event, value=1) == board
    assert say(changed, "set_parameter", **event, value=None) == board


def test_a_title_makes_a_space_ones_own_and_stays() -> None:
    board = say(lay(preset("blank")), "title", title="My net")
    assert (board.space.name, board.space.title) == ("own", "My net")
    board = say(board, "add_layer", after="input", operation="relu", name="r")
    board = say(board, "remove_layer", layer="r")
    assert (board.space.name, board.space.title) == ("own", "My net")
    assert say(board, "title", title="x" * 300).space.title == "x" * 200


def test_an_input_that_follows_the_dataset_again_makes_the_preset_again() -> None:
    board = lay(preset("cell"))
    fixed = say(board, "input", channels=3, side=32)
    assert fixed.space.input.shape == (3, 32, 32)
    assert say(fixed, "input", dataset=True) == board
    with pytest.raises(SpaceError, match="one of the two"):
        say(board, "input", channels=3, side=32, dataset=True)
    with pytest.raises(SpaceError, match="say both"):
        say(board, "input", channels=3)


def test_repairing_the_notes_gives_the_preset_and_keeps_the_pins() -> None:
    board = say(lay(preset("notes-net-as-written")), "pin", label="conv1", choice="conv5x5")
    board = say(board, "keep", label="mid_conv", option="conv3x3", on=False)
    repaired = say(board, "repair")
    assert repaired.space == preset("notes-net")
    assert (repaired.restriction, repaired.pinned) == (board.restriction, board.pinned)
    assert say(repaired, "repair") is repaired


def test_a_renamed_layer_takes_its_choice_skips_pin_and_restriction_along() -> None:
    board = say(lay(preset("notes-net")), "pin", label="mid_conv", choice="conv5x5")
    board = say(board, "keep", label="mid_conv", option="conv3x3", on=False)
    board = say(board, "skip", label="skip", state="always")
    board = say(board, "rename_layer", layer="mid_conv", name="middle")
    assert chain(board).skips[0].sources == ("middle",)
    assert board.architecture.to_json() == {"conv1": "conv3x3", "middle": "conv5x5", "skip": [0]}
    assert board.restriction == Restriction({"middle": ("conv5x5",)}, frozenset({"skip"}))
    back = say(board, "rename_layer", layer="middle", name="mid_conv")
    assert back.space == preset("notes-net")


def test_a_skip_loses_the_source_that_goes_and_keeps_what_was_said_of_the_others() -> None:
    board = say(lay(branching()), "pin", label="skip", choice=[0, 2])
    board = say(board, "skip", label="skip", source="b", state="off")
    board = say(board, "skip", label="skip", source="c", state="always")
    board = say(board, "remove_layer", layer="a")
    assert chain(board).skips[0].sources == ("b", "c")
    assert board.states["skip"] == ("off", "always")
    assert board.pinned["skip"] == (1,)
    board = say(board, "remove_layer", layer="c")
    assert board.states["skip"] == ("off",)
    board = say(board, "remove_layer", layer="b")
    assert chain(board).skips == ()


def test_a_skip_goes_with_the_layer_that_it_leads_into() -> None:
    assert chain(say(lay(branching()), "remove_layer", layer="d")).skips == ()


def test_a_fixed_number_of_sources_shrinks_with_them() -> None:
    board = say(lay(branching(n_chosen=3)), "remove_layer", layer="a")
    assert chain(board).skips[0].n_chosen == 2
    assert board.pinned["skip"] == (0, 1)


def test_what_is_always_on_follows_its_source_to_another_index() -> None:
    board = say(lay(branching()), "skip", label="skip", source="c", state="always")
    assert board.restriction.always == {"skip/2"}
    board = say(board, "remove_layer", layer="a")
    assert board.restriction.always == {"skip/1"}
    assert board.architecture.to_json() == {"skip_always": [0], "skip": []}


def test_a_move_that_turns_a_skip_round_is_refused_with_its_name_and_others_are_not() -> None:
    board = lay(branching())
    with pytest.raises(SpaceError, match="the skip 'skip' leads from 'c' to 'd'"):
        say(board, "move_layer", layer="d", to=2)
    assert names(say(board, "move_layer", layer="a", to=2))[:3] == ["b", "c", "a"]
    assert chain(say(board, "move_layer", layer="a", to=2)).skips == chain(board).skips
    for to in (-1, 6):
        with pytest.raises(SpaceError, match="give 0 to 5"):
            say(board, "move_layer", layer="a", to=to)
    with pytest.raises(SpaceError, match="it is True"):
        say(board, "move_layer", layer="a", to=True)


def test_the_last_layer_has_to_stay() -> None:
    board = say(lay(preset("blank")), "remove_layer", layer="flatten")
    with pytest.raises(SpaceError, match="last layer"):
        say(board, "remove_layer", layer="head")


def test_a_fixed_layer_becomes_a_choice_and_fixed_again() -> None:
    board = lay(preset("blank"))
    choice = say(board, "add_candidate", layer="flatten", operation="global_avg_pool", name="mean")
    content = chain(choice).layers[0].content
    assert isinstance(content, LayerChoice) and content.names == ("flatten", "mean")
    assert choice.pinned["flatten"] == "flatten"
    assert say(choice, "remove_candidate", layer="flatten", name="mean") == board
    other = say(choice, "remove_candidate", layer="flatten", name="flatten")
    assert chain(other).layers[0].content.name == "global_avg_pool"  # type: ignore[union-attr]


def test_a_new_candidate_is_offered_while_forbidden_ones_stay_forbidden() -> None:
    board = say(lay(preset("notes-net")), "keep", label="conv1", option="conv3x3", on=False)
    board = say(board, "add_candidate", layer="conv1", operation="identity")
    assert board.states["conv1"] == ("off", "free", "free")
    assert board.pinned["conv1"] == "conv5x5"


def test_when_the_last_offered_candidate_goes_the_others_are_offered() -> None:
    board = lay(preset("enas-macro"), Restriction({"layer_1": ("avg3x3",)}))
    board = say(board, "remove_candidate", layer="layer_1", name="avg3x3")
    assert set(board.states["layer_1"]) == {"free"}


def test_values_can_be_left_to_the_search_and_fixed_again() -> None:
    board = lay(preset("notes-net"))
    event: dict[str, Any] = {"layer": "func1", "parameter": "out_features"}
    open_ = say(board, "set_parameter", **event, value={"label": "width", "values": [60, 120]})
    assert open_.allowed.size == 16
    assert [value for layer in chain(open_).layers for value in layer.values] == [
        ValueChoice("width", (60, 120))
    ]
    assert say(open_, "set_parameter", **event, value=120) == board
    for wrong in (
        {"label": "conv1", "values": [60]},
        {"label": "w", "values": []},
        {"label": "w", "values": [0]},
    ):
        with pytest.raises(SpaceError):
            say(board, "set_parameter", **event, value=wrong)


@pytest.mark.parametrize("name", ["", " x", "x" * 61, "a/b", "input", "head", "a\nb", "\u202ex", "a\x00"])
def test_names_that_cannot_be_given_are_refused(name: str) -> None:
    board = lay(preset("blank"))
    for event in (
        {"kind": "add_layer", "after": "input", "operation": "relu", "name": name},
        {"kind": "rename_layer", "layer": "flatten", "name": name},
        {"kind": "add_skip", "source": "input", "into": "head", "label": name},
    ):
        with pytest.raises(SpaceError, match="The name"):
            say(board, **event)


def test_no_name_is_given_twice_among_layers_choices_and_skips() -> None:
    board = say(lay(preset("notes-net")), "add_layer", after="input", operation="conv2d")
    assert names(board)[0] == "conv3"
    for taken in ("skip", "conv1", "relu4"):
        with pytest.raises(SpaceError, match="taken already"):
            say(board, "add_layer", after="input", operation="relu", name=taken)
        with pytest.raises(SpaceError, match="taken already"):
            say(board, "add_skip", source="input", into="conv2", label=taken)


def test_there_is_one_skip_between_two_layers() -> None:
    board = lay(branching())
    same = say(board, "add_skip", source="a", into="d")
    assert same == board
    with pytest.raises(SpaceError, match="leads from 'a' into 'd' already"):
        say(board, "add_skip", source="a", into="d", align="crop")
    with pytest.raises(SpaceError, match="cycle"):
        say(board, "add_skip", source="a", into="a")


def test_the_caps_of_a_space_hold() -> None:
    board = lay(preset("blank"))
    for _ in range(MAX_LAYERS - 2):
        board = say(board, "add_layer", after="input", operation="relu")
    with pytest.raises(SpaceError, match=f"at most {MAX_LAYERS}"):
        say(board, "add_layer", after="input", operation="relu")
    board = lay(preset("blank"))
    for _ in range(MAX_CANDIDATES - 1):
        board = say(board, "add_candidate", layer="flatten", operation="identity")
    with pytest.raises(SpaceError, match=f"at most {MAX_CANDIDATES}"):
        say(board, "add_candidate", layer="flatten", operation="identity")


def test_a_space_too_large_for_a_file_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("explorer.board.carrying.MAX_JSON_BYTES", 300)
    with pytest.raises(SpaceError, match="more than the 300 of a file"):
        say(lay(preset("blank")), "add_layer", after="input", operation="relu", name="x" * 60)


def test_adding_by_name_what_is_there_already_is_no_second_one_and_no_refusal() -> None:
    board = lay(preset("blank"))
    for event in (
        {"kind": "add_layer", "after": "input", "operation": "conv2d", "name": "c"},
        {"kind": "add_candidate", "layer": "c", "operation": "identity", "name": "none"},
        {"kind": "add_skip", "source": "input", "into": "c", "label": "over"},
    ):
        board = say(board, **event)
        assert say(board, **event) == board
    with pytest.raises(SpaceError, match="taken already"):
        say(board, "add_layer", after="input", operation="conv2d", parameters={"stride": 2}, name="c")
    with pytest.raises(SpaceError, match="taken already"):
        say(board, "add_candidate", layer="c", operation="relu", name="none")


def test_an_operation_of_a_cell_is_no_layer() -> None:
    with pytest.raises(UnknownName, match="sep_conv_3x3"):
        say(lay(preset("blank")), "add_layer", after="input", operation="sep_conv_3x3")
