"""What cannot run is said, all of it at once, with the layer, the two shapes and the remedy."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

from explorer.catalogue import SPACES
from explorer.errors import CodecError, ExplorerError, SpaceError, UnknownName
from explorer.space import (
    check,
    cost_range,
    load_architecture,
    load_space,
    preset,
    repair,
    space_from_json,
    unpack,
)
from explorer.space.codec import MAX_JSON_BYTES


def test_the_notes_own_network_has_exactly_their_two_mistakes() -> None:
    problems = {problem.layer: problem for problem in check(preset("notes-net-as-written"))}
    assert set(problems) == {"func1", "skip"}
    assert problems["func1"].shapes == ("400 features", "576 features")
    assert problems["skip"].shapes == ("8x16x16", "16x12x12")
    assert "576" in problems["func1"].remedy and "align" in problems["skip"].remedy


def test_repair_turns_the_notes_own_network_into_the_one_that_runs() -> None:
    repaired, repairs = repair(preset("notes-net-as-written"))
    assert repaired == preset("notes-net")
    assert {step.layer for step in repairs} == {"func1", "skip"}
    assert all(step.sentence.endswith(".") for step in repairs)


def test_the_notes_own_network_carries_its_two_remarks() -> None:
    first, second = preset("notes-net-as-written").remarks
    assert "conv2" in first and "n_chosen=None" in second


@pytest.mark.parametrize("name", [name for name in SPACES if name != "notes-net-as-written"])
def test_sound_presets_have_no_problems(name: str) -> None:
    assert check(preset(name), classes=10) == []
    assert repair(preset(name)) == (preset(name), ())


def test_too_few_outputs_for_the_dataset_are_named() -> None:
    (problem,) = check(preset("notes-net"), classes=11)
    assert problem.layer == "func3" and "at least 11" in problem.remedy


def macro(**changes: Any) -> dict[str, Any]:
    form: dict[str, Any] = {
        "schema": 1,
        "family": "macro",
        "name": "mine",
        "input": {"channels": 1, "side": 8},
        "layers": [
            {
                "name": "a",
                "operation": "conv2d",
                "parameters": {"out_channels": 4, "kernel_size": 3, "padding": 1},
            },
            {
                "name": "b",
                "operation": "conv2d",
                "parameters": {"out_channels": 4, "kernel_size": 3, "padding": 1},
            },
            {"name": "flat", "operation": "flatten"},
            {"name": "out", "operation": "linear"},
        ],
        "skips": [{"label": "s", "from": ["a"], "into": "b"}],
    }
    return form | changes


def cell(**changes: Any) -> dict[str, Any]:
    return preset("cell").to_json() | {"name": "mine"} | changes


def darts(**changes: Any) -> dict[str, Any]:
    return preset("darts-cell").to_json() | {"name": "mine"} | changes


def with_layer(at: int, **layer: Any) -> dict[str, Any]:
    form = copy.deepcopy(macro())
    form["layers"][at] = layer
    return form


MALFORMED = {
    "not an object": ([], "JSON object"),
    "newer schema": (macro(schema=2), "newer"),
    "no such schema": (macro(schema="one"), "schema is 'one'"),
    "unknown family": (macro(family="mesh"), "pick 'macro', 'cell' or 'darts'"),
    "unknown key": (macro(layer=[]), "unknown key 'layer'"),
    "unknown operation": (with_layer(0, name="a", operation="conv2"), "did you mean 'conv2d'"),
    "edge operation in a chain": (with_layer(0, name="a", operation="nor_conv_3x3"), "No operation"),
    "zero candidates": (with_layer(0, name="a", candidates=[]), "no candidates"),
    "duplicate layer": (with_layer(1, name="a", operation="relu"), "Two layers are called 'a'"),
    "duplicate label": (
        macro(
            skips=[{"label": "s", "from": ["a"], "into": "b"}, {"label": "s", "from": ["input"], "into": "b"}]
        ),
        "'s' is used twice",
    ),
    "duplicate candidate": (
        with_layer(
            0,
            name="a",
            candidates=[{"name": "x", "operation": "relu"}, {"name": "x", "operation": "identity"}],
        ),
        "Two candidates of 'a'",
    ),
    "cycle": (macro(skips=[{"label": "s", "from": ["b"], "into": "a"}]), "cycle"),
    "loose skip": (macro(skips=[{"label": "s", "from": ["z"], "into": "b"}]), "No layer is called 'z'"),
    "no sources": (macro(skips=[{"label": "s", "from": [], "into": "b"}]), "no candidates"),
    "impossible n_chosen": (
        macro(skips=[{"label": "s", "from": ["a"], "into": "b", "n_chosen": 2}]),
        "n_chosen 2",
    ),
    "negative channels": (
        with_layer(0, name="a", operation="conv2d", parameters={"out_channels": -4}),
        "whole number from 1 to 1024",
    ),
    "unknown parameter": (with_layer(0, name="a", operation="relu", parameters={"slope": 1}), "slope"),
    "text for a list": (macro(layers="conv"), "give a list"),
    "number for a name": (with_layer(0, name=7, operation="relu"), "name is 7"),
    "huge input": (macro(input={"channels": 1, "side": 100000}), "256"),
    "empty value choice": (
        with_layer(
            0, name="a", operation="conv2d", parameters={"out_channels": {"label": "w", "values": []}}
        ),
        "no values",
    ),
    "a layer called like the input": (with_layer(0, name="input", operation="relu"), "'input'"),
    "a layer called like a part of a skip": (with_layer(2, name="s/sum", operation="flatten"), "'s/sum'"),
    "a name that cannot be written": (with_layer(0, name="\ud800", operation="relu"), "printable"),
    "a name of two lines": (macro(name="a\nb"), "printable"),
    "a remark that cannot be written": (macro(remarks=["\ud800"]), "printable"),
    "a huge number": (
        with_layer(0, name="a", operation="conv2d", parameters={"out_channels": 10**400}),
        "whole number from 1 to 1024",
    ),
    "no layers at all": (
        {key: value for key, value in macro().items() if key != "layers"},
        "layers is missing",
    ),
    "an empty input": (macro(input={}), "channels is missing"),
    "no input": ({key: value for key, value in macro().items() if key != "input"}, "input is null"),
    "cyclic cell": (cell(edges=[[0, 1], [1, 2], [2, 1], [0, 3], [1, 3], [2, 3]]), "cycle"),
    "disconnected cell": (cell(edges=[[0, 1], [1, 3]]), "Node 2 is disconnected"),
    "edge that leaves": (cell(edges=[[0, 9]]), "leaves the cell"),
    "edge of three": (cell(edges=[[0, 1, 2]]), "not understood"),
    "cell without operations": (cell(operations=[]), "no operations"),
    "cell with an unknown operation": (cell(operations=["none", "skip"]), "'skip'"),
    "too many nodes": (cell(nodes=40, edges=[]), "40 nodes"),
    "DARTS cells without nodes": (darts(nodes=0), "0 intermediate nodes a cell; give 1 to 7"),
    "too many nodes of a DARTS cell": (darts(nodes=8), "give 1 to 7"),
    "DARTS cells that all reduce": (darts(cells=2), "2 cells; give 3 to 20"),
    "too many DARTS cells": (darts(cells=10**9), "give 3 to 20"),
    "DARTS cells without channels": (darts(channels=0), "0 channels; give 1 to 256"),
    "a huge stem": (darts(stem_multiplier=9), "9 as stem_multiplier; give 1 to 8"),
    "DARTS cells of none": (darts(operations=["none"]), "not 'none'"),
    "DARTS cells without operations": (darts(operations=[]), "not 'none'"),
    "a DARTS operation twice": (darts(operations=["skip_connect"] * 2), "listed twice"),
    "an unknown DARTS operation": (darts(operations=["sep_conv_3x4"]), "did you mean 'sep_conv_3x3'"),
    "an operation without stride 2": (darts(operations=["nor_conv_3x3"]), "'nor_conv_3x3'"),
    "a half node": (darts(nodes=2.5), "nodes is 2.5"),
    "edges of a DARTS cell": (darts(edges=[]), "unknown key 'edges'"),
    "no window centred on a pixel": (
        with_layer(0, name="a", operation="conv_bn_relu", parameters={"kernel_size": 17}),
        "whole number from 1 to 15",
    ),
    "an entrance in a chain": (with_layer(0, name="a", operation="factorized_reduce"), "No operation"),
}


@pytest.mark.parametrize("case", MALFORMED)
def test_a_malformed_space_is_refused_with_the_reason(case: str) -> None:
    form, expected = MALFORMED[case]
    with pytest.raises(SpaceError) as caught:
        space_from_json(form)
    assert expected in str(caught.value)
    assert all(len(problem) < 400 for problem in caught.value.problems)
    str(caught.value).encode()  # what is said can be printed


def test_every_mistake_is_named_at_once() -> None:
    form = macro(skips=[{"label": "s", "from": ["b"], "into": "a"}])
    form["layers"][0] = {"name": "a", "candidates": []}
    form["layers"][2] = {"name": "flat", "operation": "flaten"}
    with pytest.raises(SpaceError) as caught:
        space_from_json(form)
    assert len(caught.value.problems) == 3


def test_every_mistake_of_a_darts_cell_is_named_at_once() -> None:
    form = darts(nodes=0, cells=1, channels=999, stem_multiplier=0, operations=["none", "none", "conv"])
    with pytest.raises(SpaceError) as caught:
        space_from_json(form)
    assert len(caught.value.problems) == 6


def test_a_window_that_no_padding_centres_is_a_problem_of_its_layer() -> None:
    form = with_layer(0, name="a", operation="conv_bn_relu", parameters={"kernel_size": 4})
    form["skips"] = []
    (problem,) = check(space_from_json(form))
    assert (problem.layer, problem.code) == ("a", "even-window")
    assert "3x3 or 5x5" in problem.remedy


def test_darts_cells_that_are_too_large_are_named() -> None:
    problems = check(space_from_json(darts(nodes=7, cells=20, channels=256)))
    assert {problem.code for problem in problems} == {"too-large"}
    assert not check(space_from_json(darts(nodes=7, cells=20)))


def test_shape_problems_in_a_row_are_all_found() -> None:
    form = macro()
    form["layers"] = [
        {"name": "a", "operation": "conv2d", "parameters": {"in_channels": 2}},
        {"name": "b", "operation": "conv2d", "parameters": {"kernel_size": 9}},
        {"name": "out", "operation": "linear", "parameters": {"in_features": 9}},
    ]
    form["skips"] = []
    assert [problem.layer for problem in check(space_from_json(form))] == ["a", "b", "out"]


def test_a_skip_that_no_crop_can_align_is_named() -> None:
    form = macro()
    form["layers"][0]["parameters"] |= {"stride": 2, "padding": 0}
    form["layers"][1]["parameters"] |= {"padding": 5}
    (problem,) = check(space_from_json(form))
    assert problem.layer == "s" and problem.shapes == ("4x3x3", "4x11x11")


def value_within_a_candidate(**second: Any) -> dict[str, Any]:
    """More than 512 architectures; the value matters only where the second candidate of `a` is chosen."""
    parameters = {
        "out_channels": {"label": "width", "values": [8, 16, 32]},
        "kernel_size": 3,
        "padding": 1,
    } | second
    neutral = [
        {"name": f"n{at}", "candidates": [{"name": f"c{k}", "operation": "relu"} for k in range(3)]}
        for at in range(5)
    ]
    plain = {"out_channels": 8, "kernel_size": 3, "padding": 1}
    choice = [
        {"name": "plain", "operation": "conv2d", "parameters": plain},
        {"name": "wide", "operation": "conv2d", "parameters": parameters},
    ]
    tail = [{"name": "flat", "operation": "flatten"}, {"name": "out", "operation": "linear"}]
    return macro(layers=[{"name": "a", "candidates": choice}, *neutral, *tail], skips=[])


def test_a_value_inside_a_candidate_is_not_overlooked_in_the_costs_of_a_large_space() -> None:
    space = space_from_json(value_within_a_candidate())
    assert space.size == 1458
    networks = [space.lower(architecture) for architecture in space]
    found = cost_range(space)
    assert found.parameters == (min(n.parameters for n in networks), max(n.parameters for n in networks))
    assert not found.exact


def test_a_value_inside_a_candidate_is_not_overlooked_by_check() -> None:
    form = value_within_a_candidate(kernel_size={"label": "kernel", "values": [3, 5, 15]}, padding=0)
    assert {problem.code for problem in check(space_from_json(form))} == {"window-too-large"}


@pytest.mark.parametrize(
    ("text", "error", "expected"),
    [
        ("no-such-space", UnknownName, "Known: notes-net"),
        ("nowhere.json", CodecError, "cannot be read"),
        ('{"family": ', CodecError, "line 1, column"),
        ('{"family": "macro", "x": NaN}', CodecError, "NaN"),
        ("[" * 100_000, UnknownName, "search space"),
        ('{"a":' * 30_000 + "1" + "}" * 30_000, CodecError, "nested"),
        ("{" + " " * MAX_JSON_BYTES, CodecError, "at most"),
        ("z2.abc", CodecError, "newer version"),
        ("z1.!!!", CodecError, "damaged"),
        ("z1.AAAA", CodecError, "link"),
    ],
)
def test_unreadable_spaces_are_refused_in_one_sentence(
    text: str, error: type[ExplorerError], expected: str
) -> None:
    with pytest.raises(error) as caught:
        load_space(text)
    assert expected in str(caught.value)


def test_a_link_that_unfolds_without_end_is_refused() -> None:
    import base64
    import zlib

    squeezer = zlib.compressobj(9, zlib.DEFLATED, -15)
    bomb = squeezer.compress(b" " * 20_000_000) + squeezer.flush()
    with pytest.raises(CodecError, match="unfolds"):
        unpack("z1." + base64.urlsafe_b64encode(bomb).decode().rstrip("="))


def test_a_space_file_is_read(tmp_path: Any) -> None:
    path = tmp_path / "space.json"
    path.write_text(json.dumps(macro()))
    assert load_space(str(path)).name == "mine"
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(CodecError, match="UTF-8"):
        load_space(str(path))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("cell:34021", "6 characters"),
        ("cell:340219", "option 9"),
        ("340213", "SPACE:CODE"),
        ("cel:340213", "did you mean 'cell'"),
        ('{"space": "cell"}', "'choices'"),
        ('{"schema": 99, "space": "cell", "choices": {}}', "schema 99"),
        ('{"space": "notes-net", "choices": {"conv1": "conv3x3"}}', "mid_conv"),
        ("|nor_conv_3x3~0|+|x", "NAS-Bench-201"),
        ("|nor_conv_9x9~0|+|none~0|none~1|+|none~0|none~1|none~2|", "pick one of none"),
    ],
)
def test_unreadable_architectures_are_refused_in_one_sentence(text: str, expected: str) -> None:
    with pytest.raises(ExplorerError) as caught:
        load_architecture(text)
    assert expected in str(caught.value)
