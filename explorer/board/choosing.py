"""What of a space may be chosen, and what is pinned: candidates, values, skips, operations, edges.

Every one says the state that is wanted, so that saying it twice is saying it once. The space itself stays.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from explorer.board.board import Board, canonical, made, one_of, restriction_of
from explorer.catalogue import shown
from explorer.errors import SpaceError
from explorer.space import (
    CellSpace,
    DartsSpace,
    InputChoice,
    LayerChoice,
    MacroSpace,
    Mutable,
    edge_label,
    structure,
)
from explorer.space.restrict import ALWAYS, FREE, OFF, Restriction, restrict

STATES = (OFF, FREE, ALWAYS)


def pin(board: Board, label: str, choice: Any) -> Board:
    """The pinned architecture takes this candidate, value or list of source indices.

    What was forbidden is offered again, and a source that was always on and is not taken may be chosen again.
    """
    mutable = board.mutable(label)
    choice = tuple(choice) if isinstance(choice, list) else choice
    if mutable.index(choice) is None:
        raise SpaceError(f"{label} cannot be {shown(choice)}; {mutable.expected()}.")
    pinned = board.pinned.with_choice(label, choice)
    return made(board.space, _offering(board, mutable, choice), pinned)


def _offering(board: Board, mutable: Mutable, choice: Any) -> Restriction:
    """The restriction with as little lifted as `choice` needs."""
    kept = board.restriction
    if not isinstance(board.space, MacroSpace):
        if kept.operations is not None and isinstance(mutable, LayerChoice):
            kept = replace(kept, operations=(*kept.operations, choice))
        return kept if kept.edges is None else replace(kept, edges=(*kept.edges, mutable.label))
    states = list(board.states[mutable.label])
    if isinstance(mutable, InputChoice):
        for at, state in enumerate(states):
            if state == (OFF if at in choice else ALWAYS):
                states[at] = FREE
    else:
        states[mutable.index(choice) or 0] = FREE
    return restriction_of(board.space, {**board.states, mutable.label: tuple(states)})


def keep(board: Board, label: str, option: Any, on: bool) -> Board:
    """Offer or forbid one candidate, value or source of a choice; the last one that is offered has to stay."""
    mutable = board.mutable(label)
    if not isinstance(board.space, MacroSpace):
        raise SpaceError(
            f"{label} chooses from one list with every other edge; offer or forbid an operation on all of them."
        )
    if isinstance(mutable, InputChoice):
        return _keep_source(board, mutable, option, on)
    at = mutable.index(option)
    if at is None:
        raise SpaceError(f"{label} has no option {shown(option)}; {mutable.expected()}.")
    states = list(board.states[label])
    states[at] = FREE if on else OFF
    if FREE not in states:
        raise SpaceError(f"{option} is the last option of {label}; offer another one first.")
    return _with_states(board, label, states)


def _keep_source(board: Board, skip: InputChoice, source: Any, on: bool) -> Board:
    at = skip.sources.index(one_of(f"source of {skip.label}", source, skip.sources))
    if on and board.states[skip.label][at] != OFF:
        return board
    return set_skip(board, skip.label, FREE if on else OFF, source)


def set_skip(board: Board, label: str, state: str, source: str | None = None) -> Board:
    """One source of a skip: never, when the search wants it, or always."""
    skip = skip_called(board, label)
    one_of("state of a skip", state, STATES)
    if source is None and len(skip.sources) > 1:
        raise SpaceError(f"{label} has {len(skip.sources)} sources; say which of {', '.join(skip.sources)}.")
    source = skip.sources[0] if source is None else one_of(f"source of {label}", source, skip.sources)
    states = list(board.states[label])
    states[skip.sources.index(source)] = state
    problem = _number_problem(skip, states)
    if problem:
        raise SpaceError(problem)
    return _with_states(board, label, states)


def skip_called(board: Board, label: str) -> InputChoice:
    """The skip of that label; raises UnknownName, and SpaceError where there are none."""
    if not isinstance(board.space, MacroSpace):
        raise SpaceError(
            f"{board.space.title or board.space.name} has no skips; only a chain of layers has them."
        )
    known = {skip.label: skip for skip in board.space.skips}
    return known[one_of("skip", label, known)]


def _number_problem(skip: InputChoice, states: list[str]) -> str | None:
    """Whether a fixed number of sources can still be taken."""
    number, always, free = skip.n_chosen, states.count(ALWAYS), states.count(FREE)
    if number is None or always + free == 0:
        return None
    if always > number:
        return f"{skip.label} takes exactly {number} of its sources; no more than that can be always on."
    if always + free < number:
        return f"{skip.label} takes exactly {number} of its sources; leave at least that many."
    return None


def _with_states(board: Board, label: str, states: list[str]) -> Board:
    if not isinstance(board.space, MacroSpace):
        return board
    wanted = restriction_of(board.space, {**board.states, label: tuple(states)})
    return made(board.space, wanted, board.pinned)


def operation(board: Board, name: str, on: bool) -> Board:
    """Offer or forbid an operation on every edge of a cell."""
    if not isinstance(board.space, CellSpace | DartsSpace):
        raise SpaceError(
            f"{board.space.title or board.space.name} is a chain of layers; offer or forbid candidates one by one."
        )
    known = board.space.operations
    one_of("operation", name, known)
    kept = known if board.restriction.operations is None else board.restriction.operations
    left = tuple(each for each in known if (on if each == name else each in kept))
    is_empty = not [each for each in left if each != "none" or isinstance(board.space, CellSpace)]
    if is_empty:
        raise SpaceError(f"{name} is the last operation that an edge may have; offer another one first.")
    return made(board.space, replace(board.restriction, operations=left), board.pinned)


def edge(board: Board, label: str, on: bool) -> Board:
    """Whether an edge of a cell exists; one whose end would hang loose has to stay."""
    if not isinstance(board.space, CellSpace):
        raise SpaceError(
            f"{board.space.title or board.space.name} has no edges to take out; only a plain cell has."
        )
    known = tuple(edge_label(each) for each in board.space.edges)
    one_of("edge", label, known)
    kept = known if board.restriction.edges is None else board.restriction.edges
    left = tuple(each for each in known if (on if each == label else each in kept))
    wanted = canonical(board.space, replace(board.restriction, edges=left))
    problems = structure(restrict(board.space, wanted))
    if problems:
        raise SpaceError(f"{label} cannot be {'put back' if on else 'taken out'}: {problems[0]}")
    return made(board.space, wanted, board.pinned)


def allow_all(board: Board) -> Board:
    """Nothing is forbidden or always on any more."""
    return made(board.space, Restriction(), board.pinned)
