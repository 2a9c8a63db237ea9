"""Newer code on the disk replaces an idle supervisor, and never one that is at work."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from explorer.jobs import launch
from explorer.jobs.processes import ROOT
from explorer.runs import Store
from tests.jobs.conftest import SPEC, fake, open_gate, wait_for, wait_for_end, wait_for_trials

pytestmark = pytest.mark.slow


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A checkout of our own, whose code may be edited."""
    root = tmp_path / "checkout"
    ignore = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "explorer", root / "explorer", ignore=ignore)
    shutil.copytree(ROOT / "tests" / "jobs", root / "tests" / "jobs", ignore=ignore)
    (root / "tests" / "__init__.py").touch()
    return root


def start_supervisor(root: Path) -> None:
    imports = "from explorer.jobs import launch; from explorer.runs import Store"
    script = f"{imports}; launch.ensure_supervisor(Store(), {fake()!r})"
    subprocess.run([sys.executable, "-c", script], cwd=root, check=True)


def edit(root: Path) -> None:
    path = root / "explorer" / "errors.py"
    path.write_text(path.read_text() + "\n# newer\n")


def test_newer_code_replaces_an_idle_supervisor(store: Store, copy: Path, explorer_home: Path) -> None:
    start_supervisor(copy)
    before = launch.supervisor_status(store).pid
    edit(copy)
    wait_for(lambda: launch.supervisor_status(store).pid not in (None, before))
    open_gate(explorer_home)
    run_id = store.create_run(SPEC)
    assert wait_for_end(store, run_id).status == "finished", "the successor is started the same way"


def test_newer_code_waits_until_the_run_is_over(store: Store, copy: Path, explorer_home: Path) -> None:
    start_supervisor(copy)
    before = launch.supervisor_status(store).pid
    run_id = store.create_run(SPEC)
    wait_for_trials(store, run_id, SPEC.epochs)
    edit(copy)
    open_gate(explorer_home)
    assert wait_for_end(store, run_id).status == "finished"
    wait_for(lambda: launch.supervisor_status(store).pid not in (None, before))
