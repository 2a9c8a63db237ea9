"""A run in the foreground, for the command line: a worker of our own, watched from here, without a
supervisor.

The calling process stays light and only looks on; Ctrl-C cancels, a second one ends the worker at once.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from explorer.errors import Conflict, StoreUnavailable, SupervisorUnavailable
from explorer.jobs import launch
from explorer.jobs.limits import Limits
from explorer.jobs.processes import start_worker
from explorer.jobs.watch import Process, Watch
from explorer.runs.events import Event
from explorer.runs.spec import RunSpec
from explorer.runs.store import Store
from explorer.runs.summary import RunSummary

_POLL_SECONDS = 0.05
_FOLLOW_SECONDS = 0.25

Listener = Callable[[Event], object]


def run_here(
    store: Store,
    spec: RunSpec,
    on_event: Listener | None = None,
    *,
    name: str = "",
    limits: Limits | None = None,
    worker_arguments: Sequence[str] = (),
) -> RunSummary:
    """Create a run and see it through; `on_event` hears every event, in order.

    Returns the summary at its end.
    """
    limits = limits or Limits.from_environment()  # a bad value is said before anything is written
    owner = _new_owner()
    run_id = store.create_run(spec.checked(), name=name, owner=owner)
    return run_foreground(store, run_id, owner, on_event, limits=limits, worker_arguments=worker_arguments)


def resume_here(
    store: Store,
    run_id: str,
    retrain: Mapping[str, Any] | None = None,
    on_event: Listener | None = None,
    *,
    limits: Limits | None = None,
    worker_arguments: Sequence[str] = (),
) -> RunSummary:
    """Open the next attempt of a run that has ended and see it through; `on_event` hears the new events.

    A paused run has a worker already: it is told to go on, and followed to its end.
    """
    limits = limits or Limits.from_environment()
    launch.reconcile(store)
    known = store.summary(run_id)
    if known.status == "paused" and retrain is None:
        launch.resume(store, run_id)
        return _follow(store, run_id, known.last_seq, on_event)
    owner = _new_owner()
    launch.resume(store, run_id, retrain, owner=owner)
    return run_foreground(
        store,
        run_id,
        owner,
        on_event,
        after=known.last_seq,
        limits=limits,
        worker_arguments=worker_arguments,
    )


def run_foreground(
    store: Store,
    run_id: str,
    owner: str,
    on_event: Listener | None = None,
    *,
    limits: Limits,
    after: int = 0,
    worker_arguments: Sequence[str] = (),
) -> RunSummary:
    """See a run through that `owner` has claimed; events after number `after` are heard.

    Raises StoreUnavailable when the run's ending cannot be written, with the worker gone.
    """
    try:
        worker = start_worker(store, run_id, owner, worker_arguments)
        watch = Watch(store, run_id, owner, limits, _process(worker))
    except BaseException as error:
        reason = (
            f"The worker could not be started: {getattr(error, 'strerror', None) or type(error).__name__}."
        )
        with contextlib.suppress(Conflict, StoreUnavailable):
            store.append(run_id, "run_failed", {"reason": reason}, owner=owner)
        if isinstance(error, OSError):
            raise SupervisorUnavailable(reason) from error
        raise
    asked = False
    while True:
        try:
            alive = watch.look()
            after = _pass_on(store, run_id, after, on_event)
            if not alive:
                return store.summary(run_id)
            time.sleep(_POLL_SECONDS)
        except KeyboardInterrupt:
            if asked:
                watch.end("run_cancelled", "Cancelled on request (Ctrl-C twice).")
            asked = True
            _ask_to_cancel(store, run_id, watch)
        except BaseException:  # the listener failed or we are told to go: the worker writes run_lost
            watch.hang_up()
            raise


def _follow(store: Store, run_id: str, after: int, on_event: Listener | None) -> RunSummary:
    """Look on at a run that somebody else's worker does; Ctrl-C cancels it, a second one only looks away."""
    asked = False
    while True:
        try:
            launch.reconcile(store)
            over = store.summary(run_id).is_over
            after = _pass_on(store, run_id, after, on_event)
            if over:
                return store.summary(run_id)
            time.sleep(_FOLLOW_SECONDS)
        except KeyboardInterrupt:
            if asked:
                raise
            asked = True
            with contextlib.suppress(Conflict):
                store.request(run_id, "cancel")


def _ask_to_cancel(store: Store, run_id: str, watch: Watch) -> None:
    """Through the store, as always; where it takes no wish, the worker is ended."""
    try:
        with contextlib.suppress(Conflict):
            store.request(run_id, "cancel")
    except StoreUnavailable:
        watch.end("run_cancelled", "Cancelled on request (Ctrl-C).")


def _pass_on(store: Store, run_id: str, after: int, on_event: Listener | None) -> int:
    for event in store.events(run_id, after):
        after = event.seq
        if on_event is not None:
            on_event(event)
    return after


def _process(worker: subprocess.Popen[bytes]) -> Process:
    channel = worker.stdin
    return Process(worker.pid, worker.poll, worker.kill, channel.close if channel else lambda: None)


def _new_owner() -> str:
    return f"foreground-{os.getpid()}-{secrets.token_hex(4)}"
