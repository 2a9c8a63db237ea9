"""A space in and out: layers as a table, generated code, JSON, drawings, a link; and opening one's own."""

from __future__ import annotations

import json
from collections.abc import Callable
from urllib.parse import urlencode

import streamlit as st

from explorer.board import Board
from explorer.errors import CodecError, ExplorerError, SpaceError
from explorer.export.nni1_code import nni1_code
from explorer.export.nni_code import nni_code
from explorer.export.torch_code import torch_code
from explorer.plots import scene_of
from explorer.plots.dot import dot
from explorer.plots.drawn.reel import Moment
from explorer.plots.svg import svg
from explorer.space import Architecture, CellSpace, SearchSpace, distinct_cells, read_json, space_from_json
from explorer.space.codec import MAX_JSON_BYTES
from pages.widgets import board as drawing
from pages.widgets import desk, film, space_controls, space_facts
from pages.widgets.drawing import table
from pages.widgets.words import full_span, term


def open_own() -> None:
    """Open a space from a file or from text; every problem is a sentence, and what is on screen stays."""
    popover = st.popover("Open your own", icon=":material/upload:", on_change="rerun", key="open_own")
    if not popover.open:
        return
    with popover:
        file = st.file_uploader(
            "A search space as JSON", type="json", max_upload_size=1, key=desk.key("file")
        )
        pasted = st.text_area(
            "or paste it here", height=140, key=desk.key("pasted"), max_chars=MAX_JSON_BYTES
        )
        if not st.button("Open", type="primary", disabled=not (file or pasted)):
            st.caption("The tab JSON below shows what such a file looks like.")
            return
        try:
            source = file.getvalue() if file else pasted
            space = space_from_json(read_json(source, f"The file {file.name!r}" if file else "The text"))
        except SpaceError as error:
            _refuse(error.problems)
        except CodecError as error:
            _refuse((str(error),))
        else:
            desk.lay(space)
            st.rerun()


def _refuse(problems: tuple[str, ...]) -> None:
    for problem in problems[:10]:
        st.error(problem, icon=":material/error:")
    if len(problems) > 10:
        st.caption(f"And {len(problems) - 10} more.")
    st.caption("Nothing was lost: the space that you had is still on the page.")


def details(board: Board) -> None:
    """Tabs below the picture; only the one that is open is made."""
    space, allowed, architecture = board.space, board.allowed, board.architecture
    contents: dict[str, Callable[[], None]] = {
        "Layers": lambda: _layers(allowed, architecture),
        "Controls": lambda: space_controls.show(board),
        "NNI 3 code": lambda: _code(
            "The search space as it stands, as an NNI 3 model space.", lambda: nni_code(allowed)
        ),
        "PyTorch code": lambda: _code(
            "The pinned architecture as a plain PyTorch module.", lambda: torch_code(allowed, architecture)
        ),
        "NNI 1 code": lambda: _code(
            "The search space with the mutables of NNI 1.x, as the learning notes write it.",
            lambda: nni1_code(allowed),
        ),
        "JSON": lambda: _json(allowed),
        "Compare": lambda: _compare(allowed, architecture),
        "Download": lambda: _share(space, allowed, architecture),
    }
    tabs = st.tabs(list(contents), key="space/tabs", on_change="rerun")
    for tab, content in zip(tabs, contents.values(), strict=True):
        if tab.open:
            with tab:
                content()


def _json(allowed: SearchSpace) -> None:
    st.code(json.dumps(allowed.to_json(), indent=2), language="json", height=420)


def _code(caption: str, write: Callable[[], str]) -> None:
    """Generated code, or the sentence that says why there is none."""
    st.caption(caption)
    try:
        st.code(write(), language="python", height=420)
    except ExplorerError as problem:
        st.info(f"There is no code for this yet. {problem}")


def _layers(allowed: SearchSpace, architecture: Architecture) -> None:
    head = [
        ("Layer", term("node") if isinstance(allowed, CellSpace) else ""),
        ("Operation", term("operation")),
        ("Arrives", term("shape")),
        ("Leaves", term("shape")),
        ("Parameters", term("parameters")),
        ("MACs", term("MACs")),
        ("Parameters, space", "Smallest and largest over the whole space."),
        ("MACs, space", "Smallest and largest over the whole space."),
    ]
    rows = space_facts.layer_rows(allowed, architecture)
    network, costs = allowed.lower(architecture), space_facts.costs(allowed)
    own = (f"{network.parameters:,}", f"{network.macs:,}")
    total = ("All", "", "", "", *own, full_span(costs.parameters), full_span(costs.macs))
    table(head, [*rows, total], numbers=(4, 5, 6, 7), best=len(rows))
    if isinstance(allowed, CellSpace) and st.button(
        "Count the cells that differ in more than name",
        help="Two cells are the same network when 'none' and skips are simplified away; takes a moment.",
    ):
        st.caption(f"{distinct_cells(allowed):,} of {allowed.size:,} cells are different networks.")


def _compare(allowed: SearchSpace, architecture: Architecture) -> None:
    """The pinned architecture and another one over one another."""
    code = st.text_input(
        "Code of the other architecture",
        key=desk.key("compare"),
        placeholder=allowed.code(allowed.default),
        help="As it stands under *Pinned*, or on a leaderboard. Empty: the first architecture of the space.",
    )
    try:
        other = allowed.from_code(code.strip()) if code.strip() else allowed.default
    except SpaceError as error:
        _refuse(error.problems)
        return
    one = Moment(architecture, f"pinned, {allowed.code(architecture)}")
    film.compared(allowed, one, Moment(other, allowed.code(other)), "space/compared")


def link(board: Board) -> None:
    """A link to exactly this, to be copied."""
    with st.popover("Copy link", icon=":material/link:"):
        query = desk.link_of(board.space, board.restriction, board.allowed.code(board.architecture))
        if not query:
            st.caption("This space is too large for a link; download it as a file instead.")
            return
        st.caption("A link to exactly this: the space, what is switched off, the pinned architecture.")
        address = (st.context.url or "").split("?")[0]
        st.code(f"{address}?{urlencode(query)}", language=None, wrap_lines=True)


def form(allowed: SearchSpace) -> None:
    """The space as a file."""
    st.download_button(
        "Download JSON",
        json.dumps(allowed.to_json(), indent=2),
        f"{_file_name(allowed)}.json",
        "application/json",
        on_click="ignore",
        icon=":material/download:",
    )


def _file_name(space: SearchSpace) -> str:
    return "".join(letter if letter.isalnum() or letter in "-_" else "-" for letter in space.name)[:60]


def _share(space: SearchSpace, allowed: SearchSpace, architecture: Architecture) -> None:
    """The drawing as it stands on screen, and both pictures as plain files."""
    st.caption("What is on screen above:")
    film.save(allowed, drawing.KEY, _file_name(allowed), architecture)
    st.caption("Without the browser's help:")
    scene, chosen = scene_of(space, within=allowed), scene_of(space, architecture, within=allowed)
    name = _file_name(allowed)
    files = (
        ("Space as SVG", svg(scene, standalone=True), f"{name}.svg", "image/svg+xml"),
        ("Architecture as SVG", svg(chosen, standalone=True), f"{name}-architecture.svg", "image/svg+xml"),
        ("Space as DOT", dot(scene), f"{name}.dot", "text/vnd.graphviz"),
        ("Architecture as DOT", dot(chosen), f"{name}-architecture.dot", "text/vnd.graphviz"),
    )
    with st.container(horizontal=True):
        for label, data, file, kind in files:
            st.download_button(label, data, file, kind, on_click="ignore", icon=":material/download:")
