"""The search space and the architecture that a visitor has at hand: kept in the session, written into the
address.

`space` is a preset's name or a packed space, `keep` a packed restriction, `architecture` a code. A link never
opens a file, and one that cannot be read leaves the default and one sentence.
"""

from __future__ import annotations

import random
import re
from collections.abc import Mapping
from typing import Any

import streamlit as st

from explorer.catalogue import SPACES
from explorer.errors import CodecError, ExplorerError, UnknownName
from explorer.space import (
    Architecture,
    SearchSpace,
    load_architecture,
    load_space,
    pack,
    preset,
    space_from_json,
    space_reference,
    unpack,
)
from explorer.space.restrict import Restriction, restrict

DEFAULT = "notes-net"
KEYS = ("space", "keep", "architecture")


def base() -> SearchSpace:
    """The space before restrictions."""
    return load_space(st.session_state.get("space_source", DEFAULT))


def key(*parts: str) -> str:
    """A widget's key; loading another space gives every widget a new one, so that nothing stale is left."""
    return "/".join(("space", str(st.session_state.get("space_number", 0)), *parts))


def lay(
    space: SearchSpace, kept: Restriction | None = None, architecture: Mapping[str, Any] | None = None
) -> None:
    """Put a space on the desk, with what is kept of it and the architecture to begin with."""
    st.session_state["space_source"] = space_reference(space)
    st.session_state["space_number"] = st.session_state.get("space_number", 0) + 1
    st.session_state["space_kept"] = kept or Restriction()
    st.session_state["space_pinned"] = dict(architecture or first_pin(space))


def first_pin(space: SearchSpace) -> Architecture:
    """What is pinned before anybody chose: the first architecture, or one drawn where that one is cut off."""
    candidates = [space.default, *space.sample(20, random.Random(0))]
    return next((one for one in candidates if space.lower(one).is_connected), space.default)


def kept() -> Restriction:
    """The restriction that the controls begin with."""
    given: Restriction = st.session_state.get("space_kept", Restriction())
    return given


def pinned() -> dict[str, Any]:
    """The architecture that the controls begin with."""
    given: dict[str, Any] = st.session_state.get("space_pinned", {})
    return given


def pin(architecture: Mapping[str, Any], afresh: bool = False) -> None:
    """Remember the pinned architecture; `afresh` gives its widgets new keys, so that they take it over."""
    st.session_state["space_pinned"] = dict(architecture)
    if afresh:
        st.session_state["space_pin_number"] = pin_number() + 1


def pin_number() -> int:
    """Counts how often the pinned architecture was set from outside its widgets."""
    number: int = st.session_state.get("space_pin_number", 0)
    return number


def open_link() -> None:
    """Lay what the address asks for, once; a bad link leaves the default space and one sentence."""
    wanted = {name: st.query_params[name] for name in KEYS if name in st.query_params}
    if not wanted or wanted == st.session_state.get("space_link"):
        return
    st.session_state["space_link"] = wanted
    try:
        lay(*_read(wanted))
    except ExplorerError as problem:
        lay(preset(DEFAULT))
        st.warning(f"{problem} The default space is shown instead.", icon=":material/link_off:")


def write_link(space: SearchSpace, restriction: Restriction, code: str) -> None:
    """Write the desk into the address, so that a reload or a copied address shows the same."""
    link = link_of(space, restriction, code)
    if st.session_state.get("space_link") != link:
        st.session_state["space_link"] = link
    if dict(st.query_params) != link:
        st.query_params.from_dict(link)


def link_of(space: SearchSpace, restriction: Restriction, code: str) -> dict[str, str]:
    """The query of a link; what is too large for one is left out."""
    reference = space_reference(space)
    try:
        named = {"space": reference if isinstance(reference, str) else pack(reference)}
        form = _restriction_form(restriction)
        return named | ({"keep": pack(form)} if form else {}) | ({"architecture": code} if code else {})
    except CodecError:
        return {}


def _read(wanted: Mapping[str, str]) -> tuple[SearchSpace, Restriction, dict[str, Any]]:
    text = wanted.get("architecture", "")
    if "space" not in wanted:
        space, whole = _whole_architecture(text)
        return space, Restriction(), whole.to_json()
    space = read_space(wanted["space"])
    restriction = _restriction(unpack(wanted["keep"])) if "keep" in wanted else Restriction()
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


def _restriction_form(restriction: Restriction) -> dict[str, Any]:
    form = {
        "kept": {label: list(names) for label, names in restriction.kept.items()},
        "always": sorted(restriction.always),
        "operations": None if restriction.operations is None else list(restriction.operations),
        "edges": None if restriction.edges is None else list(restriction.edges),
    }
    return {name: value for name, value in form.items() if value}


def _restriction(form: Any) -> Restriction:
    def texts(value: Any) -> tuple[str, ...]:
        if not isinstance(value, list) or not all(isinstance(item, str | int | float) for item in value):
            raise CodecError("This link's restrictions are damaged; copy the whole of it.")
        return tuple(value)

    if not isinstance(form, Mapping) or not isinstance(form.get("kept", {}), Mapping):
        raise CodecError("This link's restrictions are damaged; copy the whole of it.")
    return Restriction(
        {str(label): texts(names) for label, names in form.get("kept", {}).items()},
        frozenset(texts(form.get("always", []))),
        texts(form["operations"]) if "operations" in form else None,
        texts(form["edges"]) if "edges" in form else None,
    )
