"""One layer of a chain in ordinary widgets: its name, its operations with their parameters, its place, its skips.

What the drawing's menus do is here too, and the numbers that a menu has no room for. Every change is one event of the
board.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from explorer.board import Board
from explorer.catalogue import OPERATIONS, Parameter
from explorer.plots import looks
from explorer.space import INPUT, Layer, LayerChoice, MacroSpace, Operation, ValueChoice
from pages.widgets import board as drawing
from pages.widgets import desk
from pages.widgets.parameter_form import title_of
from pages.widgets.words import term

CHAIN = tuple(
    entry.name for entry in OPERATIONS.values() if entry.facts["family"] == "layer"
)  # what may stand in a chain


def show(board: Board) -> None:
    """The layer that was touched last in the drawing, or picked here."""
    space = board.space
    if not isinstance(space, MacroSpace):
        return
    names = [layer.name for layer in space.layers]
    touched, key = drawing.selected(), desk.key("layer")
    if touched != st.session_state.get("space_touched"):
        st.session_state["space_touched"] = touched
        if touched in names:
            st.session_state["space_layer"] = touched
    if st.session_state.get("space_layer") not in names:
        st.session_state["space_layer"] = names[0]
    st.session_state[key] = st.session_state["space_layer"]
    name = st.selectbox("Layer", names, key=key, on_change=_picked, args=(key,), help=term("layer"))
    layer = next(each for each in space.layers if each.name == name)
    at = names.index(name)
    _place(layer, at, len(names))
    for candidate, operation in layer.operations:
        _operation(board, layer, candidate, operation)
    _additions(space, layer, at)


def _picked(key: str) -> None:
    st.session_state["space_layer"] = st.session_state[key]


def _place(layer: Layer, at: int, count: int) -> None:
    """Rename, move, remove."""
    key = desk.key("rename", layer.name)
    st.session_state[key] = layer.name
    st.text_input("Name", key=key, max_chars=60, on_change=_rename, args=(layer.name, key))
    with st.container(horizontal=True):
        move = {"kind": "move_layer", "layer": layer.name}
        _button("Up", ":material/arrow_upward:", {**move, "to": at - 1}, at == 0)
        _button("Down", ":material/arrow_downward:", {**move, "to": at + 1}, at == count - 1)
        gone = {"kind": "remove_layer", "layer": layer.name}
        _button("Remove layer", ":material/delete:", gone, count == 1)


def _rename(name: str, key: str) -> None:
    """A callback: the layer stays the one that is picked, under the new name or, when that is refused, the old."""
    wanted = st.session_state[key]
    desk.tell({"kind": "rename_layer", "layer": name, "name": wanted})
    names = [layer.name for layer in getattr(desk.board().space, "layers", ())]
    if name not in names and wanted in names:
        st.session_state["space_layer"] = wanted


def _button(label: str, icon: str, event: Mapping[str, Any], disabled: bool = False, key: str = "") -> None:
    st.button(
        label,
        icon=icon,
        key=desk.key("do", label, key),
        on_click=desk.tell,
        args=(event,),
        disabled=disabled,
    )


def _operation(board: Board, layer: Layer, candidate: str, operation: Operation) -> None:
    """One candidate, or the fixed operation: its parameters; a candidate can be taken out."""
    is_choice = isinstance(layer.content, LayerChoice)
    entry = OPERATIONS[operation.name]
    title = f"{candidate}: {looks.label(operation.name)}" if is_choice else looks.label(operation.name)
    with st.expander(title, expanded=not is_choice, key=desk.key("open", layer.name, candidate)):
        if not entry.parameters:
            st.caption(f"{entry.summary} It has no parameters.")
        columns = st.columns(2)
        for at, parameter in enumerate(entry.parameters):
            with columns[at % 2]:
                _parameter(layer.name, candidate if is_choice else None, operation, parameter)
        if is_choice:
            gone = {"kind": "remove_candidate", "layer": layer.name, "name": candidate}
            _button("Remove candidate", ":material/delete:", gone, key=f"{layer.name}/{candidate}")


def _parameter(layer: str, candidate: str | None, operation: Operation, parameter: Parameter) -> None:
    now = operation.parameters.get(parameter.name, parameter.default)
    if isinstance(now, ValueChoice):
        st.caption(f"{title_of(parameter.name)}: one of {', '.join(map(str, now.values))}, to be chosen")
        return
    key = desk.key("set", layer, candidate or "", parameter.name)
    st.session_state[key] = now
    told: dict[str, Any] = {
        "key": key,
        "help": parameter.help,
        "on_change": _set,
        "args": (layer, candidate, parameter, key),
    }
    title = title_of(parameter.name)
    if parameter.kind == "bool":
        st.checkbox(title, **told)
    elif parameter.kind == "choice":
        st.selectbox(title, list(parameter.choices), **told)
    elif parameter.kind == "int":
        low, high = int(parameter.low or 0), int(parameter.high or 2**31 - 1)
        st.number_input(title, low, high, placeholder="inferred", **told)
    else:
        st.number_input(title, parameter.low, parameter.high, step=None, format="%g", **told)


def _set(layer: str, candidate: str | None, parameter: Parameter, key: str) -> None:
    value = st.session_state[key]
    desk.tell(
        {
            "kind": "set_parameter",
            "layer": layer,
            "candidate": candidate,
            "parameter": parameter.name,
            "value": None if value == parameter.default else value,
        }
    )


def _additions(space: MacroSpace, layer: Layer, at: int) -> None:
    """A layer behind this one, a candidate, a skip from its output."""
    operation = st.selectbox(
        "Operation to add",
        CHAIN,
        format_func=looks.label,
        key="space/add_operation",
        persist_state="session",
        help=term("operation"),
    )
    with st.container(horizontal=True):
        new = {"operation": operation}
        _button("Add as layer below", ":material/add:", {"kind": "add_layer", "after": layer.name, **new})
        _button(
            "Add as candidate",
            ":material/alt_route:",
            {"kind": "add_candidate", "layer": layer.name, "parameters": {}, **new},
        )
    later = [each.name for each in space.layers[at + 1 :]]
    if not later:
        return
    into = st.selectbox("Skip to", later, key=desk.key("skip_to", layer.name), help=term("skip connection"))
    with st.container(horizontal=True):
        skip = {"kind": "add_skip", "source": layer.name, "into": into}
        _button("Add skip", ":material/redo:", {**skip, "align": "none"})
        _button("Add aligned skip", ":material/fit_screen:", {**skip, "align": "crop"})
    from_here = [each for each in space.skips if layer.name in each.sources or each.into == layer.name]
    for each in from_here:
        sources = ", ".join("input" if source == INPUT else source for source in each.sources)
        with st.container(horizontal=True, vertical_alignment="center"):
            st.caption(f"{each.label}: {sources} → {each.into}, {_ALIGNED[each.align]}", width="content")
            other = "none" if each.align == "crop" else "crop"
            event = {"kind": "align", "label": each.label, "align": other}
            _button(_ALIGN[other], ":material/fit_screen:", event, key=each.label)
            _button(
                "Remove skip",
                ":material/delete:",
                {"kind": "remove_skip", "label": each.label},
                key=each.label,
            )


_ALIGNED = {"none": "added as it is", "crop": "aligned"}
_ALIGN = {"none": "Do not align", "crop": "Align"}
