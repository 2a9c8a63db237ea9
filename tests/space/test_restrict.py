"""Restricted spaces: what is left, what is refused, what an old choice becomes."""

from __future__ import annotations

import random

import pytest

from explorer.catalogue import SPACES
from explorer.errors import SpaceError
from explorer.space import DartsSpace, check, preset, structure
from explorer.space.restrict import Restriction, fit, restrict


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
