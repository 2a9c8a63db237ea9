"""Evaluate one architecture: train it, report every epoch, test it once. This is what an executor runs as a trial.

The result depends on the payload alone, not on the executor, the number of workers or the trials before it. Decisions
are made on validation accuracy; the test accuracy comes with the final result, for the report.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from explorer.catalogue import DATASETS
from explorer.errors import SpaceError
from explorer.nets.network import NetworkModule
from explorer.space import SearchSpace, check_network, load_space
from explorer.trials.fitting import Trial, dataset, fit

TARGET = "explorer.trials.evaluate:evaluate"


def payload(
    space: Any,
    architecture: Mapping[str, Any],
    *,
    dataset: str,
    training: Mapping[str, Any],
    epochs: int,
    seed: int,
    root: str | None = None,
) -> dict[str, Any]:
    """What `evaluate` takes, as plain JSON; `space` is a name or a space's JSON, `root` where datasets are."""
    return {
        "space": space,
        "architecture": {
            label: list(choice) if isinstance(choice, tuple) else choice
            for label, choice in architecture.items()
        },
        "dataset": dataset,
        "training": dict(training),
        "epochs": epochs,
        "seed": seed,
        "root": root,
    }


def evaluate(payload: Mapping[str, Any]) -> Trial:
    """Yields {"step", "value", "metrics"} an epoch and last {"final", "value", "metrics"}; values are validation
    accuracies in 0 .. 1. The payload may name a `checkpoint` to write when stopped early and one to `resume_from`.

    Raises SpaceError for an architecture that cannot run, DataMissing, SpecError, and TrialFailed.
    """
    space = bound_space(payload["space"], payload["dataset"])
    network = space.lower(space.architecture(payload["architecture"]))
    problems = check_network(network, DATASETS.find(payload["dataset"]).facts["classes"])
    if problems:
        raise SpaceError(*map(str, problems))
    if payload["epochs"] < 1:
        raise SpaceError(f"epochs is {payload['epochs']}; give at least 1.")
    yield from fit(
        NetworkModule(network),
        dataset(payload["dataset"], space.input.channels, space.input.side, payload["root"]),
        epochs=payload["epochs"],
        settings=payload["training"],
        seed=payload["seed"],
        costs={"parameters": network.parameters, "macs": network.macs},
        checkpoint=payload.get("checkpoint"),
        resume_from=payload.get("resume_from"),
    )


def bound_space(space: Any, dataset: str) -> SearchSpace:
    """The space on the images and classes of `dataset`, without loading it. Raises SpaceError, UnknownName."""
    facts = DATASETS.find(dataset).facts
    return load_space(space).bound_to(facts["channels"], facts["side"], facts["classes"])
