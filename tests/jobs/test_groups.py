"""Foreign process groups end with their run, whoever is left to end them; nobody else's process is touched."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from explorer.jobs import groups
from explorer.jobs.limits import Limits
from explorer.jobs.watch import Process, Watch
from explorer.runs import RunSpec, Store
from tests.jobs.conftest import wait_for

RUN = "abcdefghijkm"
# A leader with a child, and a child whose parent is gone: what NNI's manager and its trials look like.
FAMILY = """
import subprocess, sys, time
sleep = [sys.executable, "-c", "import time; time.sleep(600)"]
subprocess.Popen(sleep)
subprocess.run([sys.executable, "-c", f"import subprocess; subprocess.Popen({sleep!r}, start_new_session=True)"])
print("ready", flush=True)
time.sleep(600)
"""


def _start(script: str, **environment: str) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", script],
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stdout is not None
    process.stdout.readline()
    return process


def _marked() -> list[int]:
    wanted = groups.mark(RUN)[groups.MARK]
    return [
        process.pid
        for process in psutil.process_iter()
        if groups._lives(process) and _environment(process).get(groups.MARK) == wanted
    ]


def _environment(process: psutil.Process) -> dict[str, str]:
    try:
        return dict(process.environ())
    except (psutil.Error, OSError):
        return {}


@pytest.fixture
def family() -> Iterator[subprocess.Popen[str]]:
    """Three marked processes, the leader ours."""
    leader = _start(FAMILY, **groups.mark(RUN))
    yield leader
    for pid in _marked():
        psutil.Process(pid).kill()
    leader.wait()
    assert leader.stdout is not None
    leader.stdout.close()


def test_a_noted_group_ends_whole_and_its_note_goes(family: subprocess.Popen[str]) -> None:
    groups.note(RUN, family.pid)
    assert len(_marked()) == 3
    assert groups.end(RUN) == 3
    assert _marked() == []
    assert not (groups.folder(RUN) / groups.NOTE).exists()


def test_what_a_killed_leader_left_behind_is_found_by_its_mark(family: subprocess.Popen[str]) -> None:
    groups.note(RUN, family.pid)
    family.kill()
    family.wait()
    assert groups.end(RUN) == 2
    assert _marked() == []


def test_a_group_noted_before_its_leader_has_a_number_ends_as_well(family: subprocess.Popen[str]) -> None:
    groups.note(RUN)
    assert groups.end(RUN) == 3


def test_a_number_that_somebody_else_has_by_now_is_never_touched() -> None:
    somebody = _start("import time; print(flush=True); time.sleep(600)")
    try:
        groups.note(RUN, somebody.pid)
        path = groups.folder(RUN) / groups.NOTE
        known = json.loads(path.read_text())
        known["leader"]["started"] -= 60
        path.write_text(json.dumps(known))
        assert groups.end(RUN) == 0
        assert somebody.poll() is None
    finally:
        somebody.kill()
        somebody.wait()
        assert somebody.stdout is not None
        somebody.stdout.close()


def test_a_run_without_a_group_costs_nothing_and_a_broken_note_ends_nothing(explorer_home: Path) -> None:
    assert groups.end(RUN) == 0
    path = groups.folder(RUN) / groups.NOTE
    path.parent.mkdir(parents=True)
    path.write_text('{"leader": {"pid": "x"}')
    assert groups.end(RUN) == 0
    assert not path.exists()


def test_a_run_id_never_leads_out_of_the_home(explorer_home: Path) -> None:
    assert groups.folder("../../elsewhere").parent == explorer_home / "nni"


def test_only_groups_whose_starter_is_gone_are_stale(family: subprocess.Popen[str]) -> None:
    groups.note(RUN, family.pid)
    assert groups.end_stale() == []
    path = groups.folder(RUN) / groups.NOTE
    known = json.loads(path.read_text())
    known["owner"]["started"] -= 60
    path.write_text(json.dumps(known))
    assert groups.end_stale() == [RUN]
    assert _marked() == []


def test_a_watch_ends_the_group_of_a_worker_that_was_killed(store: Store) -> None:
    run_id = store.create_run(RunSpec(space="cell"), owner="me")
    worker = _start("import time; print(flush=True); time.sleep(600)")
    leader = _start("import time; print(flush=True); time.sleep(600)", **groups.mark(run_id))
    try:
        groups.note(run_id, leader.pid)
        process = Process(worker.pid, worker.poll, worker.kill, lambda: None)
        watch = Watch(store, run_id, "me", Limits(), process)
        assert watch.look()
        assert leader.poll() is None
        worker.kill()
        wait_for(lambda: not watch.look())
        assert leader.wait(timeout=10) is not None
        assert store.summary(run_id).status == "lost"
    finally:
        for each in (worker, leader):
            each.kill()
            each.wait()
            assert each.stdout is not None
            each.stdout.close()
