"""A scene as JSON for the browser: compact, in a stable order, every place and every look decided.

The format is written down at `scene_payload`. A large scene is folded first (`collapse`). Names are shown as `text`
cuts them; ids stay what they are, for events name things by them. What an event needs and the drawing does not show
stands beside it: `x` the exact names of candidates that were cut, `l` the label of the choice whose source an arc is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from explorer.plots import looks
from explorer.plots.drawn.collapse import Folded, folded
from explorer.plots.drawn.stack import in_rows
from explorer.plots.drawn.text import SENTENCE, named, shown
from explorer.plots.macro_scene import chip_places
from explorer.plots.scene import Scene, SceneEdge, SceneNode, point_on

TITLE, ALT = 200, 2_000
LABEL_WIDTH, LABEL_HEIGHT = 92.0, 20.0  # the widest label of a cell's edge
BESIDE = 64.0  # room right of an arc for its name
UNDER = 18.0  # room above and below a disc for its words
CHARACTER = 6.6
AIR = 4.0
NO_MARKS: Mapping[str, str] = {}

Box = tuple[float, float, float, float]


def scene_payload(
    scene: Scene, marks: Mapping[str, str] = NO_MARKS, candidates: bool = True
) -> dict[str, Any]:
    """The drawing's data; `marks` are problems by id, `candidates` False leaves out those that stand on edges.

    `title`, `alt`; `ops` [name, label, short, color, glyph, dash] of every operation mentioned, the first `legend` of
    them for the legend; `blocks` [x, y, width, height]; `nodes` and `edges` as the keys of `_node` and `_edge` say;
    `folded`, a sentence, where the scene was too large to be drawn whole.
    """
    return folded_payload(folded(scene), marks, candidates)


def folded_payload(
    fold: Folded, marks: Mapping[str, str] = NO_MARKS, candidates: bool = True
) -> dict[str, Any]:
    """The same of a scene that was folded already."""
    scene = in_rows(fold.scene)
    marks = {fold.moved.get(name, name): words for name, words in marks.items()}
    labels = _labels(scene)
    marks |= {arc: marks[label] for arc, label in labels.items() if label in marks and arc not in marks}
    numbers = {name: at for at, name in enumerate(_operations(scene))}
    blocks = _Blocks.of(scene)
    ids = edge_ids(scene)
    found: dict[str, Any] = {
        "title": shown(scene.title, TITLE),
        "alt": shown(scene.alt, ALT),
        "ops": [_look(name) for name in numbers],
        "legend": len(scene.operations),
        "blocks": [[_tidy(number) for number in box] for box in blocks.boxes],
        "nodes": [_node(node, numbers, blocks, marks) for node in scene.nodes],
        "edges": [
            _edge(edge, name, numbers, blocks, marks, candidates)
            for edge, name in zip(scene.edges, ids, strict=True)
        ],
    }
    for edge, form in zip(scene.edges, found["edges"], strict=True):
        label = labels.get(edge.id, edge.id)
        if edge.kind == "skip" and label != form["i"]:
            form["l"] = label
    return found | ({"folded": fold.sentence} if fold.sentence else {})


def edge_ids(scene: Scene) -> tuple[str, ...]:
    """The ids of the edges as the payload has them: an edge called like something before it gets a mark."""
    taken = {node.id for node in scene.nodes}
    found = []
    for edge in scene.edges:
        name = edge.id
        while name in taken:
            name += "~"
        taken.add(name)
        found.append(name)
    return tuple(found)


def _labels(scene: Scene) -> dict[str, str]:
    """Arc -> the label of its choice, where that has several sources: `skip_3/1` -> `skip_3`."""
    arcs = {(edge.id, edge.target) for edge in scene.edges if edge.kind == "skip"}
    found = {}
    for name, target in arcs:
        label, slash, number = name.rpartition("/")
        if slash and number.isdigit() and {(f"{label}/0", target), (f"{label}/1", target)} <= arcs:
            found[name] = label
    return found


def _operations(scene: Scene) -> dict[str, None]:
    """Every operation once, those of the legend first."""
    mentioned = [*scene.operations]
    things: list[SceneNode | SceneEdge] = [*scene.nodes, *scene.edges]
    for one in things:
        mentioned += [one.operation] if one.operation and one.kind != "stage" else []
        mentioned += [option.operation for option in one.options]
    return dict.fromkeys(mentioned)


def _look(name: str) -> list[str]:
    look = looks.look(name)
    return [shown(name), shown(looks.label(name)), look.short, look.color, look.glyph, look.dash]


def _node(
    node: SceneNode, numbers: Mapping[str, int], blocks: _Blocks, marks: Mapping[str, str]
) -> dict[str, Any]:
    """`i` id, `k` kind, `n` name, `r` [x, y, width, height], `b` block, `d` detail, `s` shape, `o` operation.

    `st` is the state, `c` the chips [name, operation, state, x, y, width], `x` their exact names, `m` the problem.
    """
    is_stage = node.kind == "stage"  # its operation only says that it is a cell
    chips = [
        [named(option.name), numbers[option.operation], option.state, _tidy(x), _tidy(y), _tidy(width)]
        for option, x, y, width in chip_places(node)
    ]
    exact = [option.name for option in node.options]
    return _without_empty(
        {
            "i": node.id,
            "k": node.kind,
            "n": named(node.name),
            "r": [_tidy(number) for number in (node.x, node.y, node.width, node.height)],
            "b": blocks.number(node),
            "d": node.operation if is_stage else shown(node.detail),
            "s": shown(node.shape),
            "o": -1 if is_stage else numbers.get(node.operation, -1),
            "st": "" if node.state == "fixed" else node.state,
            "c": chips,
            "x": exact if exact != [chip[0] for chip in chips] else [],
            "m": shown(marks.get(node.id, ""), SENTENCE),
        }
    )


def _edge(
    edge: SceneEdge,
    name: str,
    numbers: Mapping[str, int],
    blocks: _Blocks,
    marks: Mapping[str, str],
    candidates: bool,
) -> dict[str, Any]:
    """`f` and `t` are the ids that it joins, `p` the cubic as 8 numbers, `n` the label and `at` its place.

    The rest is as in `_node`, candidates without places.
    """
    options = [[named(option.name), numbers[option.operation], option.state] for option in edge.options]
    return _without_empty(
        {
            "i": name,
            "k": edge.kind,
            "f": edge.source,
            "t": edge.target,
            "p": [_tidy(number) for point in edge.curve for number in point],
            "n": shown(edge.label),
            "at": [] if edge.kind == "flow" else [_tidy(number) for number in edge.label_at],
            "o": numbers.get(edge.operation, -1),
            "st": "" if edge.state == "fixed" else edge.state,
            "b": blocks.of_edge(edge),
            "c": options if candidates else [],
            "m": shown(marks.get(edge.id, ""), SENTENCE),
        }
    )


def _without_empty(form: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in form.items() if value not in ("", [])}


def _tidy(number: float) -> float:
    """One decimal, and none where it is 0."""
    rounded = round(number, 1)
    return int(rounded) if rounded == int(rounded) else rounded


# -- blocks: parts that may stand below one another -------------------------------------------------------------------


@dataclass(frozen=True)
class _Blocks:
    """Which part of the scene an element belongs to, and the room that each part takes."""

    names: tuple[str, ...]
    boxes: tuple[Box, ...]

    @classmethod
    def of(cls, scene: Scene) -> _Blocks:
        """The stack of a cell space is one part and each of its cells another; a chain is one alone."""
        names = tuple(dict.fromkeys(_part(node) for node in scene.nodes)) or ("",)
        if len(names) == 1:
            return cls(names, ((0.0, 0.0, scene.width, scene.height),))
        nodes = {node.id: node for node in scene.nodes}
        found: dict[str, list[Box]] = {name: [] for name in names}
        for node in scene.nodes:
            found[_part(node)] += _room(node)
        for edge in scene.edges:
            if edge.source in nodes:
                found[_part(nodes[edge.source])] += _course(edge)
        return cls(names, tuple(_around(found[name], scene) for name in names))

    def number(self, node: SceneNode) -> int:
        """The block of a node."""
        return self.names.index(_part(node)) if len(self.names) > 1 else 0

    def of_edge(self, edge: SceneEdge) -> int:
        """The block of an edge, which is that of what it comes from."""
        return self.names.index(_part_of(edge.source)) if len(self.names) > 1 else 0


def _part(node: SceneNode) -> str:
    return "stage" if node.kind == "stage" else _part_of(node.id) if node.kind in ("node", "title") else ""


def _part_of(name: str) -> str:
    """`stage/stem` -> stage, `normal/node_2` -> normal, `node_2` -> ""."""
    return name.partition("/")[0] if "/" in name else ""


def _room(node: SceneNode) -> Iterator[Box]:
    """The box of a node and of the words at it."""
    yield (node.x, node.y, node.x + node.width, node.y + node.height)
    x, _ = node.centre
    if node.kind == "title":
        wide = 8.2 * len(node.name) + CHARACTER * len(node.detail)
        yield (node.x, node.y, node.x + wide, node.y + node.height)
    elif node.kind == "node":
        half = CHARACTER * len(node.detail) / 2
        yield (x - half, node.y - UNDER, x + half, node.y + node.height + UNDER)


def _course(edge: SceneEdge) -> Iterator[Box]:
    """The boxes of points on the curve, and of its label at its widest."""
    for step in range(9):
        x, y = point_on(edge.curve, step / 8)
        yield (x, y, x, y)
    x, y = edge.label_at
    if edge.kind == "cell":
        yield (x - LABEL_WIDTH / 2, y - LABEL_HEIGHT / 2, x + LABEL_WIDTH / 2, y + LABEL_HEIGHT / 2)


def _around(boxes: Sequence[Box], scene: Scene) -> Box:
    """The box around all, with a little air, on the picture: x, y, width, height."""
    left, top = (max(0.0, min(box[at] for box in boxes) - AIR) for at in (0, 1))
    right = min(scene.width, max(box[2] for box in boxes) + AIR)
    bottom = min(scene.height, max(box[3] for box in boxes) + AIR)
    return (left, top, right - left, bottom - top)
