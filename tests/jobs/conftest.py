"""A store, and supervisors that are gone when the test is over."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from explorer.jobs import launch
from explorer.jobs.lock import holder, lock_path
from explorer.runs import RunSpec, RunState, Store

SPEC = RunSpec(
    space="cell", trials=6, epochs=3, workers=2
)  # the fake engine holds back after `epochs` trials
PATIENCE_SECONDS = 60.0


def fake(engine: str = "random_engine", *more: str) -> tuple[str, ...]:
    """Arguments that make a supervisor use one of the fake engines, and preload nothing heavy."""
    return ("--engines", f"random=tests.jobs.fakes:{engine}", "--preload", "tests.jobs.fakes", *more)


def wait_for(what: Callable[[], object], seconds: float = PATIENCE_SECONDS) -> None:
    """Look again and again until it is so; fails the test when it never is."""
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.02)


def wait_for_end(store: Store, run_id: str, seconds: float = PATIENCE_SECONDS) -> RunState:
    """The run's state at its end, looked at as a page does: reconciling first."""
    wait_for(lambda: launch.reconcile(store) or store.summary(run_id).is_over, seconds)
    return store.state(run_id)


def wait_for_trials(store: Store, run_id: str, count: int) -> None:
    """Until so many trials have succeeded."""
    wait_for(lambda: store.summary(run_id).counts.get("succeeded", 0) >= count)


def open_gate(home: Path) -> None:
    """Let the fake engine go on after its first trials."""
    (home / "go").touch()


def worker_of(supervisor: int) -> psutil.Process:
    """The one process below the supervisor's fork server that works on a run."""
    found = [child for child in psutil.Process(supervisor).children(recursive=True) if _is_worker(child)]
    return found[0]


def _is_worker(process: psutil.Process) -> bool:
    with contextlib.suppress(psutil.Error):
        parent = process.parent()
        return parent is not None and "forkserver" in " ".join(parent.cmdline()) and bool(process.children())
    return False


@pytest.fixture
def store(explorer_home: Path) -> Iterator[Store]:
    """The store of this test's home; whatever supervises it ends with the test."""
    opened = Store()
    yield opened
    _end_supervisor(opened)
    opened.close()


def _end_supervisor(store: Store) -> None:
    facts = holder(lock_path(store.url))
    if not facts or "pid" not in facts:
        return
    with contextlib.suppress(psutil.NoSuchProcess):
        supervisor = psutil.Process(facts["pid"])
        family = [supervisor, *supervisor.children(recursive=True)]
        for process in family:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        psutil.wait_procs(family, timeout=10)
