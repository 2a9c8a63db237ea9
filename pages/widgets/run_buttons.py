"""Buttons and menus of a run that is steered: disabled for whoever may not, answered by a sentence that stays."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from explorer.runs.state import RunState
from pages.widgets.tuning_answers import attempted, toast

NOT_YOURS = "On a shared machine only the visitor who started a run may change it."


def button(
    state: RunState,
    label: str,
    icon: str,
    mine: bool,
    action: Callable[[], object],
    said: str,
    place: str,
    first: bool = False,
) -> None:
    """Do it and say what was `said`; a problem is kept for `answer` at `place`."""
    pressed = st.button(
        label,
        icon=icon,
        type="primary" if first else "secondary",
        disabled=not mine,
        key=f"control/{state.run_id}/{label}",
        help=None if mine else NOT_YOURS,
    )
    if pressed and attempted(state.run_id, place, action, state.status):
        toast(said)
        st.rerun()


def menu(label: str, icon: str, mine: bool, run_id: str, draw: Callable[[], None]) -> None:
    """A popover whose content is made only while it is open."""
    popover = st.popover(
        label,
        icon=icon,
        disabled=not mine,
        on_change="rerun",
        key=f"control/{run_id}/{label}",
        help=None if mine else NOT_YOURS,
    )
    if popover.open:
        with popover:
            draw()
