"""A one-shot search as a film over the drawing of its space: what it believed and what it would derive, frame by frame.

`film` reads a run's state; a live one keeps to the newest frames and few bytes, a whole one to `MOST_FRAMES`. Snapshots
of a stranger's file need not fit the space: what does not fit repeats what was before.

The data (JSON): `scene`, the drawing without choices; `live`; `rows` as `Layout.form` says; `n` and `f`, the frames
with probabilities (columns as bytes, p * 255, frame after frame, in base64; 0 and "" where a method believes nothing);
`steps` and `ep`, step and epoch of each frame; `d`, [frame, columns, code, genotype text] wherever `derived_at`
changes, the text "" where an earlier entry of that code has it or where there would be too much of it; `s`,
frames x rows, the candidate sampled last (255: none), in base64, "" where the method samples nothing; `ev`, [frame,
kind, sentence].
"""

from __future__ import annotations

import base64
import json
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate
from typing import Any

from explorer.catalogue import METHODS
from explorer.plots.drawn.rows import Layout, Told, layout_of
from explorer.plots.drawn.text import SENTENCE, shown
from explorer.runs.bounds import is_number
from explorer.runs.state import RunState
from explorer.space import SearchSpace

MOST_FRAMES = 2_000
LIVE_FRAMES, LEAST_FRAMES = 32, 4
LIVE_BYTES = 19_500  # of a live message, so that it stays below 20 KB with its name
TEXT_CHARACTERS = 60_000  # of genotypes in a whole film
MOST_MARKS, LIVE_MARKS = 200, 4
NONE = 255
CHECKPOINT = "checkpoint"
MARKED = ("alarm", "guard", CHECKPOINT)

Snapshot = Mapping[str, Any]


def film(state: RunState, space: SearchSpace, live: bool) -> dict[str, Any]:
    """The search's film; raises SpaceError only for a space that cannot be drawn."""
    layout = layout_of(space)
    marks = _marks(state)
    if not live:
        return _drawn(state, layout, marks, _thinned(state, marks), live)
    count = LIVE_FRAMES
    while True:  # fewer frames until the message is small enough
        drawn = _drawn(state, layout, marks, _newest(state, count), live)
        excess = len(json.dumps(drawn)) - LIVE_BYTES
        if excess <= 0 or count == LEAST_FRAMES:
            return drawn
        frame = (layout.columns + len(layout.rows)) * 4 // 3 + 1  # its bytes in base64, at least
        count = max(LEAST_FRAMES, min(count, len(state.snapshots)) - max(1, excess // (2 * frame)))


def _drawn(
    state: RunState, layout: Layout, marks: Sequence[Mapping[str, Any]], kept: Sequence[int], live: bool
) -> dict[str, Any]:
    """The film of these snapshots."""
    steps = [state.snapshots[at]["step"] for at in kept]
    told = [layout.told(derived_at(state, at)) for at in kept]
    believes = has_opinion(state)
    return {
        "scene": layout.scene,
        "live": live,
        "rows": layout.form,
        "n": len(kept) if believes else 0,
        "f": _text(_frames(state.snapshots, kept, layout)) if believes else "",
        "steps": steps,
        "ep": [_epoch(state.snapshots[at]) for at in kept],
        "d": changes(told, layout, newest_only=live),
        "s": _text(_sampled(state.snapshots, kept, layout)),
        "ev": _placed(marks, steps, live),
    }


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()


def has_opinion(state: RunState) -> bool:
    """Whether the method's probabilities say anything; a method that is not known is taken at its word."""
    name = str(state.spec.method.get("method"))
    return name not in METHODS or bool(METHODS[name].facts["believes"])


def derived_at(state: RunState, number: int) -> Any:
    """The choices that would have been derived at that snapshot; at the last one those that were, once they are.

    None where a method has no opinion before its end: the largest of equal probabilities is no choice.
    """
    if number == len(state.snapshots) - 1:
        found = [mark["data"] for mark in state.measurements if mark["name"] == "derived"]
        if found and isinstance(found[-1], Mapping):
            return found[-1].get("architecture")
    return state.snapshots[number].get("derived") if has_opinion(state) else None


def _epoch(snapshot: Snapshot) -> float:
    epoch = snapshot.get("epoch")
    return round(float(epoch), 2) if epoch is not None and is_number(epoch) else 0.0


# -- which snapshots become frames ------------------------------------------------------------------------------------


def _newest(state: RunState, count: int) -> range:
    """So many snapshots at the end, or all."""
    return range(max(0, len(state.snapshots) - count), len(state.snapshots))


def _thinned(state: RunState, marks: Sequence[Mapping[str, Any]]) -> Sequence[int]:
    """At most MOST_FRAMES: the first, the last, changes and marks; the room that is left is shared out evenly."""
    total = len(state.snapshots)
    if total <= MOST_FRAMES:
        return range(total)
    steps = list(accumulate((snapshot["step"] for snapshot in state.snapshots), max))
    needed = {0, total - 1, *_changed(state.snapshots), *(_frame(steps, mark["step"]) for mark in marks)}
    if len(needed) > MOST_FRAMES:
        return _evenly(sorted(needed), MOST_FRAMES)
    others = [at for at in range(total) if at not in needed]
    return sorted([*needed, *_evenly(others, MOST_FRAMES - len(needed))])


def _changed(snapshots: Sequence[Snapshot]) -> Iterator[int]:
    """Where something else would be derived than before."""
    for at in range(1, len(snapshots)):
        if snapshots[at].get("derived") != snapshots[at - 1].get("derived"):
            yield at


def _evenly(found: Sequence[int], count: int) -> list[int]:
    """`count` of them, first and last included, spread evenly; all where there are no more."""
    if len(found) <= count or count < 2:
        return list(found[: max(0, count)])
    return [found[round(at * (len(found) - 1) / (count - 1))] for at in range(count)]


# -- what stands in a frame -------------------------------------------------------------------------------------------


def _frames(snapshots: Sequence[Snapshot], kept: Sequence[int], layout: Layout) -> bytes:
    """The probabilities of the kept snapshots, row behind row, as bytes."""
    asked = [(row.label, [one.key for one in row.candidates]) for row in layout.rows]
    before = [layout.uniform[row.start : row.start + len(row.candidates)] for row in layout.rows]
    found = []
    last = -1
    for at in kept:
        frame = []
        for number, (label, keys) in enumerate(asked):
            held = _shares(snapshots[at], label, keys)
            if held is None:
                held = _latest(snapshots[last + 1 : at], label, keys) or before[number]
            before[number] = held
            frame.append(held)
        found.append(b"".join(frame))
        last = at
    return b"".join(found)


def _shares(snapshot: Snapshot, label: str, keys: Sequence[str]) -> bytes | None:
    """A row of probabilities as bytes; None where it is no row of this choice."""
    try:
        row = snapshot["probabilities"][label]
        return bytes([int(255 * row[key] + 0.5) for key in keys]) if len(row) == len(keys) else None
    except (KeyError, TypeError, ValueError, OverflowError):
        return None


def _latest(snapshots: Sequence[Snapshot], label: str, keys: Sequence[str]) -> bytes | None:
    rows = (_shares(snapshot, label, keys) for snapshot in reversed(snapshots))
    return next((row for row in rows if row is not None), None)


def changes(
    told: Sequence[Told | None], layout: Layout, newest_only: bool = False, gaps: bool = False
) -> list[list[Any]]:
    """[frame, columns, code, genotype] wherever another architecture begins.

    What is none changes nothing; with `gaps` it ends the one before. Genotypes are long: each stands once, and when
    there is no room for all, the newest have theirs.
    """
    found: list[list[Any]] = []
    before: str | None = None
    for at, one in enumerate(told):
        code = one.code if one else None
        if code != before and (one or gaps):
            found.append([at, one.columns if one else [], code or "", ""])
            before = code
    first = {entry[2]: entry for entry in reversed(found)}
    room = TEXT_CHARACTERS
    for code in dict.fromkeys(entry[2] for entry in reversed(found[-1:] if newest_only else found)):
        text = layout.genotype(code)
        room -= len(text)
        if room < 0:
            break
        first[code][3] = text
    return found


def _sampled(snapshots: Sequence[Snapshot], kept: Sequence[int], layout: Layout) -> bytes:
    """For each frame and row the candidate of the architecture sampled last; nothing where none ever was."""
    codes = [_last_code(snapshots[at].get("sampled")) for at in kept]
    if not any(codes):
        return b""
    return b"".join(_paths(layout.read(code), layout) for code in codes)


def _last_code(sampled: Any) -> str | None:
    try:
        return sampled[-1]["architecture"]
    except (KeyError, IndexError, TypeError):
        return None


def _paths(told: Told | None, layout: Layout) -> bytes:
    """A byte a row; of several sources there is no single one to name."""
    if told is None:
        return bytes([NONE] * len(layout.rows))
    return bytes(
        held[0] - row.start if len(held) == 1 else NONE
        for row, held in zip(layout.rows, told.held, strict=True)
    )


# -- marks ------------------------------------------------------------------------------------------------------------


def _marks(state: RunState) -> list[Mapping[str, Any]]:
    """Alarms, guards and checkpoints in their order."""
    return [
        mark for mark in state.measurements if mark["name"] in MARKED and isinstance(mark["data"], Mapping)
    ]


def _frame(steps: Sequence[int], step: int) -> int:
    """The first frame that has come to `step`; the last where none has."""
    return min(bisect_left(steps, step), max(0, len(steps) - 1))


def _placed(marks: Sequence[Mapping[str, Any]], steps: Sequence[int], live: bool) -> list[list[Any]]:
    """The marks at their frames, a live film's from its first frame on; of too many the newest, sentences first."""
    if not steps:
        return []
    rising, most = list(accumulate(steps, max)), LIVE_MARKS if live else MOST_MARKS
    seen = [mark for mark in marks if not live or mark["step"] >= steps[0]]
    told = [mark for mark in seen if mark["name"] != CHECKPOINT][-most:]
    saved = [mark for mark in seen if mark["name"] == CHECKPOINT]
    kept = [*told, *saved[max(0, len(saved) - (most - len(told))) :]]
    placed = [[_frame(rising, mark["step"]), mark["name"], _sentence(mark)] for mark in kept]
    return sorted(placed, key=lambda mark: mark[0])


def _sentence(mark: Mapping[str, Any]) -> str:
    if mark["name"] == CHECKPOINT:
        return f"checkpoint of step {mark['step']}"
    return shown(str(mark["data"].get("sentence", "")), SENTENCE)
