"""A tuned run read once and kept in the session: its board, its search space, charts that wait for a wish."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

import streamlit as st

from explorer.hyper import HyperSpace
from explorer.plots.tuning.table import Board, board
from explorer.runs.state import RunState
from explorer.runs.tuning_checks import hyper_of
from pages.widgets.drawing import picture

_Made = TypeVar("_Made")


def board_of(state: RunState) -> Board:
    """The run's board; read again only when the run has gone on."""

    def read() -> Board:
        space = space_of(state)
        return board(state, None if space is None else space.to_json())

    return kept("board", (state.run_id, state.last_seq), read)


def space_of(state: RunState) -> HyperSpace | None:
    """Everything that the run tunes; None where that can no longer be read."""
    return kept("space", state.run_id, lambda: hyper_of(state.spec)[0])


def kept(place: str, mark: object, make: Callable[[], _Made]) -> _Made:
    """What `make` gives, made anew only when `mark` has changed; the session keeps one a place."""
    name = f"tuning/kept/{place}"
    known = st.session_state.get(name)
    if known is None or known[0] != mark:
        known = (mark, make())
        st.session_state[name] = known
    made: _Made = known[1]
    return made


def trial_box(
    label: str,
    trials: Sequence[int],
    place: str,
    meaning: str | None = None,
    picked: Callable[[], None] | None = None,
) -> int:
    """Pick a trial by its number alone.

    A label that tells more would change while the run lives; the browser sends back the label that it was drawn
    with, and Streamlit would take an unknown one for the first trial.
    """
    if st.session_state.get(place) not in trials:
        st.session_state[place] = trials[0]
    chosen = st.selectbox(
        label,
        trials,
        format_func="Trial {}".format,
        key=place,
        help=meaning,
        on_change=picked,
    )
    return int(chosen)


def wide(text: str) -> None:
    """An SVG with too much in it for a phone: there it can be pushed sideways."""
    picture(text, "wide")


def code(words: str) -> str:
    """Words of a person's own as Markdown that shows them as they are."""
    return f"`{words.replace('`', chr(39))}`" if words else ""
