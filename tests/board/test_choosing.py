"""Offering, forbidding and pinning: what follows what, and what has to stay."""

from __future__ import annotations

from typing import Any

import pytest

from explorer.board import Board, apply, board_from_json, lay, with_architecture
from explorer.errors import CodecError, SpaceError, UnknownName
from explorer.space import Input, InputChoice, Layer, MacroSpace, Operation, ValueChoice, preset
from explorer.space.restrict import Restriction


def say(board: Board, kind: str, **fields: Any) -> Board:
    """The board after one event."""
    return apply(board, {"kind": kind, **fields})


def branching(n_chosen: int | None = None) -> MacroSpace:
    """Three layers that may be added to a fourth."""
    conv = Operation("conv2d", {"padding": 1})
    names = ("a", "b", "c", "d")
    return MacroSpace(
        "branching",
        Input(8, 8),
        layers=(
            *(Layer(name, conv) for name in names),
            Layer("flat", Operation("flatten")),
            Layer("head", Operation("linear")),
        ),
        skips=(InputChoice("skip", names[:3], "d", n_chosen, "none"),),
    )


def test_what_was_pinned_and_is_forbidden_moves_to_the_first_that_is_left() -> None:
    board = say(lay(preset("notes-net")), "keep", label="conv1", option="conv3x3", on=False)
    assert board.pinned["conv1"] == board.architecture["conv1"] == "conv5x5"
    assert board.allowed.size == 4


def test_pinning_what_is_forbidden_offers_it_again() -> None:
    board = say(lay(preset("notes-net")), "keep", label="conv1", option="conv3x3", on=False)
    board = say(board, "pin", label="conv1", choice="conv3x3")
    assert board.architecture["conv1"] == "conv3x3"
    assert board.restriction == Restriction()


def test_pinning_on_a_cell_offers_the_operation_and_puts_the_edge_back() -> None:
    board = say(lay(preset("cell")), "edge", label="edge_0_3", on=False)
    board = say(board, "operation", name="none", on=False)
    assert board.allowed.size == 4**5
    board = say(board, "pin", label="edge_0_3", choice="none")
    assert board.restriction == Restriction()
    assert board.architecture["edge_0_3"] == "none"


def test_the_last_option_has_to_stay() -> None:
    board = say(lay(preset("notes-net")), "keep", label="conv1", option="conv3x3", on=False)
    with pytest.raises(SpaceError, match="conv5x5 is the last option of conv1"):
        say(board, "keep", label="conv1", option="conv5x5", on=False)


@pytest.mark.parametrize(("name", "last"), [("cell", "avg_pool_3x3"), ("darts-cell", "dil_conv_5x5")])
def test_the_last_operation_has_to_stay(name: str, last: str) -> None:
    board = lay(preset(name))
    for operation in board.space.operations:  # type: ignore[attr-defined]
        if operation not in ("none", last):
            board = say(board, "operation", name=operation, on=False)
    if name == "cell":
        board = say(board, "operation", name="none", on=False)
    with pytest.raises(SpaceError, match="last operation"):
        say(board, "operation", name=last, on=False)


def test_a_forbidden_operation_moves_every_pin_that_takes_it() -> None:
    board = lay(preset("cell"), pinned=preset("cell").from_code("340213"))
    board = say(board, "operation", name="nor_conv_3x3", on=False)
    assert board.space.code(board.pinned) == "040210"


def test_a_cell_never_falls_apart() -> None:
    board = lay(preset("cell"))
    for edge in ("edge_0_1", "edge_1_2"):
        board = say(board, "edge", label=edge, on=False) if edge == "edge_1_2" else board
    board = say(board, "edge", label="edge_0_2", on=True)
    with pytest.raises(SpaceError, match="edge_0_1 cannot be taken out: Node 1 is disconnected"):
        say(board, "edge", label="edge_0_1", on=False)


def test_an_edge_that_comes_back_has_the_operation_it_had() -> None:
    board = lay(preset("cell"), pinned=preset("cell").from_code("340213"))
    without = say(board, "edge", label="edge_0_3", on=False)
    assert "edge_0_3" not in without.architecture
    assert say(without, "edge", label="edge_0_3", on=True) == board


def test_a_skip_is_off_free_or_always_on() -> None:
    board = lay(preset("notes-net"))
    always = say(board, "skip", label="skip", state="always")
    assert always.restriction == Restriction(always=frozenset({"skip"}))
    assert (always.allowed.size, always.architecture["skip"]) == (4, (0,))
    off = say(always, "skip", label="skip", state="off")
    assert (off.allowed.size, off.pinned["skip"]) == (4, ())
    assert "skip" not in off.architecture
    assert say(off, "skip", label="skip", state="free") == board


def test_sources_are_switched_one_by_one_and_followed_by_name() -> None:
    board = say(lay(branching()), "pin", label="skip", choice=[0, 2])
    board = say(board, "skip", label="skip", source="b", state="always")
    assert board.states["skip"] == ("free", "always", "free")
    assert board.restriction.always == {"skip/1"}
    assert board.pinned["skip"] == (0, 1, 2)
    assert board.architecture.to_json() == {"skip_always": [0], "skip": [0, 1]}
    board = say(board, "skip", label="skip", source="a", state="off")
    assert board.architecture.to_json() == {"skip_always": [0], "skip": [0]}
    assert board.pinned["skip"] == (1, 2)


def test_not_pinning_what_is_always_on_leaves_it_to_the_search() -> None:
    board = say(lay(branching()), "skip", label="skip", source="b", state="always")
    board = say(board, "pin", label="skip", choice=[0])
    assert board.states["skip"] == ("free", "free", "free")
    assert board.architecture["skip"] == (0,)


def test_a_fixed_number_of_sources_can_always_be_taken() -> None:
    board = lay(branching(n_chosen=2))
    board = say(board, "skip", label="skip", source="a", state="off")
    assert board.architecture["skip"] == (0, 1)
    assert board.pinned["skip"] == (1, 2)
    with pytest.raises(SpaceError, match="exactly 2 of its sources; leave at least"):
        say(board, "keep", label="skip", option="b", on=False)
    with pytest.raises(SpaceError, match="no more than that"):
        one = say(lay(branching(n_chosen=1)), "skip", label="skip", source="a", state="always")
        say(one, "skip", label="skip", source="b", state="always")


def test_keeping_a_source_leaves_one_alone_that_is_always_on() -> None:
    board = say(lay(branching()), "skip", label="skip", source="b", state="always")
    assert say(board, "keep", label="skip", option="b", on=True) == board
    assert say(board, "keep", label="skip", option="b", on=False).states["skip"][1] == "off"


def test_two_things_of_one_name_cannot_be_told_apart() -> None:
    space = branching()
    space = MacroSpace(
        space.name,
        space.input,
        layers=space.layers,
        skips=(*space.skips, InputChoice("skip/1", ("a",), "c", None, "none")),
    )
    with pytest.raises(SpaceError, match="have one name"):
        say(lay(space), "skip", label="skip", source="b", state="always")


def test_values_are_offered_by_type() -> None:
    space = branching()
    layer = Layer("a", Operation("conv2d", {"padding": 1, "bias": ValueChoice("bias", (True, False))}))
    board = lay(MacroSpace(space.name, space.input, layers=(layer, *space.layers[1:])))
    board = say(board, "keep", label="bias", option=True, on=False)
    assert board.architecture["bias"] is False
    with pytest.raises(SpaceError, match="no option 1"):
        say(board, "keep", label="bias", option=1, on=True)


@pytest.mark.parametrize(
    ("name", "event"),
    [
        ("cell", {"kind": "keep", "label": "edge_0_1", "option": "none", "on": False}),
        ("darts-cell", {"kind": "keep", "label": "normal/inputs_2", "option": "normal/node_0", "on": False}),
        ("darts-cell", {"kind": "skip", "label": "normal/inputs_2", "state": "off"}),
        ("darts-cell", {"kind": "edge", "label": "normal/edge_0_2", "on": False}),
        ("notes-net", {"kind": "operation", "name": "conv2d", "on": False}),
        ("notes-net", {"kind": "edge", "label": "skip", "on": False}),
        ("cell", {"kind": "add_layer", "after": "input", "operation": "relu"}),
    ],
)
def test_what_a_family_does_not_have_is_refused(name: str, event: dict[str, Any]) -> None:
    with pytest.raises(SpaceError):
        apply(lay(preset(name)), event)


def test_the_first_pin_is_not_cut_off() -> None:
    board = lay(preset("cell"))
    assert board.allowed.lower(board.architecture).is_connected


def test_an_architecture_of_the_allowed_space_can_be_pinned() -> None:
    board = say(lay(branching()), "skip", label="skip", source="b", state="always")
    board = with_architecture(board, {"skip_always": (0,), "skip": (1,)})
    assert board.pinned["skip"] == (1, 2)
    with pytest.raises(SpaceError):
        with_architecture(board, {"skip": (0,)})


def test_a_stale_pin_and_restriction_that_says_nothing_do_no_harm() -> None:
    board = lay(preset("notes-net"), Restriction({"skip": ("mid_conv",)}), {"conv1": "conv9x9", "gone": 1})
    assert board == lay(preset("notes-net"))


@pytest.mark.parametrize(
    "restriction",
    [Restriction({"conv1": ()}), Restriction({"conv9": ("a",)}), Restriction(always=frozenset({"skip/1"}))],
)
def test_nothing_is_laid_that_leaves_nothing_to_choose_or_names_what_is_not_there(
    restriction: Restriction,
) -> None:
    with pytest.raises(SpaceError):
        lay(preset("notes-net"), restriction)


@pytest.mark.parametrize(
    "damage",
    [
        {"space": None},
        {"pinned": []},
        {"pinned": {"conv1": "conv3x3"}},
        {"restriction": 5},
        {"restriction": {"kept": {"conv1": "conv3x3"}}},
        {"restriction": {"kept": {"conv1": [["conv3x3"]]}}},
    ],
)
def test_a_damaged_board_is_refused(damage: dict[str, Any]) -> None:
    form = lay(preset("notes-net")).to_json() | damage
    with pytest.raises((SpaceError, CodecError, UnknownName)):
        board_from_json(form)
