"""RunState: what a run's events add up to. A pure fold; nothing here reads a clock, a store or a file."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

from explorer.runs.events import CLOSED, FINISH, HAND, PLAN, TERMINAL, Event
from explorer.runs.spec import RunSpec


def _nothing() -> Mapping[Any, Any]:
    return MappingProxyType({})


@dataclass(frozen=True)
class Trial:
    """One evaluation.

    `intermediate` holds (step, value, metrics); `repeat_of` the trial whose retraining this is. With `continues`
    it is no retraining but goes on where that trial was stopped, for comparison only. `budget` is how many epochs it
    was given, `origin` who proposed it (tuner or hand). In a search of architectures `parents` are the trials that it
    was made from and `phase` what the catalogue's fact `generation` says of its strategy: the descent, the rung, ...
    """

    trial_id: int
    status: str
    parameters: Mapping[str, Any] | None = None
    architecture: Mapping[str, Any] | None = None
    seed: int | None = None
    intermediate: tuple[tuple[int, float | None, Mapping[str, Any]], ...] = ()
    value: float | None = None
    metrics: Mapping[str, Any] = field(default_factory=_nothing)
    reason: str | None = None
    started: float | None = None
    ended: float | None = None
    repeat_of: int | None = None
    budget: int | None = None
    origin: str = "tuner"
    continues: bool = False
    parents: tuple[int, ...] = ()
    phase: int | None = None

    @property
    def seconds(self) -> float | None:
        """How long it took, in seconds; None while it runs."""
        return None if self.started is None or self.ended is None else self.ended - self.started


@dataclass(frozen=True)
class RunState:
    """Everything known about a run after event `last_seq`. Times are seconds since 1970; `attempt` counts
    from 1.

    `resumed` is the data of the `run_resumed` that opened this attempt, `retrains` what all attempts were asked
    to train again ({"trial_id", "seeds"}, in order), `snapshots` every architecture_snapshot,
    `cost_seconds` the worker's time over all attempts. `planned_trials` and `workers` are what was asked for,
    changes while running included; `finishes` the stopped trials that were to be finished; `by_hand` the
    trials that a person added ({"trial_id", "parameters"}), begun or not; `turns` who started
    and ended in which order, as (trial, whether it ended).
    """

    run_id: str
    spec: RunSpec
    status: str = "queued"
    attempt: int = 1
    reason: str | None = None
    trials: Mapping[int, Trial] = field(default_factory=_nothing)
    warnings: tuple[str, ...] = ()
    measurements: tuple[Mapping[str, Any], ...] = ()
    assessments: tuple[Mapping[str, Any], ...] = ()
    snapshots: tuple[Mapping[str, Any], ...] = ()
    resumed: Mapping[str, Any] = field(default_factory=_nothing)
    retrains: tuple[Mapping[str, Any], ...] = ()
    planned_trials: int = 0
    workers: int = 0
    finishes: tuple[int, ...] = ()
    by_hand: tuple[Mapping[str, Any], ...] = ()
    turns: tuple[tuple[int, bool], ...] = ()
    last_seq: int = 0
    created: float | None = None
    started: float | None = None
    ended: float | None = None
    updated: float | None = None
    attempt_started: float | None = None
    cost_before: float = 0.0
    cost_seconds: float = 0.0

    @property
    def order(self) -> tuple[int, ...]:
        """The trials in the order in which they ended; one that was lost with its process did not."""
        return tuple(trial_id for trial_id, is_end in self.turns if is_end)

    @property
    def snapshot(self) -> Mapping[str, Any] | None:
        """The newest snapshot of a one-shot search."""
        return self.snapshots[-1] if self.snapshots else None

    @property
    def is_over(self) -> bool:
        """Whether the newest attempt has ended."""
        return self.status in CLOSED

    @property
    def best(self) -> Trial | None:
        """The succeeded trial with the best value among those of the largest budget, since a shorter training's result
        does not compare with theirs; retrainings (`repeat_of`) do not compete; the first wins a tie.
        """
        sign = -1 if self.spec.optimize_mode == "minimize" else 1
        rivals = [
            trial
            for trial in self.trials.values()
            if trial.status == "succeeded" and trial.value is not None and trial.repeat_of is None
        ]
        return max(
            rivals,
            key=lambda trial: (self.epochs_of(trial), sign * (trial.value or 0.0), -trial.trial_id),
            default=None,
        )

    def epochs_of(self, trial: Trial) -> int:
        """How many epochs it was given: those of the run where it has no budget of its own."""
        return self.spec.epochs if trial.budget is None else trial.budget


def fold(events: Iterable[Event], state: RunState | None = None) -> RunState:
    """`state` advanced by `events`, in order; the first event of a run must be its `run_queued`.

    Folding in pieces equals folding at once. Costs one copy of the trials a call, not one an event.
    """
    draft: dict[str, Any] | None = None if state is None else _open(state)
    for event in events:
        if draft is None:
            draft = _open(_begin(event))
        elif event.seq <= draft["last_seq"]:
            continue  # already known
        else:
            _STEPS[event.kind](draft, event)
        _count(draft, event)
    if draft is None:
        raise ValueError("A state needs at least one event; an empty story has none.")
    return _close(draft)


def _begin(event: Event) -> RunState:
    if event.kind != "run_queued":
        raise ValueError(f"A run's story begins with run_queued, not with {event.kind}.")
    spec = RunSpec.restore(event.data["spec"])
    return RunState(
        event.run_id, spec, created=event.time, planned_trials=spec.planned_trials, workers=spec.workers
    )


_LISTS = ("warnings", "measurements", "assessments", "snapshots", "retrains", "finishes", "by_hand", "turns")


def _open(state: RunState) -> dict[str, Any]:
    draft = dict(vars(state))
    draft["trials"] = dict(state.trials)
    return draft | {name: list(draft[name]) for name in _LISTS}


def _close(draft: dict[str, Any]) -> RunState:
    frozen = {name: tuple(draft[name]) for name in _LISTS}
    return RunState(**{**draft, **frozen, "trials": MappingProxyType(draft["trials"])})


def _count(draft: dict[str, Any], event: Event) -> None:
    draft["last_seq"] = event.seq
    draft["updated"] = event.time
    if draft["attempt_started"] is not None:
        draft["cost_seconds"] = draft["cost_before"] + max(0.0, event.time - draft["attempt_started"])
    if event.kind in TERMINAL:
        draft["cost_before"], draft["attempt_started"] = draft["cost_seconds"], None


def _run_started(draft: dict[str, Any], event: Event) -> None:
    draft["status"] = "running"
    draft["attempt_started"] = event.time
    draft["started"] = event.time if draft["started"] is None else draft["started"]


def _run_paused(draft: dict[str, Any], event: Event) -> None:
    draft["status"] = "paused"


def _run_resumed(draft: dict[str, Any], event: Event) -> None:
    if draft["status"] == "paused":
        draft["status"] = "running"
        return
    draft.update(status="queued", attempt=draft["attempt"] + 1, reason=None, ended=None, resumed=event.data)
    if event.data.get("retrain") is not None:
        draft["retrains"].append(event.data["retrain"])
    draft["finishes"] += event.data.get("finish", ())


def _run_over(draft: dict[str, Any], event: Event) -> None:
    reason = event.data.get("reason")
    draft.update(status=TERMINAL[event.kind], reason=reason, ended=event.time)
    fate = "failed" if event.kind == "run_failed" else "cancelled"
    for trial in [trial for trial in draft["trials"].values() if trial.status == "running"]:
        draft["trials"][trial.trial_id] = replace(trial, status=fate, reason=reason, ended=event.time)


def _trial_started(draft: dict[str, Any], event: Event) -> None:
    data = event.data
    draft["trials"][data["trial_id"]] = Trial(
        data["trial_id"],
        "running",
        data["parameters"],
        data["architecture"],
        data["seed"],
        started=event.time,
        repeat_of=data.get("repeat_of"),
        budget=data.get("budget"),
        origin=data.get("origin", "tuner"),
        continues=data.get("continues", False),
        parents=tuple(data.get("parents", ())),
        phase=data.get("phase"),
    )
    draft["turns"].append((data["trial_id"], False))


def _intermediate_result(draft: dict[str, Any], event: Event) -> None:
    data = event.data
    trial = draft["trials"][data["trial_id"]]
    point = (data["step"], data["value"], data["metrics"])
    draft["trials"][trial.trial_id] = replace(trial, intermediate=(*trial.intermediate, point))


def _final_result(draft: dict[str, Any], event: Event) -> None:
    data = event.data
    trial = draft["trials"][data["trial_id"]]
    draft["trials"][trial.trial_id] = replace(trial, value=data["value"], metrics=data["metrics"])


def _trial_ended(draft: dict[str, Any], event: Event) -> None:
    data = event.data
    trial = draft["trials"][data["trial_id"]]
    draft["trials"][trial.trial_id] = replace(
        trial, status=data["status"], reason=data["reason"], ended=event.time
    )
    draft["turns"].append((trial.trial_id, True))


def _measurement(draft: dict[str, Any], event: Event) -> None:
    data = event.data["data"]
    if event.data["name"] == PLAN:
        draft.update(planned_trials=data["trials"], workers=data["workers"])
    elif event.data["name"] == FINISH:
        draft["finishes"] += data["trials"]
    elif event.data["name"] == HAND:
        draft["by_hand"] = [asked for asked in draft["by_hand"] if asked["trial_id"] != data["trial_id"]]
        draft["by_hand"] += [data] if data["parameters"] is not None else []
    else:
        draft["measurements"].append(event.data)


_STEPS: Mapping[str, Callable[[dict[str, Any], Event], None]] = MappingProxyType(
    {
        "run_started": _run_started,
        "run_paused": _run_paused,
        "run_resumed": _run_resumed,
        "trial_started": _trial_started,
        "intermediate_result": _intermediate_result,
        "assessment": lambda draft, event: draft["assessments"].append(event.data),
        "final_result": _final_result,
        "trial_ended": _trial_ended,
        "architecture_snapshot": lambda draft, event: draft["snapshots"].append(event.data),
        "measurement": _measurement,
        "warning": lambda draft, event: draft["warnings"].append(event.data["message"]),
        **dict.fromkeys(TERMINAL, _run_over),
    }
)
