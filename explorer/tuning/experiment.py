"""Runs a spec as a real NNI experiment in local mode, with NNI's own web page, told in our events.

The search is the one behind every `run hpo`; only its executor is another (`nni_executor`), so the same spec and seed
give the same trials.
"""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from explorer.errors import SpecError
from explorer.jobs import groups
from explorer.runs.spec import RunSpec
from explorer.runs.state import RunState
from explorer.tuning import search
from explorer.tuning.ear import Ear
from explorer.tuning.nni_executor import NniExecutor
from explorer.tuning.nni_files import FOLDER, make_folder
from explorer.tuning.nni_launch import direct, start
from explorer.tuning.plan import plan_of

MEASUREMENT = "nni_experiment"
_END_SECONDS = 15.0  # NNI needs about two to write its own files to the end
_CANCEL_SECONDS = 3.0  # a worker that was asked to cancel is ended after five

Control = Callable[[], Any]


def run_experiment(
    spec: RunSpec,
    state: RunState,
    *,
    report: Callable[[str, dict[str, Any]], None],
    control: Control,
    clock: Callable[[], float],
    workers: int,
    limits: Mapping[str, Any] | None = None,
) -> None:
    """Do what `spec` asks for and `state` does not hold yet, `workers` trials at once.

    `limits` are further arguments of `NniExecutor`. Raises what the search raises, SpecError for a space that NNI's
    processes would read otherwise, and EnvironmentProblem when NNI does not start or cannot go on.
    """
    space = plan_of(spec).hyper.to_json()
    refuse_what_nni_reads_otherwise(space)
    ear = Ear(control)
    with _experiment(spec, state, space, workers, ear) as (manager, folder):
        link = {"id": manager.experiment.id, "url": manager.url, "pid": manager.process.pid}
        report("measurement", {"name": MEASUREMENT, "step": 0, "data": link})
        trials = max(1, state.planned_trials or spec.trials)
        executor = NniExecutor(manager, folder, workers, trials=trials, **(limits or {}))
        search.run(
            replace(spec, executor="local"),
            state,
            executor=executor,
            report=report,
            control=ear.hear,
            clock=clock,
        )


@contextmanager
def _experiment(
    spec: RunSpec, state: RunState, space: Mapping[str, Any], workers: int, ear: Ear
) -> Iterator[Any]:
    """NNI's manager and the folder of this attempt; nothing of the experiment is left afterwards."""
    folder = groups.folder(state.run_id) / f"attempt-{state.attempt}"
    make_folder(folder)
    with direct():
        manager = start(
            state.run_id,
            folder,
            experiment_id=f"{state.run_id}-{state.attempt}"[-32:],
            search_space=space,
            concurrency=workers,
            trials=max(1, state.planned_trials or spec.trials),
            trial_command=f"exec {shlex.quote(sys.executable)} -m explorer.tuning.nni_trial",
            environment={FOLDER: str(folder)},
            listen=ear.listen,
        )
        patience_seconds = 0.0
        try:
            yield manager, folder
            patience_seconds = _END_SECONDS
        except Exception:
            patience_seconds = _CANCEL_SECONDS
            raise
        finally:
            manager.close(ear.nod, patience_seconds)


def refuse_what_nni_reads_otherwise(form: Any) -> None:
    """NNI strips comments from the JSON between its processes, also inside texts, and builds objects from keys such
    as "__nni_type__". Raises SpecError for a space in which that would happen.
    """
    texts = list(_texts(form))
    comment = next((text for text in texts if "//" in text or "#" in text), None)
    if comment is not None:
        raise SpecError(
            f"A real NNI experiment takes what follows // or # for a comment, also in {comment!r}; rename it, or "
            "choose the executor local."
        )
    special = next((text for text in texts if text.startswith("__")), None)
    if special is not None:
        raise SpecError(
            f"NNI gives names that begin with __ a meaning of its own; rename {special!r}, or choose the executor "
            "local."
        )


def _texts(form: Any) -> Iterator[str]:
    if isinstance(form, str):
        yield form
    elif isinstance(form, Mapping):
        for key, value in form.items():
            yield from _texts(key)
            yield from _texts(value)
    elif isinstance(form, list | tuple):
        for each in form:
            yield from _texts(each)
