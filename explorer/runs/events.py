"""Events: the words in which a run tells its story. Each has a kind, a time, a number within its run, and
data.

Appended once and never changed; what they add up to is `state.py`'s business, whether one may follow is
`rules.py`'s.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

from explorer.errors import CodecError
from explorer.runs.assessment_schema import assessment_problem
from explorer.runs.bounds import MAX_LEAVES, MAX_WHOLE, bounded, excess, is_number, is_whole
from explorer.runs.feature_schema import feature_problem
from explorer.runs.snapshot_schema import measured_problem, snapshot_problem
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
# measurements that the fold reads: a changed plan {trials, workers}; stopped trials that are to be finished {trials};
# a trial by hand that waits {trial_id, parameters}, or is taken back (parameters null)
PLAN, FINISH, HAND = "plan", "finish", "by_hand"
ENDED = ("succeeded", "early_stopped", "failed", "cancelled")

MOST_PARENTS = 8

_LARGEST_SEED = 2**63
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
        if not isinstance(line["run_id"], str) or not is_whole(line["seq"], 1):
            raise CodecError(
                f"An event's run_id is a text and its seq a whole number from 1; got {line['seq']!r:.60}."
            )
        problem = data_problem(line["kind"], line["data"])
        if problem:
            raise CodecError(problem)
        return cls(line["run_id"], line["seq"], _seconds(line["time"]), line["kind"], line["data"])


def data_problem(kind: Any, data: Any) -> str | None:
    """What is wrong with an event's kind or data, as one sentence, or None.

    Whatever passes can be folded, listed, drawn and exported. Not looked into is the spec of a run_queued: what a
    run's settings may be is `checks.py`'s business.
    """
    if not isinstance(kind, str) or kind not in EVENT_KINDS:
        return f"No event is called {kind!r:.60}; known: {', '.join(EVENT_KINDS)}."
    if not isinstance(data, Mapping):
        return f"The data of {kind} is a {type(data).__name__}; give a mapping."
    missing = [key for key in EVENT_KINDS[kind] if key not in data]
    if missing:
        return f"{kind} lacks {', '.join(missing)}."
    too_much = excess({key: value for key, value in data.items() if key != "spec"})
    if too_much:
        return f"{kind} holds {too_much}."
    wrong = [key for key in EVENT_KINDS[kind] if not _fits(key, data[key], kind)]
    if wrong:
        return f"{kind} has an impossible {wrong[0]}: {data[wrong[0]]!r:.200}."
    beyond = _BEYOND[kind](data) if kind in _BEYOND else None
    return f"{kind} has {beyond}." if beyond else None


def clean(data: Mapping[str, Any]) -> tuple[dict[str, Any], tuple[str, ...]]:
    """`data` as plain JSON, and the places where numbers that are not finite, or beyond all bounds, became null."""
    cleaned, lost = plain(data)
    if excess(cleaned) is None:
        return cleaned, lost
    cleaned, more = bounded(cleaned)
    return cleaned, lost + more


def _fits(key: str, value: Any, kind: str) -> bool:
    if key in _INTEGERS:
        return is_whole(value)
    if key in _NUMBERS:
        return value is None or is_number(value)
    if key in _MAPPINGS:
        return isinstance(value, Mapping)
    if key in _OPTIONAL_MAPPINGS:
        return value is None or isinstance(value, Mapping)
    if key in _OPTIONAL_TEXTS:
        return isinstance(value, str) or (value is None and kind == "trial_ended")
    if key == "seed":
        return value is None or is_whole(value, -_LARGEST_SEED, _LARGEST_SEED)
    return key not in _TEXTS or (isinstance(value, str) and (key != "status" or value in ENDED))


def _start_problem(data: Mapping[str, Any]) -> str | None:
    """What a trial's start may say beyond what it must: its epochs, who asked for it, which trial it goes on with; in a
    search of architectures the trials that it comes from and the search's phase or generation.
    """
    for key in ("budget", "repeat_of", "phase"):
        if data.get(key) is not None and not is_whole(data[key]):
            return f"an impossible {key}: {data[key]!r:.60}; give a whole number up to {MAX_WHOLE:,}"
    if data.get("origin", "tuner") not in ORIGINS:
        return f"an impossible origin: {data['origin']!r:.60}"
    if not isinstance(data.get("continues", False), bool):
        return f"an impossible continues: {data['continues']!r:.60}"
    parents = data.get("parents", ())
    if not _are_trials(parents) or len(parents) > MOST_PARENTS:
        return f"impossible parents: {parents!r:.60}; give the numbers of at most {MOST_PARENTS} trials"
    for key in _OPTIONAL_MAPPINGS:
        too_many = excess(data[key], MAX_LEAVES)
        if too_many:
            return f"{key} that hold {too_many}"
    return None


def _resumed_problem(data: Mapping[str, Any]) -> str | None:
    """What a resumed attempt may be asked: to train a trial again with so many seeds (a one-shot run: the derived
    architecture and so many `rivals`, for `epochs`), to finish stopped trials, to measure by name.
    """
    retrain = data.get("retrain")
    if retrain is not None and not (
        isinstance(retrain, Mapping)
        and is_whole(retrain.get("trial_id"))
        and is_whole(retrain.get("seeds"))
        and is_whole(retrain.get("rivals", 0))
        and is_whole(retrain.get("epochs", 1), 1)
    ):
        return f"an impossible retrain: {retrain!r:.200}"
    measure = data.get("measure", [])
    if not isinstance(measure, list | tuple) or not all(isinstance(name, str) for name in measure):
        return f"an impossible measure: {measure!r:.200}"
    return None if _are_trials(data.get("finish", [])) else f"an impossible finish: {data['finish']!r:.200}"


def _measured_problem(data: Mapping[str, Any]) -> str | None:
    """The measurements that the fold reads; the others are whatever was measured."""
    name, measured = data["name"], data["data"]
    known = _MEASURED.get(name)
    wrong = (
        measured_problem(name, measured) or feature_problem(name, measured)
        if known is None
        else not (isinstance(measured, Mapping) and known(measured))
    )
    if not wrong:
        return None
    return f"impossible data for {name}: {measured!r:.200}"


def _is_by_hand(asked: Mapping[str, Any]) -> bool:
    """A trial that a person added, or (parameters null) took back."""
    parameters = asked.get("parameters", ())
    return (
        is_whole(asked.get("trial_id"))
        and (parameters is None or isinstance(parameters, Mapping))
        and excess(parameters, MAX_LEAVES) is None
    )


def _are_trials(numbers: Any) -> bool:
    return isinstance(numbers, list | tuple) and all(map(is_whole, numbers))


_MEASURED: Mapping[str, Callable[[Mapping[str, Any]], bool]] = MappingProxyType(
    {
        PLAN: lambda plan: is_whole(plan.get("trials")) and is_whole(plan.get("workers")),
        FINISH: lambda asked: _are_trials(asked.get("trials")),
        HAND: _is_by_hand,
    }
)
# kind -> what is wrong with it beyond the keys that it must have, as the end of a sentence
_BEYOND: Mapping[str, Callable[[Mapping[str, Any]], str | None]] = MappingProxyType(
    {
        "run_resumed": _resumed_problem,
        "trial_started": _start_problem,
        "assessment": assessment_problem,
        "architecture_snapshot": snapshot_problem,
        "measurement": _measured_problem,
    }
)


def _seconds(text: Any) -> float:
    try:
        return datetime.fromisoformat(text).timestamp()
    except (TypeError, ValueError, OverflowError):
        raise CodecError(
            f"An event's time is {text!r}; give ISO 8601 in UTC, such as 2030-01-31T12:00:00Z."
        ) from None
