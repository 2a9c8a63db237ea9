"""The databases that the store's contract is held against.

SQLite always; further ones by `EXPLORER_TEST_DATABASE_URLS`, addresses of empty databases separated by spaces (their
tables are dropped before every test).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy.engine import make_url

from explorer.runs import Store
from explorer.runs.tables import METADATA, open_engine


def _sqlite(folder: Path) -> str:
    return f"sqlite:///{folder / 'store' / 'runs.sqlite3'}"


def _emptied(url: str) -> Callable[[Path], str]:
    def factory(_: Path) -> str:
        engine = open_engine(make_url(url))
        METADATA.drop_all(engine)
        engine.dispose()
        return url

    return factory


FACTORIES: dict[str, Callable[[Path], str]] = {"sqlite": _sqlite}
for _url in os.environ.get("EXPLORER_TEST_DATABASE_URLS", "").split():
    FACTORIES[make_url(_url).get_backend_name()] = _emptied(_url)


class Clock:
    """A clock that moves when told."""

    def __init__(self) -> None:
        self.now = 1_900_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    """The store's time."""
    return Clock()


@pytest.fixture(params=FACTORIES)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of an empty store, once for each kind of database."""
    return FACTORIES[request.param](tmp_path)


@pytest.fixture
def store(url: str, clock: Clock) -> Iterator[Store]:
    """An empty store."""
    opened = Store(url, clock)
    yield opened
    opened.close()
