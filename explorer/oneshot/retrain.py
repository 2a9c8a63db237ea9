"""Train what a search derived from scratch, beside random architectures of the same space: is it better than random?

Each wish ({"seeds", "rivals", "epochs"}) is the derived architecture with so many seeds and then so many random ones
with as many. The first training of an architecture is a trial, those with further seeds are its repeats. Rivals follow
from the run's seed and the wish's number, so a wish that was interrupted is completed by a plain resume.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from typing import Any

from explorer.errors import TrialFailed
from explorer.jobs.crew import Executor
from explorer.runs.spec import RunSpec, trial_seed
from explorer.runs.state import RunState
from explorer.space import Architecture, SearchSpace
from explorer.trials.crew import Crew, Job, Report


def planned(spec: RunSpec, space: SearchSpace, derived: Architecture, wishes: Iterable[Any]) -> list[Job]:
    """Every training that was ever wished for, in order; their numbers count from 0."""
    found: list[Job] = []
    first: dict[tuple[Architecture, int], int] = {}
    for at, wish in enumerate(wishes):
        epochs = wish.get("epochs", spec.epochs)
        for architecture in (derived, *rivals(spec.seed, at, space, derived, wish.get("rivals", 0))):
            for _ in range(wish["seeds"]):
                number = len(found)
                repeat_of = first.setdefault((architecture, epochs), number)
                found.append(
                    Job(
                        number,
                        architecture,
                        trial_seed(spec.seed, number),
                        None if repeat_of == number else repeat_of,
                        epochs,
                    )
                )
    return found


def rivals(seed: int, wish: int, space: SearchSpace, derived: Architecture, count: int) -> list[Architecture]:
    """`count` distinct random architectures other than `derived`; fewer where the space has no more."""
    drawn = drawn_rivals(seed, wish, space, count + 1)
    return [architecture for architecture in drawn if architecture != derived][:count]


def drawn_rivals(seed: int, wish: int, space: SearchSpace, count: int) -> list[Architecture]:
    """The first `count` of those that may become rivals; a rank probe looks at the same ones."""
    return space.sample(count, random.Random(f"rivals/{seed}/{wish}"))


def retrain(
    spec: RunSpec,
    state: RunState,
    space: SearchSpace,
    derived: Architecture,
    *,
    executor: Executor,
    report: Report,
    control: Callable[[], Any],
) -> None:
    """Train what `state` asks for and does not hold yet, as many at once as the executor takes.

    Raises TrialFailed when none succeeded and one failed, and what `control().raise_if_cancelled()` raises.
    """
    done = {trial.trial_id for trial in state.trials.values() if trial.status == "succeeded"}
    missing = [each for each in planned(spec, space, derived, state.retrains) if each.number not in done]
    _tell_too_few(state, space, report)
    crew = Crew(spec, executor, report, missing)
    crew.work(control)
    if crew.failures and not crew.succeeded:
        raise TrialFailed(crew.failures[0])


def _tell_too_few(state: RunState, space: SearchSpace, report: Report) -> None:
    """Warn, once in a run, that a wish asked for more rivals than there are."""
    asked = max((wish.get("rivals", 0) for wish in state.retrains), default=0)
    if asked < space.size:
        return
    others = space.size - 1
    there_are = "no architecture" if not others else f"only {others} architecture{'s' * (others > 1)}"
    message = f"The space has {there_are} beside the derived one, fewer than the rivals asked for."
    if message not in state.warnings:
        report("warning", {"message": message})
