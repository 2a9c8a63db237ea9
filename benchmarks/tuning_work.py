"""The work that `tuning_throughput.py` gives to every tool: about 0.3 s, either slept or trained with torch.

`python -m benchmarks.tuning_work sleep|train` is one trial of a real NNI experiment; `run` is the engine of a worker of
ours (`--engines hpo=benchmarks.tuning_work:run`): the engine of `run hpo` with these functions for its trials.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

SLEEP_SECONDS = 0.3
STEPS, EPOCHS, BATCH, IMAGES, PIXELS, HIDDEN, CLASSES = 1600, 4, 32, 1024, 64, 64, 10
SPACE: dict[str, dict[str, Any]] = {
    "x1": {"_type": "uniform", "_value": [-5, 10]},
    "x2": {"_type": "uniform", "_value": [0, 15]},
}

Words = Iterator[dict[str, Any]]


def sleep(parameters: Mapping[str, Any]) -> Words:
    """Sleep; one result."""
    time.sleep(SLEEP_SECONDS)
    yield {"final": True, "value": _value(parameters), "metrics": {}}


def train(parameters: Mapping[str, Any]) -> Words:
    """Train a perceptron on random digits with plain gradient steps (torch.optim would cost 1.6 s to import).

    Four intermediate results; the final one is the tuner's test function, so that every tool is asked the same.
    """
    import torch
    from torch.nn import functional

    torch.set_num_threads(1)
    draw = torch.Generator().manual_seed(0)
    images = torch.randn(IMAGES, PIXELS, generator=draw)
    labels = torch.randint(0, CLASSES, (IMAGES,), generator=draw)
    sizes = ((PIXELS, HIDDEN), (HIDDEN,), (HIDDEN, CLASSES), (CLASSES,))
    weights = [(0.1 * torch.randn(size, generator=draw)).requires_grad_() for size in sizes]
    for step in range(STEPS):
        batch = slice(BATCH * step % IMAGES, BATCH * step % IMAGES + BATCH)
        hidden = torch.relu(images[batch] @ weights[0] + weights[1])  # (batch, hidden)
        loss = functional.cross_entropy(hidden @ weights[2] + weights[3], labels[batch])
        with torch.no_grad():
            for weight, slope in zip(weights, torch.autograd.grad(loss, weights), strict=True):
                weight.sub_(slope, alpha=0.1)
        if (step + 1) % (STEPS // EPOCHS) == 0:
            yield {"step": (step + 1) * EPOCHS // STEPS, "value": float(loss.detach()), "metrics": {}}
    yield {"final": True, "value": _value(parameters), "metrics": {}}


def _value(parameters: Mapping[str, Any]) -> float:
    return float((parameters["x1"] - 2) ** 2 + (parameters["x2"] - 5) ** 2)


# -- ours -------------------------------------------------------------------------------------------------------------

TARGET = "benchmarks.tuning_work:work"


def work(payload: Mapping[str, Any]) -> Words:
    """An executor's target: a run of one epoch sleeps, one of several trains."""
    return (train if payload["epochs"] > 1 else sleep)(payload["parameters"])


class OtherTarget:
    """An executor whose trials do something else than they were submitted for."""

    def __init__(self, executor: Any) -> None:
        self._executor = executor

    def __getattr__(self, name: str) -> Any:
        return getattr(self._executor, name)

    def submit(self, trial_id: int, target: str, payload: Mapping[str, Any], judged: bool = False) -> None:
        """As the executor's, with the target of this benchmark."""
        self._executor.submit(trial_id, TARGET, payload, judged)


def run(spec: Any, state: Any, *, executor: Any, **rest: Callable[..., Any]) -> None:
    """The engine of `run hpo`, its trials exchanged."""
    from explorer.tuning import search

    search.run(spec, state, executor=OtherTarget(executor), **rest)


# -- NNI --------------------------------------------------------------------------------------------------------------


def main() -> None:
    """One trial of NNI's."""
    import nni

    chosen = {"sleep": sleep, "train": train}[sys.argv[1]]
    for said in chosen(nni.get_next_parameter()):
        (nni.report_final_result if said.get("final") else nni.report_intermediate_result)(said["value"])


if __name__ == "__main__":
    main()
