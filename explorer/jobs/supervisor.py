"""The supervisor: one per store and machine. Claims queued runs, forks a warm worker for each, and looks
after them.

Started on demand by `launch`, ended by idleness. Its fork server imports torch, nni and the engines once and
does nothing else, so that a worker starts in milliseconds; this process itself stays light. Newer code on the
disk replaces it as soon as it is idle.
"""

from __future__ import annotations

import argparse
import contextlib
import logging
import multiprocessing
import os
import secrets
import signal
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import wait
from types import FrameType
from typing import Any

from explorer.errors import ExplorerError, StoreUnavailable
from explorer.jobs import groups
from explorer.jobs import lock as locks
from explorer.jobs.endings import EXPIRED, STOPPED
from explorer.jobs.fingerprint import Fingerprint
from explorer.jobs.limits import Limits
from explorer.jobs.processes import cap_log, log_path, start_supervisor
from explorer.jobs.watch import LEASE_SECONDS, Process, Watch
from explorer.jobs.worker import forked, parse_engines
from explorer.runs.store import Store

WITH_NNI = "explorer.nets.model_space"  # imports nni, patched as it must be
WITH_TUNERS = "explorer.tuning.engine"
WITH_SUPERNETS = "explorer.oneshot.engine"
WITH_SELECTORS = "explorer.features.engine"
PRELOAD = (
    *("explorer.jobs.worker", "sqlalchemy.dialects.sqlite.pysqlite", "torch"),
    *(WITH_NNI, "explorer.nas.random_search", WITH_TUNERS, WITH_SUPERNETS, WITH_SELECTORS),
)
_POLL_SECONDS = 0.1
_HOUSEKEEPING_SECONDS = 1.0
_LOCK_SECONDS = 5.0
_FAREWELL_SECONDS = 5.0

log = logging.getLogger("explorer.supervisor")


@dataclass
class Supervisor:
    """The loop. `arguments` are handed to a successor, so that it is started the same way."""

    store: Store
    lock: locks.Lock
    limits: Limits
    engines: Mapping[str, str]
    arguments: Sequence[str] = ()
    _watches: dict[Any, Watch] = field(default_factory=dict, init=False)  # process -> its watch
    _stopping: bool = field(default=False, init=False)
    _next_housekeeping: float = field(default=0.0, init=False)
    _busy_at: float = field(default_factory=time.monotonic, init=False)
    _code: Fingerprint = field(default_factory=Fingerprint, init=False)

    def run(self) -> None:
        """Work until stopped, replaced or idle for too long."""
        signal.signal(signal.SIGTERM, self._stop)
        signal.signal(signal.SIGINT, self._stop)
        self._say("warming")
        self._warm()
        groups.end_stale()
        self._say("ready")
        self._busy_at = time.monotonic()
        while not self._stopping:
            try:
                if self._round():
                    break
            except StoreUnavailable as error:
                log.warning("%s", error)
                time.sleep(_HOUSEKEEPING_SECONDS)
        self._farewell()

    def _round(self) -> bool:
        """One look at everything; True when it is time to go."""
        self._look()
        now = time.monotonic()
        if self._watches:
            self._busy_at = now
        elif now - self._busy_at > self.limits.idle_seconds:
            log.info("idle for %g s; going", self.limits.idle_seconds)
            return True
        if now >= self._next_housekeeping:
            self._next_housekeeping = now + _HOUSEKEEPING_SECONDS
            if self._housekeeping():
                return True
        if len(self._watches) < self.limits.runs_at_once:
            self._claim()
        wait([process.sentinel for process in self._watches], _POLL_SECONDS)
        return False

    def _look(self) -> None:
        """Forget the runs that are over, and those whose ending the store does not take: their lease runs out."""
        for process, watch in list(self._watches.items()):
            try:
                going_on = watch.look()
            except StoreUnavailable:
                going_on = False
            if not going_on:
                del self._watches[process]

    def _housekeeping(self) -> bool:
        """Lost runs of anybody, the log's size, newer code; True when a successor should take over."""
        for run_id in self.store.close_expired(EXPIRED):
            groups.end(run_id)
        cap_log(log_path(self.store))
        if self._watches or not self._code.changed():
            return False
        log.info("the code changed; a newer supervisor takes over")
        return True

    def _claim(self) -> None:
        owner = f"supervisor-{os.getpid()}-{secrets.token_hex(4)}"
        run_id = self.store.claim(owner, LEASE_SECONDS)
        if run_id is None:
            return
        log.info("run %s: starting", run_id)
        process, watch = self._fork(run_id, owner)
        self._watches[process] = watch

    def _fork(self, run_id: str, owner: str) -> tuple[Any, Watch]:
        theirs, ours = multiprocessing.Pipe(duplex=False)
        arguments = (self.store.url, run_id, owner, theirs, dict(self.engines), self.limits)
        worker = multiprocessing.get_context("forkserver").Process(target=forked, args=arguments)
        worker.start()
        theirs.close()
        pid = worker.pid or 0
        process = Process(pid, lambda: worker.exitcode, worker.kill, ours.close)
        return worker, Watch(self.store, run_id, owner, self.limits, process)

    def _warm(self) -> None:
        """Start the fork server; a first process that does nothing returns when everything is imported."""
        began = time.monotonic()
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(["explorer.jobs.preload"])
        first = context.Process(target=os.getpid)
        first.start()
        first.join()
        log.info("warm after %.1f s", time.monotonic() - began)

    def _farewell(self) -> None:
        """Ask workers to write `run_lost` and go, write it for those that do not, and leave no queued run
        behind.
        """
        deadline = time.monotonic() + _FAREWELL_SECONDS
        for watch in self._watches.values():
            watch.hang_up()
        while self._watches and time.monotonic() < deadline:
            wait([process.sentinel for process in self._watches], _POLL_SECONDS)
            self._look()
        for process, watch in self._watches.items():
            watch.end("run_lost", STOPPED)
            process.join(1.0)
            groups.end(watch.run_id)
            with contextlib.suppress(StoreUnavailable):
                watch.look()
        self.lock.release()
        if not self._stopping and (self._code.changed() or self.store.summaries(1, status="queued")):
            start_supervisor(self.store, self.arguments)

    def _say(self, state: str) -> None:
        self.lock.write({"pid": os.getpid(), "state": state, "code": self._code.hash})

    def _stop(self, _number: int, _frame: FrameType | None) -> None:
        self._stopping = True


def main(arguments: list[str] | None = None) -> int:
    """Supervise the store named by the environment until idle."""
    given = sys.argv[1:] if arguments is None else arguments
    parser = argparse.ArgumentParser(prog="python -m explorer.jobs.supervisor", description=main.__doc__)
    parser.add_argument("--foreground", action="store_true", help="do not fork into the background")
    parser.add_argument("--engines", action="append", default=[], help="KIND=MODULE:FUNCTION, for tests")
    parser.add_argument("--preload", help="modules to import before forking, separated by commas")
    options = parser.parse_args(given)
    if not options.foreground and os.fork():
        return 0
    logging.basicConfig(
        format="%(asctime)s %(levelname)s %(name)s %(process)d: %(message)s", level=logging.INFO
    )
    try:
        limits = Limits.from_environment()
        os.environ["EXPLORER_PRELOAD"] = _preload(limits) if options.preload is None else options.preload
        store = Store()
        lock = _lock(store.url)
        if lock is None:
            log.info("another supervisor looks after this store")
            return 0
        Supervisor(store, lock, limits, parse_engines(options.engines), given).run()
    except ExplorerError as error:
        log.error("%s", error)
        return 1
    return 0


def _preload(limits: Limits) -> str:
    """What every worker will need; on the small machine nni's 100 MB wait until an engine asks for them."""
    heavy = (WITH_NNI, WITH_TUNERS, WITH_SUPERNETS)
    return ",".join(name for name in PRELOAD if limits.mode != "cloud" or name not in heavy)


def _lock(url: str) -> locks.Lock | None:
    """The lock, waited for a little: a predecessor may be about to let go."""
    deadline = time.monotonic() + _LOCK_SECONDS
    while time.monotonic() < deadline:
        lock = locks.acquire(locks.lock_path(url))
        if lock is not None:
            return lock
        time.sleep(0.05)
    return None


if __name__ == "__main__":
    sys.exit(main())
