"""Menus promise only what the board does: every item that is offered works, every other says why not."""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from explorer.board import Board, apply, begin, do, lay
from explorer.catalogue import OPERATIONS, SPACES
from explorer.errors import SpaceError, UnknownName
from explorer.plots.drawn.menus import board_payload, marks, step_words
from explorer.plots.drawn.offers import candidates_between, cost, layers_behind
from explorer.space import (
    Input,
    InputChoice,
    Layer,
    LayerChoice,
    MacroSpace,
    Operation,
    ValueChoice,
    check,
    preset,
)

WIDE = MacroSpace(
    name="wide",
    input=Input(3, 16),
    layers=(
        Layer(
            "conv",
            Operation(
                "conv2d", {"out_channels": ValueChoice("width", (8, 16)), "kernel_size": 3, "padding": 1}
            ),
        ),
        Layer(
            "a",
            LayerChoice("a", (("relu", Operation("relu")), ("same", Operation("identity")))),
        ),
        Layer("b", Operation("relu")),
        Layer("flat", Operation("flatten")),
        Layer("head", Operation("linear", {"out_features": 10})),
    ),
    skips=(
        InputChoice("some", ("input", "conv"), "b", align="crop"),
        InputChoice("one", ("conv", "a"), "b", 1, align="crop"),
    ),
)


def boards() -> Iterator[Any]:
    """Every preset, one with values and a fixed number of sources, and one with something forbidden in each family."""
    for name in SPACES:
        yield pytest.param(lay(preset(name)), id=name)
    yield pytest.param(lay(WIDE), id="values")
    changed = lay(preset("enas-macro"))
    for event in (
        {"kind": "keep", "label": "layer_1", "option": "conv3x3", "on": False},
        {"kind": "skip", "label": "skip_4", "source": "norm_1", "state": "always"},
        {"kind": "skip", "label": "skip_4", "source": "norm_2", "state": "off"},
        {"kind": "pin", "label": "skip_6", "choice": [0, 3]},
    ):
        changed = apply(changed, event)
    yield pytest.param(changed, id="enas-macro, restricted", marks=pytest.mark.slow)
    cut = apply(lay(preset("cell")), {"kind": "edge", "label": "edge_0_3", "on": False})
    yield pytest.param(apply(cut, {"kind": "operation", "name": "none", "on": False}), id="cell, restricted")


def events(payload: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any], dict[str, Any]]]:
    """(element, item, its event) of everything in the menus, with what a shared list leaves to its group."""
    for name, menu in payload["menus"].items():
        for group in menu["groups"]:
            items = group["items"] if "items" in group else payload["palette"][group["use"]]
            for at, item in enumerate(items):
                is_on = at == group["on"] if "on" in group else item.get("on", False)
                yield name, {**item, "on": is_on}, {**item["e"], **group.get("with", {})}


@pytest.mark.parametrize("board", list(boards()))
def test_everything_offered_is_done_and_saying_it_again_changes_nothing(board: Board) -> None:
    payload = board_payload(board)
    offered = [(item, event) for _, item, event in events(payload) if "no" not in item]
    assert offered
    for item, event in offered:
        after = apply(board, event)
        if item["k"] == "radio":
            assert (after == board) == item["on"], event
        else:
            assert after != board, event
        if not event["kind"].startswith(("add_", "remove_", "move_")):
            assert apply(after, event) == after


@pytest.mark.parametrize("board", list(boards()))
def test_what_cannot_be_done_is_refused_or_breaks_the_network(board: Board) -> None:
    found = set(check(board.space))
    for _, item, event in events(board_payload(board)):
        if "no" not in item:
            continue
        assert item["no"].endswith(".") and len(item["no"]) > 15
        try:
            after = apply(board, event)
        except (SpaceError, UnknownName):
            continue
        assert after == board or set(check(after.space)) - found, event


@pytest.mark.parametrize("board", list(boards()))
def test_a_radio_that_is_chosen_is_the_one_that_is_on_afterwards(board: Board) -> None:
    for name, item, event in list(events(board_payload(board)))[::7]:
        if item["k"] != "radio" or "no" in item:
            continue
        after = board_payload(apply(board, event))
        now = {json.dumps(said): found for where, found, said in events(after) if where == name}
        assert now.get(json.dumps(event), item)["on"] or (
            event["kind"] == "pin" and "inputs" in event["label"]
        )


def test_a_check_says_the_state_that_it_does_not_have() -> None:
    for _, item, event in events(board_payload(lay(preset("enas-macro")))):
        if item["k"] == "check" and event["kind"] == "keep":
            assert event["on"] is not item["on"]


@pytest.mark.parametrize("name", SPACES)
def test_the_payload_is_json_and_names_only_what_is_drawn(name: str) -> None:
    payload = json.loads(json.dumps(board_payload(lay(preset(name))), allow_nan=False))
    drawn = {one["i"] for one in (*payload["scene"]["nodes"], *payload["scene"]["edges"])}
    assert payload["menus"] and set(payload["menus"]) <= drawn
    used = {group["use"] for menu in payload["menus"].values() for group in menu["groups"] if "use" in group}
    assert used == set(payload["palette"])


@pytest.mark.parametrize("name", ["enas-macro", "darts-cell", "notes-net", "cell"])
def test_a_payload_takes_less_than_25_milliseconds(name: str) -> None:
    history = begin(lay(preset(name)))
    choice = next(one for one in history.now.space.mutables if isinstance(one, LayerChoice))
    taken = []
    for at in range(15):
        history = do(history, {"kind": "pin", "label": choice.label, "choice": choice.option(at % 2)})
        begun = time.perf_counter()
        payload = board_payload(history.now, history)
        taken.append(time.perf_counter() - begun)
    assert statistics.median(taken) < 0.025
    assert len(json.dumps(payload, separators=(",", ":"))) < 80_000


def test_a_space_of_two_hundred_layers_has_menus_for_what_is_drawn_and_stays_below_a_megabyte() -> None:
    layers = [Layer(f"layer_{at}", Operation("relu")) for at in range(198)]
    end = [Layer("flat", Operation("flatten")), Layer("head", Operation("linear"))]
    payload = board_payload(lay(MacroSpace("long", Input(3, 16), layers=(*layers, *end))))
    drawn = {one["i"] for one in (*payload["scene"]["nodes"], *payload["scene"]["edges"])}
    assert set(payload["menus"]) <= drawn
    assert len(json.dumps(payload, separators=(",", ":"))) < 1_000_000


def test_an_arc_says_whether_it_is_always_on_free_or_forbidden_and_whether_it_is_pinned() -> None:
    board = lay(preset("enas-macro"))
    for source, state in (("norm_1", "always"), ("norm_2", "off")):
        board = apply(board, {"kind": "skip", "label": "skip_6", "source": source, "state": state})
    board = apply(board, {"kind": "pin", "label": "skip_6", "choice": [0, 3]})
    arcs = {edge["i"]: edge for edge in board_payload(board)["scene"]["edges"]}
    said = [(arcs[f"skip_6/{at}"]["w"], arcs[f"skip_6/{at}"]["st"]) for at in range(5)]
    assert said == [
        ("always", "chosen"),
        ("off", "off"),
        ("free", "unchosen"),
        ("free", "chosen"),
        ("free", "unchosen"),
    ]


def test_an_impossible_skip_is_shown_with_both_shapes_and_what_would_align_it() -> None:
    board = lay(preset("notes-net-as-written"))
    payload = board_payload(board, problems=check(board.space))
    arc = next(edge for edge in payload["scene"]["edges"] if edge["i"] == "skip")
    assert "adds 8x16x16 to 16x12x12" in arc["m"]
    assert payload["menus"]["skip"]["about"] == "skip · 8x16x16 meets 16x12x12 and cannot be added as it is"
    aligned = next(event for name, _, event in events(payload) if name == "skip" and event["kind"] == "align")
    after = apply(board, aligned)
    assert not [problem for problem in check(after.space) if problem.layer == "skip"]


def test_a_skip_that_no_crop_can_align_says_why() -> None:
    items = {
        event["into"]: item
        for name, item, event in events(board_payload(lay(preset("notes-net"))))
        if name == "conv1" and event["kind"] == "add_skip"
    }
    assert "no" not in items["pool1"] and "aligned" in items["pool1"]["a"]
    assert items["func1"]["no"] == (
        "It cannot bring 8x32x32 to 120 features: a crop only makes images smaller."
    )


@pytest.mark.parametrize("name", ["cell", "darts-cell"])
def test_a_problem_inside_of_a_cell_is_marked_at_its_edge_or_stage(name: str) -> None:
    board = lay(preset(name))
    problem = check(lay(preset("notes-net-as-written")).space)[0]
    drawn = {one["i"] for one in board_payload(board)["scene"]["edges"]}
    for layer in ("cell1/edge_0_2", "head/linear"):
        found = set(marks(board, [replace(problem, layer=layer)]))
        assert found & (drawn | {"stage/head"})


def test_what_may_be_added_covers_the_catalogue_and_says_why_the_rest_cannot() -> None:
    known = {name for name, entry in OPERATIONS.items() if entry.facts["family"] == "layer"}
    for shape in ((3, 32, 32), (1, 1, 1), (64,)):
        offers = layers_behind(shape)
        assert {offer.operation.name for offer in offers} == known
        for offer in offers:
            assert bool(offer.problem) == isinstance(cost(offer.operation, shape), str)
            assert not OPERATIONS[offer.operation.name].problems(dict(offer.operation.parameters))
    first = layers_behind((3, 32, 32))[0]
    assert cost(first.operation, (3, 32, 32)).shape == (8, 32, 32), "a new convolution keeps the side"


@pytest.mark.parametrize(
    ("arriving", "leaving"),
    [((3, 32, 32), (8, 32, 32)), ((8, 16, 16), (16, 12, 12)), ((8, 32, 32), (8, 16, 16)), ((84,), (10,))],
)
def test_new_candidates_leave_the_shape_of_the_layer_as_it_is(
    arriving: tuple[int, ...], leaving: tuple[int, ...]
) -> None:
    offers = candidates_between(arriving, leaving)
    assert len(offers) >= (1 if len(leaving) == 1 else 2)
    assert {cost(offer.operation, arriving).shape for offer in offers} == {leaving}


@pytest.mark.parametrize(
    ("event", "words"),
    [
        ({"kind": "pin", "label": "conv1", "choice": "conv5x5"}, "conv1 = conv5x5"),
        ({"kind": "pin", "label": "skip", "choice": [0]}, "skip = mid_conv"),
        ({"kind": "keep", "label": "conv1", "option": "conv5x5", "on": False}, "what conv1 may be"),
        ({"kind": "remove_layer", "layer": "relu1"}, "remove layer relu1"),
        ({"kind": "add_layer", "after": "conv1", "operation": "relu", "name": "extra"}, "add layer extra"),
        ({"kind": "rename_layer", "layer": "relu1", "name": "other"}, "rename relu1 to other"),
        ({"kind": "move_layer", "layer": "relu1", "to": 2}, "move a layer"),
        ({"kind": "remove_skip", "label": "skip"}, "remove skip skip"),
        (
            {"kind": "set_parameter", "layer": "func1", "parameter": "out_features", "value": 99},
            "change layer func1",
        ),
    ],
)
def test_undo_says_what_it_would_undo(event: dict[str, Any], words: str) -> None:
    history = do(begin(lay(preset("notes-net"))), event)
    assert board_payload(history.now, history)["undo"] == words
    undone = do(history, {"kind": "undo"})
    payload = board_payload(undone.now, undone)
    assert (payload["undo"], payload["redo"]) == ("", words)
    assert step_words(lay(preset("cell")), undone.now) == "another space"


def test_hostile_names_are_cut_and_unseen_signs_replaced_while_events_keep_them() -> None:
    name = "\u202e" + "x" * 150
    layers = (
        Layer(name, LayerChoice(name, (("<b>", Operation("relu")), (name, Operation("identity"))))),
        Layer("flat", Operation("flatten")),
    )
    payload = board_payload(lay(MacroSpace("odd", Input(1, 8), layers=layers)))
    menu = payload["menus"][name]
    assert menu["title"].startswith("\ufffd") and len(menu["title"]) <= 60
    shown = [item["n"] for _, item, _ in events(payload)]
    assert all(len(one) <= 60 and "\u202e" not in one for one in shown)
    assert {"kind": "pin", "label": name, "choice": name} in [event for _, _, event in events(payload)]
