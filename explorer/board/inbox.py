"""Messages of the drawing: each carries every edit that Python has not acknowledged, so that none is ever lost.

    {"epoch": 3, "seq": 12, "edits": [{"seq": 11, "event": {...}}, {"seq": 12, "event": {...}}]}

Browsers send faster than a page runs, and only the last message may arrive. So edits are numbered without a gap: one
that was heard already is passed over, and one whose forerunner is missing is refused. `epoch` counts how often the
drawing had to return to Python's state: a message from before that was made on another picture and is ignored.
Whoever receives a refusal raises it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from explorer.board.history import History, do
from explorer.catalogue import shown
from explorer.errors import SpaceError, UnknownName
from explorer.space.codec import MAX_JSON_BYTES

MAX_EDITS = 256
MAX_SEQ = 2**53 - 1  # the largest whole number that a browser counts to exactly


@dataclass(frozen=True)
class Received:
    """The history after a message, the newest edit heard, and the sentence of what was refused."""

    history: History
    ack: int
    refused: str | None = None


def receive(history: History, message: Any, epoch: int, ack: int) -> Received:
    """Do what is new in `message`, in order and once.

    At a refused edit it stops: the later ones were made on a picture that Python does not share, and are dropped.
    """
    problem = _problem(message)
    if problem:
        return Received(history, ack, problem)
    edits = message["edits"]
    if message["epoch"] != epoch or not edits:
        return Received(history, ack)
    if edits[0]["seq"] > ack + 1:
        return Received(history, ack, f"Edit {edits[0]['seq']} arrived without edit {ack + 1} before it.")
    for edit in edits:
        if edit["seq"] <= ack:
            continue
        try:
            history = do(history, edit["event"])
        except (SpaceError, UnknownName) as error:
            return Received(history, max(ack, edits[-1]["seq"]), str(error))
        ack = edit["seq"]
    return Received(history, ack)


def _problem(message: Any) -> str | None:
    """What keeps a message from being one of ours, in one sentence."""
    if not isinstance(message, Mapping) or set(message) != {"epoch", "seq", "edits"}:
        return f"The drawing sent {shown(message)}; a message has epoch, seq and edits."
    for name in ("epoch", "seq"):
        if not _is_count(message[name]):
            return f"The drawing sent {name} {shown(message[name])}; it is a whole number from 0."
    edits = message["edits"]
    if not isinstance(edits, list) or not all(map(_is_edit, edits)):
        return "The drawing sent edits that are not understood; each is an object with seq and event."
    if len(edits) > MAX_EDITS:
        return f"The drawing sent {len(edits):,} edits at once; at most {MAX_EDITS} are taken."
    numbers = [edit["seq"] for edit in edits]
    if any(later != earlier + 1 for earlier, later in pairwise(numbers)):
        return "The drawing sent edits out of order; their numbers rise by one."
    return _size_problem(edits)


def _is_count(value: Any) -> bool:
    return type(value) is int and 0 <= value <= MAX_SEQ


def _is_edit(value: Any) -> bool:
    return isinstance(value, Mapping) and set(value) == {"seq", "event"} and _is_count(value["seq"])


def _size_problem(edits: list[Any]) -> str | None:
    try:
        size = len(json.dumps(edits, allow_nan=False))
    except (TypeError, ValueError, RecursionError):
        return "The drawing sent something that is not plain JSON; send finite numbers, texts, lists and objects."
    if size > MAX_JSON_BYTES:
        return f"The drawing sent {size:,} bytes; at most {MAX_JSON_BYTES:,} are taken."
    return None
