"""Train one network from scratch, epoch by epoch, on tensors in memory.

The learning rate is set before every step: constant, or half a cosine from the start value to zero at the end (so the
first 3 of 10 epochs are not a training of 3 epochs). The seed decides initial weights and the order of the images, and
nothing else does; on the CPU a training repeats exactly. Who calls this says how many threads torch has.
"""

from __future__ import annotations

import itertools
import math
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import torch
from torch import Tensor, nn
from torch.nn import functional

from explorer.catalogue import TRAINING
from explorer.errors import TrialFailed
from explorer.nets.optimizers import Optimizer, optimizer

EVALUATION_VALUES = 400_000  # input values a batch, so that it stays in the cache (130 images of notes-net)


class Split(Protocol):
    """One part of a dataset, as `explorer.data` makes it."""

    @property
    def images(self) -> Tensor:
        """(n, channels, side, side) float32"""

    @property
    def labels(self) -> Tensor:
        """(n,) int64"""


class Dataset(Protocol):
    """What is trained on and what is decided by."""

    @property
    def train(self) -> Split: ...

    @property
    def validation(self) -> Split: ...


class Pixels(NamedTuple):
    """A split where it is needed, in the memory order that is needed."""

    images: Tensor
    labels: Tensor


@dataclass(frozen=True)
class EpochResult:
    """One epoch: accuracies in 0 .. 1, mean cross-entropies, seconds of training and validation."""

    epoch: int  # counts from 1
    train_loss: float
    train_accuracy: float
    validation_accuracy: float
    validation_loss: float
    seconds: float


@dataclass(frozen=True)
class Score:
    """Accuracy in 0 .. 1 and mean cross-entropy over a split."""

    accuracy: float
    loss: float


def pick_device() -> torch.device:
    """A CUDA device when there is one. Call it in the process that trains: it starts what a fork cannot copy."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def initialise(module: nn.Module, seed: int) -> None:
    """Fresh weights everywhere, by `seed` alone; torch's own generator is left as it was."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        plain = getattr(module, "plain", module)  # a fused supernet: the tensors under their plain names
        for part in plain.modules():
            reset = getattr(part, "reset_parameters", None)
            if callable(reset):
                reset()


def train(
    module: nn.Module,
    dataset: Dataset,
    *,
    epochs: int,
    settings: Mapping[str, Any],
    seed: int,
    device: torch.device | None = None,
    clock: Callable[[], float] = time.perf_counter,
    state: Mapping[str, Any] | None = None,
) -> Training:
    """Train `module` from fresh weights, one epoch each time the next result is asked for.

    `state` is where to begin instead: a `Training.state`, or {"module": weights} alone for a new training of them.

    `settings` are those of `catalogue.TRAINING`; what is left out takes its default. Raises SpecError for impossible
    settings and TrialFailed once a loss is not a number any more.
    """
    return Training(
        module, dataset, epochs, TRAINING.settings(settings), seed, device or pick_device(), clock, state
    )


class Training:
    """An iterator over epochs; between two of them, `state` is all that is needed to go on elsewhere."""

    def __init__(
        self,
        module: nn.Module,
        dataset: Dataset,
        epochs: int,
        settings: Mapping[str, Any],
        seed: int,
        device: torch.device,
        clock: Callable[[], float],
        state: Mapping[str, Any] | None,
    ) -> None:
        self.module, self.epochs, self.settings, self.seed, self.clock = module, epochs, settings, seed, clock
        self.epoch = 0
        initialise(module.cpu(), seed)
        if state is not None:
            module.load_state_dict(state["module"])
        module.to(device=device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self._training = on_device(dataset.train, device)
        self._validation = on_device(dataset.validation, device)
        self._stepper = optimizer(module.parameters(), settings)
        self._order = torch.Generator().manual_seed(seed)
        steps = len(batches(torch.arange(len(self._training.labels)), settings["batch_size"]))
        if state is not None and "epoch" in state:  # with weights alone it is a new training of old weights
            self.epoch = state["epoch"]
            self._stepper.load(state["optimizer"])
            self._order.set_state(state["order"])
        self._rates = itertools.islice(rates(settings, epochs * steps), self.epoch * steps, None)

    @property
    def state(self) -> dict[str, Any]:
        """Tensors and numbers: the epoch reached, weights, the optimizer's memory, the order of the images to come."""
        return {
            "epoch": self.epoch,
            "module": self.module.state_dict(),
            "optimizer": self._stepper.state(),
            "order": self._order.get_state(),
        }

    def __iter__(self) -> Iterator[EpochResult]:
        return self

    def __next__(self) -> EpochResult:
        if self.epoch >= self.epochs:
            raise StopIteration
        self.epoch += 1
        started, batch = self.clock(), self.settings["batch_size"]
        shuffled = torch.randperm(len(self._training.labels), generator=self._order)
        with torch.random.fork_rng(enabled=_draws(self.module)):
            # dropout draws from torch's own generator: by seed and epoch alone, so that going on repeats exactly
            if _draws(self.module):
                torch.manual_seed((self.seed * 1_000_003 + self.epoch) % 2**63)
            fitted = _one_epoch(
                self.module, self._training, batches(shuffled, batch), self._stepper, self._rates
            )
        checked = evaluate(self.module, self._validation)
        if not (math.isfinite(fitted.loss) and math.isfinite(checked.loss)):
            raise TrialFailed(
                f"The loss was no finite number any more in epoch {self.epoch} with learning rate "
                f"{self.settings['learning_rate']:g}; try a smaller one."
            )
        return EpochResult(
            self.epoch, fitted.loss, fitted.accuracy, checked.accuracy, checked.loss, self.clock() - started
        )


def _draws(module: nn.Module) -> bool:
    """Whether training draws random numbers beside the order of the images."""
    return any(isinstance(part, nn.Dropout) for part in module.modules())


def evaluate(module: nn.Module, split: Split) -> Score:
    """Accuracy and loss of `module` as it stands (running statistics in batch norm), where its weights are."""
    weight = next(module.parameters(), None)
    images, labels = on_device(split, weight.device if weight is not None else torch.device("cpu"))
    size = max(1, EVALUATION_VALUES // images[0].numel())
    module.eval()
    with torch.inference_mode():
        logits = torch.cat([module(part) for part in images.split(size)])  # (n, classes)
    return _score(logits, labels)


def on_device(split: Split, device: torch.device) -> Pixels:
    """The split where it is needed, channels last, which convolution and pooling work on fastest; often no copy."""
    images = split.images.to(device=device, memory_format=torch.channels_last)
    return Pixels(images, split.labels.to(device))


def _one_epoch(
    module: nn.Module, split: Pixels, batches: list[Tensor], stepper: Optimizer, rates: Iterator[float]
) -> Score:
    """One pass; logits are kept and scored at the end, so that no step waits for a number."""
    module.train()
    seen: list[Tensor] = []
    labels = split.labels[torch.cat(batches)]
    start = 0
    for batch in batches:
        logits = module(split.images[batch])  # (b, classes)
        loss = functional.cross_entropy(logits, labels[start : start + len(batch)])
        loss.backward()
        stepper.step(next(rates))
        seen.append(logits.detach())
        start += len(batch)
    return _score(torch.cat(seen), labels)


def _score(logits: Tensor, labels: Tensor) -> Score:
    accuracy = (logits.argmax(1) == labels).float().mean()
    return Score(float(accuracy), float(functional.cross_entropy(logits, labels)))


def batches(order: Tensor, size: int) -> list[Tensor]:
    """Batches of `size`; a single image left over joins the last batch, since batch norm cannot take it alone."""
    batches = list(order.split(size))
    if len(batches) > 1 and len(batches[-1]) == 1:
        batches[-2:] = [torch.cat(batches[-2:])]
    return batches


def rates(chosen: Mapping[str, Any], steps: int) -> Iterator[float]:
    """The learning rate of every step; a cosine one is rate * (1 + cos(pi * step / steps)) / 2."""
    for step in range(steps):
        cosine = (1 + math.cos(math.pi * step / steps)) / 2
        yield chosen["learning_rate"] * (cosine if chosen["schedule"] == "cosine" else 1.0)
