"""Undo and redo: exact, whatever was done between."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from explorer.board import History, begin, do, lay, put
from explorer.board.history import MAX_STEPS
from explorer.errors import SpaceError, UnknownName
from explorer.space import preset
from tests.board.generated import boards, events

UNDO, REDO = {"kind": "undo"}, {"kind": "redo"}


def attempt(history: History, event: Any) -> History:
    """The history after an event, or as it was."""
    try:
        return do(history, event)
    except (SpaceError, UnknownName):
        return history


@given(st.data())
@settings(max_examples=100, deadline=None)
def test_undo_takes_back_every_step_exactly_and_redo_repeats_it(data: st.DataObject) -> None:
    history = begin(data.draw(boards()))
    seen = [history.now]
    for _ in range(data.draw(st.integers(1, 10))):
        history = attempt(history, data.draw(events(history.now)))
        if history.now != seen[-1]:
            seen.append(history.now)
    last = history
    for board in reversed(seen[:-1]):
        history = do(history, UNDO)
        assert history.now == board
    assert do(history, UNDO) == history
    for board in seen[1:]:
        history = do(history, REDO)
        assert history.now == board
    assert do(history, REDO) == history == last


def test_laying_another_space_can_be_undone() -> None:
    first, second = lay(preset("notes-net")), lay(preset("cell"))
    history = put(begin(first), second)
    assert do(history, UNDO).now == first


def test_a_new_step_ends_what_could_be_redone_but_an_event_without_effect_does_not() -> None:
    history = do(begin(lay(preset("notes-net"))), {"kind": "skip", "label": "skip", "state": "off"})
    history = do(history, UNDO)
    same = do(history, {"kind": "skip", "label": "skip", "state": "free"})
    assert same == history and same.future
    assert do(history, {"kind": "skip", "label": "skip", "state": "always"}).future == ()


def test_only_so_many_steps_are_kept() -> None:
    history = begin(lay(preset("blank")))
    for at in range(MAX_STEPS + 20):
        history = do(history, {"kind": "title", "title": f"Version {at}"})
    assert len(history.past) == MAX_STEPS
    for _ in range(MAX_STEPS + 20):
        history = do(history, UNDO)
    assert history.now.space.title == "Version 19"
    assert len(history.future) == MAX_STEPS
