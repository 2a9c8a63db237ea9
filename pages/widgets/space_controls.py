"""Ordinary widgets for what a space may choose, and for the one architecture that is pinned."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import streamlit as st

from explorer.plots import looks
from explorer.space import (
    Architecture,
    CellSpace,
    InputChoice,
    LayerChoice,
    Mutable,
    SearchSpace,
    ValueChoice,
    edge_label,
)
from explorer.space.restrict import Restriction, fit
from pages.widgets import desk
from pages.widgets.words import term

LISTED = 64  # options of a skip that a menu lists; more are picked one by one
_SKIP = {"off": "Off", "free": "May be chosen", "always": "Always on"}
_NOUNS = {LayerChoice: "LayerChoice", InputChoice: "InputChoice", ValueChoice: "ValueChoice"}


def restriction(space: SearchSpace) -> Restriction:
    """What the visitor keeps of the space."""
    if isinstance(space, CellSpace):
        return _cell_restriction(space)
    kept: dict[str, tuple[Any, ...]] = {}
    always: set[str] = set()
    for mutable in space.mutables:
        if isinstance(mutable, InputChoice):
            _skip(mutable, kept, always)
            continue
        names = mutable.names if isinstance(mutable, LayerChoice) else mutable.values
        chosen = _several(mutable.label, names, desk.kept().kept.get(mutable.label, names), mutable)
        if len(chosen) < len(names):
            kept[mutable.label] = chosen
    return Restriction(kept, frozenset(always))


def _several(
    label: str, names: tuple[Any, ...], chosen: tuple[Any, ...], mutable: Mutable
) -> tuple[Any, ...]:
    picked = st.pills(
        label,
        names,
        selection_mode="multi",
        wrap=True,
        default=[name for name in names if name in chosen],
        key=desk.key("keep", label),
        help=term(_NOUNS[type(mutable)]),
        persist_state="session",
    )
    return tuple(name for name in names if name in (picked or []))


def _skip(skip: InputChoice, kept: dict[str, tuple[Any, ...]], always: set[str]) -> None:
    """One source: off, free or always on. Several: which of them, and whether all are always on."""
    before = desk.kept()
    sources = before.kept.get(skip.label, skip.sources)
    if len(skip.sources) > 1:
        chosen = _several(skip.label, skip.sources, sources, skip)
        if len(chosen) < len(skip.sources):
            kept[skip.label] = chosen
        begin = skip.label in before.always
        if st.checkbox(f"{skip.label}: always take all of them", begin, key=desk.key("always", skip.label)):
            always.add(skip.label)
        return
    begin_with = "off" if not sources else "always" if skip.label in before.always else "free"
    state = st.segmented_control(
        f"{skip.label}: {skip.sources[0]} → {skip.into}",
        list(_SKIP),
        format_func=_SKIP.__getitem__,
        default=begin_with,
        required=True,
        key=desk.key("skip", skip.label),
        help=term("InputChoice"),
        persist_state="session",
    )
    if state == "off":
        kept[skip.label] = ()
    if state == "always":
        always.add(skip.label)


def _cell_restriction(space: CellSpace) -> Restriction:
    before = desk.kept()
    operations = st.pills(
        "Operations (shared by every edge)",
        space.operations,
        selection_mode="multi",
        wrap=True,
        format_func=looks.label,
        default=before.operations if before.operations is not None else space.operations,
        key=desk.key("operations"),
        help=term("operation"),
        persist_state="session",
    )
    labels = tuple(edge_label(edge) for edge in space.edges)
    edges = st.pills(
        "Edges (one switched off is always 'none')",
        labels,
        selection_mode="multi",
        wrap=True,
        format_func=_edge_name,
        default=before.edges if before.edges is not None else labels,
        key=desk.key("edges"),
        help=term("edge"),
        persist_state="session",
    )
    kept = tuple(name for name in space.operations if name in (operations or []))
    left = tuple(label for label in labels if label in (edges or []))
    return Restriction(
        operations=kept if len(kept) < len(space.operations) else None,
        edges=left if len(left) < len(labels) else None,
    )


def _edge_name(label: str) -> str:
    _, source, target = label.split("_")
    return f"{source} → {target}"


def pinned(allowed: SearchSpace) -> Architecture:
    """One architecture of the allowed space; what a restriction took away falls back to the first option."""
    begin = fit(allowed, desk.pinned())
    columns = st.columns(2, gap="small")
    choices = {}
    for at, mutable in enumerate(allowed.mutables):
        with columns[at % 2]:
            choices[mutable.label] = _pin(mutable, begin[mutable.label])
    chosen = fit(allowed, choices)
    desk.pin(chosen)
    return chosen


def draw_at_random(allowed: SearchSpace) -> None:
    """A callback: pin another architecture, drawn uniformly."""
    desk.pin(allowed.architecture_at(random.randrange(allowed.size)), afresh=True)


def _pin(mutable: Mutable, begin: Any) -> Any:
    options = [mutable.option(index) for index in range(min(mutable.count, LISTED))]
    shown = _edge_name(mutable.label) if mutable.label.startswith("edge_") else mutable.label
    return st.selectbox(
        shown,
        options,
        options.index(begin) if begin in options else 0,
        format_func=_namer(mutable),
        key=desk.key(
            "pin", mutable.label, str(options), str(desk.pin_number())
        ),  # other options, another widget
        disabled=len(options) < 2,
    )


def _namer(mutable: Mutable) -> Callable[[Any], str]:
    """How an option is called on screen."""
    if isinstance(mutable, LayerChoice):
        return lambda name: looks.look(name).short or str(name)
    if isinstance(mutable, InputChoice):
        return lambda choice: " + ".join(mutable.sources[at] for at in choice) or "off"
    return str
