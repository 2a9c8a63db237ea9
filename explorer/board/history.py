"""What was on the board before, and what was undone: every step can be taken back, exactly."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from explorer.board.apply import apply
from explorer.board.board import Board

MAX_STEPS = 100
UNDO, REDO = "undo", "redo"


@dataclass(frozen=True)
class History:
    """Boards before (oldest first), the board now, and undone ones (the next to redo first)."""

    past: tuple[Board, ...]
    now: Board
    future: tuple[Board, ...] = ()


def begin(board: Board) -> History:
    """A history without a past."""
    return History((), board)


def put(history: History, board: Board) -> History:
    """Another board, another space perhaps, as one step; the same board is none."""
    if board == history.now:
        return history
    return History((*history.past, history.now)[-MAX_STEPS:], board)


def do(history: History, event: Any) -> History:
    """The history after an event of `apply`, or `{"kind": "undo"}`, `{"kind": "redo"}`; at the end these do nothing.

    Raises what `apply` raises; an event that changes nothing is no step.
    """
    if event == {"kind": UNDO}:
        return _undone(history)
    if event == {"kind": REDO}:
        return _redone(history)
    return put(history, apply(history.now, event))


def _undone(history: History) -> History:
    if not history.past:
        return history
    return History(history.past[:-1], history.past[-1], (history.now, *history.future))


def _redone(history: History) -> History:
    if not history.future:
        return history
    return History((*history.past, history.now)[-MAX_STEPS:], history.future[0], history.future[1:])
