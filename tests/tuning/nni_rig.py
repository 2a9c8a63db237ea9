"""A run in a real NNI experiment, for the tests: without a store, its story in a list.

`python -m tests.tuning.nni_rig` runs one that lasts for minutes, to be killed from outside.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

import psutil

from explorer.jobs import groups
from explorer.jobs.control import Control
from explorer.jobs.executors import LocalExecutor
from explorer.runs.spec import RunSpec
from explorer.runs.state import RunState
from explorer.tuning import engine

RUN = "abcdefghijkm"
LONG = RunSpec(
    kind="hpo",
    objective="mlp",
    method={"tuner": "Random", "assessor": "none"},
    trials=3,
    epochs=10_000,
    workers=2,
    executor="nni",
    seed=5,
)

Story = list[tuple[str, dict[str, Any]]]
Wishes = Callable[[Story], Control]


def go_on(_story: Story) -> Control:
    """No wish at all."""
    return Control()


def play(spec: RunSpec, wishes: Wishes = go_on, story: Story | None = None) -> Story:
    """Run `spec` with the executor that it names; `wishes` sees the story so far whenever the engine listens."""
    story = [] if story is None else story
    executor = LocalExecutor(spec.workers)
    try:
        engine.run(
            spec,
            RunState(RUN, spec, planned_trials=spec.trials, workers=spec.workers),
            executor=executor,
            report=lambda kind, data: story.append((kind, data)),
            control=lambda: wishes(story),
            clock=time.time,
        )
    finally:
        executor.close()
    return story


def locally(spec: RunSpec) -> RunSpec:
    """The same run with our own executor."""
    return replace(spec, executor="local")


def of_kind(story: Iterable[tuple[str, dict[str, Any]]], *kinds: str) -> list[dict[str, Any]]:
    """The data of these events, in order."""
    return [data for kind, data in story if kind in kinds]


def survivors() -> list[str]:
    """Command lines of the processes that belong to the run and live."""
    marked = groups.mark(RUN)[groups.MARK]
    return [" ".join(process.cmdline()) for process in groups._members(None, marked) if _lives(process)]


def _lives(process: psutil.Process) -> bool:
    return groups._lives(process)


if __name__ == "__main__":
    play(LONG)
