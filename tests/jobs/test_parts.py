"""The supervisor's small parts: lock, fingerprint, log, environment, and what must stay light."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from explorer.errors import SupervisorUnavailable
from explorer.jobs import lock
from explorer.jobs.fingerprint import Fingerprint, code_hash
from explorer.jobs.processes import ROOT, cap_log, environment
from explorer.runs import Store

HEAVY = ("torch", "nni", "torchvision", "sklearn", "streamlit", "pandas")
LIGHT = ("launch", "limits", "control", "foreground", "supervisor", "executors", "worker", "watch", "preload")


def test_a_lock_has_one_holder_who_is_known_until_it_lets_go(tmp_path: Path) -> None:
    path = tmp_path / "home" / "x.lock"
    assert lock.holder(path) is None
    held = lock.acquire(path)
    assert held is not None
    assert lock.acquire(path) is None
    held.write({"pid": 123456, "state": "warming"})
    held.write({"pid": 1, "state": "ready"})
    assert lock.holder(path) == {"pid": 1, "state": "ready"}
    held.release()
    assert lock.holder(path) is None, "what a dead holder left in the file counts for nothing"
    again = lock.acquire(path)
    assert again is not None
    again.release()


def test_a_lock_that_cannot_be_made_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("a file where a folder should be")
    with pytest.raises(SupervisorUnavailable, match="lock"):
        lock.acquire(tmp_path / "home" / "x.lock")


def test_the_fingerprint_notices_edits_new_files_and_nothing_else(tmp_path: Path) -> None:
    source = tmp_path / "a.py"
    source.write_text("x = 1\n")
    fingerprint = Fingerprint(tmp_path)
    source.touch()
    (tmp_path / "notes.txt").write_text("not code")
    assert not fingerprint.changed()
    source.write_text("x = 2\n")
    assert fingerprint.changed()
    source.write_text("x = 1\n")
    assert not fingerprint.changed()
    (tmp_path / "b.py").write_text("")
    assert fingerprint.changed()
    assert fingerprint.hash != code_hash(tmp_path)


def test_a_log_that_grew_too_long_keeps_its_end_aside(tmp_path: Path) -> None:
    path = tmp_path / "supervisor.log"
    with path.open("ab") as writer:
        writer.write(b"old " * 300 + b"newest")
        writer.flush()
        cap_log(path, limit=1000)
        writer.write(b"after")
    assert path.read_bytes() == b"after"
    kept = (tmp_path / "supervisor.old.log").read_bytes()
    assert len(kept) == 1000 and kept.endswith(b"newest")


def test_children_know_the_store_and_not_the_secrets(store: Store) -> None:
    given = {
        "PATH": "/bin",
        "GITHUB_TOKEN": "x",
        "EXPLORER_MODE": "cloud",
        "LC_ALL": "C",
        "PYTHONSTARTUP": "x",
    }
    known = environment(store, given)
    assert known["EXPLORER_DATABASE_URL"] == store.url
    assert known["OMP_NUM_THREADS"] == "1"
    assert {"PATH", "EXPLORER_MODE", "LC_ALL"} <= set(known)
    assert not {"GITHUB_TOKEN", "PYTHONSTARTUP"} & set(known)


@pytest.mark.parametrize("module", LIGHT)
def test_jobs_can_be_imported_without_anything_heavy(module: str) -> None:
    script = f"import sys, explorer.jobs.{module}; print([name for name in {HEAVY} if name in sys.modules])"
    said = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert said.stdout.strip() == "[]"
