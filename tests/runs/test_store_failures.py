"""When the machine says no: one sentence, StoreUnavailable, and nothing half-written."""

from __future__ import annotations

import os
import sqlite3
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import event as sqlalchemy_event
from sqlalchemy import update

from explorer.errors import StoreUnavailable
from explorer.runs import Store, places, summarise
from explorer.runs.tables import META
from tests.runs.stories import SPEC

NOBODY = 65534


def one_sentence(error: pytest.ExceptionInfo[StoreUnavailable]) -> str:
    text = str(error.value)
    assert text.endswith(".") and "\n" not in text
    return text


@pytest.fixture
def read_only_folder() -> Iterator[Path]:
    """A folder that this process may not write to, also when the tests run as root."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o555)
        was_root = os.geteuid() == 0
        if was_root:
            os.seteuid(NOBODY)
        try:
            yield folder
        finally:
            if was_root:
                os.seteuid(0)
            folder.chmod(0o755)


@pytest.mark.parametrize(
    "url",
    [
        "nonsense",
        "nosuchdatabase://localhost/x",
        "postgresql+nosuchdriver://localhost/x",
        "sqlite:////dev/null/runs.sqlite3",
        "sqlite:////proc/runs.sqlite3",
    ],
)
def test_an_unusable_address_is_one_sentence(url: str) -> None:
    with pytest.raises(StoreUnavailable) as error:
        Store(url)
    one_sentence(error)


def test_a_password_is_never_shown(tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable) as error:
        Store(f"sqlite://me:s3cret@/{tmp_path}/x.sqlite3")
    assert "s3cret" not in one_sentence(error)


def test_a_folder_that_cannot_be_written_is_one_sentence(read_only_folder: Path) -> None:
    with pytest.raises(StoreUnavailable) as error:
        Store(f"sqlite:///{read_only_folder / 'runs.sqlite3'}")
    one_sentence(error)
    with pytest.raises(StoreUnavailable) as error:
        Store(f"sqlite:///{read_only_folder / 'deeper' / 'runs.sqlite3'}")
    one_sentence(error)
    assert list(read_only_folder.iterdir()) == []


def test_a_file_that_is_no_database_is_one_sentence_and_stays_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "runs.sqlite3"
    path.write_bytes(b"my thesis, not a database" * 100)
    with pytest.raises(StoreUnavailable) as error:
        Store(f"sqlite:///{path}")
    assert "not a database" in one_sentence(error)
    assert path.read_bytes() == b"my thesis, not a database" * 100


def test_a_full_disk_refuses_the_event_whole(tmp_path: Path) -> None:
    store = Store(f"sqlite:///{tmp_path / 'runs.sqlite3'}")
    run_id = store.create_run(SPEC)
    store.append(run_id, "run_started")

    @sqlalchemy_event.listens_for(store._engine, "checkout")
    def no_more_pages(connection: sqlite3.Connection, *_: object) -> None:
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count={pages}")  # SQLite itself then says: disk is full

    with pytest.raises(StoreUnavailable) as error:
        for number in range(10_000):
            store.append(run_id, "warning", {"message": f"{number}" * 500})
    assert "full" in one_sentence(error)
    events = store.events(run_id)
    assert [event.seq for event in events] == list(range(1, len(events) + 1))
    assert store.summary(run_id) == summarise(store.state(run_id))
    with pytest.raises(StoreUnavailable):
        for _ in range(10_000):
            store.create_run(SPEC)
    assert all(store.events(summary.run_id) for summary in store.summaries())
    store.close()


def test_a_store_of_a_newer_version_asks_for_an_update(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'runs.sqlite3'}"
    store = Store(url)
    with store._engine.begin() as connection:
        connection.execute(update(META).values(value=2))
    store.close()
    with pytest.raises(StoreUnavailable, match="newer") as error:
        Store(url)
    one_sentence(error)


def test_without_an_address_the_store_lies_in_the_home(explorer_home: Path) -> None:
    store = Store()
    store.create_run(SPEC)
    store.close()
    assert (explorer_home / "runs.sqlite3").exists()
    assert places.store_url({"EXPLORER_DATABASE_URL": "sqlite:///x"}) == "sqlite:///x"


def test_a_relative_path_means_the_same_store_from_everywhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    store = Store("sqlite:///here.sqlite3")
    assert store.url == f"sqlite:///{tmp_path / 'here.sqlite3'}"
    store.close()


def test_a_damaged_record_is_one_sentence(explorer_home: Path) -> None:
    store = Store()
    run_id = store.create_run(SPEC)
    with sqlite3.connect(explorer_home / "runs.sqlite3") as database:
        database.execute("update explorer_runs set summary = '{oops', ledger = '[]'")
        database.execute("update explorer_events set data = 'nonsense'")
    for read in (store.summaries, lambda: store.summary(run_id), lambda: store.events(run_id)):
        with pytest.raises(StoreUnavailable, match=f"{run_id} is damaged"):
            read()
    with pytest.raises(StoreUnavailable, match="is damaged"):
        store.append(run_id, "run_started")
    store.close()


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("sqlite://", "in memory is seen by one process only"),
        ("sqlite:///:memory:", "in memory is seen by one process only"),
        ("sqlite+no_such_driver:///x", "cannot be opened"),
    ],
)
def test_an_address_that_cannot_serve_is_refused(url: str, expected: str) -> None:
    with pytest.raises(StoreUnavailable, match=expected):
        Store(url)


def test_a_missing_driver_is_named_with_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg2", None)
    with pytest.raises(StoreUnavailable, match=r"Python package 'psycopg2'; install it with pip"):
        Store("postgresql+psycopg2://127.0.0.1/nowhere")


def test_a_home_that_is_no_folder_is_said_plainly(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("EXPLORER_HOME", str(tmp_path / "file"))
    with pytest.raises(StoreUnavailable, match="is no folder; set EXPLORER_HOME"):
        Store()
