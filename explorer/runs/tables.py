"""The store's tables, and its one place that knows SQLite: the settings of a fresh connection.

Counters live in the run's row, so that numbering events and requests needs no database-specific sequence.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from sqlalchemy import (
    Column,
    Engine,
    Float,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    create_engine,
    event,
)
from sqlalchemy.engine import URL

SCHEMA = 1
BUSY_MILLISECONDS = 10_000

METADATA = MetaData()

META = Table(
    "explorer_meta", METADATA, Column("name", String(40), primary_key=True), Column("value", Integer)
)

RUNS = Table(
    "explorer_runs",
    METADATA,
    Column("run_id", String(40), primary_key=True),
    Column("kind", String(20), nullable=False),
    Column("status", String(20), nullable=False),
    Column("created", Float(53), nullable=False),
    Column(
        "queued", Float(53), nullable=False
    ),  # when the newest attempt was queued: first come, first served
    Column("visitor", String(80)),
    Column("name", String(200), nullable=False, default=""),
    Column("note", Text, nullable=False, default=""),
    Column("last_seq", Integer, nullable=False),
    Column("last_request", Integer, nullable=False),
    Column("first_request", Integer, nullable=False),  # requests up to here belong to earlier attempts
    Column("lease_owner", String(80)),
    Column("lease_until", Float(53)),
    Column("heartbeat", Float(53)),
    Column("summary", Text, nullable=False),
    Column("ledger", Text, nullable=False),
    Index("explorer_runs_status", "status"),
    Index("explorer_runs_created", "created"),
)

EVENTS = Table(
    "explorer_events",
    METADATA,
    Column("run_id", String(40), primary_key=True),
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("time", Float(53), nullable=False),
    Column("kind", String(40), nullable=False),
    Column("data", Text, nullable=False),
)

REQUESTS = Table(
    "explorer_requests",
    METADATA,
    Column("run_id", String(40), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("time", Float(53), nullable=False),
    Column("kind", String(40), nullable=False),
    Column("data", Text, nullable=False),
)


def absolute(url: URL) -> URL:
    """The same store from any working directory: a SQLite path made absolute."""
    if url.get_backend_name() != "sqlite" or url.database in (None, "", ":memory:"):
        return url
    return url.set(database=os.path.abspath(str(url.database)))


def open_engine(url: URL) -> Engine:
    """A SQLAlchemy engine; for SQLite the folder is made and each connection gets its settings."""
    if url.get_backend_name() != "sqlite":
        return create_engine(url, pool_pre_ping=True)
    if url.database in (None, "", ":memory:") or "mode=memory" in str(url):
        raise ValueError(
            "a database in memory is seen by one process only; name a file, such as sqlite:///runs.sqlite3"
        )
    Path(str(url.database)).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(url, connect_args={"timeout": BUSY_MILLISECONDS / 1000})
    event.listen(engine, "connect", _settings_of_a_connection)
    return engine


def _settings_of_a_connection(connection: Any, _: Any) -> None:
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout={BUSY_MILLISECONDS}")  # wait for another writer instead of failing
    cursor.execute("PRAGMA journal_mode=WAL")  # readers never wait for a writer
    cursor.execute("PRAGMA synchronous=NORMAL")  # safe against kill -9; a power cut may lose the last events
    cursor.close()
