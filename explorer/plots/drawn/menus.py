"""The board on screen as data: its drawing, a menu for everything that can be changed, and what undo would undo.

`board_payload` is what the component gets (assets/graph/edit.js). What an event does is left to `explorer.board`; the
menus only say which there are, each with the state that it wants. What cannot be done is listed with the reason.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from explorer.board import Board, History
from explorer.plots.build import scene_of
from explorer.plots.drawn.cell_menus import cell_menus, darts_menus
from explorer.plots.drawn.collapse import folded
from explorer.plots.drawn.macro_menus import arc_id, macro_menus
from explorer.plots.drawn.menu_items import Menu, menus_json
from explorer.plots.drawn.payload import edge_ids, folded_payload
from explorer.plots.drawn.text import shown
from explorer.plots.scene import Scene
from explorer.space import CellSpace, DartsSpace, InputChoice, MacroSpace, Problem, SearchSpace
from explorer.space.restrict import ALWAYS, OFF

FILM = "board"
STEP_WORDS = 60
CHIPS = (("chosen", "pinned"), ("unchosen", "offered"), ("off", "forbidden"))
ARCS = (("always", "always on"), ("on", "free, on"), ("free", "free, off"), ("never", "forbidden"))
HINTS = {
    "chain": "Click a layer to add another below it, a candidate beside it, or a skip from it.",
    "macro": "Click a candidate to pin it, a layer or an arc for everything else.",
    "cell": "Click an edge to change its operation; a node only adds up what arrives.",
    "darts": "Click an edge to change its operation, a node to change what it reads.",
}
EDGES = (("edge", "pinned operation"), ("gone", "taken out"))
READS = (("edge", "read"), ("spare", "not read"))


def board_payload(
    board: Board,
    history: History | None = None,
    problems: Iterable[Problem] = (),
    epoch: int = 0,
    ack: int = 0,
    film: str = FILM,
) -> dict[str, Any]:
    """The component's data; `problems` are `check`'s, `epoch` and `ack` those of explorer.board.inbox."""
    fold = folded(scene_of(board.space, board.architecture, within=board.allowed))
    scene = folded_payload(fold, marks(board, problems), candidates=False)
    _say_skips(board, fold.scene, scene["edges"])
    ids = _ids(fold.scene)
    drawn = ids.keys() - fold.moved.keys()
    menus, palette = menus_json({ids[name]: menu for name, menu in _menus(board) if name in drawn})
    past = history.past if history else ()
    future = history.future if history else ()
    return {
        "film": film,
        "epoch": epoch,
        "ack": ack,
        "scene": scene,
        "menus": menus,
        "palette": palette,
        "undo": step_words(past[-1], board) if past else "",
        "redo": step_words(board, future[0]) if future else "",
        "hint": scene.get("folded") or _hint(board.space),
        "key": [list(sample) for sample in _key(board)],
    }


def _hint(space: SearchSpace) -> str:
    """What to click on; a chain without any choice has neither candidates nor arcs yet."""
    return HINTS["chain" if space.family == "macro" and not space.mutables else space.family]


def _menus(board: Board) -> Iterator[tuple[str, Menu]]:
    space = board.space
    if isinstance(space, MacroSpace):
        yield from macro_menus(board, space)
    elif isinstance(space, CellSpace):
        yield from cell_menus(board, space)
    elif isinstance(space, DartsSpace):
        yield from darts_menus(board, space)


def _ids(scene: Scene) -> dict[str, str]:
    """Element as the scene calls it -> as the drawing does; a node comes before an edge of the same name."""
    edges = zip((edge.id for edge in scene.edges), edge_ids(scene), strict=True)
    return dict(edges) | {node.id: node.id for node in scene.nodes}


def _key(board: Board) -> tuple[tuple[str, str], ...]:
    """What the line below the drawing explains: [sample, words]."""
    if isinstance(board.space, MacroSpace):
        chips = CHIPS if any(not isinstance(each, InputChoice) for each in board.space.mutables) else ()
        return chips + (ARCS if board.space.skips else ())
    return READS if isinstance(board.space, DartsSpace) else EDGES


def _say_skips(board: Board, scene: Scene, forms: list[dict[str, Any]]) -> None:
    """What the board says of every arc: `w` always, free or off, and `st` whether the pinned architecture takes it."""
    if not isinstance(board.space, MacroSpace):
        return
    said = {
        arc_id(skip, at): (board.states[skip.label][at], at in board.pinned[skip.label])
        for skip in board.space.skips
        for at in range(len(skip.sources))
    }
    for edge, form in zip(scene.edges, forms, strict=True):
        if edge.kind == "skip" and edge.id in said:
            state, is_on = said[edge.id]
            form["w"] = state
            form["st"] = "off" if state == OFF else "chosen" if is_on or state == ALWAYS else "unchosen"


# -- problems ---------------------------------------------------------------------------------------------------------


def marks(board: Board, problems: Iterable[Problem]) -> dict[str, str]:
    """Element -> the sentences of what is wrong with it; what has no element of its own is marked at its stage."""
    found: dict[str, list[str]] = {}
    for problem in problems:
        for name in _places(board, problem.layer):
            found.setdefault(name, []).append(str(problem))
    return {name: " ".join(dict.fromkeys(sentences)) for name, sentences in found.items()}


def _places(board: Board, layer: str) -> tuple[str, ...]:
    space = board.space
    if isinstance(space, MacroSpace):
        arcs = {skip.label: [arc_id(skip, at) for at in range(len(skip.sources))] for skip in space.skips}
        return tuple(arcs.get(layer, [layer]))
    stage, _, rest = layer.partition("/")
    inside = [f"{kind}/{rest}" for kind in ("normal", "reduce")] if isinstance(space, DartsSpace) else [rest]
    return (*inside, layer, f"stage/{stage}")


# -- what a step did --------------------------------------------------------------------------------------------------


def step_words(before: Board, after: Board) -> str:
    """What led from one board to the other, in a few words: `conv1 = conv5x5`, `add pool3`."""
    words = next(_steps(before, after), "another space")
    return shown(words, STEP_WORDS)


def _steps(before: Board, after: Board) -> Iterator[str]:
    if before.space != after.space:
        yield from _space_steps(before, after)
        return
    for label, states in after.states.items():
        if states != before.states[label]:
            yield f"what {label} may be"
    if before.restriction != after.restriction:
        yield "what an edge may be"
    for label, choice in after.pinned.items():
        if choice != before.pinned[label]:
            yield f"{label} = {_choice_words(after, label, choice)}"


def _choice_words(board: Board, label: str, choice: Any) -> str:
    mutable = board.mutable(label)
    if isinstance(mutable, InputChoice):
        return " + ".join(mutable.sources[at].rpartition("/node_")[2] for at in choice) or "off"
    return str(choice)


def _space_steps(before: Board, after: Board) -> Iterator[str]:
    here, there = before.space, after.space
    if not (isinstance(here, MacroSpace) and isinstance(there, MacroSpace)):
        return
    for words, old, new in (
        ("layer", _layers(here), _layers(there)),
        ("skip", _skips(here), _skips(there)),
    ):
        added, gone = new.keys() - old.keys(), old.keys() - new.keys()
        if len(added) + len(gone) > 2:
            return
        if added and gone:
            yield f"rename {min(gone)} to {min(added)}"
        yield from (f"add {words} {name}" for name in sorted(added))
        yield from (f"remove {words} {name}" for name in sorted(gone))
        yield from (f"change {words} {name}" for name in new if name in old and new[name] != old[name])
    if list(_layers(here)) != list(_layers(there)):
        yield "move a layer"
    if here.input != there.input:
        yield "what arrives"
    if here.title != there.title:
        yield "the title"


def _layers(space: MacroSpace) -> Mapping[str, Any]:
    return {layer.name: layer.content for layer in space.layers}


def _skips(space: MacroSpace) -> Mapping[str, Any]:
    return {skip.label: skip for skip in space.skips}
