"""What test_board.py serves: a board alone on a page, and beside it what Python holds."""

from __future__ import annotations

import json

import streamlit as st

from explorer.board import Board, begin
from explorer.board import lay as board_of
from explorer.space import Input, InputChoice, Layer, LayerChoice, MacroSpace, Operation, check, preset
from pages.widgets import board

HOSTILE = "<img src=x onerror=alert(1)>"
REVERSED = "\u202egnp.exe"


def hostile() -> MacroSpace:
    """Names that want to be markup, run backwards or never end."""
    candidates = ((HOSTILE, Operation("relu")), ("A" * 300, Operation("identity")))
    return MacroSpace(
        name="hostile",
        title="<script>document.title='taken'</script>",
        input=Input(1, 8, from_dataset=True),
        layers=(
            Layer(HOSTILE, LayerChoice(HOSTILE, candidates)),
            Layer(REVERSED, Operation("flatten")),
            Layer("head", Operation("linear", {"out_features": 10})),
        ),
        skips=(InputChoice("B" * 200, (HOSTILE,), REVERSED),),
    )


def told(now: Board) -> str:
    """The board in one line of JSON for the test to read."""
    names = [layer.name for layer in now.space.layers] if isinstance(now.space, MacroSpace) else []
    found = {
        "pinned": now.pinned.to_json(),
        "kept": now.restriction.to_json(),
        "layers": names,
        "skips": [mutable.label for mutable in now.space.mutables if isinstance(mutable, InputChoice)],
    }
    seat = board.seat()
    assert seat
    found |= {"ack": seat.ack, "epoch": seat.epoch, "steps": len(seat.history.past)}
    return json.dumps(found | {"selected": board.selected()}, ensure_ascii=True)


name = st.query_params.get("space", "notes-net")
if board.seat() is None:
    board.lay(begin(board_of(hostile() if name == "hostile" else preset(name))))


@st.fragment
def body() -> None:
    """As the app's page does it: only this runs again after an edit."""
    now = board.current()
    board.show(problems=check(now.allowed))
    st.code(told(now))
    st.button("Allow everything", on_click=board.tell, args=({"kind": "allow_all"},))


body()
