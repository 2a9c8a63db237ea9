"""What the forms of several kinds of run ask alike: the search space, workers and seed."""

from __future__ import annotations

from typing import Any

import streamlit as st

from explorer.catalogue import SPACES
from explorer.runs.spec import MAX_SEED, MAX_WORKERS
from explorer.space import searchable
from pages.widgets.parameter_form import STAY, begin
from pages.widgets.place import limits
from pages.widgets.words import term


def picked_space(form: str, default: str) -> str | dict[str, Any]:
    """A preset, or what the Search space page carried over; `form` tells the widgets of two pages apart."""
    carried = st.session_state.get("plan")
    own = carried if carried and not isinstance(carried["space"], str) else None
    options = [name for name in searchable() if name != "notes-net-as-written"] + (["carried"] if own else [])
    first = "carried" if own else carried["space"] if carried and carried["space"] in options else default
    name = st.selectbox(
        "Search space",
        options,
        options.index(first),
        format_func=lambda one: (
            SPACES[one].label if one in SPACES else str((own and own["space"].get("title")) or "Your space")
        ),
        key=f"{form}/space/{first}",
        help=term("search space"),
        **STAY,
    )
    if name in SPACES:
        st.caption(SPACES[name].summary)
    return own["space"] if own and name == "carried" else str(name)


def workers_and_seed(form: str) -> tuple[int, int]:
    """How many are trained at once, as far as this place allows, and what repeats the run."""
    most = limits().workers or MAX_WORKERS
    left, right = st.columns(2)
    workers = left.number_input(
        "Workers",
        1,
        most,
        key=begin(f"{form}/workers", min(2, most)),
        disabled=most == 1,
        help=term("worker"),
        **STAY,
    )
    seed = right.number_input("Seed", 0, MAX_SEED, key=begin(f"{form}/seed", 0), help=term("seed"), **STAY)
    return int(workers), int(seed)
