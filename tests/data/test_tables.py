"""The contract of every table in the catalogue, and of uploaded ones: what the screen promises is what comes out."""

from __future__ import annotations

from pathlib import Path

import pytest

from explorer.catalogue import TABLES
from explorer.data.tables import load_table, tables_root
from explorer.errors import NotFound, UnknownName
from explorer.tables import keep


@pytest.mark.parametrize("name", TABLES)
def test_an_embedded_table_is_what_the_catalogue_says(name: str) -> None:
    task, facts = load_table(name), TABLES[name].facts
    assert (task.name, task.target, task.kind) == (name, facts["target"], facts["task"])
    assert task.frame.shape == (facts["rows"], facts["columns"])
    assert len(task.classes) == facts["classes"] and len(task.values) == facts["rows"]
    if task.is_classification:
        assert set(task.values) == set(range(facts["classes"]))


def test_another_column_of_an_embedded_table_can_be_the_target() -> None:
    task = load_table("diabetes", target="bmi")
    assert task.target == "bmi" and "progression" in task.frame.columns


def test_an_uploaded_table_is_loaded_by_its_name(explorer_home: Path) -> None:
    lines = ["x,colour,y", *(f"{i % 7},{'red' if i % 3 else 'blue'},{i}.5" for i in range(40))]
    name = keep("\n".join(lines).encode(), "mine.csv", tables_root())
    task = load_table(name)
    assert task.kind == "regression" and list(task.frame.columns) == ["x", "colour"]


def test_a_table_that_is_not_here_is_one_sentence() -> None:
    with pytest.raises(NotFound, match="give the file again"):
        load_table("table:0123456789abcdef.csv")
    with pytest.raises(UnknownName, match="did you mean 'wine'"):
        load_table("wines")
