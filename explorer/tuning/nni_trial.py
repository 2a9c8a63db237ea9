"""What a real NNI experiment starts as a trial: `python -m explorer.tuning.nni_trial`.

It asks NNI which trial it is, runs the same target with the same payload as our own executor does, and tells each
result to the run's folder and to NNI.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import signal
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import nni

from explorer.jobs.executors import told
from explorer.tuning.nni_files import FOLDER, Tail, answer_path, order_path, read_json, say, trial_path

_TURN_SECONDS = 5.0
_LOOK_SECONDS = 0.01
_GOODBYE_SECONDS = 5.0
_NICENESS = 5  # as in our own executor: the app and the browser come first on a busy machine


def main() -> int:
    """One trial; the exit status is 0 for one with a final result."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # how NNI stops a trial: at once, as our own executor does
    with contextlib.suppress(OSError):
        os.nice(_NICENESS)
    folder = Path(os.environ[FOLDER])
    number = _ask_number(folder)
    if number is None:
        sys.stderr.write("This trial was not proposed by the run; add trials on the run's own page.\n")
        return 2
    path, order = trial_path(folder, number), read_json(order_path(folder, number))
    say(path, "start", {"job": nni.get_trial_id(), "pid": os.getpid()})
    ask = _Verdicts(answer_path(folder, number)) if order["judged"] else _always
    kind = ""
    for report in told(order["target"], order["payload"], ask):
        kind, data = json.loads(report)
        say(path, kind, data)
        _tell_nni(kind, data)
    if kind == "stopped":
        _await_the_end()
    return 0 if kind == "final" else 1


def _ask_number(folder: Path) -> int | None:
    """Which trial this is; None for one that somebody added on NNI's own page.

    Jobs take turns: NNI gives the oldest parameters to whoever asks first, and its page would show the wrong ones.
    """
    turn, turns = nni.get_sequence_id(), folder / "turns"
    deadline = time.monotonic() + _TURN_SECONDS
    while turn > 0 and not (turns / str(turn - 1)).exists() and time.monotonic() < deadline:
        time.sleep(_LOOK_SECONDS)
    nni.get_next_parameter()
    (turns / str(turn)).touch()
    record: Any = nni.trial._params  # with the number that came along; NNI has no public way to it
    return None if record["parameter_id"] is None else int(record["parameter_id"])


def _always() -> bool:
    return True


class _Verdicts:
    """Waits for the engine's word after an intermediate result, as a trial of our own executor does."""

    def __init__(self, path: Path) -> None:
        self._lines, self._known = Tail(path), list[bool]()

    def __call__(self) -> bool:
        while not self._known:
            self._known += [bool(go_on) for (go_on,) in self._lines.fresh()]
            if not self._known:
                time.sleep(_LOOK_SECONDS)
        return self._known.pop(0)


def _tell_nni(kind: str, data: Mapping[str, Any]) -> None:
    tell: dict[str, Callable[[Any], None]] = {
        "intermediate": nni.report_intermediate_result,
        "final": nni.report_final_result,
    }
    if kind in tell:
        tell[kind](float(data["value"]) if data["value"] is not None else math.nan)


def _await_the_end() -> None:
    """The engine has asked NNI to stop this trial; NNI takes an exit code for one that ran to its end."""
    time.sleep(_GOODBYE_SECONDS)
    os.kill(os.getpid(), signal.SIGINT)


if __name__ == "__main__":
    sys.exit(main())
