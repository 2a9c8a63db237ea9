"""Evaluate one architecture: train it, report every epoch, test it once. This is what an executor runs as a trial.

The result depends on the payload alone, not on the executor, the number of workers or the trials before it. Decisions
are made on validation accuracy; the test accuracy comes with the final result, for the report.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from explorer.catalogue import DATASETS
from explorer.data import Dataset, load_dataset
from explorer.errors import SpaceError
from explorer.nets.network import NetworkModule
from explorer.nets.training import evaluate as score
from explorer.nets.training import on_device, pick_device, train
from explorer.space import SearchSpace, check_network, load_space

TARGET = "explorer.nas.evaluate:evaluate"


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


def evaluate(payload: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yields {"step", "value", "metrics"} an epoch and last {"final", "value", "metrics"}; values are validation
    accuracies in 0 .. 1.

    Raises SpaceError for an architecture that cannot run, DataMissing, SpecError, and TrialFailed.
    """
    space = bound_space(payload["space"], payload["dataset"])
    network = space.lower(space.architecture(payload["architecture"]))
    problems = check_network(network, DATASETS.find(payload["dataset"]).facts["classes"])
    if problems:
        raise SpaceError(*map(str, problems))
    module = NetworkModule(network)
    data = _dataset(payload["dataset"], space.input.channels, space.input.side, payload["root"])
    seconds, result = 0.0, None
    training = train(
        module,
        data,
        epochs=payload["epochs"],
        settings=payload["training"],
        seed=payload["seed"],
        device=pick_device(),
    )
    for result in training:
        seconds += result.seconds
        yield {
            "step": result.epoch,
            "value": result.validation_accuracy,
            "metrics": {
                "train_loss": result.train_loss,
                "train_accuracy": result.train_accuracy,
                "validation_loss": result.validation_loss,
                "seconds": result.seconds,
            },
        }
    if result is None:
        raise SpaceError(f"epochs is {payload['epochs']}; give at least 1.")
    tested = score(module, data.test)
    yield {
        "final": True,
        "value": result.validation_accuracy,
        "metrics": {
            "test_accuracy": tested.accuracy,
            "test_loss": tested.loss,
            "validation_loss": result.validation_loss,
            "train_loss": result.train_loss,
            "train_accuracy": result.train_accuracy,
            "parameters": network.parameters,
            "macs": network.macs,
            "train_seconds": seconds,
        },
    }


def bound_space(space: Any, dataset: str) -> SearchSpace:
    """The space on the images and classes of `dataset`, without loading it. Raises SpaceError, UnknownName."""
    facts = DATASETS.find(dataset).facts
    return load_space(space).bound_to(facts["channels"], facts["side"], facts["classes"])


@lru_cache(maxsize=2)
def _dataset(name: str, channels: int, side: int, root: str | None) -> Dataset:
    """Loaded once a process, on the device and in the memory order that training wants."""
    data, device = load_dataset(name, channels, side, Path(root) if root else None), pick_device()
    parts = (on_device(part, device) for part in (data.train, data.validation, data.test))
    train_, validation, test = (type(data.train)(*part) for part in parts)
    return Dataset(data.name, train_, validation, test, data.classes, data.facts)
