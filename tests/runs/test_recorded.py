"""Recorded runs: there and back, and every kind of bad file refused whole with one sentence."""

from __future__ import annotations

import gzip
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings

from explorer.errors import CodecError
from explorer.runs import Event, Store, fold, recorded
from explorer.runs import store as stores
from explorer.runs import summary as summaries
from explorer.runs.recorded import import_recorded, read_recorded, write_recorded
from explorer.runs.summary import replay
from tests.runs.stories import SPEC, legal_stories, story, trial

EVENTS = story(("run_started", {}), *trial(0, 0.5), ("run_finished", {}))


def packed(*lines: Any) -> bytes:
    rows = [line if isinstance(line, str) else json.dumps(line) for line in lines]
    return gzip.compress("\n".join(rows).encode())


def written(events: list[Event]) -> bytes:
    file = io.BytesIO()
    write_recorded(file, SPEC, events)
    return file.getvalue()


HEADER = {"schema": 1, "spec": SPEC.to_json()}
LINES = [event.to_json() for event in EVENTS]


def test_a_recorded_run_reads_back_as_it_was_and_writes_the_same_bytes(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl.gz"
    write_recorded(path, SPEC, EVENTS)
    assert read_recorded(path) == (SPEC, EVENTS)
    assert read_recorded(path.read_bytes()) == (SPEC, EVENTS)
    assert written(EVENTS) == path.read_bytes()


@settings(max_examples=40, deadline=None)
@given(legal_stories(mode="maximize"))
def test_event_lines_survive_json(events: list[Event]) -> None:
    back = [Event.from_json(json.loads(json.dumps(event.to_json()))) for event in events]
    assert fold(back) == fold(events)


def test_an_imported_run_tells_the_same_story_under_a_new_id(store: Store) -> None:
    run_id = import_recorded(store, written(EVENTS), "an example")
    assert run_id != "r"
    assert [(e.seq, e.time, e.kind, e.data) for e in store.events(run_id)] == [
        (e.seq, e.time, e.kind, e.data) for e in EVENTS
    ]
    summary = store.summary(run_id)
    assert (summary.status, summary.best_value, summary.name) == ("finished", 0.5, "an example")
    assert store.claim("a", 6) is None and store.close_expired("gone") == []


def _changed(number: int, **changes: Any) -> list[Any]:
    return [HEADER, *LINES[:number], {**LINES[number], **changes}, *LINES[number + 1 :]]


def _deep(levels: int) -> Any:
    value: Any = []
    for _ in range(levels):
        value = [value]
    return value


STRANGE_LOOK = {"decision": "bad", "assessor": "Curvefitting", "models": {"spline": {}}}

BAD: dict[str, Callable[[], bytes]] = {
    "no gzip": lambda: b"hello",
    "nothing": lambda: b"",
    "cut off": lambda: written(EVENTS)[:-20],
    "damaged": lambda: written(EVENTS)[:30] + b"\0\0\0\0" + written(EVENTS)[34:],
    "empty": lambda: packed(),
    "no header": lambda: packed(*LINES),
    "header only": lambda: packed(HEADER),
    "newer": lambda: packed({**HEADER, "schema": 2}, *LINES),
    "bad spec": lambda: packed({**HEADER, "spec": {"trials": -1}}, *LINES),
    "another spec": lambda: packed({**HEADER, "spec": SPEC.to_json() | {"seed": 9}}, *LINES),
    "no json": lambda: packed(HEADER, "{", *LINES),
    "deep json": lambda: packed(HEADER, "[" * 100_000, *LINES),
    "not finite": lambda: packed(HEADER, *LINES[:4], json.dumps(LINES[4]).replace("0.5", "NaN"), *LINES[5:]),
    "long number": lambda: packed(HEADER, json.dumps(LINES[0]).replace('"seq": 1', '"seq": ' + "9" * 9000)),
    "no utf-8": lambda: gzip.compress(b"\xff\xfe{}"),
    "a list": lambda: packed(HEADER, [], *LINES),
    "unknown kind": lambda: packed(*_changed(1, kind="run_exploded")),
    "bad time": lambda: packed(*_changed(1, time="yesterday")),
    "gap": lambda: packed(HEADER, *LINES[:3], *LINES[4:]),
    "twice": lambda: packed(HEADER, *LINES, LINES[-1]),
    "unfinished": lambda: packed(HEADER, *LINES[:-1]),
    "two runs": lambda: packed(*_changed(2, run_id="other")),
    "missing key": lambda: packed(*_changed(4, data={"trial_id": 0})),
    "unknown trial": lambda: packed(*_changed(4, data={**LINES[4]["data"], "trial_id": 8})),
    "impossible number": lambda: packed(*_changed(4, data={**LINES[4]["data"], "value": "high"})),
    "trial is a list": lambda: packed(*_changed(4, data={**LINES[4]["data"], "trial_id": [0]})),
    "impossible retraining": lambda: packed(
        HEADER,
        *LINES,
        {**LINES[-1], "seq": len(LINES) + 1, "kind": "run_resumed", "data": {"retrain": {"trial_id": 0}}},
        {**LINES[-1], "seq": len(LINES) + 2},
    ),
    "huge value": lambda: packed(*_changed(4, data={**LINES[4]["data"], "value": 10**400})),
    "huge trial": lambda: packed(*_changed(2, data={**LINES[2]["data"], "trial_id": 10**400})),
    "half a character": lambda: packed(
        *_changed(2, data={**LINES[2]["data"], "parameters": {"x": "\ud800"}})
    ),
    "deep parameters": lambda: packed(
        *_changed(2, data={**LINES[2]["data"], "parameters": {"x": _deep(300)}})
    ),
    "strange assessment": lambda: packed(
        *_changed(3, kind="assessment", data={**STRANGE_LOOK, "trial_id": 0, "step": 1})
    ),
    "strange spec in the story": lambda: packed(
        *_changed(0, data={"spec": {**SPEC.to_json(), "method": []}})
    ),
    "deep spec in the story": lambda: packed(
        *_changed(0, data={"spec": {**SPEC.to_json(), "parent": _deep(300)}})
    ),
    "data is a list": lambda: packed(*_changed(1, data=[])),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_file_is_refused_whole_with_one_sentence(name: str, store: Store) -> None:
    with pytest.raises(CodecError) as error:
        import_recorded(store, BAD[name]())
    assert "\n" not in str(error.value)
    assert store.summaries() == []


def test_a_small_file_that_unfolds_to_a_large_memory_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recorded, "MAX_TEXT_BYTES", 1_000_000)
    with pytest.raises(CodecError, match="unfolds"):
        read_recorded(gzip.compress(b" " * 5_000_000))


def test_a_file_that_is_too_large_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    path = tmp_path / "huge.gz"
    with path.open("wb") as file:
        file.truncate(recorded.MAX_FILE_BYTES + 1)
    with pytest.raises(CodecError, match="more than"):
        read_recorded(path)


def test_a_missing_file_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(CodecError, match="cannot be read"):
        read_recorded(tmp_path / "nowhere.gz")


def test_a_spec_in_the_story_is_read_as_the_checked_one(store: Store) -> None:
    """3.0 and true equal 3 and 1, and no page could count with them."""
    loose = {**SPEC.to_json(), "trials": 3.0, "epochs": True}
    source = packed(*_changed(0, data={"spec": loose}))
    _, events = read_recorded(source)
    assert events == EVENTS and isinstance(events[0].data["spec"]["trials"], int)
    summary = store.summary(import_recorded(store, source))
    assert (summary.trials, summary.epochs) == (3, 1) and isinstance(summary.trials, int)


def test_a_file_of_endless_parameter_names_is_refused() -> None:
    """Each name is a column of every table."""
    words = [word for n in range(30) for word in trial(n, 0.5)]
    for number, (kind, data) in enumerate(words):
        if kind == "trial_started":
            names = {f"x{number}.{at}": {"y": 1} for at in range(50)}
            words[number] = (kind, {**data, "parameters": names})
    events = story(("run_started", {}), *words, ("run_finished", {}))
    with pytest.raises(CodecError, match="different parameters"):
        read_recorded(written(events))


def test_a_recorded_run_is_replayed_once(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    times = []
    for module in (recorded, stores):
        monkeypatch.setattr(module, "replay", lambda events: times.append(1) or replay(events))
    run_id = import_recorded(store, written(EVENTS))
    assert times == [1]
    assert store.summary(run_id) == replay(store.events(run_id)).summary


def test_a_large_run_is_replayed_in_time_that_grows_with_its_events(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not measured by a clock: entries that are made, against the number of events."""
    made = []
    make = summaries.Entry.__init__
    monkeypatch.setattr(
        summaries.Entry,
        "__init__",
        lambda self, *given, **named: made.append(1) or make(self, *given, **named),
    )
    words = [word for number in range(2000) for word in trial(number, 0.5)]
    assert len(replay(story(("run_started", {}), *words, ("run_finished", {}))).trials) == 2000
    assert len(made) == 3 * 2000
