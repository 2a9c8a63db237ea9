"""What pages and the command line ask for, held against the store alone: no process is started."""

from __future__ import annotations

import time

import pytest

from explorer.errors import Conflict
from explorer.jobs import launch, lock
from explorer.runs import RunSpec, Store
from tests.jobs.conftest import SPEC
from tests.runs.stories import trial

GO = ("run_started", {})
END = ("run_finished", {})
CANCELLED = ("run_cancelled", {"reason": "asked"})


def told(store: Store, *words: tuple[str, dict[str, object]], spec: RunSpec = SPEC) -> str:
    run_id = store.create_run(spec)
    for kind, data in words:
        store.append(run_id, kind, data)
    return run_id


def trials(count: int) -> list[tuple[str, dict[str, object]]]:
    return [word for number in range(count) for word in trial(number, 0.5)]


def test_a_run_that_finished_a_retraining_but_not_its_trials_can_be_resumed(store: Store) -> None:
    wish = ("run_resumed", {"retrain": {"trial_id": 0, "seeds": 1}})
    repeat = trial(SPEC.trials, 0.6, repeat_of=0)
    run_id = told(store, GO, *trials(3), CANCELLED, wish, GO, *repeat, END)
    launch.resume(store, run_id, owner="me")
    assert store.summary(run_id).status == "queued"


def test_a_run_that_finished_without_its_retraining_can_be_resumed(store: Store) -> None:
    wish = ("run_resumed", {"retrain": {"trial_id": 0, "seeds": 1}})
    run_id = told(store, GO, *trials(SPEC.trials), END, wish, GO, END)
    launch.resume(store, run_id, owner="me")
    assert store.summary(run_id).status == "queued"


def test_nothing_is_missing_where_the_whole_space_was_trained(store: Store) -> None:
    spec = RunSpec(space="notes-net", trials=20, epochs=1)  # it holds 8
    run_id = told(store, GO, *trials(8), END, spec=spec)
    with pytest.raises(Conflict, match="nothing is missing"):
        launch.resume(store, run_id, owner="me")


# -- runs that wait for ever ------------------------------------------------------------------------------------------


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[Store]:
    """The stores for which a supervisor was asked."""
    asked: list[Store] = []
    monkeypatch.setattr(launch, "ensure_supervisor", lambda store, arguments=(): asked.append(store))
    return asked


def later(store: Store, seconds: float) -> None:
    store.clock = lambda: time.time() + seconds


def test_a_foreground_run_killed_before_it_began_is_told_when_its_lease_is_over(
    store: Store, started: list[Store]
) -> None:
    run_id = store.create_run(SPEC, owner="foreground")
    assert launch.reconcile(store) == []
    later(store, 7.0)
    assert store.claim("supervisor", 6.0) is None, "nobody asked for it in the background"
    assert launch.reconcile(store) == [run_id]
    assert store.summary(run_id).status == "lost" and not started


def test_a_reader_sees_to_it_that_waiting_runs_have_a_supervisor(store: Store, started: list[Store]) -> None:
    store.create_run(SPEC)
    launch.reconcile(store)
    assert not started, "a run of this moment is about to get one"
    later(store, 3.0)
    launch.reconcile(store)
    launch.reconcile(store)
    assert started == [store], "not again and again"


def test_a_supervisor_that_a_person_ended_is_not_started_by_a_reader(
    store: Store, started: list[Store]
) -> None:
    store.create_run(SPEC)
    later(store, 3.0)
    held = lock.acquire(lock.lock_path(store.url))
    assert held is not None
    held.write({"state": launch.STOPPED_STATE})
    held.release()
    launch.reconcile(store)
    assert not started
