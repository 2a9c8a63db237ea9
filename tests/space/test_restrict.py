"""Restricted spaces: what is left, what is refused, what an old choice becomes."""

from __future__ import annotations

import ast
import json
import random

import pytest

from explorer.catalogue import SPACES
from explorer.errors import CodecError, SpaceError
from explorer.export.nni_code import nni_code
from explorer.export.torch_code import torch_code
from explorer.plots.build import scene_of
from explorer.space import (
    DartsSpace,
    Input,
    InputChoice,
    Layer,
    MacroSpace,
    Operation,
    check,
    decisions,
    pack,
    preset,
    space_from_json,
    structure,
    unpack,
)
from explorer.space.restrict import (
    Restriction,
    always_label,
    fit,
    restrict,
    restriction_from_json,
    skip_states,
)


def test_keeping_everything_gives_the_same_space() -> None:
    for name in SPACES:
        assert restrict(preset(name), Restriction()) is preset(name) or restrict(
            preset(name), Restriction()
        ) == preset(name)


@pytest.mark.parametrize(
    ("restriction", "size"),
    [
        (Restriction({"conv1": ("conv5x5",)}), 4),
        (Restriction({"skip": ()}), 4),
        (Restriction(always=frozenset({"skip"})), 4),
        (Restriction({"conv1": ("conv5x5",), "mid_conv": ("conv3x3",), "skip": ()}), 1),
    ],
)
def test_a_restricted_chain_holds_exactly_what_is_left(restriction: Restriction, size: int) -> None:
    space = preset("notes-net")
    smaller = restrict(space, restriction)
    assert smaller.size == len(set(smaller)) == size
    assert not check(smaller)
    assert smaller.hash != space.hash


def test_a_skip_that_is_always_on_is_in_every_architecture() -> None:
    smaller = restrict(preset("notes-net"), Restriction(always=frozenset({"skip"})))
    assert {architecture["skip"] for architecture in smaller} == {(0,)}


def test_an_edge_taken_out_of_a_cell_equals_none_there() -> None:
    space = preset("cell")
    edges = tuple(mutable.label for mutable in space.mutables if mutable.label != "edge_0_3")
    smaller = restrict(space, Restriction(edges=edges))
    architecture = smaller.sample(1, random.Random(3))[0]
    twin = space.architecture({**architecture, "edge_0_3": "none"})
    assert smaller.lower(architecture).parameters == space.lower(twin).parameters
    assert smaller.lower(architecture).macs == space.lower(twin).macs


def test_fewer_operations_are_fewer_on_every_edge() -> None:
    smaller = restrict(preset("cell"), Restriction(operations=("none", "nor_conv_3x3")))
    assert smaller.size == 2**6


def test_fewer_operations_of_a_darts_cell_are_fewer_on_every_edge() -> None:
    smaller = restrict(preset("darts-cell"), Restriction(operations=("none", "skip_connect", "sep_conv_3x3")))
    assert isinstance(smaller, DartsSpace)
    assert smaller.operations == ("none", "skip_connect", "sep_conv_3x3")
    assert smaller.size == (2**2 * 3 * 2**2) ** 2
    assert check(smaller) == []


def test_skips_of_the_enas_space_can_be_taken_out_one_by_one() -> None:
    space = preset("enas-macro")
    smaller = restrict(space, Restriction({"skip_2": (), "skip_3": ("norm_2",)}, frozenset({"skip_4"})))
    assert smaller.size * 2 * 2 * 2**3 == space.size
    assert check(smaller) == []


def test_a_choice_without_candidates_is_a_named_problem() -> None:
    assert "no candidates" in structure(restrict(preset("notes-net"), Restriction({"conv1": ()})))[0]
    for name in ("cell", "darts-cell"):
        assert "no operations" in structure(restrict(preset(name), Restriction(operations=())))[0]


@pytest.mark.parametrize(
    "restriction",
    [
        Restriction({"conv9": ()}),
        Restriction({"conv1": ("conv9x9",)}),
        Restriction(always=frozenset({"jump"})),
    ],
)
def test_unknown_names_are_refused(restriction: Restriction) -> None:
    with pytest.raises(SpaceError, match="No "):
        restrict(preset("notes-net"), restriction)


@pytest.mark.parametrize("name", ["cell", "darts-cell"])
def test_unknown_operations_and_edges_of_a_cell_are_refused_at_once(name: str) -> None:
    with pytest.raises(SpaceError) as caught:
        restrict(preset(name), Restriction(operations=("conv9",), edges=("edge_9_9",)))
    assert len(caught.value.problems) == 2


def test_stale_choices_become_the_first_option() -> None:
    smaller = restrict(preset("notes-net"), Restriction({"conv1": ("conv5x5",)}))
    fitted = fit(smaller, {"conv1": "conv3x3", "mid_conv": "conv5x5", "skip": [0], "gone": 1})
    assert fitted.to_json() == {"conv1": "conv5x5", "mid_conv": "conv5x5", "skip": [0]}


# -- sources of one skip that are always on, and others that are free ---------------------------------------


def _branching(n_chosen: int | None, align: str = "crop") -> MacroSpace:
    """The image and three convolutions, of different widths, that may be added to a fourth."""
    wide = {"a": 4, "b": 5, "c": 6, "d": 4}
    layers = [Layer(name, Operation("conv2d", {"out_channels": n, "padding": 1})) for name, n in wide.items()]
    return MacroSpace(
        "branching",
        Input(1, 8),
        layers=(*layers, Layer("flat", Operation("flatten")), Layer("head", Operation("linear"))),
        skips=(InputChoice("skip", ("input", "a", "b", "c"), "d", n_chosen, align),),
    )


@pytest.mark.parametrize(
    ("n_chosen", "restriction", "left"),
    [
        (None, Restriction(always=frozenset({"skip/1"})), {"skip_always": (1, 1), "skip": (3, None)}),
        (
            None,
            Restriction(always=frozenset({"skip/0", "skip/2"})),
            {"skip_always": (2, 2), "skip": (2, None)},
        ),
        (
            None,
            Restriction({"skip": ("a", "c")}, frozenset({"skip/0", "skip/3"})),
            {"skip_always": (1, 1), "skip": (1, None)},
        ),
        (None, Restriction({"skip": ("a",)}, frozenset({"skip/1"})), {"skip": (1, 1)}),
        (None, Restriction({"skip": ("a", "b")}, frozenset({"skip"})), {"skip": (2, 2)}),
        (None, Restriction({"skip": ()}, frozenset({"skip/1"})), {}),
        (2, Restriction(always=frozenset({"skip/3"})), {"skip_always": (1, 1), "skip": (3, 1)}),
        (1, Restriction(always=frozenset({"skip/3"})), {"skip": (1, 1)}),
    ],
)
def test_single_sources_can_be_always_on(
    n_chosen: int | None, restriction: Restriction, left: dict[str, tuple[int, int | None]]
) -> None:
    space = _branching(n_chosen)
    smaller = restrict(space, restriction)
    assert isinstance(smaller, MacroSpace)
    assert {skip.label: (len(skip.sources), skip.n_chosen) for skip in smaller.skips} == left
    assert structure(smaller) == [] and check(smaller) == []
    assert len(set(smaller)) == smaller.size
    assert space_from_json(smaller.to_json()) == smaller


def test_what_is_always_on_is_added_and_costs_the_same_as_when_it_is_chosen() -> None:
    space, restriction = _branching(None), Restriction(always=frozenset({"skip/1", "skip/3"}))
    smaller = restrict(space, restriction)
    for free, whole in {(): (1, 3), (0,): (0, 1, 3), (1,): (1, 2, 3), (0, 1): (0, 1, 2, 3)}.items():
        network = smaller.lower({"skip_always": (0, 1), "skip": free})
        twin = space.lower({"skip": whole})
        assert (network.parameters, network.macs) == (twin.parameters, twin.macs)
    assert smaller.size == 4


def test_a_space_with_single_sources_always_on_is_written_drawn_and_searched_like_any_other() -> None:
    space = _branching(None)
    smaller = restrict(space, Restriction(always=frozenset({"skip/1"})))
    for architecture in smaller:
        ast.parse(torch_code(smaller, architecture))
        ast.parse(nni_code(smaller, architecture))
        assert scene_of(space, architecture, within=smaller).edges
        assert smaller.from_code(smaller.code(architecture)) == architecture
    assert [each.label for each in decisions(smaller)] == ["skip_always", "skip/0", "skip/1", "skip/2"]


def test_the_name_of_what_is_always_on_clashes_with_nothing() -> None:
    space = _branching(None)
    layers = (Layer("skip_always", Operation("relu")), *space.layers)
    space = MacroSpace(space.name, space.input, layers=layers, skips=space.skips)
    assert always_label(space, "skip") == "skip_always_"
    assert structure(restrict(space, Restriction(always=frozenset({"skip/1"})))) == []


def test_an_index_that_a_skip_does_not_have_is_refused() -> None:
    with pytest.raises(SpaceError, match="'skip/4'"):
        restrict(_branching(None), Restriction(always=frozenset({"skip/4"})))


def test_states_say_of_each_source_what_a_restriction_says() -> None:
    skip = _branching(None).skips[0]
    restriction = Restriction({"skip": ("a", "b")}, frozenset({"skip/1", "skip/3"}))
    assert skip_states(skip, restriction) == ("off", "always", "free", "off")


@pytest.mark.parametrize(
    "restriction",
    [
        Restriction(),
        Restriction({"skip": (), "width": (4, True)}, frozenset({"skip/1", "other"})),
        Restriction(operations=("none",), edges=("edge_0_1",)),
        Restriction(operations=(), edges=()),
    ],
)
def test_a_restriction_survives_json_and_links(restriction: Restriction) -> None:
    assert restriction_from_json(json.loads(json.dumps(restriction.to_json()))) == restriction
    assert restriction_from_json(unpack(pack(restriction.to_json()))) == restriction


@pytest.mark.parametrize(
    "form", [None, [], {"kept": []}, {"kept": {"a": "b"}}, {"always": [["a"]]}, {"edges": 1}]
)
def test_a_damaged_restriction_is_refused(form: object) -> None:
    with pytest.raises(CodecError, match="damaged"):
        restriction_from_json(form)
