"""The answer key about itself: what it is, how far it can be trusted, and one cell looked up in it."""

from __future__ import annotations

import streamlit as st

from explorer.catalogue import DATASETS
from explorer.key import available
from pages.widgets import answer_key_facts, answer_key_lookup, answer_key_view
from pages.widgets.navigation import routed
from pages.widgets.parameter_form import STAY, begin
from pages.widgets.words import term

routed()
st.title("Answer key", anchor=False, help=term("answer key"))
st.caption("A whole space of cells, each trained: how good every one is, and how far that can be trusted.")

there = available()
if not there:
    st.info(
        "There is no answer key here. It comes with the app as files in `assets/key`; get them again, or make your own "
        "with `python -m explorer.nas.key_making` and then `python -m explorer.nas.key_packing`.",
        icon=":material/key_off:",
    )
    st.stop()

asked = answer_key_lookup.open_link(there)
dataset = there[0]
if len(there) > 1:
    dataset = st.segmented_control(
        "Key of",
        there,
        format_func=lambda name: DATASETS[name].label,
        key=begin(answer_key_lookup.DATASET, there[0]),
        required=True,
        label_visibility="collapsed",
        help=term("dataset"),
        **STAY,
    )
key, why = answer_key_facts.key_named(dataset)
if key is None:
    st.error(why, icon=":material/key_off:")
    st.stop()
assert key is not None

answer_key_view.about(key)
if asked:
    answer_key_lookup.show(key)
for section in (
    answer_key_view.luck,
    answer_key_view.ties,
    answer_key_view.choices,
    answer_key_view.carries_over,
):
    section(key)
if not asked:
    answer_key_lookup.show(key)
