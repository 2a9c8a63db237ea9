"""How much memory a process really takes."""

from __future__ import annotations

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
