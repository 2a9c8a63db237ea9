"""A page with one film of made-up probabilities, for `test_film.py`; `?show=` says which data it gets.

`live` grows by four frames with each press of a button and ends with another; `hostile` has names that would be markup;
`reel` and `compare` are architectures instead of a search, `darts` compares two that differ wherever they can.
"""

from __future__ import annotations

import base64
import math
import random
import sys
from pathlib import Path
from typing import Any

import streamlit as st

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from explorer.plots.drawn.compare import compare
from explorer.plots.drawn.reel import Moment, reel
from explorer.plots.drawn.rows import Layout, layout_of
from explorer.space import DartsSpace, load_space
from pages.widgets.component import mount

HOSTILE = '<img src=x onerror="document.title=1">'
WINDOW = 32


def film(layout: Layout, frames: int, first: int = 0, live: bool = False) -> dict[str, Any]:
    """Frames `first` to `frames` of a search that settles; what would be derived changes at its middle."""
    shares = bytearray()
    for at in range(first, frames):
        for number, row in enumerate(layout.rows):
            size = len(row.candidates)
            weights = [math.exp(at / 10 if i == number % size else 0.0) for i in range(size)]
            shares += bytes(round(255 * weight / sum(weights)) for weight in weights)
    space = layout.space
    told = [layout.told(one) for one in space.sample(2, random.Random(1))]
    changes = [[at, one.columns, one.code, ""] for at, one in zip((0, 20), told, strict=True) if one]
    return {
        "film": "made-up",
        "scene": layout.scene,
        "live": live,
        "rows": layout.form,
        "n": frames - first,
        "f": base64.b64encode(bytes(shares)).decode(),
        "steps": [10 * at for at in range(first, frames)],
        "ep": list(range(first, frames)),
        "d": [[max(0, at - first), *rest] for at, *rest in changes if at < frames],
        "s": "",
        "ev": [[20 - first, "alarm", "half of it is skips"]] if first <= 20 < frames else [],
    }


def hostile(data: dict[str, Any]) -> dict[str, Any]:
    """The same with names that would be markup."""
    scene = data["scene"]
    nodes = [{**node, "n": HOSTILE} for node in scene["nodes"]]
    operations = [[HOSTILE, HOSTILE, HOSTILE, *look[3:]] for look in scene["ops"]]
    rows = [{**row, "l": HOSTILE, "c": [[HOSTILE, 0]] * 5} for row in data["rows"]]
    marks = [[0, "alarm", HOSTILE]]
    changes = [[0, data["d"][0][1], HOSTILE, HOSTILE]]
    scene = {**scene, "nodes": nodes, "ops": operations, "title": HOSTILE, "alt": HOSTILE}
    return {**data, "scene": scene, "rows": rows, "ev": marks, "d": changes}


def unlike() -> dict[str, Any]:
    """Two architectures of DARTS that read other nodes, and through other operations."""
    space = load_space("darts-cell")
    assert isinstance(space, DartsSpace)
    some = space.sample(60, random.Random(1))
    pairs = [(one, other) for one in some for other in some]
    one, other = max(pairs, key=lambda pair: sum(pair[0][label] != pair[1][label] for label in pair[0]))
    return {"film": "made-up", **compare(space, Moment(one, "one"), Moment(other, "other"))}


def shown(kind: str) -> dict[str, Any]:
    """The data of that kind."""
    layout = layout_of(load_space("cell"))
    if kind == "live":
        frames = st.session_state.setdefault("frames", 40)
        over = st.session_state.get("over", False)
        return film(layout, frames, 0 if over else max(0, frames - WINDOW), live=not over)
    if kind == "compare":
        pair = layout.space.sample(2, random.Random(1))
        return compare(layout.space, *(Moment(one, f"trial {at}") for at, one in enumerate(pair)))
    if kind == "no-code":  # nothing is derived, so there is no code to say
        return film(layout, 40) | {"d": []}
    if kind == "reel":
        some = layout.space.sample(3, random.Random(1))
        return {
            "film": "made-up",
            **reel(layout.space, [Moment(one, f"trial {at}") for at, one in enumerate(some)]),
        }
    if kind == "darts":
        return unlike()
    if kind == "empty":
        return film(layout, 0) | {"steps": [], "ep": [], "d": []}
    if kind == "strange":  # rows that the scene lacks
        data = film(layout, 40)
        return data | {"scene": {**data["scene"], "edges": data["scene"]["edges"][:-1]}}
    return hostile(film(layout, 40)) if kind == "hostile" else film(layout, 40)


def more() -> None:
    """Four frames more."""
    st.session_state["frames"] += 4


def over() -> None:
    """The whole film."""
    st.session_state["over"] = True


found = mount("watch", "film", shown(st.query_params.get("show", "film")), on_moment_change=lambda: None)
if st.query_params.get("show") == "live":
    st.button("More", on_click=more)
    st.button("End", on_click=over)
moment = getattr(found, "moment", None)
st.text(f"stopped at step {moment['step']}, {moment['n']}" if moment else "never stopped")
