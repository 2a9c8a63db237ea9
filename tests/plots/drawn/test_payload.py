"""What the browser is sent of a scene: places that stay, names that cannot break the page, ids that stay unique."""

from __future__ import annotations

import dataclasses
import json
import random
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from explorer.catalogue import SPACES
from explorer.plots import scene_of
from explorer.plots.drawn import scene_payload
from explorer.plots.drawn.payload import LABEL_HEIGHT, LABEL_WIDTH
from explorer.plots.svg import svg
from explorer.space import (
    DartsSpace,
    InputChoice,
    Layer,
    LayerChoice,
    MacroSpace,
    Operation,
    SearchSpace,
    preset,
)
from explorer.space.restrict import Restriction, restrict
from tests.space.generated import darts_spaces, macro_spaces

HOSTILE = "<img src=x onerror=alert(1)>"


@pytest.fixture(params=sorted(SPACES))
def space(request: pytest.FixtureRequest) -> SearchSpace:
    """Every preset."""
    return preset(request.param)


def places(payload: dict[str, Any]) -> list[Any]:
    """Everything about positions, nothing about choices."""
    chips = [chip[3:] for node in payload["nodes"] for chip in node.get("c", [])]
    nodes = [(node["i"], node["r"], node["b"]) for node in payload["nodes"]]
    edges = [(edge["i"], edge["p"], edge.get("at"), edge["b"]) for edge in payload["edges"]]
    return [payload["blocks"], nodes, chips, edges]


def smaller(space: SearchSpace, rng: random.Random) -> SearchSpace:
    """A restriction of it: one option of a choice, or one operation."""
    if isinstance(space, DartsSpace):
        return restrict(space, Restriction(operations=(space.derivable[0],)))
    if space.family == "cell":
        return restrict(space, Restriction(operations=("none", "skip_connect")))
    mutable = rng.choice(space.mutables)
    if isinstance(mutable, InputChoice):
        return restrict(space, Restriction({mutable.label: ()}))
    return restrict(space, Restriction({mutable.label: (mutable.option(0),)}))


@settings(max_examples=40, deadline=None)
@given(st.one_of(macro_spaces(), darts_spaces()), st.integers(0, 2**32))
def test_no_place_depends_on_choices_or_restrictions(space: SearchSpace, seed: int) -> None:
    assume(space.size > 1)  # of a cell without choices no architecture is drawn
    rng = random.Random(seed)
    still = places(scene_payload(scene_of(space)))
    assert places(scene_payload(scene_of(space, space.sample(1, rng)[0]))) == still
    if space.mutables:
        assert places(scene_payload(scene_of(space, within=smaller(space, rng)))) == still


def test_no_place_of_a_preset_depends_on_choices(space: SearchSpace) -> None:
    still = places(scene_payload(scene_of(space)))
    for architecture in space.sample(5, random.Random(0)):
        assert places(scene_payload(scene_of(space, architecture))) == still


def test_a_payload_is_json_and_says_the_same_each_time(space: SearchSpace) -> None:
    text = json.dumps(scene_payload(scene_of(space)), allow_nan=False)
    assert text == json.dumps(scene_payload(scene_of(space)), allow_nan=False)


def test_every_element_of_the_scene_is_there_with_its_operation(space: SearchSpace) -> None:
    scene = scene_of(space, space.default)
    payload = scene_payload(scene)
    operations = [look[0] for look in payload["ops"]]
    assert operations[: payload["legend"]] == list(scene.operations)
    for element, form in zip(
        (*scene.nodes, *scene.edges), (*payload["nodes"], *payload["edges"]), strict=True
    ):
        named = operations[form["o"]] if form["o"] >= 0 else ""
        assert form["i"] == element.id and form.get("st", "fixed") == element.state
        assert named == ("" if element.kind == "stage" else element.operation)
        assert [chip[0] for chip in form.get("c", [])] == [option.name for option in element.options]


def test_empty_keys_are_left_out(space: SearchSpace) -> None:
    payload = scene_payload(scene_of(space))
    assert not [form for form in (*payload["nodes"], *payload["edges"]) if "" in form.values()]


def test_chips_stand_where_the_svg_draws_them() -> None:
    scene = scene_of(preset("enas-macro"))
    drawn = svg(scene)
    chips = [chip for node in scene_payload(scene)["nodes"] for chip in node.get("c", [])]
    assert len(chips) == 36
    for chip in chips:
        x, y, width = (f"{number:.1f}" for number in chip[3:])
        assert f'<rect x="{x}" y="{y}" width="{width}" height="20"' in drawn


@pytest.mark.parametrize(
    "name, blocks", [("notes-net", 1), ("enas-macro", 1), ("cell", 2), ("darts-cell", 3)]
)
def test_blocks_hold_their_elements_and_do_not_overlap(name: str, blocks: int) -> None:
    payload = scene_payload(scene_of(preset(name)))
    boxes = payload["blocks"]
    assert len(boxes) == blocks and {node["b"] for node in payload["nodes"]} == set(range(blocks))
    for node in payload["nodes"]:
        x, y, width, height = node["r"]
        left, top, wide, tall = boxes[node["b"]]
        assert left <= x and x + width <= left + wide and top <= y and y + height <= top + tall
    for edge in payload["edges"]:
        left, top, wide, tall = boxes[edge["b"]]
        if edge["k"] == "cell":
            x, y = edge["at"]
            assert left <= x - LABEL_WIDTH / 2 + 4 and x + LABEL_WIDTH / 2 - 4 <= left + wide
            assert top <= y - LABEL_HEIGHT / 2 and y + LABEL_HEIGHT / 2 <= top + tall
    for at, (left, top, wide, tall) in enumerate(boxes):
        for other_left, other_top, other_wide, other_tall in boxes[at + 1 :]:
            is_beside = left + wide <= other_left or other_left + other_wide <= left
            assert is_beside or top + tall <= other_top or other_top + other_tall <= top


def hostile(name: str) -> MacroSpace:
    """One choice whose every name is `name`."""
    choice = LayerChoice(name, ((name + "1", Operation("relu")), (name + "2", Operation("identity"))))
    return MacroSpace(name=name, title=name, input=preset("cell").input, layers=(Layer(name, choice),))


@pytest.mark.parametrize("name", [HOSTILE, "a\u202eb", "x" * 10_000, "a\u2066b\u200fc\x00d\n", "\ud800"])
def test_names_are_cut_and_cannot_reorder_the_page(name: str) -> None:
    payload = scene_payload(scene_of(hostile(name)))
    told = [payload["title"], payload["alt"]]
    for node in payload["nodes"]:
        told += [node["n"], node.get("d", ""), node.get("s", ""), *(chip[0] for chip in node.get("c", []))]
        assert all(len(words) <= 60 for words in told[2:])
    assert len(payload["title"]) <= 200 and len(payload["alt"]) <= 2_000
    assert not [sign for words in told for sign in words if not sign.isprintable()]


def test_a_name_that_was_cut_ends_in_an_ellipsis_and_its_exact_form_is_kept_for_events() -> None:
    name = "x" * 100
    node = scene_payload(scene_of(hostile(name)))["nodes"][1]
    assert node["n"] == "x" * 59 + "…" and node["i"] == name
    assert node["x"] == [name + "1", name + "2"]
    assert "x" not in scene_payload(scene_of(hostile("conv")))["nodes"][1]


def test_a_direction_mark_is_shown_as_a_replacement_character() -> None:
    assert scene_payload(scene_of(hostile("a\u202eb")))["nodes"][1]["n"] == "a\ufffdb"


def test_what_has_no_name_can_still_be_read() -> None:
    assert scene_payload(scene_of(hostile("")))["nodes"][1]["n"] == "(no name)"


def test_an_arc_tells_the_label_of_its_choice_where_that_is_not_its_id() -> None:
    edges = {edge["i"]: edge for edge in scene_payload(scene_of(preset("enas-macro")))["edges"]}
    assert edges["skip_3/1"]["l"] == "skip_3" and edges["skip_3/1"]["f"] == "norm_2"
    assert "l" not in edges["skip_2"]


def test_ids_stay_unique_where_a_skip_is_called_like_a_layer() -> None:
    base = preset("notes-net")
    assert isinstance(base, MacroSpace)
    twin = dataclasses.replace(base, skips=(dataclasses.replace(base.skips[0], label="relu1"),))
    payload = scene_payload(scene_of(twin))
    ids = [form["i"] for form in (*payload["nodes"], *payload["edges"])]
    assert len(set(ids)) == len(ids)
    assert payload["edges"][-1]["l"] == "relu1"


def test_a_problem_stands_at_its_element_and_at_every_arc_of_its_skip() -> None:
    marks = {"layer_2": "too wide", "skip_3": "shapes differ"}
    payload = scene_payload(scene_of(preset("enas-macro")), marks)
    told = {form["i"]: form["m"] for form in (*payload["nodes"], *payload["edges"]) if "m" in form}
    assert told == {"layer_2": "too wide", "skip_3/0": "shapes differ", "skip_3/1": "shapes differ"}


def test_candidates_on_edges_can_be_left_out_and_chips_stay() -> None:
    bare = scene_payload(scene_of(preset("darts-cell")), candidates=False)
    assert not [edge for edge in bare["edges"] if "c" in edge]
    assert scene_payload(scene_of(preset("notes-net")), candidates=False)["nodes"][1]["c"]
