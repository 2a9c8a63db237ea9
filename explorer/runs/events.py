"""Events: the words in which a run tells its story. Each has a kind, a time, a number within its run, and
data.

Appended once and never changed; what they add up to is `state.py`'s business, whether one may follow is
`rules.py`'s.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

from explorer.errors import CodecError
from explorer.runs.text import plain

# kind -> keys that its data must hold; more are welcome.
EVENT_KINDS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "run_queued": ("spec",),
        "run_started": (),
        "run_paused": (),
        "run_resumed": (),
        "trial_started": ("trial_id", "parameters", "architecture", "seed"),
        "intermediate_result": ("trial_id", "step", "value", "metrics"),
        "assessment": ("trial_id", "step", "decision"),
        "final_result": ("trial_id", "value", "metrics"),
        "trial_ended": ("trial_id", "status", "reason"),
        "architecture_snapshot": ("step", "probabilities"),
        "measurement": ("name", "step", "data"),
        "warning": ("message",),
        "run_finished": (),
        "run_failed": ("reason",),
        "run_cancelled": ("reason",),
        "run_lost": ("reason",),
    }
)

# terminal kind -> the run's status afterwards
TERMINAL: Mapping[str, str] = MappingProxyType(
    {"run_finished": "finished", "run_failed": "failed", "run_cancelled": "cancelled", "run_lost": "lost"}
)
CLOSED = frozenset(TERMINAL.values())
RUN_STATUSES = ("queued", "running", "paused", "finished", "failed", "cancelled", "lost")
ORIGINS = ("tuner", "hand")
# measurements that the fold reads: a changed plan {trials, workers}; stopped trials that are to be finished {trials}
PLAN, FINISH = "plan", "finish"
ENDED = ("succeeded", "early_stopped", "failed", "cancelled")

_INTEGERS = ("trial_id", "step")
_NUMBERS = ("value",)
_MAPPINGS = ("spec", "metrics", "probabilities")
_TEXTS = ("decision", "status", "message", "name")
_OPTIONAL_TEXTS = ("reason",)
_OPTIONAL_MAPPINGS = ("parameters", "architecture")


@dataclass(frozen=True)
class Event:
    """One thing that happened.

    `seq` counts from 1 without gaps within a run; `time` is seconds since 1970, UTC.
    """

    run_id: str
    seq: int
    time: float
    kind: str
    data: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """The event line: run_id, seq, time (ISO 8601, UTC), kind, data."""
        when = (
            datetime.fromtimestamp(self.time, UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
        )
        return {
            "run_id": self.run_id,
            "seq": self.seq,
            "time": when,
            "kind": self.kind,
            "data": dict(self.data),
        }

    @classmethod
    def from_json(cls, line: Any) -> Event:
        """The inverse of `to_json`; raises CodecError with one sentence."""
        if not isinstance(line, dict) or set(line) != {"run_id", "seq", "time", "kind", "data"}:
            raise CodecError("An event needs exactly the keys run_id, seq, time, kind and data.")
        if not isinstance(line["run_id"], str) or not _whole(line["seq"]) or line["seq"] < 1:
            raise CodecError(
                f"An event's run_id is a text and its seq a whole number from 1; got {line['seq']!r}."
            )
        problem = data_problem(line["kind"], line["data"])
        if problem:
            raise CodecError(problem)
        return cls(line["run_id"], line["seq"], _seconds(line["time"]), line["kind"], line["data"])


def data_problem(kind: Any, data: Any) -> str | None:
    """What is wrong with an event's kind or data, as one sentence, or None."""
    if not isinstance(kind, str) or kind not in EVENT_KINDS:
        return f"No event is called {kind!r}; known: {', '.join(EVENT_KINDS)}."
    if not isinstance(data, Mapping):
        return f"The data of {kind} is a {type(data).__name__}; give a mapping."
    missing = [key for key in EVENT_KINDS[kind] if key not in data]
    if missing:
        return f"{kind} lacks {', '.join(missing)}."
    wrong = [key for key in EVENT_KINDS[kind] if not _fits(key, data[key], kind)]
    if wrong:
        return f"{kind} has an impossible {wrong[0]}: {data[wrong[0]]!r}."[:300]
    if kind == "run_resumed" and not _is_wish(data.get("retrain")):
        return f"run_resumed has an impossible retrain: {data['retrain']!r}."[:300]
    if kind == "run_resumed" and not _are_trials(data.get("finish", [])):
        return f"run_resumed has an impossible finish: {data['finish']!r}."[:300]
    if kind == "trial_started" and not _is_start(data):
        return "trial_started has an impossible budget, origin, continues or repeat_of."
    if kind == "measurement" and not _is_measured(data["name"], data["data"]):
        return f"The measurement {data['name']} has impossible data: {data['data']!r}."[:300]
    return None


def clean(data: Mapping[str, Any]) -> tuple[dict[str, Any], tuple[str, ...]]:
    """`data` as plain JSON, and the places where numbers that are not finite became null."""
    cleaned, lost = plain(data)
    return cleaned, lost


def _fits(key: str, value: Any, kind: str) -> bool:
    if key in _INTEGERS:
        return _whole(value) and value >= 0
    if key in _NUMBERS:
        return value is None or (isinstance(value, int | float) and not isinstance(value, bool))
    if key in _MAPPINGS:
        return isinstance(value, Mapping)
    if key in _OPTIONAL_MAPPINGS:
        return value is None or isinstance(value, Mapping)
    if key in _OPTIONAL_TEXTS:
        return isinstance(value, str) or (value is None and kind == "trial_ended")
    if key == "seed":
        return value is None or _whole(value)
    return key not in _TEXTS or (isinstance(value, str) and (key != "status" or value in ENDED))


def _is_wish(retrain: Any) -> bool:
    """What a resumed attempt may be asked to train again: nothing, or a trial with so many seeds."""
    if retrain is None:
        return True
    numbers: list[Any] = (
        [retrain.get("trial_id"), retrain.get("seeds")] if isinstance(retrain, Mapping) else [None]
    )
    return all(_whole(number) and number >= 0 for number in numbers)


def _are_trials(numbers: Any) -> bool:
    return isinstance(numbers, list | tuple) and all(_whole(number) and number >= 0 for number in numbers)


def _is_start(data: Mapping[str, Any]) -> bool:
    """What a trial's start may say beyond what it must: its epochs, who asked for it, which trial it goes on with."""
    numbers = [data[key] for key in ("budget", "repeat_of") if data.get(key) is not None]
    return (
        all(_whole(number) and number >= 0 for number in numbers)
        and data.get("origin", "tuner") in ORIGINS
        and isinstance(data.get("continues", False), bool)
    )


def _is_measured(name: str, data: Any) -> bool:
    """The two measurements that the fold reads; the others are whatever was measured."""
    if name == PLAN:
        return isinstance(data, Mapping) and all(
            _whole(data.get(k)) and data[k] >= 0 for k in ("trials", "workers")
        )
    return name != FINISH or (isinstance(data, Mapping) and _are_trials(data.get("trials")))


def _whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _seconds(text: Any) -> float:
    try:
        return datetime.fromisoformat(text).timestamp()
    except (TypeError, ValueError, OverflowError):
        raise CodecError(
            f"An event's time is {text!r}; give ISO 8601 in UTC, such as 2030-01-31T12:00:00Z."
        ) from None
