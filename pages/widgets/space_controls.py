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
    DartsSpace,
    InputChoice,
    LayerChoice,
    Mutable,
    SearchSpace,
    ValueChoice,
    edge_label,
)
from explorer.space.darts import KINDS
from explorer.space.restrict import Restriction, fit
from pages.widgets import desk
from pages.widgets.words import term

LISTED = 16  # options of a skip that a menu lists; with more its sources are picked one by one
MANY_SKIPS = 3  # beyond them their controls are folded away
_SKIP = {"off": "Off", "free": "May be chosen", "always": "Always on"}
_NOUNS = {LayerChoice: "LayerChoice", InputChoice: "InputChoice", ValueChoice: "ValueChoice"}


def restriction(space: SearchSpace) -> Restriction:
    """What the visitor keeps of the space."""
    if isinstance(space, DartsSpace):
        return Restriction(operations=_operations(space, "Operations (shared by every edge of both cells)"))
    if isinstance(space, CellSpace):
        return _cell_restriction(space)
    kept: dict[str, tuple[Any, ...]] = {}
    always: set[str] = set()
    skips = [mutable for mutable in space.mutables if isinstance(mutable, InputChoice)]
    for mutable in space.mutables:
        if isinstance(mutable, InputChoice):
            continue
        names = mutable.names if isinstance(mutable, LayerChoice) else mutable.values
        chosen = _several(mutable.label, names, desk.kept().kept.get(mutable.label, names), mutable)
        if len(chosen) < len(names):
            kept[mutable.label] = chosen
    many = (
        st.expander(f"{len(skips)} skips", icon=":material/redo:")
        if len(skips) > MANY_SKIPS
        else st.container()
    )
    with many:
        for skip in skips:
            _skip(skip, kept, always)
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


def _operations(space: CellSpace | DartsSpace, title: str) -> tuple[str, ...] | None:
    """The operations that are kept; None for all."""
    before = desk.kept()
    picked = st.pills(
        title,
        space.operations,
        selection_mode="multi",
        wrap=True,
        format_func=looks.label,
        default=before.operations if before.operations is not None else space.operations,
        key=desk.key("operations"),
        help=term("operation"),
        persist_state="session",
    )
    kept = tuple(name for name in space.operations if name in (picked or []))
    return kept if len(kept) < len(space.operations) else None


def _cell_restriction(space: CellSpace) -> Restriction:
    before = desk.kept()
    operations = _operations(space, "Operations (shared by every edge)")
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
    left = tuple(label for label in labels if label in (edges or []))
    return Restriction(operations=operations, edges=left if len(left) < len(labels) else None)


def _edge_name(label: str) -> str:
    _, source, target = label.split("_")
    return f"{source} → {target}"


def pinned(allowed: SearchSpace) -> Architecture:
    """One architecture of the allowed space; what a restriction took away falls back to the first option."""
    begin = fit(allowed, desk.pinned())
    columns = st.columns(2, gap="small")
    if isinstance(allowed, DartsSpace):
        for column, title in zip(columns, ("Normal cell", "Reduction cell"), strict=True):
            column.markdown(f"**{title}**", help=term(title.lower()))
    choices = {}
    for at, mutable in enumerate(allowed.mutables):
        side = int(mutable.label.startswith(KINDS[1])) if isinstance(allowed, DartsSpace) else at % 2
        with columns[side]:
            choices[mutable.label] = _pin(mutable, begin[mutable.label])
    chosen = fit(allowed, choices)
    desk.pin(chosen)
    return chosen


def draw_at_random(allowed: SearchSpace) -> None:
    """A callback: pin another architecture, drawn uniformly."""
    desk.pin(allowed.architecture_at(random.randrange(allowed.size)), afresh=True)


def _pin(mutable: Mutable, begin: Any) -> Any:
    """A menu of the options; what has too many for a menu is picked source by source."""
    if isinstance(mutable, InputChoice) and mutable.n_chosen is None and mutable.count > LISTED:
        return _pin_sources(mutable, begin)
    options = [mutable.option(index) for index in range(mutable.count)]
    return st.selectbox(
        _place_name(mutable.label),
        options,
        options.index(begin) if begin in options else 0,
        format_func=_namer(mutable),
        key=desk.key(
            "pin", mutable.label, str(options), str(desk.pin_number())
        ),  # other options, another widget
        disabled=len(options) < 2,
    )


def _pin_sources(skip: InputChoice, begin: tuple[int, ...]) -> tuple[int, ...]:
    picked = st.multiselect(
        skip.label,
        range(len(skip.sources)),
        list(begin),
        format_func=skip.sources.__getitem__,
        placeholder="off",
        key=desk.key("pin", skip.label, str(skip.sources), str(desk.pin_number())),
    )
    return tuple(sorted(picked))


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
        return lambda choice: " + ".join(names[at] for at in choice) or "off"
    return str
