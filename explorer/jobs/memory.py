"""How much memory a process really takes, and what a trial's process may not exceed."""

from __future__ import annotations

import contextlib
from pathlib import Path

import psutil  # type: ignore[import-untyped]


def own_memory_mb(pid: int) -> float:
    """Proportional set size, pages shared by a fork counted once, where Linux tells it (one short file); resident
    size elsewhere.

    Raises psutil.Error when the process is gone.
    """
    try:
        rows = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        return sum(int(row.split()[1]) for row in rows if row.startswith("Pss:")) / 1024
    except OSError:
        return float(psutil.Process(pid).memory_info().rss) / 2**20


def trial_excess(
    pid: int, silent_seconds: float, silence_seconds: float | None, memory_mb: float | None
) -> str | None:
    """Why a trial's process is to be ended, in one sentence: too long silent, or too much memory; None for neither.

    `silent_seconds` is how long it has said nothing; a limit of None is no limit.
    """
    if silence_seconds is not None and silent_seconds > silence_seconds:
        return f"The trial said nothing for the {silence_seconds:g} s allowed here and was ended."
    if memory_mb is None:
        return None
    with contextlib.suppress(psutil.Error):
        used = own_memory_mb(pid)
        if used > memory_mb:
            allowed = f"the {memory_mb:g} MB allowed here"
            return f"The trial took {used:.0f} MB of memory, more than {allowed}, and was ended."
    return None
