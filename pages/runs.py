"""Runs: every run in one line, newest first; open, stop, resume, annotate, delete, import."""

from __future__ import annotations

import time

import streamlit as st

from explorer.errors import CodecError, Conflict
from explorer.jobs import launch
from explorer.runs.events import RUN_STATUSES
from explorer.runs.recorded import MAX_FILE_BYTES, import_recorded
from pages.widgets import run_list, runs_at_hand
from pages.widgets.navigation import routed
from pages.widgets.place import limits_note, store
from pages.widgets.words import term

PAGE = 15

routed()
here = store()
launch.reconcile(here)

with st.container(horizontal=True, vertical_alignment="bottom", horizontal_alignment="distribute"):
    st.title("Runs", anchor=False, help=term("run"))
    popover = st.popover("Import a recorded run", icon=":material/upload:", on_change="rerun", key="import")
if popover.open:
    with popover:
        file = st.file_uploader("A recorded run", type="gz", help=term("recorded run"), key="recorded")
        if file and st.button("Import", type="primary"):
            try:
                run_id = import_recorded(here, file.getvalue(), file.name.removesuffix(".jsonl.gz"))
            except (CodecError, Conflict) as problem:
                st.error(str(problem), icon=":material/error:")
            else:
                runs_at_hand.open_run(run_id, here.summary(run_id).kind)
        st.caption(
            f"At most {MAX_FILE_BYTES // 1_000_000} MB; every line is checked before anything is kept."
        )
limits_note()

status = st.segmented_control(
    "State", RUN_STATUSES, key="runs/status", label_visibility="collapsed", persist_state="session"
)
number = st.session_state.get("runs/page", 0)
found = here.summaries(limit=(number + 1) * PAGE + 1, status=status)
page = found[number * PAGE : (number + 1) * PAGE]
if not page and number:
    st.session_state["runs/page"] = 0
    st.rerun()
if not page:
    run_list.empty(filtered=status is not None)
else:
    for summary in page:
        run_list.row(summary, time.time())
    run_list.pager(number, more=len(found) > (number + 1) * PAGE)
