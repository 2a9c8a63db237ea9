"""Events on boards: what always holds after any of them, and of each kind one that works and one that is refused."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer.board import KINDS, Board, apply, board_from_json, lay, with_architecture
from explorer.board.board import options_of
from explorer.errors import SpaceError, UnknownName
from explorer.space import InputChoice, check, preset, structure
from explorer.space.restrict import ALWAYS, OFF, Restriction, restriction_from_json
from tests.board.generated import JUNK, boards, events

ADDING = ("add_layer", "add_candidate")  # without a name each time another one
BUILDING = tuple(kind for kind in KINDS if kind.startswith(("add_", "move_", "remove_")))


def attempt(board: Board, event: Any) -> Board:
    """The board after an event, or as it was."""
    try:
        return apply(board, event)
    except (SpaceError, UnknownName):
        return board


def _after(data: st.DataObject, most: int = 8) -> Board:
    board = data.draw(boards())
    for _ in range(data.draw(st.integers(0, most))):
        board = attempt(board, data.draw(events(board)))
    return board


def _holds(board: Board) -> None:
    """What is promised of every board."""
    assert structure(board.space) == structure(board.allowed) == []
    assert board.space.architecture(board.pinned) == board.pinned
    assert board.allowed.architecture(board.architecture) == board.architecture
    assert with_architecture(board, board.architecture) == board
    assert board_from_json(json.loads(json.dumps(board.to_json(), allow_nan=False))) == board
    assert restriction_from_json(json.loads(json.dumps(board.restriction.to_json()))) == board.restriction
    assert lay(board.space, board.restriction, board.pinned) == board
    for mutable in board.space.mutables:
        states, choice = board.states[mutable.label], board.pinned[mutable.label]
        if not isinstance(mutable, InputChoice):
            assert states[mutable.index(choice) or 0] != OFF
        elif mutable.n_chosen is None:
            assert {at for at, state in enumerate(states) if state == ALWAYS} <= set(choice)
            assert not {at for at, state in enumerate(states) if state == OFF} & set(choice)


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_every_board_is_sound_and_survives_json_whatever_was_tried(data: st.DataObject) -> None:
    board = data.draw(boards())
    _holds(board)
    for _ in range(8):
        board = attempt(board, data.draw(events(board)))
        _holds(board)


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_a_refused_event_changes_nothing_and_says_one_sentence(data: st.DataObject) -> None:
    board = _after(data, 4)
    before = json.dumps(board.to_json())
    event = data.draw(events(board))
    event[data.draw(st.sampled_from([*event, "extra"]))] = data.draw(JUNK)
    try:
        apply(board, event)
    except (SpaceError, UnknownName) as error:
        assert "\n" not in str(error) and str(error).endswith(".")
        assert len(getattr(error, "problems", [""])) == 1
    assert json.dumps(board.to_json()) == before


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_an_event_said_twice_is_said_once(data: st.DataObject) -> None:
    board = _after(data, 5)
    event = data.draw(events(board))
    if event["kind"] in ADDING and event.get("name") is None:
        return
    once = attempt(board, event)
    assert attempt(once, event) == once


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_building_leaves_the_choices_of_everything_else_alone(data: st.DataObject) -> None:
    board = _after(data)
    now = attempt(board, data.draw(events(board, BUILDING)))
    before = {mutable.label: mutable for mutable in board.space.mutables}
    for mutable in now.space.mutables:
        was = before.get(mutable.label)
        if was is None or (isinstance(mutable, InputChoice) and mutable.n_chosen is not None):
            continue
        said = dict(zip(options_of(was), board.states[was.label], strict=True))
        says = dict(zip(options_of(mutable), now.states[mutable.label], strict=True))
        shared = [option for option in says if option in said]
        if isinstance(mutable, InputChoice) or [option for option in shared if said[option] != OFF]:
            assert {option: says[option] for option in shared} == {option: said[option] for option in shared}
        assert _names(mutable, now) == _names(was, board) & set(says) or not _names(was, board) & set(says)


def _names(mutable: Any, board: Board) -> set[Any]:
    choice = board.pinned[mutable.label]
    return {mutable.sources[at] for at in choice} if isinstance(mutable, InputChoice) else {choice}


@pytest.mark.parametrize(
    "event", [None, 5, [], "pin", {}, {"kind": None}, {"kind": ["pin"]}, {"kind": "undo"}]
)
def test_what_is_no_event_is_refused(event: Any) -> None:
    with pytest.raises((SpaceError, UnknownName)):
        apply(lay(preset("blank")), event)


# kind -> (preset, an event that changes it, one that is refused, a word of the sentence)
EXAMPLES: dict[str, tuple[str, dict[str, Any], dict[str, Any], str]] = {
    "pin": (
        "notes-net",
        {"label": "conv1", "choice": "conv5x5"},
        {"label": "conv1", "choice": "conv9x9"},
        "pick one of conv3x3, conv5x5",
    ),
    "keep": (
        "notes-net",
        {"label": "conv1", "option": "conv3x3", "on": False},
        {"label": "conv1", "option": "conv9x9", "on": False},
        "no option 'conv9x9'",
    ),
    "skip": (
        "enas-macro",
        {"label": "skip_3", "source": "norm_2", "state": "always"},
        {"label": "skip_3", "state": "always"},
        "say which of norm_1, norm_2",
    ),
    "operation": (
        "darts-cell",
        {"name": "skip_connect", "on": False},
        {"name": "conv2d", "on": False},
        "'conv2d'",
    ),
    "edge": ("cell", {"label": "edge_0_3", "on": False}, {"label": "edge_3_0", "on": False}, "'edge_3_0'"),
    "allow_all": ("notes-net", {}, {"label": "conv1"}, "'label'"),
    "add_layer": (
        "blank",
        {"after": "input", "operation": "conv2d", "parameters": {"padding": 1}},
        {"after": "input", "operation": "conv2d", "parameters": {"padding": 99}},
        "padding is 99",
    ),
    "remove_layer": ("notes-net", {"layer": "pool1"}, {"layer": "pool9"}, "'pool9'"),
    "move_layer": (
        "notes-net",
        {"layer": "relu1", "to": 0},
        {"layer": "conv2", "to": 0},
        "the skip 'skip' leads from 'mid_conv'",
    ),
    "rename_layer": (
        "notes-net",
        {"layer": "mid_conv", "name": "middle"},
        {"layer": "mid_conv", "name": "skip"},
        "taken already",
    ),
    "add_candidate": (
        "blank",
        {"layer": "flatten", "operation": "global_avg_pool"},
        {"layer": "flatten", "operation": "sep_conv_3x3"},
        "'sep_conv_3x3'",
    ),
    "remove_candidate": (
        "notes-net",
        {"layer": "conv1", "name": "conv3x3"},
        {"layer": "relu1", "name": "relu"},
        "fixed layer",
    ),
    "set_parameter": (
        "notes-net",
        {"layer": "conv1", "candidate": "conv3x3", "parameter": "out_channels", "value": 16},
        {"layer": "conv1", "parameter": "out_channels", "value": 16},
        "say which candidate",
    ),
    "add_skip": (
        "notes-net",
        {"source": "input", "into": "conv1", "align": "crop"},
        {"source": "conv2", "into": "conv1"},
        "cycle",
    ),
    "remove_skip": ("notes-net", {"label": "skip"}, {"label": "skip_2"}, "'skip_2'"),
    "align": (
        "notes-net",
        {"label": "skip", "align": "none"},
        {"label": "skip", "align": "stretch"},
        "'stretch'",
    ),
    "input": ("cell", {"channels": 3, "side": 32}, {"channels": 3, "side": 999}, "999 pixels"),
    "title": ("cell", {"title": "Mine"}, {"title": "two\nlines"}, "printable"),
    "repair": ("notes-net-as-written", {}, {"layer": "func1"}, "'layer'"),
}


def test_every_kind_of_event_has_its_examples() -> None:
    assert set(EXAMPLES) == set(KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_event_works_once_and_refuses_in_a_sentence(kind: str) -> None:
    name, works, refused, word = EXAMPLES[kind]
    board = lay(preset(name))
    if kind == "allow_all":
        board = lay(preset(name), Restriction({"conv1": ("conv5x5",)}))
    changed = apply(board, {"kind": kind, **works})
    assert changed != board
    _holds(changed)
    assert attempt(changed, {"kind": kind, **works}) == changed or kind in ADDING
    with pytest.raises((SpaceError, UnknownName), match=word):
        apply(board, {"kind": kind, **refused})


@pytest.mark.parametrize("kind", KINDS)
def test_fields_of_another_type_or_left_out_are_refused(kind: str) -> None:
    name, works, _, _ = EXAMPLES[kind]
    board = lay(preset(name))
    for field in KINDS[kind].required:
        without = {key: value for key, value in works.items() if key != field}
        with pytest.raises(SpaceError, match=f"{field}"):
            apply(board, {"kind": kind, **without})
    for field in works:
        for junk in (float("nan"), [[1]] * 1000, {"a": {}}, 10**30):
            with pytest.raises((SpaceError, UnknownName)):
                apply(board, {"kind": kind, **works, field: junk})


def test_a_board_may_hold_a_network_that_cannot_run_yet() -> None:
    board = apply(lay(preset("blank")), {"kind": "remove_layer", "layer": "flatten"})
    assert [problem.code for problem in check(board.allowed)] == ["needs-features"]
