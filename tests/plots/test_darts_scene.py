"""The two cells of a DARTS space, drawn: what is kept, that labels keep apart, and their form as DOT."""

from __future__ import annotations

import dataclasses
import random
import xml.etree.ElementTree as ElementTree
from itertools import combinations

import pytest

from explorer.plots import Scene, scene_of
from explorer.plots.darts_scene import LABEL
from explorer.plots.dot import dot
from explorer.plots.scene import SceneEdge, point_on
from explorer.plots.svg import svg
from explorer.space import path_of, preset
from explorer.space.restrict import Restriction, restrict

HALF_HEIGHT = 8.0  # of a label, with the air that it needs


def cell_edges(scene: Scene) -> list[SceneEdge]:
    """The edges that carry operations."""
    return [edge for edge in scene.edges if edge.kind == "cell"]


def check_labels_keep_apart(scene: Scene) -> None:
    """No two labels meet, and none leaves the picture."""
    places = [edge.label_at for edge in cell_edges(scene)]
    for (x, y), (other_x, other_y) in combinations(places, 2):
        assert abs(x - other_x) >= LABEL or abs(y - other_y) >= 2 * HALF_HEIGHT
    assert all(LABEL / 2 <= x <= scene.width - LABEL / 2 for x, _ in places)


@pytest.mark.parametrize("nodes", range(1, 8))
def test_labels_keep_apart_whatever_the_number_of_nodes(nodes: int) -> None:
    scene = scene_of(preset("darts-cell", nodes=nodes))
    assert len(cell_edges(scene)) == 2 * sum(range(2, nodes + 2))
    check_labels_keep_apart(scene)
    for edge in cell_edges(scene):
        assert point_on(edge.curve, 0.5) == pytest.approx(edge.label_at)


def test_labels_at_one_height_a_node_would_be_rejected() -> None:
    scene = scene_of(preset("darts-cell", nodes=4))
    flat = tuple(
        dataclasses.replace(edge, label_at=(edge.label_at[0], scene.node(edge.target).centre[1]))
        for edge in cell_edges(scene)
    )
    with pytest.raises(AssertionError):
        check_labels_keep_apart(dataclasses.replace(scene, edges=flat))


def test_an_architecture_shows_the_two_inputs_a_node_that_it_keeps() -> None:
    space = preset("darts-cell", nodes=4)
    architecture = space.sample(1, random.Random(3))[0]
    path = path_of(space, architecture)
    for edge in cell_edges(scene_of(space, architecture)):
        at = path[edge.id]
        assert edge.state == ("unchosen" if at is None else "chosen")
        assert edge.operation == ("" if at is None else space.operations[at])  # type: ignore[attr-defined, index]
        assert bool(edge.label) is (at is not None)
        assert {option.state for option in edge.options} == {"unchosen"} | (
            {"chosen"} if at is not None else set()
        )
    kept = [edge for edge in cell_edges(scene_of(space, architecture)) if edge.state == "chosen"]
    assert len(kept) == 2 * 2 * 4


def test_candidates_stand_on_every_edge_while_nothing_is_chosen() -> None:
    space = preset("darts-cell")
    allowed = restrict(space, Restriction(operations=("skip_connect", "sep_conv_3x3")))
    for edge in cell_edges(scene_of(space, within=allowed)):
        assert edge.state == "open"
        open_ones = [option.name for option in edge.options if option.state == "open"]
        assert open_ones == ["skip_connect", "sep_conv_3x3"] and len(edge.options) == 8


def test_the_stack_is_drawn_from_image_to_head() -> None:
    stages = [node for node in scene_of(preset("darts-cell", cells=8)).nodes if node.kind == "stage"]
    assert [node.name for node in stages] == [
        "image",
        "stem",
        "cell 1–2",
        "reduce 3",
        "cell 4–5",
        "reduce 6",
        "cell 7–8",
        "head",
    ]
    assert [node.shape for node in stages[2:-1]] == ["4 ch", "8 ch", "8 ch", "16 ch", "16 ch"]


def test_labels_are_drawn_after_every_line() -> None:
    text = svg(scene_of(preset("darts-cell"), preset("darts-cell").default))
    ElementTree.fromstring(text)
    assert text.rindex("<path") < text.index('rx="10"')


def test_dot_puts_each_cell_into_a_cluster_of_its_own() -> None:
    text = dot(scene_of(preset("darts-cell"), preset("darts-cell").default))
    first, second = text.split("subgraph cluster_0")[1].split("subgraph cluster_1")
    assert 'label="Normal cell (cell 1)"' in first and 'label="Reduction cell (cells 2, 3)"' in second
    assert text.count("->") == len(scene_of(preset("darts-cell")).edges)


def test_the_description_names_what_each_node_reads() -> None:
    space = preset("darts-cell")
    assert "normal node 2 = max_pool_3x3 of 0 + max_pool_3x3 of 1" in scene_of(space, space.default).alt
    assert "each through one of max_pool_3x3" in scene_of(space).alt
