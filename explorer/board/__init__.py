"""The board: a search space that is built and changed by events, with undo, and the drawing's messages read safely."""

from explorer.board.apply import KINDS, apply
from explorer.board.board import Board, board_from_json, lay, with_architecture
from explorer.board.history import History, begin, do, put
from explorer.board.inbox import Received, receive

__all__ = [
    "KINDS",
    "Board",
    "History",
    "Received",
    "apply",
    "begin",
    "board_from_json",
    "do",
    "lay",
    "put",
    "receive",
    "with_architecture",
]
