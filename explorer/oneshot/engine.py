"""The engine behind `run oneshot`: search, measures on demand afterwards, and retraining.

One attempt does what is missing, in this order: the search, up to the measurement `derived`, goes on from its newest
checkpoint that can be read (without one it begins again and comes by the same numbers); then the measures that this
attempt was opened for; then every retraining that was wished for and is not done.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

import torch

from explorer.catalogue import ONESHOT_ENGINES
from explorer.errors import CodecError, SpecError
from explorer.jobs.asking import derived_of
from explorer.jobs.control import Cancelled
from explorer.jobs.crew import Executor
from explorer.oneshot import checkpoints
from explorer.oneshot.conversation import Conversation
from explorer.oneshot.course import Course
from explorer.oneshot.retrain import retrain
from explorer.oneshot.search import Search
from explorer.runs.oneshot_checks import oneshot_problems
from explorer.runs.spec import RunSpec
from explorer.runs.state import RunState
from explorer.trials.ready import checked_space, require_data

Report = Callable[[str, dict[str, Any]], None]


def run(
    spec: RunSpec,
    state: RunState,
    *,
    executor: Executor,
    report: Report,
    control: Callable[[], Any],
    clock: Callable[[], float],
) -> None:
    """Do what `spec` and the wishes in `state` ask for and `state` does not hold yet.

    Raises SpecError or SpaceError for what cannot run, DataMissing before any step, CodecError where a branch's
    checkpoint cannot serve, TrialFailed when a loss is no finite number any more or no retraining succeeded, and what
    `control().raise_if_cancelled()` raises.
    """
    problems = list(oneshot_problems(spec))
    if problems:
        raise SpecError(*problems)
    space = checked_space(spec)
    told = derived_of(state)
    talk = Conversation(control, clock)
    if told is None and "measure" not in state.resumed:
        require_data(spec.dataset, space.input.channels, space.input.side, control)
        if spec.method.get("engine") == "nni":
            _nni(spec, state, executor=executor, report=report, control=control, clock=clock)
            return
        torch.set_num_threads(1)
        _course(spec, state, report, talk, clock).go()
        return
    if told is not None and (
        state.retrains if "measure" not in state.resumed else "retrain" in state.resumed
    ):
        # before any measure: an executor forks, and what a tensor operation starts does not survive that
        chosen = space.architecture(told["architecture"])
        retrain(spec, state, space, chosen, executor=executor, report=report, control=control)
    if "measure" in state.resumed:
        torch.set_num_threads(1)
        _resumed_course(spec, state, report, talk, clock).measure_only(state.resumed["measure"])
        if told is None:
            raise Cancelled  # as it had ended before: a plain resume goes on with the search


def _nni(spec: RunSpec, state: RunState, **rest: Any) -> None:
    """NNI's own strategies: another engine with the same words."""
    module, attribute = ONESHOT_ENGINES.find("nni").path.split(":")
    getattr(import_module(module), attribute)(spec, state, **rest)


def _course(
    spec: RunSpec, state: RunState, report: Report, talk: Conversation, clock: Callable[[], float]
) -> Course:
    """The course at the place where this attempt takes it up: its own newest checkpoint, its parent's, or step 0."""
    if checkpoints.kept(state.run_id):
        try:
            return _resumed_course(spec, state, report, talk, clock)
        except CodecError:
            report("warning", {"message": "None of the checkpoints can be read; the search begins again."})
    course = Course(Search(spec), state, report, talk, clock)
    if spec.from_step is not None and spec.parent is not None:
        course.branch(checkpoints.read(spec.parent, spec.from_step, course.about))
    return course


def _resumed_course(
    spec: RunSpec, state: RunState, report: Report, talk: Conversation, clock: Callable[[], float]
) -> Course:
    """The course at the newest of its checkpoints that can be read; raises CodecError where there is none."""
    problem = CodecError(
        f"No checkpoint of run {state.run_id} is on this machine, so there is nothing to go on from."
    )
    for step in reversed(checkpoints.kept(state.run_id)):
        course = Course(Search(spec), state, report, talk, clock)
        try:
            course.resume(checkpoints.read(state.run_id, step, course.about))
        except CodecError as error:
            report("warning", {"message": f"{error} An earlier one is looked for."})
            problem = error
            continue
        return course
    raise problem
