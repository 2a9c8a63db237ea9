"""What a live run answered to the last press: it stays until the next press or edit, however often the page is drawn.

A sentence written straight into a fragment that is drawn once a second would be gone before it is read.
"""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from explorer.errors import ExplorerError


def attempted(run_id: str, place: str, action: Callable[[], object], mark: object = None) -> bool:
    """Do it; a problem is kept for `answer` at the same place, for as long as `mark` stays what it is now."""
    st.session_state.pop(_slot(run_id), None)
    try:
        action()
    except ExplorerError as problem:
        st.session_state[_slot(run_id)] = (place, mark, "error", str(problem))
        return False
    return True


def remark(run_id: str, place: str, words: str, mark: object = None) -> None:
    """Keep a quiet sentence for `answer`."""
    st.session_state[_slot(run_id)] = (place, mark, "info", words)


def answer(run_id: str, place: str, mark: object = None) -> None:
    """Say what was kept for this place; an edit (another `mark`) forgets it."""
    kept = st.session_state.get(_slot(run_id))
    if kept is None or kept[0] != place:
        return
    _, then, kind, words = kept
    if then != mark:
        st.session_state.pop(_slot(run_id), None)
    elif kind == "error":
        st.error(words, icon=":material/error:")
    else:
        st.caption(words)


def toast(words: str) -> None:
    """What was asked for; it stays for some seconds, also when the page is drawn again."""
    st.toast(words, icon=":material/check:")


def _slot(run_id: str) -> str:
    return f"tuning/{run_id}/answer"
