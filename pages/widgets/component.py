"""Our own components (Streamlit's components v2): plain JavaScript and CSS of `assets/graph`, sent inline.

Inline, so that nothing has to be installed, and minified as it is read, because Streamlit sends it again with every
update. A module is `draw.js`, which every drawing needs, and what it adds; a page mounts the one it needs.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

import minify
import streamlit as st

ASSETS = Path(__file__).resolve().parents[2] / "assets" / "graph"
MODULES: Mapping[str, tuple[tuple[str, ...], str]] = MappingProxyType(
    {
        "watch": (("draw.js", "watch.js"), "graph.css"),
        "edit": (("draw.js", "edit.js"), "graph.css"),
        "strips": (("strips.js",), "strips.css"),
        "shelf": (("shelf.js",), "strips.css"),
        "save": (("save.js",), "strips.css"),
    }
)
"""Kind -> the scripts that are joined, and the style."""


@cache
def script(kind: str) -> str:
    """The module's JavaScript as it is sent; without a line break inside Streamlit would take it for a file's name."""
    files, _ = MODULES[kind]
    whole = "\n".join((ASSETS / file).read_text(encoding="utf-8") for file in files)
    small: str = minify.string("application/javascript", whole)
    return small.replace("export default", "\nexport default", 1)


@cache
def style(kind: str) -> str:
    """The module's CSS as it is sent: what stands before the first section of a style, and the module's own section.

    A section begins with a line `/* kind */`.
    """
    whole = (ASSETS / MODULES[kind][1]).read_text(encoding="utf-8")
    shared, *sections = re.split(r"^/\* (\w+) \*/\n", whole, flags=re.MULTILINE)
    own = dict(zip(sections[::2], sections[1::2], strict=True)).get(kind, "")
    small: str = minify.string("text/css", shared + own)
    return small.replace("}", "}\n", 1)


def mount(kind: str, key: str, data: Any, **callbacks: Any) -> Any:
    """Put a component on the page, or hand the one of that key other data; its result holds what it sent back.

    `callbacks` are `on_NAME_change`, one for each state that it sets.
    """
    component = st.components.v2.component(f"explorer_{kind}", css=style(kind), js=script(kind))
    return component(key=key, data=data, **callbacks)
