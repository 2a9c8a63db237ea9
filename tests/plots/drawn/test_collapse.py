"""Large chains are folded until they fit; whatever a row names is still there, and nothing hangs in the air."""

from __future__ import annotations

import random
from itertools import pairwise

import pytest

from explorer.plots import scene_of
from explorer.plots.drawn import collapsed, scene_payload, still
from explorer.plots.drawn.collapse import MOST_ELEMENTS, elements
from explorer.space import SearchSpace, preset
from tests.plots.drawn.stories import elements as named
from tests.plots.drawn.stories import large

LARGE = {
    "choices and arcs": large(200, 2, skips=180),
    "choices alone": large(200, 1),
    "fixed layers": large(200, 0),
    "a few choices": large(200, 9, skips=40),
    "enas": preset("enas-macro", layers=24),
}


@pytest.fixture(params=sorted(LARGE))
def space(request: pytest.FixtureRequest) -> SearchSpace:
    """Every large space."""
    return LARGE[request.param]


@pytest.mark.parametrize("name", ["notes-net", "cell", "darts-cell", "enas-macro"])
def test_what_fits_is_left_alone(name: str) -> None:
    scene = scene_of(preset(name))
    assert collapsed(scene) is scene and "folded" not in scene_payload(scene)


@pytest.mark.parametrize("nodes, cells", [(7, 20), (1, 3)])
def test_the_largest_cells_fit(nodes: int, cells: int) -> None:
    scene = scene_of(preset("darts-cell", nodes=nodes, cells=cells))
    assert elements(scene) <= MOST_ELEMENTS


def test_a_large_scene_is_folded_until_it_fits_and_says_so(space: SearchSpace) -> None:
    before = scene_of(space)
    scene = collapsed(before)
    assert elements(before) > MOST_ELEMENTS >= elements(scene)
    assert f"{elements(before):,} parts" in scene_payload(before)["folded"]


def test_nothing_hangs_in_the_air(space: SearchSpace) -> None:
    scene = collapsed(scene_of(space))
    boxes = {node.id: node for node in scene.nodes}
    assert len(boxes) == len(scene.nodes)
    for edge in scene.edges:
        assert edge.source in boxes and edge.target in boxes
        low, high = boxes[edge.target], boxes[edge.source]
        assert high.y <= edge.curve[0][1] <= high.y + high.height
        assert low.y <= edge.curve[3][1] <= low.y + low.height
    for sign in (node for node in scene.nodes if node.kind == "sum"):
        assert sign.id.removesuffix("/sum") in {edge.target for edge in scene.edges if edge.kind == "skip"}
    chain = sorted((node for node in scene.nodes if node.kind != "sum"), key=lambda node: node.y)
    assert all(above.y + above.height < below.y for above, below in pairwise(chain))
    assert chain[-1].y + chain[-1].height <= scene.height


def test_every_arc_is_drawn_or_counted_where_it_arrives() -> None:
    drawn = collapsed(scene_of(large(200, 9, skips=40)))
    assert sum(edge.kind == "skip" for edge in drawn.edges) == 80
    counted = collapsed(scene_of(LARGE["choices and arcs"]))
    told = [int(node.detail.split(" ")[0]) for node in counted.nodes if " in, " in node.detail]
    assert sum(told) == 360 and not [edge for edge in counted.edges if edge.kind == "skip"]


def test_a_run_of_fixed_layers_says_how_many_and_which() -> None:
    boxes = collapsed(scene_of(large(200, 0))).nodes
    assert [(box.name, box.detail) for box in boxes[1:]] == [("200 layers", "l0 to l199")]
    choices = collapsed(scene_of(large(200, 9))).nodes
    assert choices[1].detail == "one of 3" and choices[2].name == "8 layers" and not choices[1].options


def test_folding_moves_nothing_when_choices_change(space: SearchSpace) -> None:
    def places(architecture: object = None) -> list[object]:
        scene = collapsed(scene_of(space, architecture))  # type: ignore[arg-type]
        return [(node.id, node.x, node.y, node.height) for node in scene.nodes] + [
            (edge.id, edge.curve) for edge in scene.edges
        ]

    assert places(space.sample(1, random.Random(1))[0]) == places()


def test_columns_name_what_is_left_and_nothing_where_an_arc_is_only_counted(space: SearchSpace) -> None:
    drawn = still(space, space.default)
    ids = {form["i"] for form in (*drawn["scene"]["nodes"], *drawn["scene"]["edges"])}
    for row, held in zip(drawn["rows"], named(drawn), strict=True):
        assert set(held) <= (ids | {""} if row["k"] == "switch" else ids)


def test_a_problem_of_a_counted_arc_stands_at_the_box_where_it_arrives() -> None:
    space = LARGE["choices and arcs"]
    payload = scene_payload(scene_of(space), {"s0/1": "shapes differ", "l7": "too wide"})
    told = [node["i"] for node in payload["nodes"] if node.get("m")]
    assert told == ["l6"]  # l6 and l7 share a box
