"""Boards, and events that fit them more or less: names that exist, names that do not, and values of every type."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from explorer.board import KINDS, Board, lay
from explorer.board.board import options_of
from explorer.catalogue import OPERATIONS
from explorer.space import InputChoice, LayerChoice, MacroSpace, preset
from tests.space.generated import darts_spaces, macro_spaces

PRESETS = ("notes-net", "notes-net-as-written", "cell", "darts-cell", "enas-macro", "blank")
NAMES = ("conv1", "second", "new one", "input", "", "skip", "a/b", "x" * 61, "\u202eevil", "<img onerror=1>")
JUNK = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-2, 5),
    st.sampled_from([float("nan"), 1.5, 10**30]),
    st.text(max_size=5),
    st.lists(st.integers(-1, 3), max_size=3),
    st.just({"label": "width", "values": [4, 8]}),
    st.just({"values": "many"}),
)


def boards() -> st.SearchStrategy[Board]:
    """Presets and generated spaces, nothing forbidden yet."""
    spaces = st.one_of(st.sampled_from(PRESETS).map(preset), macro_spaces(), darts_spaces(is_small=True))
    return spaces.map(lay)


@st.composite
def events(draw: st.DrawFn, board: Board, kinds: tuple[str, ...] = tuple(KINDS)) -> dict[str, Any]:
    """An event whose fields mostly name something of the board."""
    kind = KINDS[draw(st.sampled_from(kinds))]
    event: dict[str, Any] = {"kind": kind.name}
    for name in [*kind.required, *kind.optional]:
        if name in kind.required or draw(st.booleans()):
            event[name] = draw(_field(board, kind.name, name, event))
    if draw(st.integers(0, 19)) == 0:
        event[draw(st.sampled_from([*event, "extra"]))] = draw(JUNK)
    return event


def _field(board: Board, kind: str, name: str, event: dict[str, Any]) -> st.SearchStrategy[Any]:
    space = board.space
    layers = [layer.name for layer in space.layers] if isinstance(space, MacroSpace) else []
    skips = [skip.label for skip in space.skips] if isinstance(space, MacroSpace) else []
    labels = [mutable.label for mutable in space.mutables]
    found: dict[str, list[Any]] = {
        "label": skips if kind in ("skip", "remove_skip", "align") else labels,
        "layer": layers,
        "after": ["input", *layers],
        "source": ["input", *layers],
        "into": layers,
        "to": list(range(-1, len(layers) + 1)),
        "operation": sorted(OPERATIONS),
        "state": ["off", "free", "always", "on"],
        "align": ["none", "crop", "stretch"],
        "channels": [1, 3, 65],
        "side": [8, 9, 0],
        "title": ["Mine", "", "x" * 300, "\n"],
        "parameters": [
            {},
            {"padding": 1},
            {"kernel_size": 5, "padding": 2},
            {"out_channels": 0},
            {"depth": 1},
        ],
        "parameter": ["out_channels", "kernel_size", "bias", "out_features", "depth"],
        "value": [1, 3, 10, 16, True, None, {"label": "width", "values": [4, 8]}],
        "name": list(NAMES),
        "candidate": ["conv3x3", "conv5x5", "conv1"],
    }
    if name in ("on", "dataset"):
        return st.booleans()
    if kind == "operation":
        return st.sampled_from([*getattr(space, "operations", ()), "conv2d"])
    mutable = next((each for each in space.mutables if each.label == event.get("label")), None)
    if name == "choice" and mutable is not None:
        return st.integers(0, mutable.count - 1).map(lambda at: _plain(mutable.option(at)))
    if name == "option" and mutable is not None:
        return st.sampled_from(options_of(mutable))
    if name == "source" and isinstance(mutable, InputChoice):
        return st.sampled_from(mutable.sources)
    content = next(
        (one.content for one in getattr(space, "layers", ()) if one.name == event.get("layer")), None
    )
    if kind in ("remove_candidate", "set_parameter") and isinstance(content, LayerChoice):
        found |= {"name": list(content.names), "candidate": list(content.names)}
    return st.sampled_from(found[name]) if found.get(name) else JUNK


def _plain(choice: Any) -> Any:
    return list(choice) if isinstance(choice, tuple) else choice
