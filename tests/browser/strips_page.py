"""A page with what stands around a film, for `test_strips.py`; `?show=` says what.

`search`: a recorded search, its charts, buttons that keep the drawing. `live`: the same while it grows by ten snapshots
with each press of a button; `early`: that from its first snapshot on. `reel`: architectures, one at a time, and their
list. `lonely`: buttons without a drawing.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import streamlit as st

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from explorer.plots import scene_of
from explorer.plots.dot import dot
from explorer.plots.drawn.film import film
from explorer.plots.drawn.reel import Moment, reel
from explorer.plots.drawn.shelf import shelf
from explorer.plots.drawn.strips import strips
from explorer.plots.leaderboard import space_of
from explorer.runs.recorded import read_recorded
from explorer.runs.state import fold
from pages.widgets.component import mount

EXAMPLE = Path(__file__).resolve().parents[2] / "assets" / "examples" / "darts-collapses-to-skips.jsonl.gz"
HOSTILE = '<img src=x onerror="document.title=1">'


FIRST = 1 if st.query_params.get("show") == "early" else 40  # snapshots


def more() -> None:
    """Ten snapshots more."""
    st.session_state["count"] = st.session_state.get("count", FIRST) + 10


show = st.query_params.get("show", "search")
spec, events = read_recorded(EXAMPLE)
state, space = fold(events), space_of(spec)
assert space is not None
data: dict = {}
live = show in ("live", "early")
if live:
    state = replace(state, snapshots=state.snapshots[: st.session_state.get("count", FIRST)], measurements=())
if show == "search" or live:
    data = {"film": "told"}
    mount("watch", "film", {**film(state, space, live), **data}, on_moment_change=lambda: None)
    mount("strips", "strips", {**strips(state, space, live), **data})
if show == "reel":
    found = [space.architecture_at(17 * at) for at in range(5)]
    moments = [Moment(one, f"trial {at}") for at, one in enumerate(found)]
    mount("watch", "film", {**reel(space, moments), "film": "told"}, on_moment_change=lambda: None)
    rows = [(str(at), HOSTILE if at == 4 else space.code(one)) for at, one in enumerate(found)]
    mount("shelf", "shelf", {**shelf((("Trial", "in order"), ("Code", "")), rows, (0,), 1), "film": "told"})
if live:
    st.button("More", on_click=more)
text = dot(scene_of(space))
mount("save", "save", {"film": "told", "name": "a/../b of it", "dot": text})
