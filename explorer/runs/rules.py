"""Which event may follow which: the grammar of a run's story, one rule for the store and for recorded files.

A terminal event closes an attempt and only `run_resumed` opens the next, so a late word from a worker that
was given up is refused instead of rewriting the ending.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from explorer.runs.events import CLOSED

_OF_A_RUNNING_TRIAL = ("intermediate_result", "assessment", "final_result", "trial_ended")
# kind -> run statuses in which it may happen
_ALLOWED = {
    "run_started": ("queued",),
    "run_paused": ("running",),
    "run_resumed": ("paused", *sorted(CLOSED)),
    "run_finished": ("running", "paused"),
    "trial_started": ("running", "paused"),
    "architecture_snapshot": ("running", "paused"),
    "measurement": ("running", "paused"),
}


def refusal(
    run_status: str | None, trial_status: str | None, kind: str, data: Mapping[str, Any]
) -> str | None:
    """Why `kind` may not come next, as one sentence, or None.

    `run_status` is None before the first event; `trial_status` is that of the trial that `data` names, None
    if unknown.
    """
    if (run_status is None) != (kind == "run_queued"):
        return "A run's story begins with run_queued, once."
    if run_status in CLOSED and kind != "run_resumed":
        return f"The run has already ended ({run_status}); only run_resumed may follow, not {kind}."
    if run_status is not None and run_status not in _ALLOWED.get(kind, (run_status,)):
        return f"{kind} cannot happen while the run is {run_status}."
    if kind in _OF_A_RUNNING_TRIAL and run_status == "queued":
        return f"{kind} cannot happen while the run is queued."
    if kind in _OF_A_RUNNING_TRIAL and trial_status != "running":
        return f"{kind} is about trial {data['trial_id']}, which is {trial_status or 'unknown'}, not running."
    return None
