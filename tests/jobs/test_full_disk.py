"""A store that can be read but not written: what is going on ends, and what is there can still be looked at."""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import event as sqlalchemy_event

from explorer.errors import StoreUnavailable
from explorer.jobs import launch
from explorer.jobs.foreground import run_here
from explorer.jobs.limits import Limits
from explorer.jobs.watch import Process, Watch
from explorer.runs import Event, Store
from tests.jobs.conftest import SPEC, open_gate

FAKE = ("--engines", "random=tests.jobs.fakes:random_engine")


def fill_the_disk(store: Store) -> None:
    """From now on this opening of the store reads, and is refused every write."""

    @sqlalchemy_event.listens_for(store._engine, "checkout")
    def refuse_writes(connection: sqlite3.Connection, *_: object) -> None:
        connection.execute("PRAGMA query_only=1")


def refuse_events_of_every_process(path: Path) -> None:
    with closing(sqlite3.connect(path)) as database:
        refusal = "SELECT RAISE(FAIL, 'disk is full')"
        database.execute(f"CREATE TRIGGER full BEFORE INSERT ON explorer_events BEGIN {refusal}; END")


def ended_process(exit_code: int = -9) -> Process:
    return Process(0, lambda: exit_code, lambda: None, lambda: None)


def test_a_watch_gives_up_when_the_process_is_gone_and_its_ending_cannot_be_written(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("explorer.jobs.watch._LAST_WORD_SECONDS", 0.1)
    watch = Watch(store, store.create_run(SPEC, owner="me"), "me", Limits(), ended_process())
    fill_the_disk(store)
    assert watch.look(), "the first refusal may pass"
    time.sleep(0.11)
    with pytest.raises(StoreUnavailable, match="readonly"):
        watch.look()


def test_a_watch_waits_while_the_worker_lives(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("explorer.jobs.watch._LAST_WORD_SECONDS", 0.0)
    alive = Process(0, lambda: None, lambda: None, lambda: None)
    watch = Watch(store, store.create_run(SPEC, owner="me"), "me", Limits(), alive)
    fill_the_disk(store)
    assert watch.look() and watch.look()


def test_readers_of_a_store_that_takes_no_writing_still_read(store: Store) -> None:
    run_id = store.create_run(SPEC, owner="me")
    store.append(run_id, "run_started", owner="me")
    store.clock = lambda: time.time() + 60
    fill_the_disk(store)
    assert launch.reconcile(store) == []
    assert store.summary(run_id).status == "running"


@pytest.mark.slow
def test_a_foreground_run_ends_with_one_sentence_when_the_disk_is_full(
    store: Store, explorer_home: Path
) -> None:
    def on_event(event: Event) -> None:
        if event.kind == "run_started":
            refuse_events_of_every_process(explorer_home / "runs.sqlite3")
            open_gate(explorer_home)

    with pytest.raises(StoreUnavailable, match="disk is full"):
        run_here(store, SPEC, on_event, worker_arguments=FAKE)
