"""The drawn network in the browser: a search as a film, architectures as a reel, two of them over one another.

What is drawn is decided in `explorer.plots.drawn`; here it is made, once for all who watch the same run, and mounted.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping, Sequence
from functools import lru_cache
from typing import Any

import streamlit as st

from explorer.plots import scene_of
from explorer.plots.dot import dot
from explorer.plots.drawn.compare import Difference, compare, differences
from explorer.plots.drawn.film import film
from explorer.plots.drawn.reel import Moment, reel
from explorer.plots.drawn.strips import strips
from explorer.plots.oneshot.worth import Known
from explorer.plots.svg import legend
from explorer.runs.state import RunState
from explorer.space import Architecture, SearchSpace
from pages.widgets.component import mount
from pages.widgets.drawing import table
from pages.widgets.words import term

MOST_KEPT = 48
CHARTS_SECONDS = 1.5
_KEPT: OrderedDict[Hashable, tuple[float, dict[str, Any]]] = OrderedDict()  # name -> when made, what
_LOCK = threading.Lock()


def show(state: RunState, space: SearchSpace, live: bool, name: str = "") -> int | None:
    """The search as a film; the step at which the visitor stopped it, None while nobody did.

    `name` tells two films of one page apart, and ties the charts to theirs.
    """
    key = key_of(state, name)
    data = _once(("film", state.run_id, state.last_seq, live), lambda: film(state, space, live))
    mount("watch", key, {"film": key, **data}, on_moment_change=_nothing)
    return stopped_at(state, name)


def stopped_at(state: RunState, name: str = "") -> int | None:
    """The step at which the visitor stopped the film."""
    moment = (st.session_state.get(key_of(state, name)) or {}).get("moment")
    step = moment.get("step") if isinstance(moment, Mapping) else None
    return step if isinstance(step, int) else None


def charts(
    state: RunState, space: SearchSpace, live: bool, name: str = "", known: Known | None = None
) -> None:
    """The charts of the search over one axis of steps, with the film's cursor; `known`: what the answer key says."""
    # a live run's may be a moment old: its watchers look at different times, and each would have its own made
    made = ("strips", state.run_id, "live" if live else state.last_seq, known is not None if live else known)
    data = _once(made, lambda: strips(state, space, live, known), CHARTS_SECONDS if live else 0.0)
    key = key_of(state, name)
    mount("strips", f"{key}/strips", {**data, "film": key})


def architectures(space: SearchSpace, moments: Sequence[Moment], key: str) -> None:
    """One drawing for several architectures, one at a time."""
    mount("watch", key, {"film": key, **reel(space, moments)}, on_moment_change=_nothing)


def shelf(listed: Mapping[str, Any], film_key: str) -> None:
    """A list whose rows show their architecture in the film of that name when they are pointed at."""
    mount("shelf", f"{film_key}/shelf", {**listed, "film": film_key})


def compared(
    space: SearchSpace, one: Moment, other: Moment, key: str, more: Sequence[Difference] = ()
) -> None:
    """Two architectures over one another; beside them what differs, what that costs, and `more` rows."""
    drawn, told = st.columns([1.5, 1], gap="large") if space.family != "darts" else (st.container(),) * 2
    with drawn:
        mount("watch", key, {"film": key, **compare(space, one, other)}, on_moment_change=_nothing)
    with told:
        found = (*differences(space, one, other), *more)
        head = (("Where", term("mutable")), (one.title, ""), (other.title, ""))
        table(head, [(each.place, each.a, each.b) for each in found])
        if dict(one.architecture) == dict(other.architecture):
            st.caption("They are the same architecture.")
        if space.family == "darts":  # its cells have room for signs only
            key_to_colours(space)


def key_to_colours(space: SearchSpace) -> None:
    """What each colour means, where the drawing does not say it beside."""
    if space.family != "macro":
        st.html(_legend(space))  # plain HTML: Markdown with HTML in it takes a browser much longer


@lru_cache(maxsize=32)
def _legend(space: SearchSpace) -> str:
    return legend(scene_of(space))


def save(space: SearchSpace, film_key: str, name: str, architecture: Architecture | None = None) -> None:
    """Buttons that keep what is on screen as SVG, PNG and DOT."""
    mount("save", f"{film_key}/save", {"film": film_key, "name": name, "dot": _dot(space, architecture)})


@lru_cache(maxsize=64)
def _dot(space: SearchSpace, architecture: Architecture | None) -> str:
    return dot(scene_of(space, architecture))


def key_of(state: RunState, name: str = "") -> str:
    """The name of a run's film on this page."""
    return f"film/{state.run_id}/{name}"


def _nothing() -> None:
    """A state of a component needs somebody who is told when it changes; the script run that follows reads it."""


def _once(name: Hashable, make: Callable[[], dict[str, Any]], age: float = 0.0) -> dict[str, Any]:
    """What `make` gives, made once for all visitors of this server until too much else was made.

    With an `age` in seconds it is made again when it has become older.
    """
    now = time.monotonic()
    with _LOCK:
        made, data = _KEPT.get(name, (0.0, None))
        if data is not None and (not age or now - made < age):
            _KEPT.move_to_end(name)
            return data
    data = make()
    with _LOCK:
        _KEPT[name] = now, data
        while len(_KEPT) > MOST_KEPT:
            _KEPT.popitem(last=False)
    return data
