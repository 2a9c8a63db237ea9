"""The list beside a reel: words, cut."""

from __future__ import annotations

import json

from explorer.plots.drawn.shelf import shelf


def test_a_shelf_is_what_was_listed() -> None:
    rows = [("1", "cell:000000", "90.0 %"), ("2", "cell:340213", "88.1 %")]
    found = shelf((("Rank", "1 is the best."), ("Code", ""), ("Accuracy", "")), iter(rows), (2, 0, 2), best=0)
    listed = found["shelf"]
    assert listed["rows"] == [list(row) for row in rows]
    assert listed["head"][0] == ["Rank", "1 is the best."]
    assert listed["numbers"] == [0, 2] and listed["best"] == 0 and listed["title"]
    assert json.loads(json.dumps(found)) == found


def test_a_strangers_cell_can_neither_fill_nor_reorder_the_page() -> None:
    (row,) = shelf((("Name", ""),), [("a\u202eb" + "x" * 10_000,)])["shelf"]["rows"]
    assert len(row[0]) == 60 and "\u202e" not in row[0]
