"""Targets and engines that behave as told: they stand in for training, so that tests need no nets."""

from __future__ import annotations

import faulthandler
import os
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from explorer.errors import DataMissing
from explorer.jobs.control import Control
from explorer.runs import RunSpec, RunState
from explorer.runs.spec import trial_seed

TARGET = "tests.jobs.fakes:"


# -- targets ---------------------------------------------------------------------------------------------------------


def steps(payload: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Two intermediate results and a final one, made of the payload."""
    for step in range(2):
        yield {"step": step, "value": payload["value"] * (step + 1) / 2, "metrics": {"loss": 1.0 - step / 2}}
    yield {
        "final": True,
        "value": payload["value"],
        "metrics": {"pid": os.getpid(), "seed": payload.get("seed")},
    }


def dies(payload: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Says one thing, then is killed by the signal in the payload."""
    yield {"step": 0, "value": 0.5}
    faulthandler.disable()  # pytest's, inherited by the fork: the death is meant, no dump is wanted
    os.kill(os.getpid(), payload["signal"])
    signal.pause()


def leaves(payload: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Ends its process without a word."""
    os._exit(7)
    yield {}


def raises(payload: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Fails after a first result."""
    yield {"step": 0, "value": 0.5}
    raise ZeroDivisionError("the batch was empty")


def lacks_data(payload: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Fails with one of our own sentences."""
    raise DataMissing("The dataset 'mnist' is not on this machine.")
    yield {}


def yields_nan(payload: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Diverges."""
    yield {"step": 0, "value": float("nan"), "metrics": {"loss": float("inf")}}
    yield {"final": True, "value": float("nan"), "metrics": {}}


def forgets(payload: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Ends without a final result."""
    yield {"step": 0, "value": 0.5}


def babbles(payload: Mapping[str, Any]) -> Iterator[Any]:
    """Yields what is no report."""
    yield payload["item"]


def judged(payload: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Counts up to a final result unless it is told to stop; then it leaves a file and ends."""
    for step in range(1, payload["steps"] + 1):
        go_on = yield {"step": step, "value": float(step)}
        if go_on is False:
            Path(payload["left"]).write_text(str(step))
            return
    yield {"final": True, "value": float(payload["steps"])}


def hoards(payload: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Takes 400 MB and keeps them."""
    yield {"step": 0, "value": 0.0}
    hoard = bytearray(os.urandom(1_000)) * 400_000
    while hoard:
        time.sleep(0.05)


def stubborn(payload: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Ignores SIGTERM and never ends."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    yield {"step": 0, "value": float(os.getpid())}
    while True:
        time.sleep(60)


def threads(payload: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """How many threads torch would use here."""
    import torch

    yield {"final": True, "value": torch.get_num_threads(), "metrics": {"sum": torch.ones(64, 64).sum()}}


# -- engines ---------------------------------------------------------------------------------------------------------


def random_engine(
    spec: RunSpec,
    state: RunState,
    *,
    executor: Any,
    report: Callable[..., None],
    control: Callable[[], Control],
    clock: Callable[[], float],
) -> None:
    """`spec.trials` trials through the executor, those that succeeded before skipped, as a real engine does.

    From trial number `spec.epochs` on it holds back until the file `$EXPLORER_HOME/go` is there, so that a test can do
    something in the middle of a run without racing it.
    """
    gate = Path(os.environ["EXPLORER_HOME"]) / "go"
    done = {trial.trial_id for trial in state.trials.values() if trial.status == "succeeded"}
    missing = [number for number in range(spec.trials) if number not in done]
    running: set[int] = set()
    while missing or running:
        wish = control()
        wish.raise_if_cancelled()
        if missing and executor.idle and not wish.pause and (missing[0] < spec.epochs or gate.exists()):
            number = missing.pop(0)
            seed = trial_seed(spec.seed, number)
            report(
                "trial_started", {"trial_id": number, "parameters": None, "architecture": {}, "seed": seed}
            )
            executor.submit(number, TARGET + "steps", {"value": number / 100, "seed": seed})
            running.add(number)
        for heard in executor.poll(0.02):
            if heard.kind == "intermediate":
                report("intermediate_result", {"trial_id": heard.trial_id, **heard.data})
                continue
            if heard.kind == "final":
                report("final_result", {"trial_id": heard.trial_id, **heard.data})
            ended = "succeeded" if heard.kind == "final" else "failed"
            reason = heard.data.get("reason")
            report("trial_ended", {"trial_id": heard.trial_id, "status": ended, "reason": reason})
            running.discard(heard.trial_id)


def failing_engine(spec: RunSpec, state: RunState, **_: Any) -> None:
    """Fails by mistake."""
    raise KeyError("learning_rate")


def deaf_engine(spec: RunSpec, state: RunState, *, report: Callable[..., None], **_: Any) -> None:
    """Never asks what it is told."""
    report("measurement", {"name": "deaf", "step": 0, "data": {"pid": os.getpid()}})
    while True:
        time.sleep(60)


def greedy_engine(spec: RunSpec, state: RunState, *, control: Callable[[], Control], **_: Any) -> None:
    """Takes 300 MB and keeps them."""
    hoard = bytearray(os.urandom(1_000)) * 300_000
    while hoard:
        control().raise_if_cancelled()
        time.sleep(0.05)


def crashing_engine(spec: RunSpec, state: RunState, **_: Any) -> None:
    """Crashes its process."""
    os.kill(os.getpid(), signal.SIGSEGV)
    signal.pause()


def impossible_engine(spec: RunSpec, state: RunState, *, report: Callable[..., None], **_: Any) -> None:
    """Tells a story that cannot be."""
    report("final_result", {"trial_id": 99, "value": 1.0, "metrics": {}})


def looking_engine(spec: RunSpec, state: RunState, *, report: Callable[..., None], **_: Any) -> None:
    """Reports on the process that it was forked from, and on its own environment."""
    import torch

    facts = {
        "parent_threads": len(os.listdir(f"/proc/{os.getppid()}/task")),
        "cuda_initialised": torch.cuda.is_initialized(),
        "bad_fork": torch.cuda._is_in_bad_fork(),
        "environment": sorted(os.environ),
    }
    report("measurement", {"name": "process", "step": 0, "data": facts})
