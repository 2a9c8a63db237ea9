"""CSV that we write, and files that we keep: no formula runs, no path is followed."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from explorer.errors import EnvironmentProblem, NotFound
from explorer.tables import csv_text, find, keep


def _cells(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text, newline="")))


@pytest.mark.parametrize(
    "cell", ["=1+1", "+cmd", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "  =1", '=HYPERLINK("x")', "%0A=1"]
)
def test_a_formula_is_written_as_text(cell: str) -> None:
    header, row = _cells(csv_text([cell], [[cell]]))
    assert header == row == ["'" + cell]


def test_numbers_stay_numbers_and_what_is_unknown_is_empty() -> None:
    told = _cells(csv_text(["a", "b", "c", "d"], [[-1.5, "-1.5", None, float("nan")]]))
    assert told[1] == ["-1.5", "-1.5", "", ""]


@given(
    st.lists(
        st.text(st.characters(codec="utf-8", exclude_characters="\r\n\x00"), max_size=20),
        min_size=1,
        max_size=5,
    )
)
def test_no_cell_of_text_ever_begins_like_a_formula(row: list[Any]) -> None:
    told = _cells(csv_text(["x"] * len(row), [row]))
    for cell, original in zip(told[1] if len(told) > 1 else [""], row, strict=True):
        assert cell.removeprefix("'") == original.removeprefix("'") or cell == "'" + original
        if cell[:1] in ("=", "+", "-", "@", "\t", "|", "%"):
            float(cell)


def test_a_table_is_kept_by_its_content_and_found_again(tmp_path: Path) -> None:
    name = keep(b"a,b", "x.csv", tmp_path)
    assert keep(b"a,b", "other.CSV", tmp_path) == name != keep(b"a,c", "x.csv", tmp_path)
    assert name.startswith("table:") and find(name, tmp_path) == b"a,b"
    assert keep(b"PAR1", "x.parquet", tmp_path).endswith(".parquet")


@pytest.mark.parametrize(
    "name", ["table:../secret", "table:0123456789abcdef.csv", "secret", "table:secret.csv"]
)
def test_only_kept_tables_are_found(name: str, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("x")
    (tmp_path / "secret.csv").write_text("x")
    with pytest.raises(NotFound, match="give the file again"):
        find(name, tmp_path)


def test_a_place_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(EnvironmentProblem, match="cannot be kept"):
        keep(b"a", "x.csv", tmp_path / "file")
