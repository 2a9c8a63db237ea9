"""How processes end, in words that are true."""

from __future__ import annotations

import signal

KEPT = "finished trials are kept, and Resume trains what is missing"
ORPHANED = f"The process that looked after this run ended; {KEPT}."
EXPIRED = f"The processes of this run ended without a word; {KEPT}."
STOPPED = f"The supervisor was stopped while this run was going on; {KEPT}."
STORE_EXIT_CODE = 4
_FROM_OUTSIDE = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


def signal_name(exit_code: int) -> str:
    """`SIGKILL` for -9."""
    try:
        return signal.Signals(-exit_code).name
    except ValueError:
        return f"signal {-exit_code}"


def trial_ending(exit_code: int | None) -> str:
    """Why a trial's process ended before its final result."""
    if exit_code is None:
        return "The trial's process closed its channel without a final result."
    if exit_code >= 0:
        return f"The trial's process ended with exit code {exit_code} before its final result."
    if -exit_code in _FROM_OUTSIDE:
        return f"The trial's process was killed by {signal_name(exit_code)}, perhaps because memory ran out."
    return f"The trial's process crashed with {signal_name(exit_code)}."


def worker_ending(exit_code: int) -> tuple[str, str]:
    """The terminal event's kind and reason for a worker that ended without writing one."""
    if exit_code < 0 and -exit_code in _FROM_OUTSIDE:
        name = signal_name(exit_code)
        return "run_lost", f"The worker process was killed by {name}, perhaps because memory ran out; {KEPT}."
    if exit_code < 0:
        return "run_failed", f"The worker process crashed with {signal_name(exit_code)}; {KEPT}."
    if exit_code == STORE_EXIT_CODE:
        return "run_failed", f"The worker could not write to the store and gave up; {KEPT}."
    return (
        "run_failed",
        f"The worker process ended with exit code {exit_code} and no word; its log says more.",
    )
