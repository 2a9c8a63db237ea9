"""A drawing's promises: places stay, states are right, hostile names stay text."""

from __future__ import annotations

import dataclasses
import random
import xml.etree.ElementTree as ElementTree
from itertools import pairwise

import pytest

from explorer.catalogue import OPERATIONS, SPACES
from explorer.errors import SpaceError
from explorer.plots import Scene, scene_of
from explorer.plots.dot import dot
from explorer.plots.looks import LOOKS
from explorer.plots.svg import legend, svg
from explorer.space import (
    InputChoice,
    Layer,
    LayerChoice,
    MacroSpace,
    Operation,
    SearchSpace,
    full_edges,
    preset,
)
from explorer.space.restrict import Restriction, restrict

HOSTILE = 'a"]; evil [label="<script>alert(1)</script>\\'
SVG = "{http://www.w3.org/2000/svg}"


def places(scene: Scene) -> list[tuple[object, ...]]:
    """Everything about positions, nothing about choices."""
    nodes = [(node.id, node.x, node.y, node.width, node.height) for node in scene.nodes]
    return [
        (scene.width, scene.height),
        *nodes,
        *((edge.id, edge.curve, edge.label_at) for edge in scene.edges),
    ]


@pytest.fixture(params=sorted(SPACES))
def space(request: pytest.FixtureRequest) -> SearchSpace:
    """Every preset."""
    return preset(request.param)


def test_nothing_moves_when_choices_change(space: SearchSpace) -> None:
    still = places(scene_of(space))
    for architecture in space.sample(5, random.Random(0)):
        assert places(scene_of(space, architecture)) == still


def test_nothing_moves_when_the_space_is_restricted(space: SearchSpace) -> None:
    if not space.mutables:
        pytest.skip("nothing to restrict: the space has no choices")
    label = space.mutables[0].label
    if space.family == "cell":
        smaller = Restriction(operations=("none",), edges=(label,))
    elif space.family == "darts":
        smaller = Restriction(operations=("none", "skip_connect"))
    else:
        smaller = Restriction({label: (space.mutables[0].option(0),), space.mutables[-1].label: ()})
    allowed = restrict(space, smaller)
    assert places(scene_of(space, within=allowed)) == places(scene_of(space))


def test_every_box_lies_on_the_picture(space: SearchSpace) -> None:
    scene = scene_of(space)
    for node in scene.nodes:
        assert node.x >= 0 and node.x + node.width <= scene.width
        assert node.y >= 0 and node.y + node.height <= scene.height


def test_boxes_of_a_chain_do_not_overlap() -> None:
    boxes = [node for node in scene_of(preset("notes-net")).nodes if node.kind != "sum"]
    for above, below in pairwise(boxes):
        assert above.y + above.height < below.y


def test_an_architecture_marks_one_candidate_a_choice_and_its_skip() -> None:
    space = preset("notes-net")
    with_skip = space.architecture({"conv1": "conv5x5", "mid_conv": "conv3x3", "skip": [0]})
    scene = scene_of(space, with_skip)
    assert {option.name: option.state for option in scene.node("conv1").options} == {
        "conv3x3": "unchosen",
        "conv5x5": "chosen",
    }
    assert scene.edge("skip").state == "chosen"
    assert scene_of(space, with_skip.with_choice("skip", ())).edge("skip").state == "unchosen"
    assert scene_of(space).edge("skip").state == "open"


def test_what_a_restriction_takes_out_is_drawn_as_off() -> None:
    space = preset("notes-net")
    allowed = restrict(space, Restriction({"conv1": ("conv3x3",), "skip": ()}))
    scene = scene_of(space, within=allowed)
    assert {option.name: option.state for option in scene.node("conv1").options}["conv5x5"] == "off"
    assert scene.edge("skip").state == "off"


def test_one_arc_of_many_that_is_always_on_is_drawn_so() -> None:
    space = preset("enas-macro")
    allowed = restrict(space, Restriction(always=frozenset({"skip_4/1"})))
    scene = scene_of(space, within=allowed)
    assert [scene.edge(f"skip_4/{at}").state for at in range(3)] == ["open", "chosen", "open"]


def test_a_cells_edges_carry_the_chosen_operation() -> None:
    space = preset("cell")
    scene = scene_of(space, space.from_code("340213"))
    assert scene.edge("edge_0_1").operation == "nor_conv_3x3"
    assert scene.edge("edge_1_2").operation == "none"


def test_shapes_that_depend_on_the_choices_are_not_invented() -> None:
    wide = LayerChoice(
        "conv", tuple((str(out), Operation("conv2d", {"out_channels": out})) for out in (4, 8))
    )
    space = MacroSpace(name="s", input=preset("cell").input, layers=(Layer("conv", wide),))
    assert scene_of(space).node("conv").shape == "varies"
    assert scene_of(space, space.default).node("conv").shape == "4x6x6"


def test_skips_over_the_same_layers_keep_apart() -> None:
    base = preset("notes-net")
    assert isinstance(base, MacroSpace)
    jump = InputChoice("jump", ("conv1", "pool1"), "conv2")
    scene = scene_of(dataclasses.replace(base, skips=(*base.skips, jump)))
    arcs = [edge for edge in scene.edges if edge.kind == "skip"]
    assert len({edge.curve[1][0] for edge in arcs}) == len(arcs) == 3


def test_an_architecture_of_another_space_is_refused() -> None:
    with pytest.raises(SpaceError, match="conv1"):
        scene_of(preset("notes-net"), {"edge_0_1": "none"})


def hostile_space() -> MacroSpace:
    """Names that try to break out of SVG, HTML and DOT."""
    choice = LayerChoice(HOSTILE, ((HOSTILE + "1", Operation("relu")), ("b\n\n<b>", Operation("identity"))))
    return MacroSpace(
        name=HOSTILE, title=HOSTILE, input=preset("cell").input, layers=(Layer(HOSTILE, choice),)
    )


@pytest.mark.parametrize("standalone", [False, True])
def test_svg_is_well_formed_and_hostile_names_stay_text(standalone: bool) -> None:
    root = ElementTree.fromstring(svg(scene_of(hostile_space()), standalone))
    assert root.tag == f"{SVG}svg"
    assert not [
        element for element in root.iter() if element.tag.lower().endswith(("script", "foreignobject", "a"))
    ]
    assert not [name for element in root.iter() for name in element.attrib if name.lower().startswith("on")]
    assert any(HOSTILE in (element.text or "") for element in root.iter())


def test_dot_keeps_hostile_names_inside_their_quotes() -> None:
    text = dot(scene_of(hostile_space()))
    body = [line for line in text.splitlines() if not line.startswith("//")]
    assert sum("evil" in line for line in body) == 1
    assert 'label="a\\"]; evil' in text


def test_every_preset_has_dot_with_its_edges(space: SearchSpace) -> None:
    scene = scene_of(space, space.default)
    assert dot(scene).count("->") == len(scene.edges)


def test_every_operation_has_a_look_of_its_own_colour_and_glyph() -> None:
    assert set(OPERATIONS) <= set(LOOKS)
    edges = [LOOKS[name] for name, entry in OPERATIONS.items() if entry.facts["family"] == "edge"]
    assert len({look.glyph for look in edges}) == len(edges)
    assert len({look.color for look in edges}) == len(edges)


def luminance(color: str) -> float:
    """Relative luminance, WCAG 2.1."""
    parts = [int(color[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("name", sorted(LOOKS))
def test_white_words_on_an_operations_colour_can_be_read(name: str) -> None:
    assert 1.05 / (luminance(LOOKS[name].color) + 0.05) >= 4.5


def test_the_legend_names_every_operation_of_a_cell() -> None:
    text = legend(scene_of(preset("cell")))
    assert all(OPERATIONS[name].label in text for name in preset("cell").operations)  # type: ignore[attr-defined]


def test_larger_cells_are_drawn_with_every_edge() -> None:
    space = dataclasses.replace(preset("cell"), nodes=8, edges=full_edges(8))  # type: ignore[call-arg]
    scene = scene_of(space)
    cell_edges = [edge for edge in scene.edges if edge.kind == "cell"]
    assert len(cell_edges) == 28
    assert all(0 <= edge.label_at[0] <= scene.width for edge in cell_edges)
