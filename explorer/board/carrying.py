"""From one space to the next: a rebuilt space keeps the restriction and the pins of everything that still exists.

Everything is followed by name. What is new is offered and not pinned; what a choice loses, it loses alone.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from explorer.board.board import Board, made, options_of, restriction_of
from explorer.board.names import named
from explorer.errors import SpaceError
from explorer.space import (
    Architecture,
    InputChoice,
    MacroSpace,
    Mutable,
    SearchSpace,
    space_from_json,
)
from explorer.space.codec import MAX_JSON_BYTES
from explorer.space.restrict import ALWAYS, FREE, OFF


def rebuilt(board: Board, space: SearchSpace, renamed: Mapping[str, str] | None = None) -> Board:
    """The board with `space` on it, which came from its own by one edit; raises SpaceError when it is not sound.

    `renamed`: old name of a layer -> new one.
    """
    if space == board.space:
        return board
    _sound(space)
    return carried(board, named(space, board.space), renamed or {})


def _sound(space: SearchSpace) -> None:
    """Whether the space could be written down and read back; raises SpaceError with the first problem."""
    form = space.to_json()
    try:
        space_from_json(form)
    except SpaceError as error:
        raise SpaceError(error.problems[0]) from None
    size = len(json.dumps(form, separators=(",", ":")))
    if size > MAX_JSON_BYTES:
        raise SpaceError(
            f"The space would take {size:,} bytes, more than the {MAX_JSON_BYTES:,} of a file; take something out."
        )


def carried(board: Board, space: SearchSpace, renamed: Mapping[str, str]) -> Board:
    """`space` with what the board says about choices of the same name."""
    pins = {renamed.get(label, label): choice for label, choice in _pins(board, renamed).items()}
    default = space.default
    choices = {mutable.label: _pin(mutable, pins, default[mutable.label]) for mutable in space.mutables}
    restriction = board.restriction
    if isinstance(space, MacroSpace):
        before = _states(board, renamed)
        states = {
            mutable.label: _carried(mutable, before.get(mutable.label, {})) for mutable in space.mutables
        }
        restriction = restriction_of(space, states)
    return made(space, restriction, Architecture(choices))


def _pins(board: Board, renamed: Mapping[str, str]) -> dict[str, Any]:
    """What is pinned, a skip's sources by their new names."""
    found: dict[str, Any] = {}
    for mutable in board.space.mutables:
        choice = board.pinned[mutable.label]
        if isinstance(mutable, InputChoice):
            choice = {renamed.get(mutable.sources[at], mutable.sources[at]) for at in choice}
        found[mutable.label] = choice
    return found


def _pin(mutable: Mutable, pins: Mapping[str, Any], default: Any) -> Any:
    choice = pins.get(mutable.label)
    if isinstance(mutable, InputChoice):
        if not isinstance(choice, set):
            return default
        held = tuple(at for at, source in enumerate(mutable.sources) if source in choice)
        return held
    return default if mutable.index(choice) is None else choice


def _states(board: Board, renamed: Mapping[str, str]) -> dict[str, dict[Any, str]]:
    """Label -> option -> what the restriction says about it, all by their new names."""
    found = {}
    for mutable in board.space.mutables:
        options = options_of(mutable)
        if isinstance(mutable, InputChoice):
            options = tuple(renamed.get(source, source) for source in options)
        states = zip(options, board.states[mutable.label], strict=True)
        found[renamed.get(mutable.label, mutable.label)] = dict(states)
    return found


def _carried(mutable: Mutable, before: Mapping[Any, str]) -> tuple[str, ...]:
    """States of the options; new ones are free. Where that leaves too little to choose, all are."""
    states = tuple(before.get(option, FREE) for option in options_of(mutable))
    if isinstance(mutable, InputChoice):
        number, always, free = mutable.n_chosen, states.count(ALWAYS), states.count(FREE)
        is_short = number is not None and 0 < free < number - always
        return tuple(FREE for _ in states) if is_short else states
    return states if set(states) != {OFF} else tuple(FREE for _ in states)
