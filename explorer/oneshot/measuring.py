"""Measures of a search by name, each on images and architectures that stay the same for the whole run.

What each of them costs is in `explorer.jobs.asking.MEASURES`; how they are computed in `measures`. None disturbs the
search.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping
from typing import Any

from explorer.errors import SpecError
from explorer.nets.supernet.mixing import Mixture
from explorer.oneshot.contract import Batch
from explorer.oneshot.judging import BATCH, RUNNING, Judge
from explorer.oneshot.measures import alpha_hessian_eigenvalue, perturbation_importance, rank_probe
from explorer.oneshot.retrain import drawn_rivals
from explorer.oneshot.search import Search
from explorer.oneshot.snapshots import compact
from explorer.runs.state import RunState
from explorer.space import Architecture

GAP, EIGENVALUE, PROBE, PERTURBATION = (
    "discretization_gap",
    "hessian_eigenvalue",
    "rank_probe",
    "perturbation",
)
PROBED = 20
"""Architectures of the rank probe beside those that were retrained: the first rivals of a retraining are among them."""


def measure(
    name: str,
    search: Search,
    judge: Judge,
    run: RunState,
    clock: Callable[[], float],
    architecture: Architecture | None = None,
) -> dict[str, Any]:
    """The data of the measurement called `name`; of `architecture` where it is about one (default: derived now).

    Raises SpecError where there is nothing to measure.
    """
    start = clock()
    chosen = search.derived() if architecture is None else architecture
    found = _FUNCTIONS[name](search, judge, run, chosen)
    return compact({**found, "seconds": clock() - start})


def _gap(search: Search, judge: Judge, run: RunState, architecture: Architecture) -> dict[str, Any]:
    """Accuracies of the supernet and of one architecture in it, on the validation images.

    `..._running`: with batch norm as the search left it; `..._batch`: with the statistics of the images themselves.
    `supernet` and `derived` are the first of these, but where only single paths were trained the second: there the
    running statistics average over all paths and are no path's own.
    """
    own = RUNNING if search.method.mixture() is not None else BATCH
    found: dict[str, Any] = {"statistics": own, "images": len(search.data.validation.labels)}
    for name in (RUNNING, BATCH):
        found[f"supernet_{name}"] = judge.supernet_score(name)
        found[f"derived_{name}"] = judge.score(architecture, name)
    return {"supernet": found[f"supernet_{own}"], "derived": found[f"derived_{own}"], **found}


def _eigenvalue(search: Search, judge: Judge, run: RunState, architecture: Architecture) -> dict[str, Any]:
    """Of the validation loss's Hessian over alpha, always on the same batch."""
    if not search.method.alphas():
        raise SpecError(f"{search.entry.label} has no alphas, so there is no Hessian over them to measure.")
    images = search.feed.for_alphas
    batch = Batch(images.images[: search.feed.size], images.labels[: search.feed.size])
    return alpha_hessian_eigenvalue(search.net, search.method, batch, beat=judge.beat).to_json()


def _probe(search: Search, judge: Judge, run: RunState, architecture: Architecture) -> dict[str, Any]:
    """Inherited accuracies by the statistics of the images, because the running ones are no path's own."""
    alone = standalone(search, run)
    sample = dict.fromkeys([*drawn_rivals(search.spec.seed, 0, search.space, PROBED), *alone])
    found = rank_probe(search.space, list(sample), lambda each: judge.score(each, BATCH), alone)
    return {**found.to_json(), "statistics": BATCH}


def standalone(search: Search, run: RunState) -> dict[Architecture, float]:
    """Mean validation accuracy of each architecture that the run retrained, over its longest trainings."""
    longest: dict[Architecture, int] = {}
    values: dict[tuple[Architecture, int], list[float]] = {}
    for trial in run.trials.values():
        if trial.status == "succeeded" and trial.value is not None and trial.architecture is not None:
            architecture, epochs = search.space.architecture(trial.architecture), trial.budget or 0
            values.setdefault((architecture, epochs), []).append(trial.value)
            longest[architecture] = max(epochs, longest.get(architecture, 0))
    return {each: statistics.fmean(values[each, epochs]) for each, epochs in longest.items()}


def _perturbation(search: Search, judge: Judge, run: RunState, architecture: Architecture) -> dict[str, Any]:
    mixture: Mixture | None = search.method.mixture()
    if mixture is None:
        raise SpecError(
            f"{search.entry.label} trains single paths and mixes nothing, so nothing can be taken out of a mixture."
        )
    found = perturbation_importance(
        search.decisions, mixture, lambda changed: judge.mixture_score(changed, "batch")
    )
    return {**found.to_json(), "statistics": "batch"}


_FUNCTIONS: Mapping[str, Callable[[Search, Judge, RunState, Architecture], dict[str, Any]]] = {
    GAP: _gap,
    EIGENVALUE: _eigenvalue,
    PROBE: _probe,
    PERTURBATION: _perturbation,
}
MEASURES = tuple(_FUNCTIONS)
