"""Summaries: event by event, the whole story at once, and the fold of all events give the same."""

from __future__ import annotations

import pytest
from hypothesis import given, settings

from explorer.errors import Conflict
from explorer.runs import Event, RunSpec, fold
from explorer.runs import summary as summaries
from explorer.runs.summary import Entry, Ledger, advance, begin, replay, summarise
from tests.runs.stories import ended, final, legal_stories, started, story, trial

GO = ("run_started", {})
LOST = [("run_lost", {"reason": "gone"}), ("run_resumed", {}), GO]


def one_by_one(events: list[Event]) -> Ledger:
    ledger = begin(events[0])
    for event in events[1:]:
        ledger = advance(ledger, event)
    return ledger


@settings(max_examples=200, deadline=None)
@given(legal_stories())
def test_event_by_event_equals_the_whole_story_equals_the_fold(events: list[Event]) -> None:
    assert one_by_one(events) == replay(events)
    assert replay(events).summary == summarise(fold(events))


@settings(max_examples=50, deadline=None)
@given(legal_stories())
def test_a_ledger_is_restored_from_any_older_one_and_the_events_since(events: list[Event]) -> None:
    ledger = replay(events)
    for known in range(1, len(events)):
        kept = replay(events[:known]).trials_json()
        restored = Ledger.restore(ledger.summary.to_json(), kept, lambda after: events[after:])
        assert restored == ledger


def test_a_ledger_does_not_change_when_it_is_advanced() -> None:
    events = story(GO, *trial(0, 0.5), started(1))
    ledger = one_by_one(events[:-1])
    advance(ledger, events[-1])
    assert ledger.trials == {0: Entry("succeeded", 0.5)} and ledger.summary.counts == {"succeeded": 1}


@pytest.mark.parametrize("again", ["succeeded", "failed"])
def test_a_best_trial_that_starts_again_gives_way_to_the_next(again: str) -> None:
    events = story(GO, *trial(0, 0.9), *trial(1, 0.7), *LOST, started(0), final(0, 0.1), ended(0, again))
    ledger = one_by_one(events)
    assert (ledger.summary.best_trial_id, ledger.summary.best_value) == (1, 0.7)
    assert ledger == replay(events)


def test_of_equal_values_the_first_trial_is_the_best_in_whatever_order_they_end() -> None:
    assert one_by_one(story(GO, *trial(4, 0.5), *trial(2, 0.5), *trial(3, 0.5))).summary.best_trial_id == 2


def test_the_best_is_one_of_those_trained_longest() -> None:
    short = [*trial(0, 0.9, budget=1), *trial(1, 0.8, budget=1)]
    assert one_by_one(story(GO, *short)).summary.best_trial_id == 0  # as long as nobody was trained longer
    events = story(GO, *short, *trial(2, 0.6, budget=3), *trial(3, 0.7, budget=3), *trial(4, 0.95, budget=1))
    best = fold(events).best
    assert best is not None and best.trial_id == 3
    assert one_by_one(events).summary.best_trial_id == 3 and one_by_one(events).summary.best_value == 0.7


def test_without_a_budget_of_its_own_a_trial_has_the_runs_epochs() -> None:
    spec = RunSpec(space="cell", epochs=4)
    for budget, wanted in ((3, 1), (4, 0)):
        events = story(GO, *trial(0, 0.9, budget=budget), *trial(1, 0.5), spec=spec)
        best = fold(events).best
        assert best is not None and best.trial_id == wanted == one_by_one(events).summary.best_trial_id


def test_a_ledger_written_before_budgets_were_kept_is_counted_anew() -> None:
    events = story(GO, *trial(0, 0.9, budget=1), *trial(1, 0.5, budget=3))
    ledger = one_by_one(events)
    old = {"seq": len(events), "trials": {"0": ["succeeded", 0.9, False], "1": ["succeeded", 0.5, False]}}
    assert Ledger.restore(ledger.summary.to_json(), old, lambda after: events[after:]) == ledger


def test_an_event_counts_nothing_anew_unless_the_best_trial_itself_changes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    words = [word for number in range(50) for word in trial(number, 0.5 + number / 1000)]
    words += [started(50), ended(50, "failed"), *trial(51, 0.9, repeat_of=0)]
    counted = []
    tally = summaries._tally
    monkeypatch.setattr(summaries, "_tally", lambda *given: counted.append(1) or tally(*given))
    one_by_one(story(GO, *words))
    assert counted == []
    replay(story(GO, *words))
    assert counted == [1]


def test_a_story_out_of_order_is_refused_with_the_number_of_its_event() -> None:
    events = story(GO, *trial(0, 0.5), ended(0))
    with pytest.raises(Conflict, match=f"Event {len(events)}"):
        replay(events)
    with pytest.raises(Conflict, match="without gaps"):
        replay([events[0], *events[2:]])
    with pytest.raises(Conflict, match="begins with run_queued"):
        replay([Event("r", 1, 1.0, "run_started", {})])
    with pytest.raises(Conflict, match="at least one"):
        replay([])
