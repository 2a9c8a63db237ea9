"""How good a trained supernet is, as a whole and path by path, on the dataset's validation images.

Nothing here disturbs the search: batch norm's statistics are put back, and training mode returns. Every pass is cut
into parts with a `beat` between, so that a long one hears a person.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

import torch
from torch import nn

from explorer.nets.supernet.batch_norm import batch_statistics, recalibrate
from explorer.nets.supernet.mixing import Mixture
from explorer.nets.training import EVALUATION_VALUES
from explorer.oneshot.contract import Batch
from explorer.oneshot.search import Search
from explorer.space import Architecture, path_of

RUNNING, BATCH, RECALIBRATED = "running", "batch", "recalibrated"
RECALIBRATION_IMAGES = 1024
"""At most so many images of the weights set batch norm's statistics anew."""


class Judge:
    """Accuracies (0 .. 1) of one search's supernet."""

    def __init__(self, search: Search, beat: Callable[[], None]) -> None:
        self.search, self.beat = search, beat

    def mixture_score(self, mixture: Mixture, batch_norm: str = RUNNING) -> float:
        """The supernet under `mixture`; batch norm by its running statistics, those of the images judged (BATCH), or
        new ones (RECALIBRATED).
        """
        net = self.search.net
        with untouched(net):
            if batch_norm == RECALIBRATED:
                recalibrate(net, self.beaten(self.search.feed.passed(RECALIBRATION_IMAGES)), mixture)
            net.eval()
            if batch_norm == BATCH:
                with batch_statistics(net):
                    return self._accuracy(lambda images: net(images, mixture))
            return self._accuracy(lambda images: net(images, mixture))

    def score(self, architecture: Architecture, batch_norm: str = RUNNING) -> float:
        """One architecture with the weights that it inherits."""
        return self.mixture_score(path_of(self.search.space, architecture), batch_norm)

    def supernet_score(self, batch_norm: str = RUNNING) -> float | None:
        """The supernet as the method mixes it; None where a method has no mixture."""
        mixture = self.search.method.mixture()
        return None if mixture is None else self.mixture_score(mixture, batch_norm)

    def _accuracy(self, run: Callable[[torch.Tensor], torch.Tensor]) -> float:
        images, labels = self.search.data.validation.images, self.search.data.validation.labels
        size = max(1, EVALUATION_VALUES // images[0].numel())
        right = torch.zeros((), dtype=torch.long, device=labels.device)
        with torch.inference_mode():
            for some, answers in zip(images.split(size), labels.split(size), strict=True):
                right = right + (run(some).argmax(-1) == answers).sum()
                self.beat()
        return int(right) / len(labels)

    def beaten(self, batches: Iterable[Batch]) -> Iterator[Batch]:
        """The same batches, a beat before each."""
        for batch in batches:
            self.beat()
            yield batch


@contextmanager
def untouched(net: nn.Module) -> Iterator[None]:
    """Whatever happens to the buffers and the mode of `net` within is undone."""
    kept = [(buffer, buffer.detach().clone()) for buffer in net.buffers()]
    training = net.training
    try:
        yield
    finally:
        with torch.no_grad():
            for buffer, before in kept:
                buffer.copy_(before)
        net.train(training)
