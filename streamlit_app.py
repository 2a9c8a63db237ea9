"""The router: page config, navigation, and one sentence instead of a traceback.

Everything else lives in pages/.
"""

from __future__ import annotations

import gc
from pathlib import Path

import streamlit as st

from explorer.errors import EnvironmentProblem, ExplorerError
from pages.widgets.navigation import navigation

STYLE = Path(__file__).parent / "assets" / "app.css"


@st.cache_resource(show_spinner=False)
def _freeze() -> bool:
    """Once a server: what is imported by now needs no garbage collection after each script run."""
    gc.freeze()
    return True


st.set_page_config(page_icon=":material/account_tree:", layout="wide")
page = navigation()
st.html(STYLE)
try:
    page.run()
except EnvironmentProblem as problem:
    st.error(str(problem), icon=":material/cloud_off:")
    st.caption(
        "Nothing was changed. Put this right and reload the page; `python -m explorer doctor` tells more."
    )
except ExplorerError as problem:
    st.error(str(problem), icon=":material/error:")
    st.caption("Nothing was changed. Correct it and try again.")
_freeze()
