"""Where this page stands: the store, the limits, and who is looking."""

from __future__ import annotations

import hashlib
import secrets

import streamlit as st

from explorer.jobs.limits import Limits
from explorer.plots.progress import duration
from explorer.runs import places
from explorer.runs.store import Store
from explorer.runs.summary import RunSummary


@st.cache_resource(show_spinner=False, max_entries=8)
def _store(url: str) -> Store:
    return Store(url)


def store() -> Store:
    """The one store of this server; raises StoreUnavailable, which the router turns into a sentence."""
    return _store(places.store_url())


def limits() -> Limits:
    """What this place allows; raises SpecError for a wrong environment variable."""
    return Limits.from_environment()


def visitor() -> str:
    """Who is looking: one name a browser, from the cookie that Streamlit sets against forged requests.

    Without a cookie the name lasts as long as the session. It is not a login: it only keeps visitors of a
    shared machine from stopping each other's runs by accident or for fun.
    """
    cookie = st.context.cookies.get("_streamlit_xsrf")
    secret = _unmasked(cookie) if isinstance(cookie, str) else b""
    if secret:
        return hashlib.sha256(secret).hexdigest()[:16]
    known: str = st.session_state.setdefault("visitor", secrets.token_hex(8))
    return known


def _unmasked(cookie: str) -> bytes:
    """The cookie's token; `2|mask|masked token|time` masks the same token anew each time it is sent."""
    parts = cookie.split("|")
    try:
        mask, masked = bytes.fromhex(parts[1]), bytes.fromhex(parts[2])
    except (IndexError, ValueError):
        return b""
    return bytes(byte ^ mask[at % len(mask)] for at, byte in enumerate(masked)) if mask else b""


def may_control(summary: RunSummary) -> bool:
    """Whether this visitor may stop, resume or delete the run: on a shared machine only the one who started
    it.
    """
    return limits().mode != "cloud" or summary.visitor == visitor()


def limits_note() -> None:
    """On a shared machine, what it allows, in one line."""
    here = limits()
    if here.mode != "cloud":
        return
    seconds = duration(here.run_seconds) if here.run_seconds else "no limit of time"
    st.caption(
        f":material/cloud: Shared machine: {here.workers} worker, {seconds} a run, "
        f"{here.queue} runs waiting. Run it on your own computer for more."
    )
