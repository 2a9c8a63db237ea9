"""The board: a search space under construction, what is kept of it, and the one architecture that is pinned.

A `Board` is final; `apply` makes the next one. Three things always hold: the space and the allowed part of it are
well formed (`structure`), the pinned architecture is one of the space, and what it takes is not forbidden. Whether
shapes fit is not asked here: a board may hold a network that does not run yet, and `check` says why.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from explorer.errors import SpaceError, UnknownName
from explorer.space import (
    Architecture,
    CellSpace,
    DartsSpace,
    InputChoice,
    LayerChoice,
    MacroSpace,
    Mutable,
    SearchSpace,
    space_from_json,
    structure,
)
from explorer.space.restrict import (
    ALWAYS,
    FREE,
    OFF,
    Restriction,
    always_label,
    fit,
    restrict,
    restriction_from_json,
    skip_states,
)

States = Mapping[str, tuple[str, ...]]
"""Choice's label -> of each option (of a skip: of each source) OFF or FREE; a skip's source may also be ALWAYS."""

TRIES = 20
"""Architectures that are drawn to find a first one that is not cut off."""


@dataclass(frozen=True)
class Board:
    """`space` before restrictions, what is kept of it, and an architecture of `space` itself; made by `lay`."""

    space: SearchSpace
    restriction: Restriction
    pinned: Architecture

    @cached_property
    def allowed(self) -> SearchSpace:
        """What may be chosen: the restricted space."""
        return restrict(self.space, self.restriction)

    @cached_property
    def architecture(self) -> Architecture:
        """The pinned architecture as one of `allowed`; a skip's sources are followed by name."""
        taken = {
            skip.label: {skip.sources[at] for at in self.pinned[skip.label]} for skip in _skips(self.space)
        }
        choices = {}
        for mutable in self.allowed.mutables:
            if not isinstance(mutable, InputChoice) or not isinstance(self.space, MacroSpace):
                choices[mutable.label] = self.pinned[mutable.label]
            elif mutable.n_chosen == len(mutable.sources):
                choices[mutable.label] = tuple(range(mutable.n_chosen))
            else:
                held = taken[mutable.label]
                choices[mutable.label] = tuple(
                    at for at, source in enumerate(mutable.sources) if source in held
                )
        return Architecture(choices)

    @cached_property
    def states(self) -> States:
        """What the restriction says about every option of every choice of `space`."""
        return states_of(self.space, self.restriction)

    def mutable(self, label: Any) -> Mutable:
        """The choice of `space` called `label`; raises UnknownName."""
        known = {mutable.label: mutable for mutable in self.space.mutables}
        return known[one_of("choice", label, known)]

    def to_json(self) -> dict[str, Any]:
        """A plain dict that `board_from_json` reads back."""
        return {
            "space": self.space.to_json(),
            "restriction": self.restriction.to_json(),
            "pinned": self.pinned.to_json(),
        }


def lay(
    space: SearchSpace,
    restriction: Restriction | None = None,
    pinned: Mapping[str, Any] | None = None,
) -> Board:
    """A board with `space` on it; raises SpaceError where nothing could be chosen.

    `pinned` is an architecture of `space`; what it does not say, or what is forbidden, becomes the first option.
    Without it the first architecture is pinned that is not cut off.
    """
    board = made(space, restriction or Restriction(), fit(space, pinned or {}))
    return with_architecture(board, _first(board.allowed)) if pinned is None else board


def board_from_json(form: Any) -> Board:
    """The inverse of `Board.to_json`; raises SpaceError or CodecError."""
    if not isinstance(form, Mapping) or not isinstance(form.get("pinned"), Mapping):
        raise SpaceError("A board is a JSON object with 'space', 'restriction' and 'pinned'.")
    space = space_from_json(form.get("space"))
    restriction = restriction_from_json(form.get("restriction", {}))
    return made(space, restriction, space.architecture(form["pinned"]))


def with_architecture(board: Board, architecture: Mapping[str, Any]) -> Board:
    """The board with an architecture of its allowed space pinned, say one that a search has found."""
    chosen = board.allowed.architecture(architecture)
    choices = {label: chosen.get(label, choice) for label, choice in board.pinned.items()}
    for skip in _skips(board.space):
        taken = _taken(board, skip, chosen)
        choices[skip.label] = tuple(at for at, source in enumerate(skip.sources) if source in taken)
    return made(board.space, board.restriction, Architecture(choices))


def _taken(board: Board, skip: InputChoice, chosen: Architecture) -> set[str]:
    """Which sources of a skip an architecture of the allowed space takes."""
    labels = (skip.label, always_label(board.space, skip.label))  # type: ignore[arg-type]
    return {
        each.sources[at]
        for each in _skips(board.allowed)
        if each.label in labels
        for at in chosen[each.label]
    }


def made(space: SearchSpace, restriction: Restriction, pinned: Architecture) -> Board:
    """The board in its one canonical form: the pin moves to what is allowed. Raises SpaceError for an empty choice."""
    problems = structure(space) or structure(restrict(space, restriction))
    if problems:
        raise SpaceError(problems[0])
    states = states_of(space, restriction)
    settled = {
        mutable.label: _settled(mutable, pinned[mutable.label], states[mutable.label])
        for mutable in space.mutables
    }
    return Board(space, canonical(space, restriction), Architecture(settled))


def states_of(space: SearchSpace, restriction: Restriction) -> States:
    """What `restriction` says about every option; an edge that is taken out of a cell keeps its options."""
    found = {}
    for mutable in space.mutables:
        if isinstance(mutable, InputChoice):
            is_skip = isinstance(space, MacroSpace)
            found[mutable.label] = (
                skip_states(mutable, restriction) if is_skip else (FREE,) * len(mutable.sources)
            )
            continue
        options = options_of(mutable)
        kept = restriction.kept.get(mutable.label, options)
        if isinstance(space, CellSpace | DartsSpace):
            kept = options if restriction.operations is None else restriction.operations
        found[mutable.label] = tuple(FREE if option in kept else OFF for option in options)
    return found


def options_of(mutable: Mutable) -> tuple[Any, ...]:
    """What is offered or forbidden one by one: candidates' names, values, or names of sources."""
    if isinstance(mutable, LayerChoice):
        return mutable.names
    return mutable.sources if isinstance(mutable, InputChoice) else mutable.values


def canonical(space: SearchSpace, restriction: Restriction) -> Restriction:
    """The same restriction in the one way in which boards write it, so that equal boards are equal."""
    if isinstance(space, MacroSpace):
        return restriction_of(space, states_of(space, restriction))
    edges = [mutable.label for mutable in space.mutables] if isinstance(space, CellSpace) else []
    return Restriction(
        operations=_fewer(getattr(space, "operations", ()), restriction.operations),
        edges=_fewer(tuple(edges), restriction.edges),
    )


def _fewer(known: tuple[str, ...], kept: tuple[str, ...] | None) -> tuple[str, ...] | None:
    left = known if kept is None else tuple(name for name in known if name in kept)
    return None if left == known else left


def restriction_of(space: MacroSpace, states: States) -> Restriction:
    """The restriction of a macro space that says `states`; raises SpaceError for names that cannot say it."""
    kept: dict[str, tuple[Any, ...]] = {}
    always: set[str] = set()
    for mutable in space.mutables:
        held, label = states[mutable.label], mutable.label
        if OFF in held:
            pairs = zip(options_of(mutable), held, strict=True)
            kept[label] = tuple(option for option, state in pairs if state != OFF)
        if ALWAYS in held:
            single = {f"{label}/{at}" for at, state in enumerate(held) if state == ALWAYS}
            always |= single if FREE in held else {label}
    restriction = Restriction(kept, frozenset(always))
    unsaid = [
        skip.label for skip in space.skips if skip_states(skip, restriction) != tuple(states[skip.label])
    ]
    if unsaid:
        raise SpaceError(
            f"A source of {unsaid[0]!r} and a skip have one name, so neither can be always on alone; rename the skip."
        )
    return restriction


def _settled(mutable: Mutable, choice: Any, states: tuple[str, ...]) -> Any:
    """The choice nearest to `choice` that `states` allow."""
    if not isinstance(mutable, InputChoice):
        at = mutable.index(choice)
        return choice if at is not None and states[at] != OFF else mutable.option(states.index(FREE))
    always = [at for at, state in enumerate(states) if state == ALWAYS]
    wanted = [at for at in choice if states[at] == FREE]
    if mutable.n_chosen is None:
        return tuple(sorted(always + wanted))
    free = [at for at, state in enumerate(states) if state == FREE and at not in wanted]
    off = [at for at, state in enumerate(states) if state == OFF]
    return tuple(sorted((always + wanted + free + off)[: mutable.n_chosen]))


def _skips(space: SearchSpace) -> tuple[InputChoice, ...]:
    return space.skips if isinstance(space, MacroSpace) else ()


def _first(space: SearchSpace) -> Architecture:
    """What is pinned before anybody chose: the first architecture, or one drawn where that one is cut off."""
    candidates = [space.default, *space.sample(TRIES, random.Random(0))]
    return next((one for one in candidates if space.lower(one).is_connected), space.default)


def one_of(kind: str, name: Any, known: Any) -> str:
    """`name` when it is among `known`; raises UnknownName, and quotes no more than a line of it."""
    if isinstance(name, str) and name in known:
        return name
    raise UnknownName(kind, name[:60] if isinstance(name, str) else repr(name)[:60], known)
