"""A CSV or Parquet file, as bytes, read into typed columns; what cannot be read is refused in one sentence.

Files come from strangers: their size is capped, nothing in them is executed or unpickled, and more rows than the cap
are sampled with a fixed seed, so that the same file always gives the same table.
"""

from __future__ import annotations

import io
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from explorer.errors import CodecError
from explorer.tables.columns import Column, typed

if TYPE_CHECKING:
    from pandas import DataFrame

MAX_BYTES = 100_000_000
MAX_ROWS = 20_000
MAX_COLUMNS = 1_000
MAX_CELLS = 100_000_000
MAX_NAME = 100
LEAST_ROWS = 20
_SAMPLE_SEED = 20201
_NUMBER = re.compile(r"[-+]?[0-9.]+([eE][-+]?[0-9]+)?")
_FRACTION = re.compile(r"[-+]?[0-9]*\.[0-9]+([eE][-+]?[0-9]+)?")  # a year may be a name, 0.31 is a value
_SEPARATORS = (",", ";", "\t", "|")


@dataclass(frozen=True, eq=False)
class Uploaded:
    """A table as it is used: `frame` has floats, or text with None; `rows` is how many the file has."""

    name: str
    frame: DataFrame
    columns: tuple[Column, ...]
    rows: int
    notices: tuple[str, ...] = ()

    def preview(self, rows: int = 5) -> list[dict[str, Any]]:
        """The first rows, a dict each."""
        return [dict(row) for row in self.frame.head(rows).to_dict("records")]


def read_table(content: bytes, name: str) -> Uploaded:
    """The table in a file; `name` (its ending says which kind) is quoted in the CodecError's sentence."""
    if len(content) > MAX_BYTES:
        raise CodecError(f"{_quoted(name)} has {len(content):,} bytes; at most {MAX_BYTES:,} are taken.")
    if not content:
        raise CodecError(
            f"{_quoted(name)} is empty; give a table with a line of names and a row for each case."
        )
    raw, rows = (_parquet if is_parquet(name) else _csv)(content, name)
    notices = []
    if rows > len(raw):
        notices.append(f"{_quoted(name)} has {rows:,} rows; {len(raw):,} of them, drawn at random, are used.")
    return _typed(name, raw, rows, notices)


def is_parquet(name: str) -> bool:
    """By its ending."""
    return name.lower().endswith((".parquet", ".pq"))


def from_frame(name: str, frame: DataFrame) -> Uploaded:
    """A table that is in memory already."""
    return _typed(name, frame, len(frame), [])


def _typed(name: str, raw: DataFrame, rows: int, notices: list[str]) -> Uploaded:
    import pandas as pd

    cells, columns = {}, []
    for column in raw.columns:
        cells[column], about, notice = typed(str(column), raw[column])
        columns.append(about)
        notices += [notice] if notice else []
    frame = pd.DataFrame(cells, index=raw.index)
    return Uploaded(name, frame.reset_index(drop=True), tuple(columns), rows, tuple(notices))


# -- CSV --------------------------------------------------------------------------------------------------------------


def _csv(content: bytes, name: str) -> tuple[DataFrame, int]:
    """Every cell as text, in at most MAX_ROWS rows, and how many rows there are."""
    import pandas as pd

    text = _decoded(content, name)
    head = next((line for line in text.splitlines() if line.strip()), "")
    separator = max(_SEPARATORS, key=head.count)
    if head.count(separator) >= MAX_COLUMNS:
        raise _too_wide(name, head.count(separator) + 1)
    try:
        table = pd.read_csv(
            io.StringIO(text),
            sep=separator,
            header=None,
            dtype=str,
            keep_default_na=False,
            skipinitialspace=True,
        )
    except pd.errors.EmptyDataError:
        raise CodecError(
            f"{_quoted(name)} holds no table; give a line of names and a row for each case."
        ) from None
    except (pd.errors.ParserError, ValueError) as error:
        where = re.search(r"Expected (\d+) fields in line (\d+), saw (\d+)", str(error))
        told = (
            "its quotes do not close"
            if where is None
            else "line {1} has {2} cells where {0} are expected".format(*where.groups())
        )
        raise CodecError(
            f"{_quoted(name)} is no regular CSV: {told}; correct it, or save it again as CSV."
        ) from None
    names = _names(["" if cell is None else str(cell) for cell in table.iloc[0].tolist()], name)
    body = table.iloc[1:]
    body.columns = pd.Index(names)
    return _checked(body, name)


def _decoded(content: bytes, name: str) -> str:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise CodecError(
            f"{_quoted(name)} is no UTF-8 text (byte {content[error.start]:#04x} in line {line}); save it as UTF-8."
        ) from None
    if "\x00" in text:
        raise CodecError(
            f"{_quoted(name)} holds zero bytes, so it is no text; save it as CSV in UTF-8, or as Parquet."
        )
    return text


def _names(cells: Sequence[str], name: str) -> list[str]:
    """The header's cells as names; an unnamed column is called by its place."""
    header = [cell.strip() for cell in cells]
    if all(_NUMBER.fullmatch(cell) for cell in header if cell) and any(header):
        raise CodecError(
            f"The first line of {_quoted(name)} holds only numbers, so the columns seem to have no names; "
            "add a line with a name for each."
        )
    value = next((cell for cell in header if _FRACTION.fullmatch(cell)), "")
    if value:
        raise CodecError(
            f"The first line of {_quoted(name)} holds the value {value:.20}, so the columns seem to have no names; "
            "add a line with a name for each."
        )
    return _unique([cell or f"column {at}" for at, cell in enumerate(header, 1)], name)


def _unique(names: list[str], name: str) -> list[str]:
    twice = next((each for each, count in Counter(names).items() if count > 1), None)
    if twice is not None:
        raise CodecError(
            f"{_quoted(name)} has two columns called {twice!r:.60}; give each a name of its own."
        )
    long = next((each for each in names if len(each) > MAX_NAME), None)
    if long is not None:
        raise CodecError(
            f"{_quoted(name)} has a column name of {len(long):,} letters; give at most {MAX_NAME}."
        )
    return names


def _checked(table: DataFrame, name: str) -> tuple[DataFrame, int]:
    rows = len(table)
    if table.shape[1] > MAX_COLUMNS:
        raise _too_wide(name, table.shape[1])
    if table.shape[1] < 2:
        raise CodecError(
            f"{_quoted(name)} has one column; a target and at least two columns to choose from are needed."
        )
    if rows < LEAST_ROWS:
        raise CodecError(
            f"{_quoted(name)} has {rows} rows below its names; at least {LEAST_ROWS} are needed."
        )
    return (
        table.sample(MAX_ROWS, random_state=_SAMPLE_SEED).sort_index() if rows > MAX_ROWS else table
    ), rows


def _too_wide(name: str, columns: int) -> CodecError:
    return CodecError(f"{_quoted(name)} has {columns:,} columns; at most {MAX_COLUMNS:,} are taken.")


# -- Parquet ----------------------------------------------------------------------------------------------------------


def _parquet(content: bytes, name: str) -> tuple[DataFrame, int]:
    import pyarrow as pa  # type: ignore[import-untyped]
    import pyarrow.parquet as pq  # type: ignore[import-untyped]

    try:
        file = pq.ParquetFile(io.BytesIO(content))
        rows, width = file.metadata.num_rows, len(file.schema_arrow.names)
        if width > MAX_COLUMNS:
            raise _too_wide(name, width)
        if rows * width > MAX_CELLS:  # a few bytes can stand for very many equal cells
            raise CodecError(f"{_quoted(name)} has {rows * width:,} cells; at most {MAX_CELLS:,} are taken.")
        nested = next((field for field in file.schema_arrow if pa.types.is_nested(field.type)), None)
        if nested is not None:
            raise CodecError(
                f"Column {nested.name!r:.60} of {_quoted(name)} holds lists or structures; give plain columns only."
            )
        frame = file.read().to_pandas(ignore_metadata=True)
    except (pa.ArrowException, OSError, ValueError, NotImplementedError):
        raise CodecError(
            f"{_quoted(name)} is no Parquet file that can be read; save it again, or as CSV."
        ) from None
    frame.columns = _unique([str(column) for column in frame.columns], name)
    return _checked(frame, name)


def _quoted(name: str) -> str:
    return f"{name!r:.80}"
