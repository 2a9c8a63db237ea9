"""The table of single edits: what is in it, which one is the best, and that it is drawn for any cell."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree

from explorer.plots.nas.edits import Edit, edge_words, edits_of, edits_svg

HERE = {"edge_0_1": "none", "edge_1_2": "skip_connect"}
OPERATIONS = ("none", "skip_connect", "nor_conv_3x3")
EDITS = (
    Edit("edge_0_1", "skip_connect", 1.25, False),
    Edit("edge_0_1", "nor_conv_3x3", 3.5, True),
    Edit("edge_1_2", "none", -2.0, True),
    Edit("edge_0_3", "none", 9.0, True),  # the space has no such edge
    Edit("edge_1_2", "avg_pool_3x3", 9.0, True),  # the space has no such operation
)


def words(text: str) -> list[str]:
    root = ElementTree.fromstring(text)
    return [element.text or "" for element in root.iter() if element.tag.endswith("text")]


def test_only_edits_inside_the_space_are_listed_and_the_best_wins_most() -> None:
    info = edits_of(HERE, OPERATIONS, EDITS)
    assert [edit.points for edit in info.edits] == [1.25, 3.5, -2.0]
    assert info.best == EDITS[1] and "nor_conv_3x3 on edge_0_1 with +3.5 points" in info.alt


def test_where_every_edit_loses_none_is_the_best() -> None:
    info = edits_of(HERE, OPERATIONS, [EDITS[2], Edit("edge_0_1", "skip_connect", 0.0, False)])
    assert info.best is None and "none of them is better" in info.alt


def test_the_drawing_says_what_is_there_what_it_wins_and_what_nobody_trained() -> None:
    text = edits_svg(edits_of(HERE, OPERATIONS, EDITS))
    assert words(text) == [
        *("none", "skip", "3x3 conv"),
        *("0 → 1", "now", "+1.2", "+3.5"),
        *("1 → 2", "−2.0", "now", "–"),
    ]
    places = text.split("<g>")[1:]
    sure = next(place for place in places if "+3.5" in place)
    assert 'font-weight="700"' in sure and "more than luck" in sure
    assert "may be luck" in next(place for place in places if "+1.2" in place)


def test_a_space_without_a_choice_is_drawn_too() -> None:
    assert ElementTree.fromstring(edits_svg(edits_of({}, (), ()))).get("role") == "img"


def test_a_label_of_another_kind_stays_what_it_is() -> None:
    assert edge_words("edge_0_3") == "0 → 3" and edge_words("stem") == "stem"
