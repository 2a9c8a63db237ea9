"""Stories for tests: a run's events in words as short as the test, and arbitrary legal ones for properties."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hypothesis import strategies as st

from explorer.runs import Event, RunSpec
from explorer.runs.events import ENDED
from explorer.runs.summary import Ledger, advance, begin

SPEC = RunSpec(space="cell", trials=3, epochs=1, workers=1)


def started(trial_id: int, **more: Any) -> tuple[str, dict[str, Any]]:
    """A trial_started."""
    return "trial_started", {"trial_id": trial_id, "parameters": None, "architecture": {}, "seed": 7, **more}


def step(trial_id: int, number: int, value: float | None) -> tuple[str, dict[str, Any]]:
    """An intermediate_result."""
    data = {"trial_id": trial_id, "step": number, "value": value, "metrics": {"loss": 1.0}}
    return "intermediate_result", data


def final(trial_id: int, value: float | None) -> tuple[str, dict[str, Any]]:
    """A final_result."""
    return "final_result", {"trial_id": trial_id, "value": value, "metrics": {}}


def ended(trial_id: int, status: str = "succeeded") -> tuple[str, dict[str, Any]]:
    """A trial_ended."""
    return "trial_ended", {"trial_id": trial_id, "status": status, "reason": None}


def trial(trial_id: int, value: float, **more: Any) -> list[tuple[str, dict[str, Any]]]:
    """A whole trial that succeeds."""
    return [started(trial_id, **more), step(trial_id, 0, value), final(trial_id, value), ended(trial_id)]


def story(*tail: tuple[str, Mapping[str, Any]], spec: RunSpec = SPEC, run_id: str = "r") -> list[Event]:
    """Events from `run_queued` on, one second apart."""
    words = [("run_queued", {"spec": spec.to_json()}), *tail]
    return [Event(run_id, seq, 1000.0 + seq, kind, data) for seq, (kind, data) in enumerate(words, start=1)]


_TRIALS = st.integers(0, 3)
_VALUES = st.none() | st.floats(-1, 1, allow_nan=False)
_WORDS = st.one_of(
    st.sampled_from(["run_started", "run_started", "run_paused", "run_resumed", "run_finished"]).map(
        lambda kind: (kind, {})
    ),
    st.sampled_from(["run_failed", "run_cancelled", "run_lost"]).map(
        lambda kind: (kind, {"reason": "because"})
    ),
    st.builds(started, _TRIALS),
    st.builds(lambda number, budget: started(number, budget=budget), _TRIALS, st.sampled_from([1, 3])),
    st.builds(lambda number, original: started(number, repeat_of=original), _TRIALS, _TRIALS),
    st.builds(step, _TRIALS, st.integers(0, 5), _VALUES),
    st.builds(final, _TRIALS, _VALUES),
    st.builds(ended, _TRIALS, st.sampled_from(ENDED)),
    st.just(("warning", {"message": "look"})),
    st.just(("architecture_snapshot", {"step": 1, "probabilities": {}})),
    st.just(("measurement", {"name": "rank", "step": 1, "data": {}})),
    st.just(("measurement", {"name": "plan", "step": 1, "data": {"trials": 9, "workers": 2}})),
)


@st.composite
def legal_stories(draw: st.DrawFn, mode: str | None = None) -> list[Event]:
    """Arbitrary events, those dropped that the rules refuse; times may stand still but not run back."""
    mode = mode or draw(st.sampled_from(["maximize", "minimize"]))
    spec = RunSpec(settings={"tuner": {"optimize_mode": mode}}, epochs=2)
    events = story(spec=spec)
    ledger: Ledger = begin(events[0])
    for kind, data in [("run_started", {}), *draw(st.lists(_WORDS, max_size=40))]:
        if ledger.refusal(kind, data) is None:
            time = events[-1].time + draw(st.sampled_from([0.0, 0.25, 3.0]))
            events.append(Event("r", len(events) + 1, time, kind, data))
            ledger = advance(ledger, events[-1])
    return events
