"""Executors run trials. `LocalExecutor` has a few child processes, forked from the process that submits.

A trial is a target, `"module:generator_function"`, and a payload; what the generator yields comes back as
reports. One trial ends with exactly one report of the kind final, failed, stopped or exited. A child that
dies is replaced. A trial that is judged waits after each intermediate result for `answer`: what it sends into the
generator is whether to go on.

The calling process must not have run a tensor operation before the first `submit`: a fork does not copy the
threads that such an operation started. Each child uses one thread; two on a busy machine were measured to be
twenty times slower.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import multiprocessing
import os
import signal
import sys
import time
import traceback
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from multiprocessing.connection import Connection, wait
from typing import Any

from explorer.errors import ExplorerError
from explorer.jobs.endings import trial_ending
from explorer.jobs.memory import trial_excess

_INSPECT_SECONDS = 1.0
_PR_SET_PDEATHSIG = 1
_NICENESS = 5  # the app and the browser come first on a busy machine


@dataclass(frozen=True)
class Report:
    """What a trial says. `kind` is intermediate, final, failed, stopped or exited.

    data: step, value, metrics for intermediate; value, metrics for final; reason (one sentence) for the other
    three.
    """

    trial_id: int
    kind: str
    data: Mapping[str, Any]


@dataclass
class _Child:
    process: Any
    connection: Connection
    trial_id: int | None = None
    is_asking: bool = False
    is_judged: bool = False
    last_word: float = 0.0


@dataclass
class LocalExecutor:
    """At most `workers` trials at once, one a process; further ones wait in the order of `submit`.

    A trial that says nothing for `silence_seconds` or takes more than `memory_mb` is ended and reported as failed.
    """

    workers: int
    most_workers: int | None = None
    silence_seconds: float | None = None
    memory_mb: float | None = None
    _children: list[_Child] = field(default_factory=list, init=False)
    _waiting: deque[tuple[int, str, Mapping[str, Any], bool]] = field(default_factory=deque, init=False)
    _ready: list[Report] = field(default_factory=list, init=False)
    _next_inspection: float = field(default=0.0, init=False)

    @property
    def idle(self) -> int:
        """How many more trials would start at once."""
        return max(
            0, self.workers - sum(child.trial_id is not None for child in self._children) - len(self._waiting)
        )

    def prepare(self) -> None:
        """Fork every process now, so that whoever submits may compute with tensors before the first trial.

        One that takes the place of a process that died is forked later all the same.
        """
        while len(self._children) < self.workers:
            self._fork()

    def submit(self, trial_id: int, target: str, payload: Mapping[str, Any], judged: bool = False) -> None:
        """Start `target(payload)` as trial `trial_id`, or queue it."""
        self._waiting.append((trial_id, target, payload, judged))
        self._dispatch()

    def answer(self, trial_id: int, go_on: bool) -> None:
        """Let a judged trial go on after an intermediate result, or end; `poll` then reports it as stopped."""
        for child in self._children:
            if child.trial_id == trial_id and child.is_asking:
                child.is_asking, child.last_word = False, time.monotonic()
                with contextlib.suppress(OSError):  # it died: its end is heard by the next poll
                    child.connection.send(go_on)

    def resize(self, workers: int) -> None:
        """So many trials at once from now on, at most `most_workers`; those that are going on are left to end."""
        self.workers = min(workers, self.most_workers or workers)
        self._dispatch()

    def poll(self, timeout_seconds: float = 0.0) -> list[Report]:
        """What happened; waits up to `timeout_seconds` for something to happen."""
        channels: dict[Any, _Child] = {child.connection: child for child in self._children}
        channels |= {child.process.sentinel: child for child in self._children}
        patience = 0.0 if self._ready else timeout_seconds
        spoke = wait(list(channels), patience)
        for child in {id(channels[channel]): channels[channel] for channel in spoke}.values():
            self._listen(child)
        self._inspect()
        self._dispatch()
        reports, self._ready = self._ready, []
        return reports

    def stop(self, trial_id: int) -> None:
        """End a trial now, whatever it is doing; `poll` reports it as stopped unless it had already ended."""
        queued = [job for job in self._waiting if job[0] == trial_id]
        for job in queued:
            self._waiting.remove(job)
            self._ready.append(_stopped(trial_id))
        for child in [child for child in self._children if child.trial_id == trial_id]:
            self._listen(child)
            if child.trial_id == trial_id:
                self._discard(child)
                self._ready.append(_stopped(trial_id))

    def close(self) -> None:
        """End every child; trials that were going on are forgotten without a report."""
        self._waiting.clear()
        for child in list(self._children):
            self._discard(child)

    def _dispatch(self) -> None:
        while self._waiting:
            if sum(child.trial_id is not None for child in self._children) >= self.workers:
                return
            child = next((child for child in self._children if child.trial_id is None), None) or self._fork()
            trial_id, target, payload, judged = self._waiting[0]
            try:
                child.connection.send((target, payload, judged))
            except OSError:  # it died while idle; the next round forks another
                self._discard(child)
                continue
            child.trial_id, child.is_judged, child.is_asking = trial_id, judged, False
            child.last_word = time.monotonic()
            self._waiting.popleft()

    def _inspect(self) -> None:
        """Now and then: end what hangs or takes too much memory."""
        now = time.monotonic()
        if now < self._next_inspection:
            return
        self._next_inspection = now + _INSPECT_SECONDS
        for child in [
            child for child in self._children if child.trial_id is not None and not child.is_asking
        ]:
            reason = trial_excess(
                child.process.pid, now - child.last_word, self.silence_seconds, self.memory_mb
            )
            if reason and child.trial_id is not None:
                self._ready.append(Report(child.trial_id, "failed", {"reason": reason}))
                self._discard(child)

    def _fork(self) -> _Child:
        context = multiprocessing.get_context("fork")
        ours, theirs = context.Pipe()
        inherited = [ours, *(child.connection for child in self._children)]
        process = context.Process(target=_child_main, args=(theirs, inherited, os.getpid()), daemon=True)
        process.start()
        theirs.close()
        self._children.append(_Child(process, ours))
        return self._children[-1]

    def _listen(self, child: _Child) -> None:
        """Take every report that a child has sent; a closed channel, after its last word, is its death."""
        try:
            while child.connection.poll():
                self._hear(child, *json.loads(child.connection.recv_bytes()))
        except (EOFError, OSError):
            child.process.join(1.0)
            if child.trial_id is not None:
                self._hear(child, "failed", {"reason": trial_ending(child.process.exitcode)})
            self._discard(child)

    def _hear(self, child: _Child, kind: str, data: Mapping[str, Any]) -> None:
        if child.trial_id is None:
            return
        self._ready.append(Report(child.trial_id, kind, data))
        child.last_word = time.monotonic()
        child.is_asking = child.is_judged and kind == "intermediate"
        if kind != "intermediate":
            child.trial_id = None

    def _discard(self, child: _Child) -> None:
        self._children.remove(child)
        child.connection.close()
        child.process.kill()
        child.process.join(1.0)


def _stopped(trial_id: int) -> Report:
    return Report(trial_id, "stopped", {"reason": "Stopped on request."})


# -- in the child --------------------------------------------------------------------------------------------


def _child_main(channel: Connection, inherited: list[Connection], parent: int) -> None:
    _die_with(parent)
    for connection in inherited:  # else a sibling would keep this pipe open after the parent's death
        connection.close()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    with contextlib.suppress(OSError):
        os.nice(_NICENESS)
    with contextlib.suppress(EOFError, OSError):
        while True:
            target, payload, judged = channel.recv()
            for report in told(target, payload, channel.recv if judged else lambda: True):
                channel.send_bytes(report)
    os._exit(0)


def _die_with(parent: int) -> None:
    """Ask Linux to kill this process when its parent dies, so that no trial goes on for nobody."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(0)


def told(target: str, payload: Mapping[str, Any], ask: Callable[[], bool]) -> Iterator[bytes]:
    """The reports of one trial as JSON, the last of them its ending; `ask` says whether it may go on."""
    try:
        _use_one_thread()
        trial, go_on = resolve(target)(payload), None
        with contextlib.suppress(StopIteration):
            while True:
                item = trial.send(go_on)
                if go_on is False:  # it was told to stop and has more to say: not any more
                    break
                yield _encoded(*_report(item))
                if item.get("final"):
                    return
                go_on = ask()
        if go_on is False:
            yield _encoded("stopped", {"reason": "Stopped early."})
            return
    except (MemoryError, Exception) as error:
        last_lines = "".join(traceback.format_exception(error)[-4:])[-4000:]
        yield _encoded("failed", {"reason": _sentence(error), "traceback": last_lines})
        return
    yield _encoded("exited", {"reason": "The trial ended without a final result."})


def resolve(path: str) -> Callable[..., Any]:
    """The function behind "module:name"; paths come from our own tables, never from a visitor."""
    module, _, name = path.partition(":")
    found: Callable[..., Any] = getattr(import_module(module), name)
    return found


def _use_one_thread() -> None:
    torch = sys.modules.get("torch")
    if torch is not None and torch.get_num_threads() != 1:
        torch.set_num_threads(1)


def _report(item: Any) -> tuple[str, dict[str, Any]]:
    if not isinstance(item, Mapping) or "value" not in item:
        raise TypeError(f"A trial yields mappings with a value, not {item!r:.100}.")
    said = {"value": item["value"], "metrics": dict(item.get("metrics") or {})}
    return ("final", said) if item.get("final") else ("intermediate", {"step": int(item["step"]), **said})


def _encoded(kind: str, data: Mapping[str, Any]) -> bytes:
    """JSON with NaN let through: the store writes it as null and warns, and only it may do so."""
    return json.dumps([kind, data], default=lambda value: value.tolist()).encode()


def _sentence(error: BaseException) -> str:
    if isinstance(error, ExplorerError):
        return str(error)
    return f"{type(error).__name__}: {str(error).strip() or 'no message'}"[:500]
