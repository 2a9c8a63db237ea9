"""What this place allows: read once from the environment, with one sentence for each bad value.

`EXPLORER_MODE=cloud` is the small shared machine: one worker, 120 s a run, three runs waiting.
"""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace

from explorer.errors import SpecError

MODES = ("local", "cloud")


@dataclass(frozen=True)
class Limits:
    """None means no limit.

    `queue` counts waiting runs, everybody's; memory is proportional set size. A trial that says nothing for
    `trial_silence_seconds` (an epoch is a word) or takes more than `trial_memory_mb` is ended, and its run goes on.
    """

    mode: str = "local"
    workers: int | None = None
    runs_at_once: int = 2
    run_seconds: float | None = None
    run_memory_mb: float | None = None
    queue: int | None = None
    trial_silence_seconds: float | None = 1800.0
    trial_memory_mb: float | None = 8000.0
    silence_seconds: float = 60.0
    idle_seconds: float = 300.0

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] = os.environ) -> Limits:
        """The mode's limits, overlaid with `EXPLORER_WORKERS`, `EXPLORER_RUN_SECONDS` and so on."""
        mode = environ.get("EXPLORER_MODE") or "local"
        if mode not in MODES:
            raise SpecError(f"EXPLORER_MODE is {mode!r}; set it to local or cloud.")
        given = {name: environ[_variable(name)] for name in _NUMBERS if environ.get(_variable(name))}
        problems = [problem for name, text in given.items() if (problem := _problem(name, text))]
        if problems:
            raise SpecError(*problems)
        numbers = {name: int(text) if name in _WHOLE else float(text) for name, text in given.items()}
        return replace(_DEFAULTS[mode], **numbers)  # type: ignore[arg-type]


_DEFAULTS = {
    "local": Limits(),
    "cloud": Limits(
        "cloud",
        workers=1,
        runs_at_once=1,
        run_seconds=120.0,
        run_memory_mb=700.0,
        queue=3,
        trial_silence_seconds=60.0,
        trial_memory_mb=500.0,
    ),
}
_NUMBERS = tuple(item.name for item in fields(Limits) if item.name != "mode")
_WHOLE = ("workers", "runs_at_once", "queue")


def _variable(name: str) -> str:
    return f"EXPLORER_{name.upper()}"


def _problem(name: str, text: str) -> str | None:
    noun = "a whole number of at least 1" if name in _WHOLE else "a number above 0"
    try:
        value = int(text) if name in _WHOLE else float(text)
    except ValueError:
        value = math.nan
    if value > 0 and math.isfinite(value):
        return None
    return f"{_variable(name)} is {text!r}; give {noun}."
