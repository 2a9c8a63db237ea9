"""What may be asked of a one-shot run: steps and measures while it goes on, retraining and branches afterwards."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from explorer.errors import Conflict, ExplorerError, SpecError
from explorer.runs import places
from explorer.runs.spec import MAX_EPOCHS, RunSpec
from explorer.runs.state import RunState
from explorer.space import load_space

MEASURES: Mapping[str, str] = {
    "discretization_gap": "the supernet against what would be derived now: two passes over the validation images",
    "hessian_eigenvalue": "the largest curvature over the alphas: about twenty times the price of a step",
    "rank_probe": "inherited against stand-alone accuracy of a fixed sample: one pass for each architecture",
    "perturbation": "the supernet without each candidate: one pass for each of them",
}
"""Measure -> what it says and costs."""

PHASES = ("both", "weights", "architecture")
MOST_STEPS = 10_000
MOST_SEEDS = 20
MOST_RIVALS = 100


def derived_of(state: RunState) -> Mapping[str, Any] | None:
    """The data of the measurement `derived`: what the search came to; None before its end."""
    found = [each["data"] for each in state.measurements if each["name"] == "derived"]
    return found[-1] if found else None


def checkpoints_of(state: RunState) -> tuple[int, ...]:
    """The steps that the run, or a branch of it, can go on from."""
    return tuple(each["data"]["step"] for each in state.measurements if each["name"] == "checkpoint")


def check_step(state: RunState, phase: str, count: int) -> None:
    """Raises Conflict unless the run is paused and searches, SpecError for an unknown phase."""
    _is_oneshot(state)
    _still_searches(state, "step")
    if state.status != "paused":
        raise Conflict(f"Run {state.run_id} is {state.status}; pause it first, then step.")
    if phase not in PHASES:
        raise SpecError(f"phase is {phase!r:.60}; pick {' or '.join(PHASES)}.")
    if isinstance(count, bool) or not isinstance(count, int) or not 1 <= count <= MOST_STEPS:
        raise SpecError(f"count is {count!r:.60}; give a whole number from 1 to {MOST_STEPS:,}.")


def check_stop(state: RunState) -> None:
    """Raises SpecError for a run that is no search, Conflict for one that has derived already."""
    if state.spec.kind != "oneshot":
        raise SpecError(f"Run {state.run_id} is no one-shot search; cancel it instead.")
    _still_searches(state, "stop")


def check_measure(state: RunState, name: str) -> None:
    """Raises SpecError for an unknown measure, Conflict where there is nothing to measure or nobody to do it."""
    _is_oneshot(state)
    if name not in MEASURES:
        raise SpecError(f"No measure is called {name!r:.60}; known: {', '.join(MEASURES)}.")
    if state.spec.method.get("engine") == "nni":
        raise SpecError("These measures need a search of this app's own; NNI's engine has none of them.")
    if not state.is_over:
        if "measure" not in state.resumed or "retrain" in state.resumed:
            _still_searches(state, "measure")
        return
    if state.status == "failed" and derived_of(state) is None:
        raise Conflict(
            f"Run {state.run_id} failed before it derived anything; branch from one of its checkpoints instead."
        )
    if not any((places.home() / "checkpoints" / state.run_id).glob("step-*.pt")):
        raise Conflict(
            f"No checkpoint of run {state.run_id} is on this machine, so there is nothing to measure."
        )


def _still_searches(state: RunState, what: str) -> None:
    """Raises Conflict for a run that goes on after its search has ended: retraining hears of no search."""
    if not state.is_over and derived_of(state) is not None:
        after = " now; measure when the run has ended" if what == "measure" else " any more"
        raise Conflict(f"The search of run {state.run_id} has ended, so there is nothing to {what}{after}.")


def check_retraining(state: RunState, retrain: Mapping[str, Any]) -> None:
    """Raises SpecError unless something was derived and the numbers are possible."""
    if derived_of(state) is None:
        raise SpecError(f"Run {state.run_id} has derived nothing yet; let its search end first.")
    for name, low, high, default in (
        ("seeds", 1, MOST_SEEDS, None),
        ("rivals", 0, MOST_RIVALS, 0),
        ("epochs", 1, MAX_EPOCHS, 1),
    ):
        value = retrain.get(name, default)
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise SpecError(f"{name} is {value!r:.60}; give a whole number from {low} to {high:,}.")


def missing_of_search(state: RunState) -> int:
    """How much of a one-shot run is still to be done: the search counts 1, each retraining 1."""
    search = int(derived_of(state) is None)
    done = sum(trial.status == "succeeded" for trial in state.trials.values())
    return search + retrainings_planned(state) - done


def retrainings_planned(state: RunState) -> int:
    """How many trainings all wishes come to: a wish has no more rivals than the space has other architectures."""
    most = _other_architectures(state) if any(wish.get("rivals") for wish in state.retrains) else 0
    return sum(wish["seeds"] * (1 + min(wish.get("rivals", 0), most)) for wish in state.retrains)


def _other_architectures(state: RunState) -> int:
    try:
        return load_space(state.spec.space).size - 1
    except ExplorerError:  # a stored run whose space is no longer readable: what was asked for
        return MOST_RIVALS


def branch_spec(state: RunState, step: int, changes: Mapping[str, Any]) -> RunSpec:
    """The spec of a new run that begins at checkpoint `step`, with `changes` to the method's parameters.

    A change called `epochs` sets how long the search is in all. Raises SpecError with every problem.
    """
    _is_oneshot(state)
    known = checkpoints_of(state)
    if step not in known:
        shown = ", ".join(map(str, known[-10:])) or "none yet"
        raise SpecError(f"Run {state.run_id} has no checkpoint of step {step!r:.60}; there are {shown}.")
    spec, changed = state.spec, dict(changes)
    epochs = changed.pop("epochs", spec.epochs)
    done = epoch_at(state, step)
    if isinstance(epochs, int) and not isinstance(epochs, bool) and epochs <= done:
        raise SpecError(
            f"At step {step} {done} epochs are done already; give at least {done + 1} epochs in all."
        )
    settings = {**spec.settings, "method": {**spec.settings.get("method", {}), **changed}}
    return replace(spec, parent=state.run_id, from_step=step, epochs=epochs, settings=settings).checked()


def epoch_at(state: RunState, step: int) -> int:
    """Epochs that were complete at `step`, as far as the snapshots tell."""
    seen = [each.get("epoch") for each in state.snapshots if each["step"] <= step]
    return int(seen[-1] or 0) if seen else 0


def _is_oneshot(state: RunState) -> None:
    if state.spec.kind != "oneshot":
        raise SpecError(f"Run {state.run_id} is no one-shot search ({state.spec.kind}); it has no supernet.")
