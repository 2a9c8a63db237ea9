"""The store's contract: what any database behind it must keep to."""

from __future__ import annotations

import multiprocessing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from sqlalchemy import event as sqlalchemy_event

from explorer.errors import Conflict, LimitReached, NotFound, SpecError
from explorer.runs import Event, RunSpec, Store, fold, summarise
from explorer.runs.store import MAX_EVENT_BYTES, REQUEST_KINDS
from tests.runs.conftest import Clock
from tests.runs.stories import SPEC, ended, final, legal_stories, started, step, trial

GO = ("run_started", {})


def told(store: Store, *words: tuple[str, dict[str, Any]], spec: RunSpec = SPEC) -> str:
    """A run with this story; its id."""
    run_id = store.create_run(spec)
    for kind, data in words:
        store.append(run_id, kind, data)
    return run_id


# -- events ----------------------------------------------------------------------------------------------------------


def test_a_new_run_is_queued_and_its_first_event_holds_the_spec(store: Store, clock: Clock) -> None:
    run_id = store.create_run(SPEC, "anna", name="first")
    (first,) = store.events(run_id)
    assert first == Event(run_id, 1, clock.now, "run_queued", {"spec": SPEC.to_json()})
    assert store.state(run_id).spec == SPEC
    summary = store.summary(run_id)
    assert (summary.status, summary.visitor, summary.name) == ("queued", "anna", "first")


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(legal_stories())
def test_the_summary_row_always_equals_the_fold_of_the_events(store: Store, events: list[Event]) -> None:
    run_id = store.create_run(RunSpec.restore(events[0].data["spec"]))
    for event in events[1:]:
        store.append(run_id, event.kind, event.data)
        assert store.summary(run_id) == summarise(fold(store.events(run_id)))


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(legal_stories())
def test_two_processes_that_write_in_turn_count_the_same(store: Store, events: list[Event]) -> None:
    other = Store(store.url, store.clock)  # with a memory of its own, as another process has
    run_id = store.create_run(RunSpec.restore(events[0].data["spec"]))
    for number, event in enumerate(events[1:]):
        (store, other)[number % 3 == 0].append(run_id, event.kind, event.data)
        assert store.summary(run_id) == summarise(fold(store.events(run_id)))
    other.close()


def test_readers_ask_for_what_came_after_a_number(store: Store) -> None:
    run_id = told(store, GO, *trial(0, 0.5))
    assert [event.seq for event in store.events(run_id)] == [1, 2, 3, 4, 5, 6]
    assert [event.seq for event in store.events(run_id, after=4)] == [5, 6]
    assert [event.seq for event in store.events(run_id, after=2, limit=2)] == [3, 4]
    assert store.events(run_id, after=6) == []
    known = fold(store.events(run_id, limit=3))
    assert store.state(run_id, known) == store.state(run_id)


def test_another_opening_of_the_store_reads_the_same(store: Store, url: str) -> None:
    run_id = told(store, GO, *trial(0, 0.5))
    other = Store(url)
    assert other.state(run_id) == store.state(run_id)
    assert other.summary(run_id) == store.summary(run_id)
    other.close()


def test_numbers_that_are_not_finite_become_null_and_a_warning(store: Store) -> None:
    run_id = told(store, GO, started(0))
    metrics = {"loss": float("inf"), "inner": [1.0, float("-inf")]}
    store.append(
        run_id, "intermediate_result", {"trial_id": 0, "step": 0, "value": float("nan"), "metrics": metrics}
    )
    result, warning = store.events(run_id, after=3)
    assert result.data == {
        "trial_id": 0,
        "step": 0,
        "value": None,
        "metrics": {"loss": None, "inner": [1.0, None]},
    }
    assert warning.kind == "warning" and warning.data["trial_id"] == 0
    assert "value, metrics.loss, metrics.inner[1]" in warning.data["message"]


def test_tuples_and_number_keys_come_back_as_json_has_them(store: Store) -> None:
    run_id = told(store, GO)
    store.append(run_id, "measurement", {"name": "rank", "step": 0, "data": {1: (2, 3)}})
    assert store.events(run_id)[-1].data["data"] == {"1": [2, 3]}


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        ("run_exploded", {}),
        ("trial_started", {"trial_id": 1}),
        ("trial_started", {"trial_id": "1", "parameters": None, "architecture": None, "seed": 1}),
        ("intermediate_result", {"trial_id": 0, "step": -1, "value": 1.0, "metrics": {}}),
        ("intermediate_result", {"trial_id": 0, "step": 0, "value": "high", "metrics": {}}),
        ("trial_ended", {"trial_id": 0, "status": "running", "reason": None}),
        ("warning", {"message": None}),
        ("run_failed", {"reason": None}),
    ],
)
def test_malformed_events_are_refused_and_nothing_is_written(
    store: Store, kind: str, data: dict[str, Any]
) -> None:
    run_id = told(store, GO, started(0))
    with pytest.raises(ValueError):
        store.append(run_id, kind, data)
    assert len(store.events(run_id)) == 3


def test_events_out_of_order_are_refused_and_nothing_is_written(store: Store) -> None:
    run_id = told(store, GO)
    for kind, data in (step(0, 0, 0.5), final(3, 0.5), ended(1), ("run_started", {}), ("run_resumed", {})):
        with pytest.raises(Conflict):
            store.append(run_id, kind, data)
    assert len(store.events(run_id)) == 2
    assert store.summary(run_id).last_seq == 2


def test_nothing_but_run_resumed_follows_a_terminal_event(store: Store) -> None:
    run_id = told(store, GO, started(0), ("run_lost", {"reason": "gone"}))
    with pytest.raises(Conflict, match="already ended"):
        store.append(run_id, *final(0, 0.9))
    store.append(run_id, "run_resumed")
    assert store.summary(run_id).attempt == 2


def test_an_event_that_is_too_large_is_refused_whole(store: Store) -> None:
    run_id = told(store, GO)
    with pytest.raises(LimitReached):
        store.append(run_id, "warning", {"message": "x" * (MAX_EVENT_BYTES + 1)})
    assert len(store.events(run_id)) == 2
    store.append(run_id, "warning", {"message": "fits"})
    assert [event.seq for event in store.events(run_id)] == [1, 2, 3]


def test_a_clock_set_back_does_not_make_the_story_run_backwards(store: Store, clock: Clock) -> None:
    run_id = told(store, GO)
    clock.now -= 3600
    store.append(run_id, *started(0))
    times = [event.time for event in store.events(run_id)]
    assert times == sorted(times)


def _write(url: str, run_id: str, writer: int, count: int) -> None:
    store = Store(url)
    for number in range(count):
        store.append(run_id, "measurement", {"name": "w", "step": number, "data": {"writer": writer}})
    store.close()


def test_concurrent_writers_leave_no_gap_and_lose_nothing(store: Store, url: str) -> None:
    run_id = told(store, GO)
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=_write, args=(url, run_id, writer, 25)) for writer in range(3)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    events = store.events(run_id)
    assert [event.seq for event in events] == list(range(1, 78))
    for writer in range(3):
        said = [
            e.data["step"] for e in events if e.kind == "measurement" and e.data["data"]["writer"] == writer
        ]
        assert said == list(range(25))
    assert store.summary(run_id) == summarise(store.state(run_id))


# -- lists -----------------------------------------------------------------------------------------------------------


def test_lists_are_newest_first_and_can_be_narrowed(store: Store, clock: Clock) -> None:
    ids = []
    for visitor in ("anna", "ben", "anna"):
        ids.append(store.create_run(SPEC, visitor))
        clock.now += 1
    store.append(ids[1], *GO)
    assert [summary.run_id for summary in store.summaries()] == ids[::-1]
    assert [summary.run_id for summary in store.summaries(limit=1)] == [ids[2]]
    assert [summary.run_id for summary in store.summaries(status="running")] == [ids[1]]
    assert [summary.run_id for summary in store.summaries(visitor="anna")] == [ids[2], ids[0]]


def test_a_list_reads_summary_rows_in_one_query_and_no_events(store: Store) -> None:
    for _ in range(30):
        told(store, GO, *trial(0, 0.5))
    asked: list[str] = []
    sqlalchemy_event.listen(store._engine, "before_cursor_execute", lambda *seen: asked.append(seen[2]))
    assert len(store.summaries()) == 30
    assert len(asked) == 1 and "explorer_events" not in asked[0] and "ledger" not in asked[0]


def test_names_and_notes_stay_beside_the_events(store: Store) -> None:
    run_id = told(store, GO)
    store.rename(run_id, "the good one")
    store.set_note(run_id, "lowered the learning rate")
    summary = store.summary(run_id)
    assert (summary.name, summary.note) == ("the good one", "lowered the learning rate")
    assert len(store.events(run_id)) == 2
    for change in (lambda: store.rename(run_id, "x" * 201), lambda: store.set_note(run_id, "x" * 10_001)):
        with pytest.raises(SpecError):
            change()


def test_deleting_forgets_an_ended_run_and_refuses_a_running_one(store: Store) -> None:
    run_id, other = told(store, GO), told(store, GO)
    with pytest.raises(Conflict, match="cancel it"):
        store.delete(run_id)
    store.request(run_id, "pause")
    store.append(run_id, "run_finished")
    store.delete(run_id)
    for read in (store.events, store.summary, store.state, store.requests, store.delete):
        with pytest.raises(NotFound):
            read(run_id)
    assert len(store.events(other)) == 2


def test_an_unknown_run_is_not_found(store: Store) -> None:
    calls = [
        lambda: store.events("nobody"),
        lambda: store.state("nobody"),
        lambda: store.summary("nobody"),
        lambda: store.append("nobody", "warning", {"message": "hello"}),
        lambda: store.request("nobody", "cancel"),
        lambda: store.rename("nobody", "x"),
        lambda: store.set_note("nobody", "x"),
        lambda: store.delete("nobody"),
    ]
    for call in calls:
        with pytest.raises(NotFound, match="'nobody'"):
            call()


def test_the_queue_is_capped_whoever_asks_and_nothing_is_written_beyond(store: Store) -> None:
    ended = store.create_run(SPEC, "anna")
    for event in (GO, ("run_failed", {"reason": "x"})):
        store.append(ended, *event)
    for visitor in ("anna", "anna", "ben"):
        store.create_run(SPEC, visitor, queue_limit=3)
    with pytest.raises(LimitReached, match="3 runs are waiting"):
        store.create_run(SPEC, "ben", queue_limit=3)
    with pytest.raises(LimitReached):
        store.append(ended, "run_resumed", {}, queue_limit=3)
    assert len(store.summaries()) == 4
    assert store.summary(ended).status == "failed"
    store.append(store.summaries(visitor="ben")[0].run_id, *GO)
    store.append(ended, "run_resumed", {}, queue_limit=3)


# -- requests --------------------------------------------------------------------------------------------------------


def test_requests_are_numbered_and_read_after_a_number(store: Store) -> None:
    run_id, other = told(store, GO), told(store, GO)
    assert [store.request(run_id, "pause"), store.request(run_id, "kill_trial", {"trial_id": 3})] == [1, 2]
    assert store.request(other, "cancel") == 1
    assert [(r.id, r.kind, r.data) for r in store.requests(run_id)] == [
        (1, "pause", {}),
        (2, "kill_trial", {"trial_id": 3}),
    ]
    assert [request.id for request in store.requests(run_id, after=1)] == [2]


def test_requests_of_an_earlier_attempt_do_not_reach_the_next(store: Store) -> None:
    run_id = told(store, GO)
    store.request(run_id, "cancel")
    store.append(run_id, "run_cancelled", {"reason": "asked"})
    store.append(run_id, "run_resumed")
    assert store.requests(run_id) == []
    store.request(run_id, "pause")
    assert [request.kind for request in store.requests(run_id)] == ["pause"]
    assert len(store.requests(run_id, after=0)) == 2, "requests are append-only"


def test_requests_of_an_ended_run_and_malformed_ones_are_refused(store: Store) -> None:
    run_id = told(store, GO)
    for kind, data in (("explode", {}), ("kill_trial", {}), ("set", {"name": "lr"})):
        with pytest.raises(SpecError):
            store.request(run_id, kind, data)
    store.append(run_id, "run_finished")
    for kind, keys in REQUEST_KINDS.items():
        with pytest.raises(Conflict, match="already ended"):
            store.request(run_id, kind, dict.fromkeys(keys, 1))
    assert store.requests(run_id) == []


# -- leases ----------------------------------------------------------------------------------------------------------


def test_queued_runs_are_claimed_oldest_first_and_once(store: Store, clock: Clock) -> None:
    ids = []
    for _ in range(3):
        ids.append(store.create_run(SPEC))
        clock.now += 1
    assert [store.claim("a", 10), store.claim("b", 10), store.claim("a", 10), store.claim("b", 10)] == [
        *ids,
        None,
    ]


def test_a_run_can_be_claimed_by_name_or_kind_or_born_claimed(store: Store) -> None:
    first, second = store.create_run(SPEC), store.create_run(SPEC)
    assert store.claim("a", 10, run_id=second) == second
    assert store.claim("a", 10, kinds=("oneshot",)) is None
    assert store.claim("a", 10, kinds=("random",)) == first
    mine = store.create_run(SPEC, owner="me")
    assert store.claim("a", 10) is None
    assert store.renew(mine, "me", 10)


def test_a_claim_whose_lease_ran_out_before_the_start_can_be_claimed_again(
    store: Store, clock: Clock
) -> None:
    run_id = store.create_run(SPEC)
    assert store.claim("a", 6) == run_id
    clock.now += 7
    assert store.claim("b", 6) == run_id
    assert not store.renew(run_id, "a", 6)
    with pytest.raises(Conflict, match="somebody else"):
        store.append(run_id, "run_started", owner="a")
    store.append(run_id, "run_started", owner="b")


def test_a_released_run_can_be_claimed_at_once(store: Store) -> None:
    run_id = store.create_run(SPEC)
    store.claim("a", 10)
    assert not store.release(run_id, "b")
    assert store.release(run_id, "a")
    assert store.claim("b", 10) == run_id


def test_a_beat_renews_the_lease_and_notes_the_time(store: Store, clock: Clock) -> None:
    run_id = store.create_run(SPEC)
    store.claim("a", 6)
    store.append(run_id, "run_started", owner="a")
    for _ in range(3):
        clock.now += 5
        assert store.beat(run_id, "a", 6)
        assert store.close_expired("gone") == []
    assert store.summary(run_id).heartbeat == clock.now


def test_only_running_runs_whose_lease_ran_out_are_closed_as_lost(store: Store, clock: Clock) -> None:
    waiting = store.create_run(SPEC)
    silent, lively, over = (store.create_run(SPEC) for _ in range(3))
    for run_id in (silent, lively, over):
        store.claim("a", 6, run_id=run_id)
        store.append(run_id, "run_started", owner="a")
    store.append(silent, *started(0))
    store.append(over, "run_finished")
    clock.now += 5
    store.beat(lively, "a", 6)
    clock.now += 2
    assert store.close_expired("The processes are gone.") == [silent]
    assert store.close_expired("The processes are gone.") == []
    state = store.state(silent)
    assert (state.status, state.reason, state.trials[0].status) == (
        "lost",
        "The processes are gone.",
        "cancelled",
    )
    assert [store.summary(run_id).status for run_id in (waiting, lively, over)] == [
        "queued",
        "running",
        "finished",
    ]
    with pytest.raises(Conflict):
        store.append(silent, *final(0, 0.9), owner="a")


def test_an_ended_run_has_no_owner_and_a_resumed_one_queues_at_the_end(store: Store, clock: Clock) -> None:
    run_id = store.create_run(SPEC)
    store.claim("a", 6)
    store.append(run_id, "run_started", owner="a")
    store.append(run_id, "run_lost", {"reason": "gone"}, owner="a")
    assert not store.beat(run_id, "a", 6)
    clock.now += 1
    waiting = store.create_run(SPEC)
    clock.now += 1
    store.append(run_id, "run_resumed")
    assert [store.claim("b", 6), store.claim("b", 6)] == [waiting, run_id]


def test_resuming_can_claim_in_the_same_moment(store: Store) -> None:
    run_id = told(store, GO, ("run_lost", {"reason": "gone"}))
    store.append(run_id, "run_resumed", lease_to="me")
    assert store.claim("supervisor", 6) is None
    store.append(run_id, "run_started", owner="me")


def test_an_event_meant_for_one_status_is_refused_in_another(store: Store) -> None:
    run_id = told(store, GO)
    with pytest.raises(Conflict, match="is running, not queued"):
        store.append(run_id, "run_cancelled", {"reason": "asked"}, only_when="queued")


def test_runs_of_two_processes_have_different_ids(store: Store, tmp_path: Path) -> None:
    ids = {store.create_run(SPEC) for _ in range(50)}
    assert len(ids) == 50 and all(len(run_id) == 12 for run_id in ids)
