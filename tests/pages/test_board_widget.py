"""The conversation with the drawing, from Python: what is heard once, what is refused, what plain widgets say."""

from __future__ import annotations

import json
from typing import Any

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from explorer.board import begin
from explorer.board import lay as board_of
from explorer.space import preset
from pages.widgets import board

PIN = {"kind": "pin", "label": "conv1", "choice": "conv5x5"}
SKIP = {"kind": "skip", "label": "skip", "source": "mid_conv", "state": "always"}
WRONG = {"kind": "pin", "label": "conv1", "choice": "conv9x9"}


@pytest.fixture
def session(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """A session with a board on it."""
    state: dict[str, Any] = {}
    monkeypatch.setattr(st, "session_state", state)
    board.lay(begin(board_of(preset("notes-net"))))
    return state


def say(session: dict[str, Any], *numbered: tuple[int, dict[str, Any]], epoch: int = 0) -> board.Seat:
    """What the drawing sends, and what is kept afterwards."""
    edits = [{"seq": number, "event": event} for number, event in numbered]
    session[board.KEY] = {"edits": {"epoch": epoch, "seq": numbered[-1][0], "edits": edits}}
    board.hear()
    seat = board.seat()
    assert seat
    return seat


def test_what_is_said_twice_is_done_once(session: dict[str, Any]) -> None:
    say(session, (1, PIN))
    seat = say(session, (1, PIN), (2, SKIP))
    assert (seat.ack, seat.epoch, len(seat.history.past)) == (2, 0, 2)
    assert board.current().pinned["conv1"] == "conv5x5" and board.current().pinned["skip"] == (0,)


def test_a_refusal_raises_the_epoch_and_keeps_the_sentence(session: dict[str, Any]) -> None:
    seat = say(session, (1, PIN), (2, WRONG), (3, SKIP))
    assert (seat.ack, seat.epoch) == (3, 1) and "conv9x9" in seat.refused
    assert board.current().pinned["conv1"] == "conv5x5" and board.current().pinned["skip"] == ()
    later = say(session, (4, SKIP))  # still of the epoch before
    assert later == seat and board.current().pinned["skip"] == ()
    good = say(session, (4, SKIP), epoch=1)
    assert (good.ack, good.refused) == (4, "")
    assert board.current().pinned["skip"] == (0,)


@pytest.mark.parametrize("message", ["x", 3, [], {"epoch": 0}, {"epoch": 0, "seq": 1, "edits": [1]}])
def test_nonsense_changes_nothing_and_is_refused(session: dict[str, Any], message: Any) -> None:
    before = board.current()
    session[board.KEY] = {"edits": message}
    board.hear()
    seat = board.seat()
    assert seat and seat.epoch == 1 and seat.refused and board.current() == before


def test_no_message_is_no_refusal(session: dict[str, Any]) -> None:
    session[board.KEY] = {"edits": None}
    board.hear()
    session[board.KEY] = {"selected": {"id": "conv1", "n": 1}}
    board.hear()
    seat = board.seat()
    assert seat and seat.epoch == 0 and not seat.refused


def test_a_plain_widget_goes_the_same_way_and_the_drawing_takes_it_over(session: dict[str, Any]) -> None:
    say(session, (1, PIN))
    board.tell(SKIP)
    seat = board.seat()
    assert seat and (seat.epoch, seat.ack) == (1, 1) and board.current().pinned["skip"] == (0,)
    board.tell({"kind": "undo"})
    assert board.current().pinned["skip"] == ()
    board.tell(WRONG)
    seat = board.seat()
    assert seat and seat.epoch == 3 and "conv9x9" in seat.refused
    assert board.current().pinned["conv1"] == "conv5x5"


def test_laying_another_history_goes_on_counting(session: dict[str, Any]) -> None:
    say(session, (1, PIN))
    board.lay(begin(board_of(preset("cell"))))
    seat = board.seat()
    assert seat and (seat.epoch, seat.ack) == (1, 1)
    assert board.history().past == () and board.current().space.name == "cell"


@pytest.mark.parametrize("said", [None, "conv1", {"id": 3}, {}, {"id": None}])
def test_a_selection_that_is_tampered_with_is_none(session: dict[str, Any], said: Any) -> None:
    session[board.KEY] = {"selected": said}
    assert board.selected() == ""
    session[board.KEY] = {"selected": {"id": "conv1", "n": 2}}
    assert board.selected() == "conv1"


def test_the_page_shows_a_refusal_above_the_drawing_until_something_else_is_done() -> None:
    def page() -> None:
        import streamlit as st

        from explorer.board import begin
        from explorer.board import lay as board_of
        from explorer.space import check, preset
        from pages.widgets import board

        if board.seat() is None:
            board.lay(begin(board_of(preset("notes-net-as-written"))))
        board.show(problems=check(board.current().allowed))
        wrong = {"kind": "remove_layer", "layer": "nothing"}
        st.button("Wrong", on_click=board.tell, args=(wrong,))
        st.button("Nothing")
        st.button("Right", on_click=board.tell, args=({"kind": "remove_layer", "layer": "relu1"},))

    app = AppTest.from_function(page).run(timeout=30)
    assert not app.exception and not app.warning
    sent = json.loads(app.get("bidi_component")[0].proto.json)
    assert sent["epoch"] == 0 and "adds 8x16x16" in json.dumps(sent["scene"])
    app.button[0].click().run()
    assert "No layer is called 'nothing'" in app.warning[0].value
    assert json.loads(app.get("bidi_component")[0].proto.json)["epoch"] == 1
    app.button[1].click().run()
    assert app.warning
    app.button[2].click().run()
    assert not app.warning
