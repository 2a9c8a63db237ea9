"""Foreign process groups that a run started (NNI's manager with its trials), noted so that they never outlive it.

A note says which process leads the group and when that started, and who started it; a pid that somebody else has
by now is never touched. Every process of a group carries the run's id in its environment (`mark`), so that those
whose leader is gone are found as well.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import psutil  # type: ignore[import-untyped]

from explorer.runs import places

MARK = "EXPLORER_GROUP"
NOTE = "group.json"
_SAME_START_SECONDS = 1.0  # start times are computed from the boot time, which moves a little with the clock
_ROUNDS, _ROUND_SECONDS = 40, 0.05


def folder(run_id: str) -> Path:
    """Where a run keeps what belongs to its group."""
    return places.home() / "nni" / Path(run_id).name


def mark(run_id: str) -> dict[str, str]:
    """What the environment of a run's foreign processes must hold."""
    return {MARK: f"{folder(run_id)}"}


def note(run_id: str, pid: int | None = None) -> None:
    """Write down that this process starts a group for `run_id`, led by `pid`; None: it is about to."""
    path = folder(run_id) / NOTE
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(".new")
    draft.write_text(json.dumps({"owner": _identity(os.getpid()), "leader": pid and _identity(pid)}))
    draft.replace(path)


def end(run_id: str) -> int:
    """Kill the noted group and everything that came out of it; returns how many processes that were.

    Does nothing, quickly, for a run without a note.
    """
    path = folder(run_id) / NOTE
    if not path.exists():
        return 0
    leader = _read(path).get("leader")
    ended: set[int] = set()
    for _ in range(_ROUNDS):
        found = [process for process in _members(leader, mark(run_id)[MARK]) if _lives(process)]
        if not found:
            break
        ended |= {process.pid for process in found}
        _kill(found)
        time.sleep(_ROUND_SECONDS)
    path.unlink(missing_ok=True)
    return len(ended)


def end_stale() -> list[str]:
    """End the groups whose starter is gone; returns their runs."""
    stale = [
        path.parent.name
        for path in sorted((places.home() / "nni").glob(f"*/{NOTE}"))
        if _process(_read(path).get("owner")) is None
    ]
    for run_id in stale:
        end(run_id)
    return stale


def _identity(pid: int) -> dict[str, Any] | None:
    with contextlib.suppress(psutil.Error):
        return {"pid": pid, "started": psutil.Process(pid).create_time()}
    return None


def _read(path: Path) -> dict[str, Any]:
    with contextlib.suppress(OSError, ValueError):
        known = json.loads(path.read_text())
        return known if isinstance(known, dict) else {}
    return {}


def _process(identity: Any) -> psutil.Process | None:
    """The process that was noted, or None when it is gone, whoever has its number now."""
    with contextlib.suppress(psutil.Error, KeyError, TypeError):
        process = psutil.Process(identity["pid"])
        if abs(process.create_time() - identity["started"]) < _SAME_START_SECONDS and _lives(process):
            return process
    return None


def _members(leader: Any, marked: str) -> Iterable[psutil.Process]:
    """The leader, its descendants, and whoever carries the mark; ourselves never."""
    found: dict[int, psutil.Process] = {}
    first = _process(leader)
    if first is not None:
        with contextlib.suppress(psutil.Error):
            found |= {process.pid: process for process in (first, *first.children(recursive=True))}
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if process.environ().get(MARK) == marked:
                found[process.pid] = process
    found.pop(os.getpid(), None)
    return found.values()


def _lives(process: psutil.Process) -> bool:
    with contextlib.suppress(psutil.Error):
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    return False


def _kill(found: Iterable[psutil.Process]) -> None:
    for process in found:
        with contextlib.suppress(psutil.Error, OSError):
            process.send_signal(signal.SIGKILL)
