"""The fold and the incremental summary: what a story means, told at once or piece by piece."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from explorer.runs import Event, RunSpec, RunState, fold, summarise
from explorer.runs.rules import refusal
from explorer.runs.summary import Ledger, advance, begin
from tests.runs.stories import ended, final, legal_stories, started, step, story, trial

GO = ("run_started", {})


@given(legal_stories())
def test_the_summary_advanced_event_by_event_equals_the_summary_of_the_fold(events: list[Event]) -> None:
    ledger = begin(events[0])
    for event in events[1:]:
        ledger = advance(ledger, event)
    assert ledger.summary == summarise(fold(events))


@given(legal_stories(), st.data())
def test_folding_in_pieces_equals_folding_at_once(events: list[Event], data: st.DataObject) -> None:
    cut = data.draw(st.integers(1, len(events)))
    first = fold(events[:cut])
    assert fold(events[cut:], first) == fold(events)
    assert first == fold(events[:cut]), "a fold must not change the state that it goes on from"


@given(legal_stories())
def test_a_ledger_survives_its_json(events: list[Event]) -> None:
    ledger = begin(events[0])
    for event in events[1:]:
        ledger = advance(ledger, event)
    assert Ledger.restore(ledger.summary.to_json(), ledger.trials_json(), lambda after: []) == ledger


@given(legal_stories())
def test_a_ledger_written_earlier_is_brought_up_to_date_from_the_events(events: list[Event]) -> None:
    written = (ledger := begin(events[0])).trials_json()
    for number, event in enumerate(events[1:]):
        ledger = advance(ledger, event)
        if number == len(events) // 2:
            written = ledger.trials_json()
    restored = Ledger.restore(ledger.summary.to_json(), written, lambda after: events[after:])
    assert restored == ledger


@given(legal_stories())
def test_no_trial_runs_on_after_a_terminal_event(events: list[Event]) -> None:
    state = fold(events)
    if state.is_over:
        assert all(trial.status != "running" for trial in state.trials.values())


def test_events_already_known_are_not_counted_twice() -> None:
    events = story(GO, *trial(0, 0.5))
    assert fold(events, fold(events)) == fold(events)


def test_a_story_begins_with_run_queued() -> None:
    with pytest.raises(ValueError, match="begins with run_queued"):
        fold(story(GO)[1:])
    with pytest.raises(ValueError, match="at least one event"):
        fold([])


def test_a_trial_keeps_its_steps_its_final_result_and_its_seconds() -> None:
    state = fold(story(GO, started(4), step(4, 0, 0.3), step(4, 1, 0.6), final(4, 0.6), ended(4)))
    (only,) = state.trials.values()
    assert [point[:2] for point in only.intermediate] == [(0, 0.3), (1, 0.6)]
    assert (only.status, only.value, only.seconds, only.seed) == ("succeeded", 0.6, 4.0, 7)


@pytest.mark.parametrize(
    ("kind", "fate"), [("run_cancelled", "cancelled"), ("run_failed", "failed"), ("run_lost", "cancelled")]
)
def test_the_terminal_event_closes_running_trials_with_its_reason(kind: str, fate: str) -> None:
    state = fold(story(GO, *trial(0, 0.5), started(1), (kind, {"reason": "the power went"})))
    assert state.trials[0].status == "succeeded"
    assert (state.trials[1].status, state.trials[1].reason) == (fate, "the power went")


def test_resuming_opens_the_next_attempt_and_says_what_was_asked() -> None:
    wish = {"retrain": {"trial_id": 0, "seeds": 3}}
    state = fold(story(GO, *trial(0, 0.5), ("run_finished", {}), ("run_resumed", wish)))
    assert (state.status, state.attempt, state.reason, state.ended) == ("queued", 2, None, None)
    assert state.resumed == wish


def test_what_every_attempt_was_asked_to_retrain_is_kept() -> None:
    wishes = [{"trial_id": 0, "seeds": 3}, {"trial_id": 1, "seeds": 1}]
    lost = ("run_lost", {"reason": "gone"})
    resumptions = [("run_resumed", {"retrain": wishes[0]}), lost, ("run_resumed", {}), lost]
    state = fold(story(GO, *trial(0, 0.5), lost, *resumptions, ("run_resumed", {"retrain": wishes[1]})))
    assert state.retrains == tuple(wishes)


def test_resuming_a_paused_run_stays_in_the_attempt() -> None:
    state = fold(story(GO, ("run_paused", {}), ("run_resumed", {})))
    assert (state.status, state.attempt) == ("running", 1)


def test_a_trial_that_starts_again_starts_afresh() -> None:
    lost = [("run_lost", {"reason": "gone"}), ("run_resumed", {}), GO]
    state = fold(story(GO, started(0), step(0, 0, 0.9), *lost, started(0)))
    assert (state.trials[0].status, state.trials[0].intermediate) == ("running", ())


def test_retrainings_never_compete_for_the_best() -> None:
    state = fold(story(GO, *trial(0, 0.5), *trial(1, 0.7), *trial(2, 0.99, repeat_of=1)))
    assert state.best is not None and state.best.trial_id == 1
    summary = summarise(state)
    assert (summary.best_value, summary.counts, summary.repeats) == (0.7, {"succeeded": 2}, 1)


def test_cost_counts_working_time_only() -> None:
    words = [
        GO,
        *trial(0, 0.5),
        ("run_lost", {"reason": "gone"}),
        ("run_resumed", {}),
        GO,
        ("run_finished", {}),
    ]
    state = fold(story(*words))  # one second an event: attempts of 5 s and 1 s, and 2 s between them
    assert state.cost_seconds == 6.0


@pytest.mark.parametrize(
    ("run_status", "trial_status", "kind"),
    [
        (None, None, "run_started"),
        ("running", None, "run_queued"),
        ("finished", None, "warning"),
        ("lost", "cancelled", "final_result"),
        ("queued", None, "trial_started"),
        ("queued", None, "run_finished"),
        ("running", None, "run_started"),
        ("running", None, "run_resumed"),
        ("running", None, "final_result"),
        ("running", "succeeded", "intermediate_result"),
        ("paused", None, "run_paused"),
    ],
)
def test_what_cannot_follow_is_refused(run_status: str | None, trial_status: str | None, kind: str) -> None:
    assert refusal(run_status, trial_status, kind, {"trial_id": 1})


def test_a_state_is_final() -> None:
    state: RunState = fold(story(GO, *trial(0, 0.5)))
    with pytest.raises(TypeError):
        state.trials[1] = state.trials[0]  # type: ignore[index]


def test_cancelled_trials_are_not_done() -> None:
    lost = ("run_cancelled", {"reason": "asked"})
    summary = summarise(fold(story(GO, *trial(0, 0.5), started(1), ended(1, "failed"), started(2), lost)))
    assert summary.counts == {"succeeded": 1, "failed": 1, "cancelled": 1}
    assert summary.trials_done == 2


def test_a_summary_counts_the_trials_that_the_space_holds() -> None:
    asked_for_more = RunSpec(space="notes-net", trials=20)
    assert summarise(fold(story(spec=asked_for_more))).trials == 8
    pinned = RunSpec(space="notes-net", trials=20, architecture={"conv1": "conv3x3"})
    assert summarise(fold(story(spec=pinned))).trials == 20
    assert summarise(fold(story(spec=RunSpec(space={"family": "unknown"}, trials=20)))).trials == 20


def test_every_seed_of_a_pinned_architecture_counts() -> None:
    pinned = RunSpec(trials=2, architecture={"conv1": "conv3x3", "mid_conv": "conv3x3", "skip": []})
    again = (
        "trial_started",
        {"trial_id": 1, "parameters": {}, "architecture": {}, "seed": 2, "repeat_of": 0},
    )
    summary = summarise(fold(story(GO, *trial(0, 0.5), again, final(1, 0.4), ended(1), spec=pinned)))
    assert (summary.trials_done, summary.trials) == (2, 2)
