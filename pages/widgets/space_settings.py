"""The settings of a preset that has some (nodes, cells, layers, channels): a changed one makes a space of its own."""

from __future__ import annotations

from typing import Any

import streamlit as st

from explorer.catalogue import SPACES
from explorer.space import DartsSpace, SearchSpace, preset
from pages.widgets import desk
from pages.widgets.parameter_form import form

_SEEN = "space_settings_of"  # the hash of the space that the widgets were set for


def origin(space: SearchSpace) -> tuple[str, dict[str, int]] | None:
    """The preset that `space` is, and its settings; None for a space that no settings of a preset give."""
    if space.name in SPACES and not SPACES[space.name].parameters:
        return space.name, {}
    for name, entry in SPACES.items():
        given = _settings(name, space)
        if given is None or entry.problems(given):
            continue
        if preset(name, **given).hash == space.hash:
            return name, given
    return None


def _settings(name: str, space: SearchSpace) -> dict[str, int] | None:
    """What the preset's parameters would have to be."""
    if name == "darts-cell" and isinstance(space, DartsSpace):
        return {"nodes": space.nodes, "cells": space.cells, "channels": space.channels}
    layers = getattr(space, "layers", ())
    if name == "enas-macro" and layers and layers[0].name == "stem":
        count = sum(layer.name.startswith("layer_") for layer in layers)
        return {"layers": count, "channels": layers[0].operations[0][1].parameters.get("out_channels", 0)}
    return None


def show(space: SearchSpace, name: str, now: dict[str, int]) -> None:
    """The settings in a row; a change lays the changed space on the desk."""
    parameters = SPACES[name].parameters
    if not parameters:
        return
    prefix = f"space/settings/{name}"
    if st.session_state.get(_SEEN) != space.hash:  # laid by something else: a link, a file, Repair
        st.session_state.update({f"{prefix}/{key}": value for key, value in now.items()})
        st.session_state[_SEEN] = space.hash
    settings, undo = st.columns([len(parameters), 4 - len(parameters) + 1], vertical_alignment="bottom")
    with settings:
        given: dict[str, Any] = form(parameters, prefix, columns=len(parameters))
    if now != SPACES[name].defaults():
        undo.button("Defaults", icon=":material/undo:", on_click=_back, args=(name,))
    wanted = preset(name, **given)
    if wanted.hash != space.hash:
        st.session_state[_SEEN] = wanted.hash
        desk.lay(wanted)
        st.rerun()


def _back(name: str) -> None:
    """A callback: the preset as it comes."""
    desk.lay(preset(name))
