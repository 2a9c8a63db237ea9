"""What concerns the whole space: what arrives, its title, and repairs that need no taste."""

from __future__ import annotations

from dataclasses import replace

from explorer.board.board import Board
from explorer.board.carrying import carried, rebuilt
from explorer.board.names import MAX_TITLE, OWN
from explorer.catalogue import shown
from explorer.errors import SpaceError
from explorer.space import Input
from explorer.space import repair as repaired_space


def set_input(
    board: Board, channels: int | None = None, side: int | None = None, dataset: bool | None = None
) -> Board:
    """What arrives: channels and side in pixels, or whatever the dataset has."""
    if dataset:
        if channels is not None or side is not None:
            raise SpaceError("The input follows the dataset or has channels and a side; say one of the two.")
        is_there = board.space.input.from_dataset
        wanted = board.space.input if is_there else Input(1, 8, from_dataset=True)
    else:
        if channels is None or side is None:
            raise SpaceError(
                "The input has channels and a side in pixels; say both, or that it follows the dataset."
            )
        wanted = Input(channels, side)
    return rebuilt(board, replace(board.space, input=wanted))


def set_title(board: Board, title: str) -> Board:
    """Another title, cut where it is too long; the space is no preset any more."""
    title = title[:MAX_TITLE]
    if not title.isprintable():
        raise SpaceError(f"The title {shown(title)} cannot be shown; give printable characters.")
    if title == board.space.title:
        return board
    return carried(board, replace(board.space, name=OWN, title=title), {})


def repair(board: Board) -> Board:
    """Everything repaired that can be; a space that then equals a preset becomes it."""
    space, repairs = repaired_space(board.space)
    if not repairs:
        return board
    return carried(board, space, {}) if space.name != board.space.name else rebuilt(board, space)
