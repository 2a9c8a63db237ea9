"""Looking after one worker: its lease, its limits, and a truthful ending when it cannot write one itself.

The supervisor watches several, a foreground run watches one. Nothing here starts a process.
"""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import psutil  # type: ignore[import-untyped]

from explorer.errors import Conflict, NotFound, StoreUnavailable
from explorer.jobs import groups
from explorer.jobs.endings import worker_ending
from explorer.jobs.limits import Limits
from explorer.jobs.memory import own_memory_mb
from explorer.runs.store import Store

LEASE_SECONDS = 6.0
_RENEW_SECONDS = 2.0
_INSPECT_SECONDS = 1.0
_CANCEL_SECONDS = 5.0
_LAST_WORD_SECONDS = 4.0  # how long an ending is tried again while the store says no

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Process:
    """What must be known of a worker process, however it was started."""

    pid: int
    exit_code: Callable[[], int | None]
    kill: Callable[[], None]
    hang_up: Callable[[], None]


@dataclass
class Watch:
    """One run and the process that works on it."""

    store: Store
    run_id: str
    owner: str
    limits: Limits
    process: Process
    _began: float = field(default_factory=time.monotonic, init=False)
    _next_renewal: float = field(default=0.0, init=False)
    _next_inspection: float = field(default=0.0, init=False)
    _ending: tuple[str, str] | None = field(default=None, init=False)
    _last_word_until: float | None = field(default=None, init=False)

    def look(self) -> bool:
        """One round; False once the process is gone and the run has a terminal event.

        Raises StoreUnavailable when the process is gone and its ending could not be written for some seconds: the
        lease runs out, and whoever reads the store once it can be written tells the rest.
        """
        try:
            return self._look()
        except StoreUnavailable as error:
            log.warning("run %s: %s", self.run_id, error)
            if self._is_hopeless():
                raise
            return True
        except NotFound:  # deleted under our feet
            self.process.kill()
            groups.end(self.run_id)
            return False

    def end(self, kind: str, reason: str) -> None:
        """Kill the process; the next `look` writes this ending unless the worker wrote one."""
        self._ending = self._ending or (kind, reason)
        self.process.kill()

    def hang_up(self) -> None:
        """Close the channel, which asks the worker to write `run_lost` and go."""
        self.process.hang_up()

    def _look(self) -> bool:
        exit_code = self.process.exit_code()
        if exit_code is not None:
            self._close(exit_code)
            return False
        now = time.monotonic()
        if now >= self._next_renewal:
            self._next_renewal = now + _RENEW_SECONDS
            if not self.store.renew(self.run_id, self.owner, LEASE_SECONDS) and not self._is_over():
                self.end("run_lost", "The run was given to somebody else.")
        if now >= self._next_inspection:
            self._next_inspection = now + _INSPECT_SECONDS
            self._inspect(now)
        return True

    def _is_hopeless(self) -> bool:
        """Whether there is nobody left to wait for: a living worker may yet write, a dead one may not."""
        if self.process.exit_code() is None:
            return False
        now = time.monotonic()
        if self._last_word_until is None:
            self._last_word_until = now + _LAST_WORD_SECONDS
        return now >= self._last_word_until

    def _close(self, exit_code: int) -> None:
        self.process.hang_up()
        groups.end(self.run_id)  # a worker that was killed could not end what it had started
        if self._is_over():
            return
        kind, reason = self._ending or worker_ending(exit_code)
        with contextlib.suppress(Conflict):
            self.store.append(self.run_id, kind, {"reason": reason}, owner=self.owner)

    def _is_over(self) -> bool:
        return self.store.summary(self.run_id).is_over

    def _inspect(self, now: float) -> None:
        limits = self.limits
        if limits.run_seconds is not None and now - self._began > limits.run_seconds:
            self.end("run_failed", f"The run took longer than the {limits.run_seconds:g} s allowed here.")
        used = self._memory_mb() if limits.run_memory_mb is not None else 0.0
        if limits.run_memory_mb is not None and used > limits.run_memory_mb:
            allowed = f"the {limits.run_memory_mb:g} MB allowed here"
            self.end("run_failed", f"The run used {used:.0f} MB of memory, more than {allowed}.")
        silence = self._silence(now)
        if silence > limits.silence_seconds:
            self.end(
                "run_lost", f"The worker process gave no sign of life for {silence:.0f} s and was ended."
            )
        if self._cancel_is_overdue():
            self.end(
                "run_cancelled", "Cancelled on request; the worker did not stop by itself and was ended."
            )

    def _silence(self, now: float) -> float:
        """Seconds since the worker's last sign of life, or since we began to watch."""
        heartbeat = self.store.summary(self.run_id).heartbeat
        since_beat = self.store.clock() - heartbeat if heartbeat is not None else float("inf")
        return min(since_beat, now - self._began)

    def _cancel_is_overdue(self) -> bool:
        asked = [request.time for request in self.store.requests(self.run_id) if request.kind == "cancel"]
        return bool(asked) and self.store.clock() - asked[0] > _CANCEL_SECONDS

    def _memory_mb(self) -> float:
        """Proportional set size of the worker and its children: pages shared by a fork count once."""
        total = 0.0
        with contextlib.suppress(psutil.Error):
            worker = psutil.Process(self.process.pid)
            for process in [worker, *worker.children(recursive=True)]:
                with contextlib.suppress(psutil.Error):
                    total += own_memory_mb(process.pid)
        return total
