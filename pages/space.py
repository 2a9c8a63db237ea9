"""Search space: one drawing to click on, what it costs, and the way to search it; presets, or a chain from nothing."""

from __future__ import annotations

import streamlit as st

from explorer.catalogue import SPACES
from explorer.space import MacroSpace, preset
from pages.widgets import board as drawing
from pages.widgets import desk, space_facts, space_files, space_key, space_layer, space_settings, space_try
from pages.widgets.navigation import one_sentence, routed
from pages.widgets.words import term

OWN = "your own"

routed()
desk.open_link()
board = desk.board()
comes_from = space_settings.origin(board.space)
names = list(SPACES) if comes_from else [*SPACES, OWN]
shown = comes_from[0] if comes_from else OWN
title = board.space.title or board.space.name

with st.container(horizontal=True, vertical_alignment="center", gap="medium"):
    st.title("Search space", anchor=False, help=term("search space"), width="content")
    picked = st.segmented_control(
        "Preset",
        names,
        default=shown,
        format_func=lambda name: SPACES[name].label if name in SPACES else title[:60],
        label_visibility="collapsed",
        required=True,
        wrap=True,
        key=desk.key("preset"),
    )
if picked != shown:
    desk.lay(preset(picked))
    st.rerun()
with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
    about = SPACES[shown].summary if comes_from else f"{title}, made by you."
    st.caption(about, width="content")
    space_files.open_own()
if comes_from:
    space_settings.show(board.space, *comes_from)
space_facts.repairs_done()


@st.fragment
def workbench() -> None:
    """The drawing and all that depends on it; an edit draws this alone again."""
    board = desk.board()
    if space_settings.origin(board.space) != comes_from:
        st.rerun()  # the space has become another one: the presets above must say so
    allowed = board.allowed
    found = space_facts.problems_of(allowed)
    wide = board.space.family == "darts"  # two cells side by side need the whole width
    left, right = (st.container(), st.container()) if wide else st.columns([1.35, 1], gap="large")
    with left:  # first of all, so that the drawing is heard back of soonest
        drawing.show(problems=found)
    desk.write_link(board.space, board.restriction, allowed.code(board.architecture))
    with right:
        space_facts.of_space(allowed)
        if told := "" if found else space_try.forecast(allowed):
            st.caption(told)
        space_facts.of_architecture(allowed, board.architecture)
        known = space_key.standing(board)
        space_facts.problems(board.space, found)
        with st.container(horizontal=True):
            space_facts.run_buttons(allowed, blocked=bool(found))
            space_try.button(allowed, board.architecture, blocked=bool(found))
            space_files.link(board)
            space_files.form(allowed)
        space_try.result()
        space_key.edits(known)
        if isinstance(board.space, MacroSpace):
            layer = st.expander("Edit a layer", icon=":material/edit:", key="space/edit", on_change="rerun")
            if layer.open:
                with layer:
                    space_layer.show(board)
    space_files.details(board)


with one_sentence():
    workbench()
