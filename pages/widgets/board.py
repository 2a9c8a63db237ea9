"""The board on the page: mounts the drawing, and keeps the conversation with it in the session.

The drawing sends all edits that it has not heard back of; `explorer.board` reads them, and what is understood is
acknowledged by number. A refusal, and whatever changes the board from outside of the drawing, raises the epoch: then
the drawing returns to what Python says. Whoever owns the space calls `lay` first; the page then only shows.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import streamlit as st

from explorer.board import Board, History, do, receive
from explorer.errors import SpaceError, UnknownName
from explorer.plots.drawn.menus import board_payload
from explorer.space import Problem
from pages.widgets.component import mount

KEY = "board"


@dataclass(frozen=True)
class Seat:
    """A visitor's board: its history, how far the drawing was heard, and the refusal that nothing has followed yet."""

    history: History
    epoch: int = 0
    ack: int = 0
    refused: str = ""


def lay(history: History, key: str = KEY) -> None:
    """Put a history on the board; the drawing takes it over, whatever it was about to say."""
    before = seat(key)
    st.session_state[_name(key)] = Seat(
        history, before.epoch + 1 if before else 0, before.ack if before else 0
    )


def seat(key: str = KEY) -> Seat | None:
    """What is kept of the board, or None before anything was laid."""
    found: Seat | None = st.session_state.get(_name(key))
    return found


def history(key: str = KEY) -> History:
    """The board's history; something was laid before."""
    return _held(key).history


def current(key: str = KEY) -> Board:
    """The board as it is now; something was laid before."""
    return history(key).now


def tell(event: Mapping[str, Any], key: str = KEY) -> None:
    """What an ordinary widget does: one event by the same way, and the drawing takes over what came of it."""
    held = _held(key)
    try:
        changed = replace(held, history=do(held.history, event), epoch=held.epoch + 1, refused="")
    except (SpaceError, UnknownName) as problem:
        changed = replace(held, epoch=held.epoch + 1, refused=str(problem))
    st.session_state[_name(key)] = changed


def hear(key: str = KEY) -> None:
    """A callback: what the drawing has sent."""
    message = _sent(key).get("edits")
    if message is None:
        return
    held = _held(key)
    heard = receive(held.history, message, held.epoch, held.ack)
    before = "" if heard.ack > held.ack else held.refused
    st.session_state[_name(key)] = Seat(
        heard.history, held.epoch + bool(heard.refused), heard.ack, heard.refused or before
    )


def show(key: str = KEY, problems: Iterable[Problem] = ()) -> None:
    """The drawing, and above it the sentence of what was refused, until something else is done."""
    held = _held(key)
    with st.container():  # there even when empty, or the drawing would move to another place and be made anew
        if held.refused:
            st.warning(f"{held.refused} The board is as it was before.", icon=":material/undo:")
    data = board_payload(held.history.now, held.history, problems, held.epoch, held.ack, key)
    mount("edit", key, data, on_edits_change=lambda: hear(key), on_selected_change=_nothing)


def selected(key: str = KEY) -> str:
    """The id of the element that was touched last, as the drawing calls it; "" for none."""
    said = _sent(key).get("selected")
    name = said.get("id") if isinstance(said, Mapping) else None
    return name if isinstance(name, str) else ""


def _name(key: str) -> str:
    """Where the seat lies in the session: beside the component's own state."""
    return f"{key}/seat"


def _held(key: str) -> Seat:
    found = seat(key)
    assert found is not None, "lay a history first"
    return found


def _sent(key: str) -> Mapping[str, Any]:
    sent = st.session_state.get(key)
    return sent if isinstance(sent, Mapping) else {}


def _nothing() -> None:
    """The page runs again anyway; what is selected is read from the session."""
