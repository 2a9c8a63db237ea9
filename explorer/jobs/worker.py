"""The worker: one process, one run. The only thing that joins an engine to the store.

An engine is a function `run(spec, state, *, executor, report, control, clock)`, named in `ENGINES` as a
string. It returns when its work is done, raises Cancelled when asked to stop, and anything else is the run's
failure in one sentence. A worker holds a channel of the process that looks after it; when that closes, it
writes `run_lost` and ends.
"""

from __future__ import annotations

import argparse
import logging
import os
import select
import signal
import sys
import time
import traceback
from collections.abc import Mapping
from types import FrameType
from typing import Any, NoReturn

from explorer.errors import Conflict, ExplorerError, StoreUnavailable
from explorer.jobs.control import Cancelled, Control
from explorer.jobs.endings import KEPT, ORPHANED, STORE_EXIT_CODE
from explorer.jobs.executors import LocalExecutor, resolve
from explorer.jobs.limits import Limits
from explorer.runs.spec import RunSpec
from explorer.runs.store import Request, Store

# kind of run -> engine; a command-line flag of the supervisor (`--engines`) replaces entries in tests.
ENGINES: Mapping[str, str] = {
    "random": "explorer.nas.random_search:run",
    "nas": "explorer.nas.search:run",
    "race": "explorer.nas.race:run",
    "hpo": "explorer.tuning.engine:run",
    "oneshot": "explorer.oneshot.engine:run",
    "features": "explorer.features.engine:run",
}

LEASE_SECONDS = 6.0
_BEAT_SECONDS = 1.0
_ASK_SECONDS = 0.05
_PAUSED_SECONDS = 0.05

log = logging.getLogger(__name__)


class Orphaned(BaseException):
    """Whoever looked after this worker is gone, or told it to end; not an Exception, so that no engine
    swallows it.
    """


class Line:
    """A worker's line to the store: `report` and `control` as engines know them."""

    def __init__(self, store: Store, run_id: str, owner: str, guardian: int | None) -> None:
        self._store, self._run_id, self._owner, self._guardian = store, run_id, owner, guardian
        self._wish = Control()
        self._heard: int | None = None
        self._next_beat = self._next_question = 0.0

    def report(self, kind: str, data: Mapping[str, Any] | None = None) -> None:
        """Append an event in this run's name."""
        self._store.append(self._run_id, kind, data, owner=self._owner)

    def control(self) -> Control:
        """The wishes in force and the new requests; beats the heart; raises Orphaned when nobody looks after
        us.
        """
        self.beat()
        now = time.monotonic()
        if now < self._next_question:
            if self._wish.pause:
                time.sleep(_PAUSED_SECONDS)  # an engine that has nothing to do while paused must not spin
            return Control(self._wish.cancel, self._wish.pause)
        self._next_question = now + _ASK_SECONDS
        return self._listen()

    def beat(self) -> None:
        """A sign of life when it is time for one; asks for nothing, so no request is heard and forgotten."""
        self._check_guardian()
        now = time.monotonic()
        if now >= self._next_beat:
            self._next_beat = now + _BEAT_SECONDS
            if not self._store.beat(self._run_id, self._owner, LEASE_SECONDS):
                raise Conflict("This run was given to somebody else.")

    def _listen(self) -> Control:
        new = tuple(self._store.requests(self._run_id, self._heard))
        self._heard = new[-1].id if new else self._heard
        kinds = [request.kind for request in new if request.kind in ("cancel", "pause", "resume")]
        pause = self._wish.pause
        for kind in kinds:
            pause = {"pause": True, "resume": False}.get(kind, pause)
        if pause != self._wish.pause:
            self.report("run_paused" if pause else "run_resumed")
        self._wish = Control(self._wish.cancel or "cancel" in kinds, pause)
        return Control(self._wish.cancel, pause, _for_engine(new))

    def _check_guardian(self) -> None:
        if self._guardian is not None and select.select([self._guardian], [], [], 0)[0]:
            raise Orphaned(ORPHANED)


def _for_engine(requests: tuple[Request, ...]) -> tuple[Request, ...]:
    return tuple(request for request in requests if request.kind not in ("cancel", "pause", "resume"))


def work(
    store: Store,
    run_id: str,
    owner: str,
    guardian: int | None = None,
    engines: Mapping[str, str] = ENGINES,
    limits: Limits | None = None,
) -> None:
    """Run one claimed run to its terminal event.

    `guardian` is a file descriptor that becomes readable at its end.
    """
    line = Line(store, run_id, owner, guardian)
    try:
        line.report(*_outcome(store, run_id, line, engines, limits or Limits()))
    except Conflict as error:
        _last_word(line, run_id, str(error))
    except StoreUnavailable as error:
        log.error("run %s: %s", run_id, error)
        sys.exit(STORE_EXIT_CODE)


def _last_word(line: Line, run_id: str, reason: str) -> None:
    """The engine told a story that cannot be, or the run is no longer ours; in the second case nobody
    listens.
    """
    try:
        line.report("run_failed", {"reason": reason})
    except Conflict:
        log.info("run %s: %s", run_id, reason)


def _outcome(
    store: Store, run_id: str, line: Line, engines: Mapping[str, str], limits: Limits
) -> tuple[str, dict[str, Any]]:
    """The terminal event that the engine's end amounts to."""
    try:
        _run_engine(store, run_id, line, engines, limits)
        return "run_finished", {}
    except Cancelled:
        return "run_cancelled", {"reason": "Cancelled on request."}
    except Orphaned as error:
        return "run_lost", {"reason": str(error)}
    except (Conflict, StoreUnavailable):
        raise
    except ExplorerError as error:
        return "run_failed", {"reason": str(error)}
    except (MemoryError, Exception) as error:
        log.exception("run %s failed", run_id)
        place = traceback.extract_tb(error.__traceback__)[-1]
        where = f"{os.path.basename(place.filename)}, line {place.lineno}"
        return "run_failed", {
            "reason": f"{type(error).__name__}: {str(error) or 'no message'} ({where})."[:1000]
        }


def _run_engine(store: Store, run_id: str, line: Line, engines: Mapping[str, str], limits: Limits) -> None:
    state = store.state(run_id)
    spec = RunSpec.from_json(state.spec.to_json())
    wanted = state.workers or spec.workers  # a change made while an earlier attempt ran stays
    workers = min(wanted, limits.workers or wanted)
    line.report("run_started", {"attempt": state.attempt, "workers": workers})
    if workers < wanted:
        message = f"This place allows {workers} worker process(es) a run; {wanted} were asked for."
        line.report("warning", {"message": f"{message} Results do not depend on it, only the time."})
    engine = resolve(engines[spec.kind])
    executor = LocalExecutor(workers, limits.workers, limits.trial_silence_seconds, limits.trial_memory_mb)
    try:
        line.beat()
        engine(
            spec,
            store.state(run_id, state),
            executor=executor,
            report=line.report,
            control=line.control,
            clock=time.time,
        )
    finally:
        executor.close()


def forked(
    url: str, run_id: str, owner: str, channel: Any, engines: Mapping[str, str], limits: Limits
) -> None:
    """A worker's life when the supervisor's fork server made it."""
    _settle()
    work(Store(url), run_id, owner, channel.fileno(), engines, limits)


def _settle() -> None:
    """Leave Ctrl-C to whoever looks after us, and turn SIGTERM into an ending that gets written."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, _terminated)
    logging.basicConfig(format="%(asctime)s %(levelname)s %(name)s: %(message)s", level=logging.INFO)


def _terminated(_number: int, _frame: FrameType | None) -> NoReturn:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    raise Orphaned(f"The worker process was told to end (SIGTERM); {KEPT}.")


def parse_engines(entries: list[str]) -> dict[str, str]:
    """`ENGINES` with entries such as "random=package.module:function" put over it."""
    return {**ENGINES, **dict(entry.split("=", 1) for entry in entries)}


def main(arguments: list[str] | None = None) -> int:
    """A worker in a process of its own; standard input is the channel of the process that looks after it."""
    parser = argparse.ArgumentParser(prog="python -m explorer.jobs.worker", description=main.__doc__)
    parser.add_argument("--run", required=True)
    parser.add_argument("--owner", required=True)
    parser.add_argument("--engines", action="append", default=[])
    options = parser.parse_args(arguments)
    _settle()
    engines = parse_engines(options.engines)
    work(Store(), options.run, options.owner, sys.stdin.fileno(), engines, Limits.from_environment())
    return 0


if __name__ == "__main__":
    sys.exit(main())
