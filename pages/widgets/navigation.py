"""The pages in order, and a way back to the router for a page that was reached without it."""

from __future__ import annotations

import streamlit as st
from streamlit.navigation.page import StreamlitPage

PAGES = (
    ("pages/home.py", "Home", ":material/home:"),
    ("pages/space.py", "Search space", ":material/account_tree:"),
    ("pages/random_architectures.py", "Random architectures", ":material/casino:"),
    ("pages/runs.py", "Runs", ":material/list:"),
)


def navigation() -> StreamlitPage:
    """The menu above every page; returns the page to run."""
    st.session_state["routed"] = True
    return st.navigation(
        [st.Page(path, title=title, icon=icon, default=path == PAGES[0][0]) for path, title, icon in PAGES],
        position="top",
    )


def routed() -> None:
    """Begin again through the router when a page was reached without it.

    A fresh Streamlit server takes the folder `pages/` for its old kind of multipage app until `st.navigation`
    has run once: the first visitors of a deep link would get the page alone, without menu, style and safety
    net.
    """
    if not st.session_state.get("routed"):
        navigation()
        st.rerun()
