"""Recorded runs: gzipped JSON lines, a header with the spec and then the events, read by the same fold as
live runs.

Files come from strangers: sizes are capped on both sides of the compression and every line is validated, so a
file is taken whole or refused with one sentence.
"""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO

from explorer.errors import CodecError, Conflict, SpecError
from explorer.runs.bounds import MAX_LEAVES, names_in
from explorer.runs.events import CLOSED, Event
from explorer.runs.spec import RunSpec
from explorer.runs.store import Store
from explorer.runs.summary import Ledger, replay
from explorer.runs.text import dumps, loads

SCHEMA = 1
MAX_FILE_BYTES = 10_000_000
MAX_TEXT_BYTES = 60_000_000
MAX_EVENTS = 200_000


def write_recorded(target: str | Path | BinaryIO, spec: RunSpec, events: Iterable[Event]) -> None:
    """Write a run; the same run gives the same bytes (no time stamp, no file name inside)."""
    lines = [{"schema": SCHEMA, "spec": spec.to_json()}, *(event.to_json() for event in events)]
    text = "".join(dumps(line) + "\n" for line in lines).encode()
    packed = io.BytesIO()
    with gzip.GzipFile(filename="", mode="wb", fileobj=packed, mtime=0) as file:
        file.write(text)
    if isinstance(target, str | Path):
        Path(target).write_bytes(packed.getvalue())
    else:
        target.write(packed.getvalue())


def read_recorded(source: bytes | str | Path) -> tuple[RunSpec, list[Event]]:
    """The spec and the events of a recorded run; raises CodecError with one sentence.

    Whole stories only: numbered from 1, in an order that the store would have taken, ended by a terminal
    event.
    """
    spec, events, _ = _read(source)
    return spec, events


def import_recorded(store: Store, source: bytes | str | Path, name: str = "") -> str:
    """Read a recorded run into the store; returns its new id.

    Nothing is written when anything is wrong with it.
    """
    spec, events, ledger = _read(source)
    return store.import_run(spec, events, name, ledger)


def _read(source: bytes | str | Path) -> tuple[RunSpec, list[Event], Ledger]:
    lines = _lines(_unpacked(_bytes(source)))
    header = next(lines, None)
    if not isinstance(header, dict) or set(header) != {"schema", "spec"}:
        raise CodecError("The first line of a recorded run must be an object with schema and spec.")
    if header["schema"] != SCHEMA:
        raise CodecError(
            f"This recorded run has schema {header['schema']!r:.60}; {SCHEMA} is read here; update the app."
        )
    try:
        spec = RunSpec.from_json(header["spec"])
        events = _of_this_spec(spec, [_event(number, line) for number, line in enumerate(lines, start=2)])
        ledger = replay(events)
    except (SpecError, Conflict) as error:
        raise CodecError(f"This recorded run cannot be read: {error}") from error
    if ledger.summary.status not in CLOSED or len({event.run_id for event in events}) > 1:
        raise CodecError("A recorded run must be one run that has ended; its last event must be terminal.")
    _check_columns(events)
    return spec, events, ledger


def _of_this_spec(spec: RunSpec, events: list[Event]) -> list[Event]:
    """The events, their run_queued with the checked spec: 3.0 and true equal 3 and 1 and yet are no whole numbers."""
    if not events or events[0].kind != "run_queued":
        return events  # refused by the replay
    if RunSpec.restore(events[0].data["spec"]) != spec:
        raise CodecError(
            "This recorded run has one spec in its first line and another in its run_queued event."
        )
    return [replace(events[0], data={**events[0].data, "spec": spec.to_json()}), *events[1:]]


def _check_columns(events: list[Event]) -> None:
    """Each name of a parameter becomes a column of every table and chart: a run tunes few hundred at most."""
    names: set[str] = set()
    for event in events:
        if event.kind == "trial_started":
            names |= names_in(event.data["parameters"] or {})
        if len(names) > MAX_LEAVES:
            raise CodecError(
                f"This recorded run names more than {MAX_LEAVES:,} different parameters, which is all that is shown."
            )


def _bytes(source: bytes | str | Path) -> bytes:
    if isinstance(source, bytes):
        packed = source
    else:
        try:
            with Path(source).open("rb") as file:
                packed = file.read(MAX_FILE_BYTES + 1)
        except OSError as error:
            raise CodecError(
                f"The file {str(source)!r} cannot be read: {error.strerror or error}."
            ) from error
    if len(packed) > MAX_FILE_BYTES:
        raise CodecError(f"This file has more than {MAX_FILE_BYTES:,} bytes, which is all that is read.")
    return packed


def _unpacked(packed: bytes) -> bytes:
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(packed)) as file:
            text = file.read(MAX_TEXT_BYTES + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise CodecError("This is no recorded run: it is not a whole gzip file.") from error
    if len(text) > MAX_TEXT_BYTES:
        raise CodecError(
            f"This file unfolds to more than {MAX_TEXT_BYTES:,} bytes, which is all that is read."
        )
    return text


def _lines(text: bytes) -> Iterator[Any]:
    rows = text.splitlines()
    if len(rows) > MAX_EVENTS:
        raise CodecError(f"This recorded run has {len(rows):,} lines; at most {MAX_EVENTS:,} are read.")
    return (loads(row, f"Line {number}") for number, row in enumerate(rows, start=1))


def _event(number: int, line: Any) -> Event:
    try:
        return Event.from_json(line)
    except CodecError as error:
        raise CodecError(f"Line {number}: {error}") from error
