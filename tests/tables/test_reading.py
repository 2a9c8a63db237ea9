"""Files that people bring: read and typed as they mean them, or refused in one sentence."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pandas as pd
import pytest

from explorer.errors import CodecError
from explorer.tables import read_table
from explorer.tables import reading as limits

ROWS = 40


def csv(header: str, row: str = "{i},{i}.5,red", rows: int = ROWS) -> bytes:
    """A CSV whose rows are `row` with i put in."""
    return "\n".join([header, *(row.format(i=i, j=i % 2) for i in range(rows))]).encode()


def parquet(frame: pd.DataFrame) -> bytes:
    """The frame as a Parquet file."""
    told = io.BytesIO()
    frame.to_parquet(told)
    return told.getvalue()


def kinds(content: bytes, name: str = "t.csv") -> dict[str, str]:
    """Column -> kind."""
    return {column.name: column.kind for column in read_table(content, name).columns}


def test_columns_are_typed_as_a_person_would() -> None:
    lines = ["number,colour,name,same,empty,mixed,gaps"]
    for i in range(60):
        lines.append(
            f"{i / 2},{'red' if i % 3 else 'blue'},person {i},7,,{i if i else 'n.b.'},{'' if i % 4 else i}"
        )
    table = read_table("\n".join(lines).encode(), "t.csv")
    found = {column.name: column for column in table.columns}
    assert {name: column.kind for name, column in found.items()} == {
        "number": "number",
        "colour": "category",
        "name": "text",
        "same": "constant",
        "empty": "empty",
        "mixed": "text",
        "gaps": "number",
    }
    assert found["gaps"].missing == 45 and found["colour"].distinct == 2
    assert table.frame["number"].tolist() == [i / 2 for i in range(60)]
    assert [notice for notice in table.notices if "'mixed' mixes types" in notice and "'n.b.'" in notice]
    assert table.preview(1)[0]["colour"] == "blue"
    gone = read_table(csv("a,b,c", "{i},red,").replace(b"0,red", b"0, NA "), "t.csv").frame["b"]
    assert gone.tolist()[:2] == [None, "red"]


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_the_usual_separators_and_a_byte_order_mark_are_understood(separator: str) -> None:
    content = b"\xef\xbb\xbf" + csv("a,b,c").replace(b",", separator.encode())
    assert kinds(content) == {"a": "number", "b": "number", "c": "constant"}


def test_an_unnamed_column_is_called_by_its_place() -> None:
    assert list(kinds(csv(",b,c"))) == ["column 1", "b", "c"]


BAD: dict[str, tuple[bytes, str, str]] = {
    "nothing": (b"", "t.csv", "is empty"),
    "blank": (b"\n \n\n", "t.csv", "holds no table"),
    "no header": (csv("1,2.5,-3e2"), "t.csv", "columns seem to have no names"),
    "no header, but words": (csv("1,0.31,yes"), "t.csv", "holds the value 0.31"),
    "one column": (csv("a", "{i}"), "t.csv", "has one column"),
    "few rows": (csv("a,b,c", rows=3), "t.csv", "has 3 rows"),
    "ragged": (csv("a,b,c") + b"\n1,2,3,4", "t.csv", "line 42 has 4 cells where 3 are expected"),
    "twice": (csv("a,b,a"), "t.csv", "two columns called 'a'"),
    "long name": (csv("a,b," + "c" * 500), "t.csv", "a column name of 500 letters"),
    "wrong encoding": (
        "größe,b,c\n1,2,3\n".encode("latin-1"),
        "t.csv",
        "is no UTF-8 text (byte 0xf6 in line 1)",
    ),
    "utf-16": (csv("a,b,c").decode().encode("utf-16-le"), "t.csv", "holds zero bytes"),
    "wide": (csv(",".join(f"c{i}" for i in range(5000)), ",".join("1" * 5000)), "t.csv", "has 5,000 columns"),
    "no parquet": (csv("a,b,c"), "t.parquet", "is no Parquet file"),
}


@pytest.mark.parametrize("case", BAD)
def test_what_cannot_be_read_is_one_sentence(case: str) -> None:
    content, name, said = BAD[case]
    with pytest.raises(CodecError, match=r"^[^\n]*\.$") as caught:
        read_table(content, name)
    assert said in str(caught.value) and repr(name) in str(caught.value)


def test_a_file_beyond_the_cap_is_refused_before_it_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MAX_BYTES", 10)
    with pytest.raises(CodecError, match="at most 10 are taken"):
        read_table(csv("a,b,c"), "t.csv")


@pytest.mark.slow
def test_a_million_rows_are_sampled_with_a_notice_and_always_the_same_way() -> None:
    content = csv("a,b,c", "{i},{j},x", 1_000_000)
    table = read_table(content, "t.csv")
    assert table.rows == 1_000_000 and len(table.frame) == limits.MAX_ROWS
    assert "has 1,000,000 rows; 20,000 of them, drawn at random, are used." in table.notices[0]
    assert table.frame["a"].is_monotonic_increasing and table.frame["a"].max() > 900_000
    assert read_table(content, "t.csv").frame.equals(table.frame)


def test_parquet_keeps_its_types_and_dates_become_days() -> None:
    frame = pd.DataFrame(
        {
            "when": pd.date_range("1970-01-02", periods=ROWS),
            "yes": [i % 2 == 0 for i in range(ROWS)],
            "colour": pd.Categorical(["red", "blue"] * (ROWS // 2)),
            "value": [None, *np.linspace(0, 1, ROWS - 1)],
        }
    )
    table = read_table(parquet(frame), "t.parquet")
    assert {column.name: column.kind for column in table.columns} == {
        "when": "number",
        "yes": "number",
        "colour": "category",
        "value": "number",
    }
    assert table.frame["when"].iloc[0] == 1.0 and table.frame["yes"].iloc[0] == 1.0
    assert table.columns[3].missing == 1 and "holds dates" in table.notices[0]


@pytest.mark.parametrize(
    ("frame", "said"),
    [
        ({"a": [[1, 2]] * ROWS, "b": range(ROWS), "c": range(ROWS)}, "holds lists or structures"),
        ({"a": range(ROWS)}, "has one column"),
        ({f"c{i}": [1.0] * ROWS for i in range(1001)}, "has 1,001 columns"),
    ],
)
def test_parquet_that_cannot_serve_is_one_sentence(frame: dict[str, Any], said: str) -> None:
    with pytest.raises(CodecError, match=said):
        read_table(parquet(pd.DataFrame(frame)), "t.parquet")


def test_a_small_parquet_file_that_stands_for_very_many_cells_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(limits, "MAX_CELLS", 100)
    with pytest.raises(CodecError, match="120 cells; at most 100"):
        read_table(parquet(pd.DataFrame({name: [1.0] * ROWS for name in "abc"})), "t.parquet")


def test_infinity_counts_as_missing() -> None:
    table = read_table(csv("a,b,c", "{i},inf,{j}"), "t.csv")
    assert [column.kind for column in table.columns] == ["number", "empty", "number"]
