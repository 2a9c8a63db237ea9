"""The drawing's messages: lost, doubled, late or tampered with, the board is what the edits made of it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer.board import History, begin, do, lay, receive
from explorer.board.inbox import MAX_EDITS
from explorer.space import preset
from tests.board.generated import JUNK, events

EVENTS: tuple[dict[str, Any], ...] = (
    {"kind": "pin", "label": "conv1", "choice": "conv5x5"},
    {"kind": "skip", "label": "skip", "state": "always"},
    {"kind": "keep", "label": "mid_conv", "option": "conv3x3", "on": False},
    {"kind": "undo"},
    {"kind": "add_layer", "after": "conv1", "operation": "batch_norm2d"},
    {"kind": "add_layer", "after": "conv1", "operation": "batch_norm2d"},
    {"kind": "rename_layer", "layer": "norm1", "name": "norm"},
    {"kind": "remove_layer", "layer": "norm2"},
    {"kind": "undo"},
    {"kind": "redo"},
)


def start() -> History:
    """Nothing said yet."""
    return begin(lay(preset("notes-net")))


def after(*said: dict[str, Any]) -> History:
    """What the events make one after the other."""
    history = start()
    for event in said:
        history = do(history, event)
    return history


def message(first: int, last: int, epoch: int = 3) -> dict[str, Any]:
    """The drawing's message at edit `last` when it has heard back of all before `first`."""
    edits = [{"seq": seq, "event": EVENTS[seq - 1]} for seq in range(first, last + 1)]
    return {"epoch": epoch, "seq": last, "edits": edits}


def conversation(*messages: dict[str, Any]) -> History:
    """All of them heard in that order, none refused."""
    history, ack = start(), 0
    for each in messages:
        heard = receive(history, each, 3, ack)
        assert heard.refused is None
        history, ack = heard.history, heard.ack
    assert ack == len(EVENTS)
    return history


ALL = [message(1, last) for last in range(1, len(EVENTS) + 1)]


@pytest.mark.parametrize(
    "heard",
    [ALL, ALL[-1:], [*ALL, *ALL], [each for each in ALL for _ in "ab"], ALL[::-1], ALL[4:] + ALL[:4]],
    ids=["all arrive", "only the last arrives", "all twice", "each twice", "backwards", "late ones"],
)
def test_ten_edits_give_the_same_board_however_their_messages_arrive(heard: list[dict[str, Any]]) -> None:
    assert conversation(*heard) == after(*EVENTS)


@given(st.lists(st.integers(0, len(ALL) - 1), max_size=12))
@settings(max_examples=60, deadline=None)
def test_any_messages_in_any_order_with_the_last_among_them_give_the_same_board(order: list[int]) -> None:
    assert conversation(*(ALL[at] for at in order), ALL[-1]) == after(*EVENTS)


def test_what_was_acknowledged_need_not_be_sent_again() -> None:
    assert conversation(message(1, 4), message(3, 7), message(8, 10)) == after(*EVENTS)


def test_a_refused_edit_stops_there_and_what_followed_it_is_dropped() -> None:
    wrong = {"kind": "pin", "label": "conv1", "choice": "conv9x9"}
    edits = [EVENTS[0], wrong, EVENTS[1]]
    sent = {"epoch": 0, "seq": 3, "edits": [{"seq": at, "event": one} for at, one in enumerate(edits, 1)]}
    heard = receive(start(), sent, 0, 0)
    assert heard.history == after(EVENTS[0])
    assert heard.refused is not None and "conv9x9" in heard.refused
    assert heard.ack == 3
    assert receive(heard.history, sent, 1, heard.ack).history == heard.history


@pytest.mark.parametrize("epoch", [0, 2, 4])
def test_a_message_of_another_epoch_is_ignored(epoch: int) -> None:
    heard = receive(start(), message(1, 10, epoch), 3, 0)
    assert (heard.history, heard.ack, heard.refused) == (start(), 0, None)


def test_an_edit_whose_forerunner_never_came_is_refused() -> None:
    heard = receive(start(), message(5, 6), 3, 0)
    assert (heard.history, heard.ack) == (start(), 0)
    assert heard.refused == "Edit 5 arrived without edit 1 before it."


ONE = {"seq": 1, "event": EVENTS[0]}
DEEP: Any = []
for _ in range(100_000):
    DEEP = [DEEP]

TAMPERED: dict[str, Any] = {
    "nothing": None,
    "a list": [],
    "a number": float("nan"),
    "no fields": {},
    "a field too many": {"epoch": 3, "seq": 1, "edits": [], "board": {}},
    "no edits": {"epoch": 3, "seq": 1},
    "epoch a text": {"epoch": "3", "seq": 1, "edits": [ONE]},
    "epoch true": {"epoch": True, "seq": 1, "edits": [ONE]},
    "seq not a number": {"epoch": 3, "seq": float("nan"), "edits": [ONE]},
    "seq negative": {"epoch": 3, "seq": -1, "edits": [ONE]},
    "seq huge": {"epoch": 3, "seq": 10**30, "edits": [ONE]},
    "edits an object": {"epoch": 3, "seq": 1, "edits": {"1": ONE}},
    "an edit a text": {"epoch": 3, "seq": 1, "edits": ["pin"]},
    "an edit without event": {"epoch": 3, "seq": 1, "edits": [{"seq": 1}]},
    "an edit with a fraction": {"epoch": 3, "seq": 1, "edits": [{**ONE, "seq": 1.0}]},
    "an unknown kind": {"epoch": 3, "seq": 1, "edits": [{"seq": 1, "event": {"kind": "explode"}}]},
    "an event a list": {"epoch": 3, "seq": 1, "edits": [{"seq": 1, "event": []}]},
    "NaN inside": {
        "epoch": 3,
        "seq": 1,
        "edits": [{"seq": 1, "event": {**EVENTS[0], "choice": float("nan")}}],
    },
    "no JSON inside": {"epoch": 3, "seq": 1, "edits": [{"seq": 1, "event": {1, 2}}]},
    "nested too deeply": {"epoch": 3, "seq": 1, "edits": [{"seq": 1, "event": DEEP}]},
    "twice the same": {"epoch": 3, "seq": 1, "edits": [ONE, ONE]},
    "falling numbers": {"epoch": 3, "seq": 2, "edits": [{**ONE, "seq": 2}, ONE]},
    "a gap": {"epoch": 3, "seq": 3, "edits": [ONE, {**ONE, "seq": 3}]},
    "too many": {
        "epoch": 3,
        "seq": 1,
        "edits": [{"seq": at, "event": EVENTS[0]} for at in range(1, MAX_EDITS + 2)],
    },
    "too large": {
        "epoch": 3,
        "seq": 1,
        "edits": [{"seq": 1, "event": {"kind": "title", "title": "x" * 300_000}}],
    },
}


@pytest.mark.parametrize("what", TAMPERED)
def test_a_message_that_was_tampered_with_is_refused_in_one_sentence(what: str) -> None:
    heard = receive(start(), TAMPERED[what], 3, 0)
    assert heard.history == start()
    assert heard.refused is not None
    assert heard.refused.endswith(".") and "\n" not in heard.refused and len(heard.refused) < 400


def test_what_is_no_json_is_seen_before_any_edit_is_done() -> None:
    edits = [ONE, {"seq": 2, "event": {"kind": "pin", "label": "conv1", "choice": float("inf")}}]
    heard = receive(start(), {"epoch": 3, "seq": 2, "edits": edits}, 3, 0)
    assert (heard.history, heard.ack) == (start(), 0)
    assert heard.refused is not None and "plain JSON" in heard.refused


def test_the_most_edits_are_taken_and_no_more() -> None:
    edits = [{"seq": at, "event": EVENTS[0]} for at in range(1, MAX_EDITS + 1)]
    heard = receive(start(), {"epoch": 3, "seq": MAX_EDITS, "edits": edits}, 3, 0)
    assert (heard.ack, heard.refused) == (MAX_EDITS, None)


@given(st.data())
@settings(max_examples=100, deadline=None)
def test_no_message_breaks_anything(data: st.DataObject) -> None:
    board = lay(preset("notes-net"))
    edit = st.fixed_dictionaries({"seq": st.integers(0, 4) | JUNK, "event": events(board) | JUNK})
    sent = data.draw(
        st.fixed_dictionaries(
            {"epoch": st.just(3) | JUNK, "seq": st.just(1) | JUNK, "edits": st.lists(edit, max_size=3) | JUNK}
        )
    )
    heard = receive(begin(board), sent, 3, 0)
    assert heard.refused is None or heard.refused.endswith(".")
    assert heard.history.now.allowed.architecture(heard.history.now.architecture)
