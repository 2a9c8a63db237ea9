"""Train a module as a trial does: a report an epoch, a test at the end, a checkpoint where it is stopped early."""

from __future__ import annotations

import contextlib
import os
import warnings
from collections.abc import Generator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import torch
from torch import nn

from explorer.data import Dataset, load_dataset
from explorer.errors import SpecError
from explorer.nets.training import evaluate as score
from explorer.nets.training import on_device, pick_device, train

Word = dict[str, Any]
Trial = Generator[Word, bool | None, None]


def fit(
    module: nn.Module,
    data: Dataset,
    *,
    epochs: int,
    settings: Mapping[str, Any],
    seed: int,
    costs: Mapping[str, int],
    checkpoint: str | None = None,
    resume_from: str | None = None,
    weights: Mapping[str, Any] | None = None,
    save_to: str | None = None,
) -> Trial:
    """Yields {"step", "value", "metrics"} an epoch and last {"final", "value", "metrics"}; values are validation
    accuracies in 0 .. 1, `costs` (parameters, MACs) go into the last metrics.

    What is sent in says whether to go on; told False, it writes `checkpoint` and ends. From `resume_from` it goes on
    at the next epoch; where that file is gone it begins again and, on a CPU, comes by the same numbers. `weights` are
    what a new training begins with instead of fresh ones; at its end it leaves its own at `save_to`.
    """
    state = read_checkpoint(resume_from) or (None if weights is None else {"module": dict(weights)})
    training = train(
        module, data, epochs=epochs, settings=settings, seed=seed, device=pick_device(), state=state
    )
    seconds, result = 0.0, None
    for result in training:
        seconds += result.seconds
        go_on = yield {
            "step": result.epoch,
            "value": result.validation_accuracy,
            "metrics": {
                "train_loss": result.train_loss,
                "train_accuracy": result.train_accuracy,
                "validation_loss": result.validation_loss,
                "seconds": result.seconds,
            },
        }
        if go_on is False:
            write_checkpoint(checkpoint, training.state)
            return
    if result is None:
        raise SpecError(f"epochs is {epochs}; give more than were trained already.")
    write_checkpoint(save_to, module.state_dict())
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
            **costs,
            "train_seconds": seconds,
        },
    }


def write_checkpoint(path: str | None, state: Mapping[str, Any]) -> None:
    """Keep `state`; a full disk costs only the time that it would have saved."""
    if path is None:
        return
    beside = Path(f"{path}.part")
    try:
        beside.parent.mkdir(parents=True, exist_ok=True)
        torch.save(dict(state), beside)
        os.replace(beside, path)
    except (OSError, RuntimeError):
        with contextlib.suppress(OSError):
            beside.unlink(missing_ok=True)


def read_checkpoint(path: str | None) -> dict[str, Any] | None:
    """What `write_checkpoint` kept: tensors and numbers, no code; None when it is not there or damaged."""
    if path is None:
        return None
    with contextlib.suppress(Exception):  # a damaged file fails in any way; then there is none
        with warnings.catch_warnings():  # a file that is not ours is refused below; torch wonders at it first
            warnings.filterwarnings("ignore", "Detected pickle protocol", UserWarning)
            found = torch.load(path, map_location="cpu", weights_only=True)
        return found if isinstance(found, dict) else None
    return None


@lru_cache(maxsize=2)
def dataset(name: str, channels: int | None, side: int | None, root: str | None) -> Dataset:
    """Loaded once a process, on the device and in the memory order that training wants."""
    data, device = load_dataset(name, channels, side, Path(root) if root else None), pick_device()
    parts = (on_device(part, device) for part in (data.train, data.validation, data.test))
    train_, validation, test = (type(data.train)(*part) for part in parts)
    return Dataset(data.name, train_, validation, test, data.classes, data.facts)
