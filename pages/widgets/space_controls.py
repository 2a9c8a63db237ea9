"""The plain-widget twin of the drawing: everything that a click on it can change, as ordinary widgets.

A widget shows what the board says and tells it what was changed, by the same events as the drawing; what the board
refuses, the widget does not keep.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import streamlit as st

from explorer.board import Board
from explorer.plots import looks
from explorer.space import (
    CellSpace,
    DartsSpace,
    InputChoice,
    LayerChoice,
    Mutable,
    ValueChoice,
    edge_label,
)
from explorer.space.darts import KINDS
from explorer.space.restrict import ALWAYS, FREE, OFF
from pages.widgets import desk
from pages.widgets.words import term

LISTED = 16  # options of a skip that a menu lists; with more its sources are picked one by one
MANY_SKIPS = 3  # beyond them their controls are folded away
_SKIP = {OFF: "Off", FREE: "May be chosen", ALWAYS: "Always on"}
_NOUNS = {LayerChoice: "LayerChoice", InputChoice: "InputChoice", ValueChoice: "ValueChoice"}


def show(board: Board) -> None:
    """What may be chosen on the left, the pinned architecture on the right."""
    left, right = st.columns(2, gap="large")
    with left:
        st.header("What may be chosen", anchor=False)
        offered(board)
    with right:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.header("Pinned architecture", anchor=False, help=term("architecture"), width="content")
            st.button(
                "Another",
                icon=":material/casino:",
                on_click=draw_at_random,
                args=(board,),
                help="Pin an architecture drawn at random from what is allowed.",
            )
        pinned(board)


def offered(board: Board) -> None:
    """Candidates, operations, edges and skips, each offered or not."""
    space = board.space
    if isinstance(space, DartsSpace):
        _operations(board, space, "Operations (shared by every edge of both cells)")
    elif isinstance(space, CellSpace):
        _operations(board, space, "Operations (shared by every edge)")
        _edges(board, space)
    elif not space.mutables:
        st.caption("Nothing is to be chosen yet: add a candidate to a layer, or a skip between two.")
    else:
        _macro(board)


def _macro(board: Board) -> None:
    skips = [mutable for mutable in board.space.mutables if isinstance(mutable, InputChoice)]
    for mutable in board.space.mutables:
        if not isinstance(mutable, InputChoice):
            names = mutable.names if isinstance(mutable, LayerChoice) else mutable.values
            states = board.states[mutable.label]
            on = [name for name, state in zip(names, states, strict=True) if state != OFF]
            _several(mutable.label, names, on, _keeps(mutable.label), term(_NOUNS[type(mutable)]))
    many = (
        st.expander(f"{len(skips)} skips", icon=":material/redo:")
        if len(skips) > MANY_SKIPS
        else st.container()
    )
    with many:
        for skip in skips:
            for source, state in zip(skip.sources, board.states[skip.label], strict=True):
                _skip(skip, source, state)


def _keeps(label: str) -> Callable[[Any, bool], dict[str, Any]]:
    return lambda option, on: {"kind": "keep", "label": label, "option": option, "on": on}


def _several(
    label: str,
    names: Sequence[Any],
    on: Sequence[Any],
    event: Callable[[Any, bool], dict[str, Any]],
    meaning: str,
    namer: Callable[[Any], str] = str,
) -> None:
    """Pills; each that was switched is told as one event."""
    key = desk.key("keep", label)
    st.session_state[key] = list(on)

    def told() -> None:
        """Say what differs from before."""
        now = st.session_state[key]
        changed = [(name, name in now) for name in names if (name in now) != (name in on)]
        for name, is_on in sorted(changed, key=lambda pair: not pair[1]):  # never empty on the way
            desk.tell(event(name, is_on))

    st.pills(
        label,
        names,
        selection_mode="multi",
        wrap=True,
        format_func=namer,
        key=key,
        help=meaning,
        on_change=told,
    )


def _skip(skip: InputChoice, source: str, state: str) -> None:
    key = desk.key("skip", skip.label, source)
    st.session_state[key] = state

    def told() -> None:
        """Say the state that is wanted."""
        desk.tell({"kind": "skip", "label": skip.label, "source": source, "state": st.session_state[key]})

    st.segmented_control(
        f"{skip.label}: {source} → {skip.into}",
        list(_SKIP),
        format_func=_SKIP.__getitem__,
        required=True,
        key=key,
        help=term("InputChoice"),
        on_change=told,
    )


def _operations(board: Board, space: CellSpace | DartsSpace, title: str) -> None:
    kept = board.restriction.operations or space.operations
    _several(
        title,
        space.operations,
        [name for name in space.operations if name in kept],
        lambda name, on: {"kind": "operation", "name": name, "on": on},
        term("operation"),
        looks.label,
    )


def _edges(board: Board, space: CellSpace) -> None:
    labels = [edge_label(edge) for edge in space.edges]
    kept = labels if board.restriction.edges is None else board.restriction.edges
    _several(
        "Edges (one switched off is always 'none')",
        labels,
        [label for label in labels if label in kept],
        lambda label, on: {"kind": "edge", "label": label, "on": on},
        term("edge"),
        _edge_name,
    )


def _edge_name(label: str) -> str:
    _, source, target = label.split("_")
    return f"{source} → {target}"


def pinned(board: Board) -> None:
    """A menu for every choice of what is allowed."""
    allowed, columns = board.allowed, st.columns(2, gap="small")
    if isinstance(allowed, DartsSpace):
        for column, title in zip(columns, ("Normal cell", "Reduction cell"), strict=True):
            column.markdown(f"**{title}**", help=term(title.lower()))
    for at, mutable in enumerate(allowed.mutables):
        side = int(mutable.label.startswith(KINDS[1])) if isinstance(allowed, DartsSpace) else at % 2
        with columns[side]:
            _pin(board, mutable, board.architecture[mutable.label])


def draw_at_random(board: Board) -> None:
    """A callback: pin another architecture, drawn uniformly."""
    desk.pin(board.allowed.architecture_at(random.randrange(board.allowed.size)))


def _pin(board: Board, mutable: Mutable, now: Any) -> None:
    """A menu of the options; what has too many for a menu is picked source by source."""
    key = desk.key("pin", mutable.label)
    st.session_state[key] = now

    def told() -> None:
        """Pin the option; the board's skips count the sources of the whole space."""
        choice = st.session_state[key]
        desk.pin(board.architecture.with_choice(mutable.label, _choice(mutable, choice)))

    if isinstance(mutable, InputChoice) and mutable.n_chosen is None and mutable.count > LISTED:
        st.session_state[key] = list(now)
        st.multiselect(
            mutable.label,
            range(len(mutable.sources)),
            format_func=mutable.sources.__getitem__,
            placeholder="off",
            key=key,
            on_change=told,
        )
        return
    options = [mutable.option(index) for index in range(mutable.count)]
    st.selectbox(
        _place_name(mutable.label),
        options,
        format_func=_namer(mutable),
        key=key,
        on_change=told,
        disabled=len(options) < 2,
    )


def _choice(mutable: Mutable, chosen: Any) -> Any:
    return tuple(sorted(chosen)) if isinstance(mutable, InputChoice) else chosen


def _place_name(label: str) -> str:
    """How the place of a choice is called on screen."""
    if label.startswith("edge_"):
        return _edge_name(label)
    kind, _, rest = label.partition("/")
    if kind not in KINDS:
        return label
    what, target, *at = rest.split("_")
    return (
        f"Node {target} reads" if what == "inputs" else f"Node {target}, {('1st', '2nd')[int(at[0])]} through"
    )


def _namer(mutable: Mutable) -> Callable[[Any], str]:
    """How an option is called on screen."""
    if isinstance(mutable, LayerChoice):
        return lambda name: looks.look(name).short or str(name)
    if isinstance(mutable, InputChoice):
        names = [source.rpartition("/node_")[2] for source in mutable.sources]
        return lambda choice: " + ".join(names[at] for at in _listed(choice)) or "off"
    return str


def _listed(choice: Any) -> Iterable[int]:
    return choice if isinstance(choice, tuple | list) else (choice,)
