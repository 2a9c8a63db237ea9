"""The search space and the architecture that a visitor has at hand: a board in the session, written into the address.

`space` is a preset's name or a packed space, `keep` a packed restriction, `architecture` a code. A link never
opens a file, and one that cannot be read leaves the default and one sentence.
"""

from __future__ import annotations

import random
import re
import time
from collections.abc import Mapping
from typing import Any

import streamlit as st

from explorer.board import Board, begin, put, with_architecture
from explorer.board import lay as laid
from explorer.catalogue import SPACES
from explorer.errors import CodecError, ExplorerError, UnknownName
from explorer.space import (
    Architecture,
    SearchSpace,
    load_architecture,
    pack,
    preset,
    space_from_json,
    space_reference,
    unpack,
)
from explorer.space.restrict import Restriction, restrict, restriction_from_json
from pages.widgets import board as drawing
from pages.widgets.words import plain

DEFAULT = "notes-net"
KEYS = ("space", "keep", "architecture")
ECHO_SECONDS = 5.0
tell = drawing.tell


def board() -> Board:
    """The board of this visitor; the default space on the first visit."""
    if drawing.seat() is None:
        drawing.lay(begin(laid(preset(DEFAULT))))
    return drawing.current()


def key(*parts: str) -> str:
    """A widget's key; another space gives every widget a new one, so that nothing stale is left."""
    return "/".join(("space", board().space.hash, *parts))


def lay(
    space: SearchSpace, kept: Restriction | None = None, architecture: Mapping[str, Any] | None = None
) -> None:
    """Put a space on the desk, with what is kept of it and an architecture of what is allowed; undo takes it back."""
    new = laid(space, kept)
    if architecture:
        new = with_architecture(new, architecture)
    _put(new)


def pin(architecture: Mapping[str, Any]) -> None:
    """Pin an architecture of the allowed space."""
    _put(with_architecture(board(), architecture))


def _put(new: Board) -> None:
    seat = drawing.seat()
    drawing.lay(begin(new) if seat is None else put(seat.history, new))


def first_pin(space: SearchSpace) -> Architecture:
    """What is pinned before anybody chose: the first architecture, or one drawn where that one is cut off."""
    candidates = [space.default, *space.sample(20, random.Random(0))]
    return next((one for one in candidates if space.lower(one).is_connected), space.default)


def open_link() -> None:
    """Lay what the address asks for, once; a bad link leaves the default space and one sentence."""
    wanted = {name: st.query_params[name] for name in KEYS if name in st.query_params}
    if not wanted or wanted == st.session_state.get("space_link") or _is_echo(wanted):
        return
    st.session_state["space_link"] = wanted
    try:
        lay(*_read(wanted))
    except ExplorerError as problem:
        lay(preset(DEFAULT))
        st.warning(f"{plain(str(problem))} The default space is shown instead.", icon=":material/link_off:")


def write_link(space: SearchSpace, restriction: Restriction, code: str) -> None:
    """Write the desk into the address, so that a reload or a copied address shows the same."""
    link = link_of(space, restriction, code)
    if st.session_state.get("space_link") != link:
        st.session_state["space_link"] = link
        _written()[tuple(link.items())] = time.monotonic()
    if dict(st.query_params) != link:
        st.query_params.from_dict(link)


def _written() -> dict[tuple[tuple[str, str], ...], float]:
    """When this session wrote which address, for as long as an echo of it may come."""
    known: dict[tuple[tuple[str, str], ...], float] = st.session_state.get("space_links", {})
    now = time.monotonic()
    st.session_state["space_links"] = {link: at for link, at in known.items() if now - at < ECHO_SECONDS}
    return st.session_state["space_links"]


def _is_echo(wanted: Mapping[str, str]) -> bool:
    """Whether the browser only repeats an address that was written a moment ago: an edit has overtaken it."""
    return any(dict(link) == wanted for link in _written())


def link_of(space: SearchSpace, restriction: Restriction, code: str) -> dict[str, str]:
    """The query of a link; what is too large for one is left out."""
    reference = space_reference(space)
    try:
        named = {"space": reference if isinstance(reference, str) else pack(reference)}
        form = restriction.to_json()
        return named | ({"keep": pack(form)} if form else {}) | ({"architecture": code} if code else {})
    except CodecError:
        return {}


def _read(wanted: Mapping[str, str]) -> tuple[SearchSpace, Restriction, dict[str, Any]]:
    text = wanted.get("architecture", "")
    if "space" not in wanted:
        space, whole = _whole_architecture(text)
        return space, Restriction(), whole.to_json()
    space = read_space(wanted["space"])
    restriction = restriction_from_json(unpack(wanted["keep"])) if "keep" in wanted else Restriction()
    allowed = restrict(space, restriction)
    architecture = load_architecture(text, allowed)[1].to_json() if text else {}
    return space, restriction, architecture


def read_space(text: str) -> SearchSpace:
    """A preset's name or a packed space."""
    if text in SPACES:
        return preset(text)
    if re.match(r"z\d+\.", text):
        return space_from_json(unpack(text))
    raise UnknownName("search space", text[:60], SPACES)


def _whole_architecture(text: str) -> tuple[SearchSpace, Architecture]:
    if text.split(":", 1)[0] in SPACES or re.match(r"z\d+\.", text):
        return load_architecture(text)
    raise CodecError(f"{text[:60]!r} is no architecture; a link holds SPACE:CODE, for example 'cell:340213'.")
