"""What the worker calls for `run hpo`: the search on the executor that the spec names."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from explorer.runs.spec import RunSpec
from explorer.runs.state import RunState
from explorer.tuning import experiment, search


def run(
    spec: RunSpec,
    state: RunState,
    *,
    executor: Any,
    report: Callable[..., None],
    control: Callable[[], Any],
    clock: Callable[[], float],
) -> None:
    """Search on `executor`, or on a real NNI experiment with the same workers and limits; raises what those raise."""
    if spec.executor != "nni":
        search.run(spec, state, executor=executor, report=report, control=control, clock=clock)
        return
    limits = {name: getattr(executor, name) for name in ("most_workers", "silence_seconds", "memory_mb")}
    experiment.run_experiment(
        spec, state, report=report, control=control, clock=clock, workers=executor.workers, limits=limits
    )
