"""Search space: pick one, see it drawn, switch choices on and off, pin one architecture, take the code along."""

from __future__ import annotations

import streamlit as st

from explorer.catalogue import SPACES
from explorer.plots import scene_of
from explorer.space import DartsSpace, preset, structure
from explorer.space.restrict import restrict
from pages.widgets import desk, space_controls, space_facts, space_files, space_settings
from pages.widgets.drawing import draw
from pages.widgets.navigation import routed
from pages.widgets.words import term

OWN = "your own"

routed()
desk.open_link()
space = desk.base()
comes_from = space_settings.origin(space)
names = list(SPACES) if comes_from else [*SPACES, OWN]
shown = comes_from[0] if comes_from else OWN

with st.container(horizontal=True, vertical_alignment="center", gap="medium"):
    st.title("Search space", anchor=False, help=term("search space"), width="content")
    picked = st.segmented_control(
        "Preset",
        names,
        default=shown,
        format_func=lambda name: SPACES[name].label if name in SPACES else space.title or space.name,
        label_visibility="collapsed",
        required=True,
        wrap=True,
        key=desk.key("preset"),
    )
    space_files.open_own()
if picked != shown:
    desk.lay(preset(picked))
    st.rerun()
st.caption(SPACES[shown].summary if comes_from else f"{space.title or space.name}, opened by you.")
if comes_from:
    space_settings.show(space, *comes_from)

space_facts.repairs_done()
above = st.container()
if isinstance(space, DartsSpace):  # two cells side by side need the width of both columns
    controls, both = st.columns([1.0, 2.2], gap="large")
    whole, one = both.container(), both.container()
else:
    controls, whole, one = st.columns([1.0, 1.08, 1.08], gap="large")
with controls:
    st.subheader("What may be chosen", anchor=False)
    restriction = space_controls.restriction(space)
    allowed = restrict(space, restriction)
    broken = structure(allowed)
    if not broken:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.subheader("Pinned architecture", anchor=False, help=term("architecture"), width="content")
            st.button(
                "Another",
                icon=":material/casino:",
                on_click=space_controls.draw_at_random,
                args=(allowed,),
                help="Pin an architecture drawn at random from what is allowed.",
            )
        architecture = space_controls.pinned(allowed)
        code = allowed.code(architecture)

if broken:
    desk.write_link(space, restriction, "")
    with whole:
        draw(scene_of(space, within=allowed))
    with one:
        for sentence in broken:
            st.error(sentence, icon=":material/error:")
        st.caption("Switch a candidate back on: a choice needs at least one.")
    st.stop()

desk.write_link(space, restriction, code)
with whole:
    space_facts.of_space(allowed)
    draw(scene_of(space, within=allowed), with_legend=space.family != "macro")
with one:
    space_facts.of_architecture(allowed, architecture)
    draw(scene_of(space, architecture, within=allowed))

with above:
    problems = space_facts.problems(space, allowed)
space_facts.run_buttons(allowed, architecture, blocked=bool(problems))
space_files.details(space, allowed, restriction, architecture)
