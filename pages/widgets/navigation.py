"""The router: page config, the menu, and one sentence instead of a traceback, around whichever page was asked
for.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import streamlit as st

from explorer.errors import EnvironmentProblem, ExplorerError

PAGES = (  # those beyond the width of the window fold into a menu, so the less used stand at the end
    ("pages/home.py", "Home", ":material/home:"),
    ("pages/space.py", "Search space", ":material/account_tree:"),
    ("pages/random_architectures.py", "Random architectures", ":material/casino:"),
    ("pages/tuning.py", "Hyper-parameters", ":material/tune:"),
    ("pages/classical_nas.py", "Classical NAS", ":material/family_history:"),
    ("pages/one_shot.py", "One-shot search", ":material/hub:"),
    ("pages/runs.py", "Runs", ":material/list:"),
    ("pages/race.py", "Race", ":material/sports_score:"),
    ("pages/answer_key.py", "Answer key", ":material/key:"),
    ("pages/features.py", "Feature engineering", ":material/table_chart:"),
    ("pages/bilevel.py", "Bilevel toy", ":material/toys:"),
)
STYLE = Path(__file__).resolve().parents[2] / "assets" / "app.css"
ROUTED = "routed"  # in the session while the router runs a page


def serve() -> None:
    """Run the page that was asked for; a problem of ours becomes one sentence below the menu."""
    st.set_page_config(page_icon=":material/account_tree:", layout="wide")
    page = st.navigation(
        [st.Page(path, title=title, icon=icon, default=path == PAGES[0][0]) for path, title, icon in PAGES],
        position="top",
    )
    st.html(STYLE)
    st.session_state[ROUTED] = True
    try:
        with one_sentence():
            page.run()
    finally:
        st.session_state[ROUTED] = False


@contextmanager
def one_sentence() -> Iterator[None]:
    """What goes wrong inside is said in one sentence; fragments need it too, since they run without the
    router.
    """
    try:
        yield
    except EnvironmentProblem as problem:
        st.error(str(problem), icon=":material/cloud_off:")
        st.caption("Nothing was changed. Put this right and reload; `python -m explorer doctor` tells more.")
    except ExplorerError as problem:
        st.error(str(problem), icon=":material/error:")
        st.caption("Nothing was changed. Correct it and try again.")


def routed() -> None:
    """Go through the router when a page was reached without it.

    A fresh Streamlit server takes the folder `pages/` for its old kind of multipage app until `st.navigation`
    has run once: the first visitor of a deep link would get the page alone, without menu, style and safety
    net.
    """
    if not st.session_state.get(ROUTED):
        serve()
        st.stop()
