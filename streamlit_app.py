"""What `streamlit run` starts: the router, and nothing else."""

from __future__ import annotations

import gc

import streamlit as st

from pages.widgets.navigation import serve


@st.cache_resource(show_spinner=False)
def _freeze() -> bool:
    """Once a server: what is imported by now needs no garbage collection after each script run."""
    gc.freeze()
    return True


serve()
_freeze()
