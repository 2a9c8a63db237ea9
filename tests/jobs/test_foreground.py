"""Runs in the foreground: the same worker, watched by the caller, and no supervisor."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from explorer.errors import SpecError, SupervisorUnavailable
from explorer.jobs import launch
from explorer.jobs.foreground import resume_here, run_here
from explorer.jobs.limits import Limits
from explorer.jobs.processes import ROOT
from explorer.runs import Event, Store
from tests.jobs.conftest import SPEC, fake, open_gate, wait_for, wait_for_end, wait_for_trials

pytestmark = pytest.mark.slow
FAKE = ("--engines", "random=tests.jobs.fakes:random_engine")


def test_a_foreground_run_tells_every_event_and_starts_no_supervisor(
    store: Store, explorer_home: Path
) -> None:
    open_gate(explorer_home)
    heard: list[Event] = []
    summary = run_here(store, SPEC, heard.append, worker_arguments=FAKE)
    assert (summary.status, summary.counts) == ("finished", {"succeeded": SPEC.trials})
    assert heard == store.events(summary.run_id)
    assert not launch.supervisor_status(store).running


def test_a_foreground_resume_tells_the_new_events_only(store: Store, explorer_home: Path) -> None:
    open_gate(explorer_home)
    first = run_here(store, SPEC, worker_arguments=("--engines", "random=tests.jobs.fakes:failing_engine"))
    assert first.status == "failed"
    heard: list[Event] = []
    second = resume_here(store, first.run_id, on_event=heard.append, worker_arguments=FAKE)
    assert second.status == "finished"
    assert [event.kind for event in heard[:2]] == ["run_resumed", "run_started"]
    assert heard == store.events(first.run_id, after=first.last_seq)


def test_a_supervisor_leaves_a_foreground_run_alone(store: Store, explorer_home: Path) -> None:
    launch.ensure_supervisor(store, ("--engines", "random=tests.jobs.fakes:failing_engine", "--preload", ""))
    open_gate(explorer_home)
    assert run_here(store, SPEC, worker_arguments=FAKE).status == "finished"


def test_a_limit_ends_a_foreground_run_too(store: Store) -> None:
    summary = run_here(store, SPEC, limits=Limits(run_seconds=1.0), worker_arguments=FAKE)
    assert summary.status == "failed" and "longer than the 1 s allowed" in str(summary.reason)


@pytest.mark.parametrize("again", [False, True])
def test_a_bad_limit_is_said_before_anything_is_written(
    store: Store, monkeypatch: pytest.MonkeyPatch, again: bool
) -> None:
    lost = store.create_run(SPEC)
    store.append(lost, "run_lost", {"reason": "gone"})
    monkeypatch.setenv("EXPLORER_RUN_SECONDS", "soon")
    with pytest.raises(SpecError, match="EXPLORER_RUN_SECONDS"):
        resume_here(store, lost) if again else run_here(store, SPEC)
    assert [summary.status for summary in store.summaries()] == ["lost"]


def test_a_worker_that_cannot_be_started_leaves_no_run_waiting(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(12, "Cannot allocate memory")

    monkeypatch.setattr("explorer.jobs.foreground.start_worker", refuse)
    with pytest.raises(SupervisorUnavailable, match="Cannot allocate memory"):
        run_here(store, SPEC)
    assert [summary.status for summary in store.summaries()] == ["failed"]


def test_a_foreground_resume_of_a_paused_run_follows_the_worker_that_it_has(
    store: Store, explorer_home: Path
) -> None:
    run_id = launch.start_run(store, SPEC, supervisor_arguments=fake())
    wait_for_trials(store, run_id, SPEC.epochs)
    launch.pause(store, run_id)
    wait_for(lambda: store.summary(run_id).status == "paused")
    open_gate(explorer_home)
    heard: list[Event] = []
    summary = resume_here(store, run_id, on_event=heard.append)
    assert (summary.status, summary.attempt) == ("finished", 1)
    assert (heard[0].kind, heard[-1].kind) == ("run_resumed", "run_finished")
    assert len(store.events(run_id)) == heard[-1].seq


_SCRIPT = f"""
from explorer.jobs.foreground import run_here
from explorer.runs import RunSpec, Store
spec = RunSpec.from_json({SPEC.to_json()!r})
print(run_here(Store(), spec, worker_arguments={FAKE!r}).status)
"""


def in_a_terminal() -> subprocess.Popen[str]:
    command = [sys.executable, "-c", _SCRIPT]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, start_new_session=True)


def the_run(store: Store) -> str:
    wait_for(store.summaries)
    return store.summaries()[0].run_id


def test_ctrl_c_cancels_the_run_and_waits_for_its_ending(store: Store) -> None:
    terminal = in_a_terminal()
    run_id = the_run(store)
    wait_for_trials(store, run_id, SPEC.epochs)
    os.killpg(terminal.pid, signal.SIGINT)
    said, _ = terminal.communicate()
    assert said.strip() == "cancelled"
    assert store.summary(run_id).counts == {"succeeded": SPEC.epochs}


@pytest.mark.parametrize("victim", ["terminal", "worker"])
def test_kill_9_of_a_foreground_run_is_told_within_ten_seconds(store: Store, victim: str) -> None:
    terminal = in_a_terminal()
    run_id = the_run(store)
    wait_for_trials(store, run_id, SPEC.epochs)
    worker = psutil.Process(terminal.pid).children()[0]
    (psutil.Process(terminal.pid) if victim == "terminal" else worker).kill()
    assert wait_for_end(store, run_id, 10.0).status == "lost"
    terminal.communicate()
    wait_for(lambda: not worker.is_running())
