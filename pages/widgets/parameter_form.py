"""Widgets for the catalogue's parameters: what is left at its default is left out."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import streamlit as st

from explorer.catalogue import Parameter

STAY: dict[str, Any] = {"persist_state": "session"}


def begin(key: str, value: Any) -> str:
    """The widget's key, with `value` to begin with: so that what is taken over from elsewhere may set it too."""
    st.session_state.setdefault(key, value)
    return key


def title_of(name: str) -> str:
    """`learning_rate` as people read it."""
    return name.replace("_", " ").capitalize()


def widget(parameter: Parameter, key: str) -> Any:
    """The widget of one parameter; its value."""
    title = title_of(parameter.name)
    common: dict[str, Any] = {"key": begin(key, parameter.default), "help": parameter.help} | STAY
    if parameter.kind == "choice":
        options = list(parameter.choices)
        if parameter.default is None:
            options = [None, *options]
        return st.selectbox(
            title,
            options,
            format_func=lambda one: one or "as it is",
            **common,
        )
    if parameter.kind == "bool":
        return st.checkbox(title, **common)
    if parameter.default is None:
        common["value"] = None
    if parameter.kind == "int":
        low, high = int(parameter.low or 0), int(parameter.high or 2**31 - 1)
        value = st.number_input(title, low, high, **common)
        return None if value is None else int(value)
    return st.number_input(title, parameter.low, parameter.high, step=None, format="%g", **common)


def form(parameters: Iterable[Parameter], prefix: str, columns: int = 1) -> dict[str, Any]:
    """Widgets for all of them, in so many columns; name -> value where it is not the default."""
    given: dict[str, Any] = {}
    places = st.columns(columns) if columns > 1 else [st.container()]
    for at, parameter in enumerate(parameters):
        with places[at % len(places)]:
            value = widget(parameter, f"{prefix}/{parameter.name}")
        if value != parameter.default:
            given[parameter.name] = value
    return given
