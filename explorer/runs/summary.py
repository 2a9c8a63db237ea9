"""RunSummary: what a list of runs shows, kept up to date event by event. `summarise(fold(events))` gives the
same.

The store keeps the summary in the run's row and the ledger (one entry a trial, needed only to go on counting)
beside it, so that a list of a thousand runs reads a thousand short rows and no events.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any

from explorer.errors import Conflict
from explorer.runs.events import CLOSED, PLAN, TERMINAL, Event
from explorer.runs.rules import refusal
from explorer.runs.spec import RunSpec
from explorer.runs.state import RunState


@dataclass(frozen=True)
class RunSummary:
    """One line about a run. Times are seconds since 1970; `counts` is trial status -> number of trials.

    Retrainings count in `repeats`, not in `counts`, and never compete for `best_value`. The fields from
    `name` on are kept by the store beside the events.
    """

    run_id: str
    kind: str
    space: str
    dataset: str
    method: Mapping[str, Any]
    optimize_mode: str
    trials: int
    epochs: int
    seed: int
    parent: str | None
    pinned: bool = False
    status: str = "queued"
    attempt: int = 1
    reason: str | None = None
    counts: Mapping[str, int] = field(default_factory=dict)
    repeats: int = 0
    best_trial_id: int | None = None
    best_value: float | None = None
    warnings: int = 0
    snapshots: int = 0
    last_seq: int = 0
    created: float | None = None
    started: float | None = None
    ended: float | None = None
    updated: float | None = None
    attempt_started: float | None = None
    cost_before: float = 0.0
    cost_seconds: float = 0.0
    name: str = field(default="", compare=False)
    note: str = field(default="", compare=False)
    visitor: str | None = field(default=None, compare=False)
    heartbeat: float | None = field(default=None, compare=False)

    @property
    def is_over(self) -> bool:
        """Whether the newest attempt has ended."""
        return self.status in CLOSED

    @property
    def trials_done(self) -> int:
        """Trials that came to their own end; a cancelled one is still missing.

        Retrainings do not count, except where they are the run: one architecture with several seeds.
        """
        ended = sum(self.counts.get(status, 0) for status in ("succeeded", "early_stopped", "failed"))
        return ended + self.repeats if self.pinned else ended

    def to_json(self) -> dict[str, Any]:
        """A plain dict, the store's own fields included."""
        return asdict(self)

    @classmethod
    def from_json(cls, form: Mapping[str, Any]) -> RunSummary:
        """The inverse of `to_json`."""
        return cls(**form)


@dataclass(frozen=True)
class Entry:
    """What the ledger keeps of a trial; without a `budget` of its own it has the run's epochs."""

    status: str
    value: float | None = None
    repeat: bool = False
    budget: int | None = None


@dataclass(frozen=True)
class Ledger:
    """A summary and what is needed to advance it."""

    summary: RunSummary
    trials: Mapping[int, Entry] = field(default_factory=dict)

    def refusal(self, kind: str, data: Mapping[str, Any]) -> str | None:
        """Why an event may not come next, or None."""
        known = self.trials.get(data["trial_id"]) if "trial_id" in data else None
        return refusal(self.summary.status, known.status if known else None, kind, data)

    def trials_json(self) -> dict[str, Any]:
        """{"seq": the event up to which this counts, "trials": trial id -> [status, value, repeat, budget]}"""
        return {
            "seq": self.summary.last_seq,
            "trials": {
                str(trial_id): [entry.status, entry.value, entry.repeat, entry.budget]
                for trial_id, entry in self.trials.items()
            },
        }

    @classmethod
    def restore(
        cls, summary: Mapping[str, Any], kept: Mapping[str, Any], since: Callable[[int], Iterable[Event]]
    ) -> Ledger:
        """A run's ledger from its row: the trials as they were kept, advanced by the events `since` then.

        The trials are written only now and then (`Store`): with thousands of them they are far longer than an event.
        """
        known = RunSummary.from_json(summary)
        rows = kept.get("trials", kept)  # a store of the first days kept the trials alone, always up to date
        seq = kept.get("seq", known.last_seq)
        if any(len(entry) < len(fields(Entry)) for entry in rows.values()):
            rows, seq = {}, 0  # written before budgets were kept: counted anew
        trials = {int(key): Entry(*entry) for key, entry in rows.items()}
        if seq < known.last_seq:
            running = {key for key, entry in trials.items() if entry.status == "running"}
            for event in since(seq):
                _change(trials, running, event)
        return cls(known, trials)


def begin(event: Event) -> Ledger:
    """The ledger after a run's first event, its `run_queued`."""
    about = _about(event.run_id, RunSpec.restore(event.data["spec"]))
    return Ledger(RunSummary(**about, created=event.time, updated=event.time, last_seq=event.seq))


def advance(ledger: Ledger, event: Event) -> Ledger:
    """The ledger one event later; `event` must be one that `refusal` lets pass.

    Trials are copied only where the event is about one, and counts and best are adjusted, not counted again: at ten
    thousand trials an event still costs well under a millisecond.
    """
    known = vars(ledger.summary)
    changes = _run_after(known, event) | _cost_after(known, event)
    trials = ledger.trials
    if event.kind in TERMINAL:
        trials = dict(trials)
        _change(trials, {key for key, entry in trials.items() if entry.status == "running"}, event)
        changes |= _tally(trials, known)
    elif event.kind in _OF_A_TRIAL:
        trials = dict(trials)
        _change(trials, set(), event)
        changes |= _adjusted(ledger, trials, event.data["trial_id"])
    return Ledger(replace(ledger.summary, **changes, last_seq=event.seq, updated=event.time), trials)


def replay(events: Iterable[Event]) -> Ledger:
    """The ledger of a whole story; raises Conflict at the first event that may not stand where it stands.

    The same as `begin` and `advance` event by event, with one draft for all of them: its time grows with the number of
    events only.
    """
    draft: dict[str, Any] | None = None
    trials: dict[int, Entry] = {}
    running: set[int] = set()
    for number, event in enumerate(events, start=1):
        if event.seq != number:
            raise Conflict(
                f"Event {number} is numbered {event.seq}; a run's events count from 1 without gaps."
            )
        if draft is None and event.kind != "run_queued":
            raise Conflict(f"A run's story begins with run_queued, not with {event.kind}.")
        if draft is None:
            draft = dict(vars(begin(event).summary))
            continue
        about = trials.get(event.data["trial_id"]) if "trial_id" in event.data else None
        refused = refusal(draft["status"], about.status if about else None, event.kind, event.data)
        if refused:
            raise Conflict(f"Event {number}: {refused}")
        draft |= _run_after(draft, event) | _cost_after(draft, event)
        draft |= {"last_seq": event.seq, "updated": event.time}
        _change(trials, running, event)
    if draft is None:
        raise Conflict("A run needs at least one event.")
    return Ledger(RunSummary(**draft | _tally(trials, draft)), trials)


def summarise(state: RunState) -> RunSummary:
    """The summary of a folded run."""
    own = [trial for trial in state.trials.values() if trial.repeat_of is None]
    best = state.best
    return RunSummary(
        **_about(state.run_id, state.spec) | {"trials": state.planned_trials},
        status=state.status,
        attempt=state.attempt,
        reason=state.reason,
        counts=dict(Counter(trial.status for trial in own)),
        repeats=len(state.trials) - len(own),
        best_trial_id=best.trial_id if best else None,
        best_value=best.value if best else None,
        warnings=len(state.warnings),
        snapshots=len(state.snapshots),
        last_seq=state.last_seq,
        created=state.created,
        started=state.started,
        ended=state.ended,
        updated=state.updated,
        attempt_started=state.attempt_started,
        cost_before=state.cost_before,
        cost_seconds=state.cost_seconds,
    )


def _about(run_id: str, spec: RunSpec) -> dict[str, Any]:
    return {
        "run_id": run_id,
        "kind": spec.kind,
        "space": spec.subject,
        "dataset": spec.dataset,
        "method": dict(spec.method),
        "optimize_mode": spec.optimize_mode,
        "trials": spec.planned_trials,
        "epochs": spec.epochs,
        "seed": spec.seed,
        "parent": spec.parent,
        "pinned": spec.architecture is not None and spec.kind == "random",
    }


_OF_A_TRIAL = ("trial_started", "final_result", "trial_ended")


def _change(trials: dict[int, Entry], running: set[int], event: Event) -> None:
    """What the event does to the trials; `running` are those that a terminal event ends."""
    data = event.data
    if event.kind == "trial_started":
        trials[data["trial_id"]] = Entry(
            "running", None, data.get("repeat_of") is not None, data.get("budget")
        )
        running.add(data["trial_id"])
    elif event.kind == "final_result":
        trials[data["trial_id"]] = replace(trials[data["trial_id"]], value=data["value"])
    elif event.kind == "trial_ended":
        trials[data["trial_id"]] = replace(trials[data["trial_id"]], status=data["status"])
        running.discard(data["trial_id"])
    elif event.kind in TERMINAL:
        fate = "failed" if event.kind == "run_failed" else "cancelled"
        for key in running:
            trials[key] = replace(trials[key], status=fate)
        running.clear()


def _run_after(known: Mapping[str, Any], event: Event) -> dict[str, Any]:
    if event.kind == "run_started":
        first = event.time if known["started"] is None else known["started"]
        return {"status": "running", "started": first, "attempt_started": event.time}
    if event.kind == "run_paused":
        return {"status": "paused"}
    if event.kind == "run_resumed" and known["status"] == "paused":
        return {"status": "running"}
    if event.kind == "run_resumed":
        return {"status": "queued", "attempt": known["attempt"] + 1, "reason": None, "ended": None}
    if event.kind in TERMINAL:
        return {"status": TERMINAL[event.kind], "reason": event.data.get("reason"), "ended": event.time}
    if event.kind == "measurement" and event.data["name"] == PLAN:
        return {"trials": event.data["data"]["trials"]}
    if event.kind == "warning":
        return {"warnings": known["warnings"] + 1}
    return {"snapshots": known["snapshots"] + 1} if event.kind == "architecture_snapshot" else {}


def _cost_after(known: Mapping[str, Any], event: Event) -> dict[str, Any]:
    if known["attempt_started"] is None:
        return {}
    cost = known["cost_before"] + max(0.0, event.time - known["attempt_started"])
    over = {"cost_before": cost, "attempt_started": None} if event.kind in TERMINAL else {}
    return {"cost_seconds": cost, **over}


def _adjusted(ledger: Ledger, trials: Mapping[int, Entry], trial_id: int) -> dict[str, Any]:
    """The tally after the entry of one trial has changed; counted anew only where the best trial itself has changed."""
    summary, old, new = ledger.summary, ledger.trials.get(trial_id), trials[trial_id]
    if trial_id == summary.best_trial_id:
        return _tally(trials, vars(summary))
    counts, repeats = Counter(summary.counts), summary.repeats
    for entry, step in ((old, -1), (new, 1)):
        if entry is not None and entry.repeat:
            repeats += step
        elif entry is not None:
            counts[entry.status] += step
    found = {"counts": {status: count for status, count in counts.items() if count}, "repeats": repeats}
    rivals = [key for key in (summary.best_trial_id, trial_id) if key is not None and _competes(trials[key])]
    return found | _best({key: trials[key] for key in rivals}, vars(summary))


def _competes(entry: Entry) -> bool:
    return not entry.repeat and entry.status == "succeeded" and entry.value is not None


def _best(rivals: Mapping[int, Entry], about: Mapping[str, Any]) -> dict[str, Any]:
    """The best of trials that compete, as `RunState.best` has it; `about` is the run's summary."""
    sign = -1 if about["optimize_mode"] == "minimize" else 1

    def standing(trial_id: int) -> tuple[int, float, int]:
        entry = rivals[trial_id]
        budget = about["epochs"] if entry.budget is None else entry.budget
        return budget, sign * (entry.value or 0.0), -trial_id

    best = max(rivals, key=standing, default=None)
    return {"best_trial_id": best, "best_value": None if best is None else rivals[best].value}


def _tally(trials: Mapping[int, Entry], about: Mapping[str, Any]) -> dict[str, Any]:
    own = [entry for entry in trials.values() if not entry.repeat]
    rivals = {key: entry for key, entry in trials.items() if _competes(entry)}
    return {
        "counts": dict(Counter(entry.status for entry in own)),
        "repeats": len(trials) - len(own),
        **_best(rivals, about),
    }
