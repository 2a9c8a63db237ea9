"""Architectures in a row and against each other."""

from __future__ import annotations

import json
import random

import pytest

from explorer.catalogue import SPACES
from explorer.errors import SpaceError
from explorer.plots.drawn import Difference, Moment, compare, differences, reel, still
from explorer.plots.drawn.film import MOST_FRAMES
from explorer.space import InputChoice, MacroSpace, SearchSpace, path_of, preset
from explorer.space.derive import genotype_text
from tests.plots.drawn.stories import frames

CELL = preset("cell")


@pytest.fixture(params=sorted(SPACES))
def space(request: pytest.FixtureRequest) -> SearchSpace:
    """Every preset."""
    return preset(request.param)


def moments(space: SearchSpace, count: int) -> list[Moment]:
    """Some architectures, called by their codes."""
    return [Moment(one, space.code(one)) for one in space.sample(count, random.Random(0))]


def test_a_frame_of_a_reel_takes_the_columns_that_it_says(space: SearchSpace) -> None:
    shown = moments(space, 6)
    drawn = reel(space, shown)
    json.dumps(drawn, allow_nan=False)
    assert drawn["n"] == len(shown) and drawn["titles"] == [moment.title for moment in shown]
    assert [frame for frame, *_ in drawn["d"]] == list(range(len(shown)))
    for (_, columns, code, text), frame, moment in zip(drawn["d"], frames(drawn), shown, strict=True):
        assert [at for at, byte in enumerate(frame) if byte] == columns and set(frame) <= {0, 255}
        assert code == moment.title and text == genotype_text(space, moment.architecture)


def test_a_stranger_in_a_reel_is_an_empty_frame_and_the_others_keep_their_numbers() -> None:
    good = moments(CELL, 2)
    drawn = reel(CELL, [good[0], Moment({"edge_0_1": "nonsense"}, "?"), good[0], good[1]])
    assert drawn["titles"][1] == "?" and drawn["n"] == 4
    assert not any(frames(drawn)[1]) and frames(drawn)[2] == frames(drawn)[0]
    assert [(frame, code) for frame, _, code, _ in drawn["d"]] == [
        (0, good[0].title),
        (1, ""),
        (2, good[0].title),
        (3, good[1].title),
    ]


def test_a_reel_takes_2_000_moments_and_cuts_titles() -> None:
    drawn = reel(CELL, [Moment(CELL.default, "\u202e" + "x" * 500)] * 2_500)
    assert drawn["n"] == len(drawn["titles"]) == MOST_FRAMES
    assert len(drawn["titles"][0]) == 100 and "\u202e" not in drawn["titles"][0]
    assert len(drawn["d"]) == 1


def test_an_empty_reel_is_a_drawing() -> None:
    assert reel(CELL, [])["n"] == 0 and reel(CELL, [])["f"] == ""


def test_a_still_of_another_space_is_refused() -> None:
    with pytest.raises(SpaceError, match="edge_0_1"):
        still(preset("notes-net"), CELL.default)


# -- compare ----------------------------------------------------------------------------------------------------------


def test_a_comparison_counts_what_is_the_same_and_what_differs(space: SearchSpace) -> None:
    a, b = moments(space, 2) if space.size > 1 else moments(space, 1) * 2
    drawn = compare(space, a, b)
    paths = [path_of(space, moment.architecture) for moment in (a, b)]
    kept = [label for label in paths[0] if paths[0][label] is not None or paths[1][label] is not None]
    same = sum(paths[0][label] == paths[1][label] for label in kept)
    assert (drawn["same"], drawn["differ"]) == (same, len(kept) - same)
    assert drawn["n"] == 1 and len(drawn["two"]) == len(drawn["rows"])


def test_a_comparison_names_the_columns_of_both() -> None:
    a, b = CELL.default, CELL.default.with_choice("edge_0_2", "nor_conv_3x3")
    drawn = compare(CELL, Moment(a, "a"), Moment(b, "b"))
    assert drawn["two"][:3] == [[0, 0], [5, 8], [10, 10]]
    assert (drawn["same"], drawn["differ"]) == (5, 1) and drawn["titles"] == ["a and b"]


def test_an_edge_that_neither_keeps_is_no_likeness() -> None:
    space = preset("darts-cell", nodes=4)
    a = space.default
    drawn = compare(space, Moment(a, "a"), Moment(a, "a"))
    assert (drawn["same"], drawn["differ"]) == (16, 0)
    assert drawn["two"].count([-1, -1]) == 12


def test_several_sources_are_compared_as_lists() -> None:
    base = preset("notes-net")
    assert isinstance(base, MacroSpace)
    jump = InputChoice("jump", ("conv1", "pool1", "mid_conv"), "conv2", n_chosen=2)
    space = MacroSpace("own", base.input, layers=base.layers, skips=(jump,))
    a, b = (space.default.with_choice("jump", held) for held in ((0, 1), (1, 2)))
    assert compare(space, Moment(a, "a"), Moment(b, "b"))["two"][-1] == [[4, 5], [5, 6]]
    assert differences(space, Moment(a, "a"), Moment(b, "b"))[0].b == "pool1 + mid_conv"


def test_differences_say_where_and_what_in_words_and_what_both_cost() -> None:
    space = preset("enas-macro")
    a = space.default
    b = a.with_choice("layer_2", "max3x3").with_choice("skip_3", (1,))
    found = differences(space, Moment(a, "a"), Moment(b, "b"))
    assert found[:2] == (
        Difference("Layer layer_2", "conv3x3", "max3x3"),
        Difference("Skip norm_2 → layer_3", "off", "on"),
    )
    assert found[2:] == (
        Difference("parameters", f"{space.lower(a).parameters:,}", f"{space.lower(b).parameters:,}"),
        Difference("MACs for one image", f"{space.lower(a).macs:,}", f"{space.lower(b).macs:,}"),
    )


def test_an_edge_of_a_darts_cell_is_told_in_words() -> None:
    space = preset("darts-cell")
    a = space.default
    b = a.with_choice("normal/op_2_0", "sep_conv_3x3").with_choice("normal/inputs_3", (0, 2))
    found = differences(space, Moment(a, "a"), Moment(b, "b"))
    assert found[:3] == (
        Difference("Normal cell 0 → 2", "3x3 max pool", "3x3 sep conv"),
        Difference("Normal cell 1 → 3", "3x3 max pool", "not kept"),
        Difference("Normal cell 2 → 3", "not kept", "3x3 max pool"),
    )


def test_the_same_architecture_differs_in_nothing(space: SearchSpace) -> None:
    one = Moment(space.default, "a")
    assert compare(space, one, one)["differ"] == 0 and len(differences(space, one, one)) == 2


def test_an_architecture_of_another_space_cannot_be_compared() -> None:
    with pytest.raises(SpaceError, match="edge_0_1"):
        compare(preset("notes-net"), *[Moment(CELL.default, "a")] * 2)
