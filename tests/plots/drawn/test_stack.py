"""The stack of cells in rows: nothing wider than a phone, everything once, in order, and nothing else changed."""

from __future__ import annotations

import dataclasses

import pytest

from explorer.catalogue import SPACES
from explorer.plots import scene_of
from explorer.plots.drawn.payload import scene_payload
from explorer.plots.drawn.stack import PER_ROW, in_rows
from explorer.plots.scene import Scene
from explorer.space import SearchSpace, preset

PHONE = 358  # pixels of a 390 wide window that the page leaves to a drawing


def stages(scene: Scene) -> list[tuple[str, float, float]]:
    """The stages with their places."""
    return [(node.id, node.y, node.x) for node in scene.nodes if node.kind == "stage"]


@pytest.mark.parametrize("cells", [3, 5, 8, 20])
def test_a_long_stack_is_read_like_a_text_and_fits_a_phone(cells: int) -> None:
    whole = scene_of(preset("darts-cell", cells=cells))
    rows = in_rows(whole)
    order = [name for name, *_ in stages(whole)]
    assert [name for name, *_ in sorted(stages(rows), key=lambda each: each[1:])] == order
    assert len({y for _, y, _ in stages(rows)}) == -(-len(order) // PER_ROW)
    assert scene_payload(whole)["blocks"][0][2] <= PHONE


def test_the_flow_joins_the_stages_where_they_stand() -> None:
    scene = in_rows(scene_of(preset("darts-cell")))
    nodes = {node.id: node for node in scene.nodes}
    flows = [edge for edge in scene.edges if nodes[edge.source].kind == nodes[edge.target].kind == "stage"]
    assert len(flows) == len(stages(scene)) - 1
    for edge in flows:
        for point, node in ((edge.curve[0], nodes[edge.source]), (edge.curve[3], nodes[edge.target])):
            assert node.x <= point[0] <= node.x + node.width and node.y <= point[1] <= node.y + node.height


def test_the_cells_move_down_together_and_stay_as_they_are() -> None:
    whole = scene_of(preset("darts-cell"))
    rows = in_rows(whole)
    more = rows.height - whole.height
    assert more > 0
    for before, after in zip(whole.nodes, rows.nodes, strict=True):
        if before.kind != "stage":
            assert after == dataclasses.replace(before, y=before.y + more)
    for old, new in zip(whole.edges, rows.edges, strict=True):
        if old.kind == "cell":
            assert new.curve == tuple((x, y + more) for x, y in old.curve)
            assert new.label_at == (old.label_at[0], old.label_at[1] + more)


@pytest.mark.parametrize("name", [name for name in SPACES if name != "darts-cell"])
def test_what_has_no_row_of_stages_is_left_alone(name: str) -> None:
    space: SearchSpace = preset(name)
    assert in_rows(scene_of(space)) == scene_of(space)
