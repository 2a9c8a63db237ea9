"""The images of a one-shot search, batch by batch: some teach the shared weights, others the architecture.

The dataset's training part is cut once, by a seeded permutation, at `split`. Weights see a fresh permutation of theirs
each epoch; the architecture's batches are drawn anew each step, as `next(iter(valid_queue))` does in quark0/darts,
cnn/train_search.py. With a split of 1 the architecture looks at the dataset's validation images. All randomness comes
from two generators on the CPU, so that a feed goes on where another left off, bit for bit and on any device.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from typing import Any

import torch
from torch import Tensor

from explorer.nets.training import Dataset, Pixels, Split
from explorer.oneshot.contract import Batch


def stream(seed: int, name: str) -> torch.Generator:
    """A generator for one purpose of a search; streams of neighbouring seeds or other names share nothing."""
    digest = hashlib.sha256(f"oneshot/{name}/{seed}".encode()).digest()
    return torch.Generator().manual_seed(int.from_bytes(digest[:8], "big") >> 1)


def cut(images: Split, share: float, seed: int) -> tuple[Pixels, Pixels]:
    """The part of `images` that the weights learn from, and the rest, by a permutation that `seed` fixes."""
    order = torch.randperm(len(images.labels), generator=stream(seed, "split")).to(images.labels.device)
    at = round(share * len(order))
    first, rest = order[:at], order[at:]
    return Pixels(images.images[first], images.labels[first]), Pixels(
        images.images[rest], images.labels[rest]
    )


class Feed:
    """An endless supply of batches; `batches` of them make an epoch of the weights.

    A single image left over at an epoch's end joins the last batch, because batch norm cannot take it alone.
    """

    def __init__(self, data: Dataset, split: float, batch_size: int, seed: int) -> None:
        self.for_weights, rest = cut(data.train, split, seed)
        self.for_alphas: Split = rest if len(rest.labels) else data.validation
        self.judged: Split = data.validation
        self.size = batch_size
        self.batches = len(_batches(torch.arange(len(self.for_weights.labels)), batch_size))
        self._order, self._draw = stream(seed, "order"), stream(seed, "validation")
        self.begin_epoch()

    def begin_epoch(self) -> None:
        """Shuffle the images of the weights."""
        self._before = self._order.get_state()
        shuffled = torch.randperm(len(self.for_weights.labels), generator=self._order)
        self._epoch = _batches(shuffled.to(self.for_weights.labels.device), self.size)
        self._at = 0

    def train(self) -> Batch:
        """The next batch of the weights; after the last one another epoch begins."""
        if self._at == len(self._epoch):
            self.begin_epoch()
        self._at += 1
        return _picked(self.for_weights, self._epoch[self._at - 1])

    def peek(self) -> Batch:
        """The batch that the weights get next (at an epoch's end: got last), without taking it."""
        return _picked(self.for_weights, self._epoch[min(self._at, len(self._epoch) - 1)])

    def validation(self) -> Batch:
        """A random batch for the architecture, no image twice in it."""
        drawn = torch.randperm(len(self.for_alphas.labels), generator=self._draw)[: self.size]
        return _picked(self.for_alphas, drawn.to(self.for_alphas.labels.device))

    def passed(self, limit: int | None = None) -> Iterator[Batch]:
        """The images of the weights once, in a fixed order: for statistics, not for learning. At most `limit`."""
        whole = torch.arange(len(self.for_weights.labels), device=self.for_weights.labels.device)[:limit]
        for part in _batches(whole, self.size):
            yield _picked(self.for_weights, part)

    def state(self) -> dict[str, Any]:
        """Generators and the place within the epoch; the permutation follows from them."""
        return {"order": self._before, "at": self._at, "draw": self._draw.get_state()}

    def load(self, state: Mapping[str, Any]) -> None:
        """The inverse of `state`; where the batches were cut otherwise since, the epoch ends earlier or later."""
        self._order.set_state(state["order"])
        self._draw.set_state(state["draw"])
        self.begin_epoch()
        self._at = min(state["at"], len(self._epoch))


def _batches(order: Tensor, size: int) -> list[Tensor]:
    batches = list(order.split(size))
    if len(batches) > 1 and len(batches[-1]) == 1:
        batches[-2:] = [torch.cat(batches[-2:])]
    return batches


def _picked(images: Split, rows: Tensor) -> Batch:
    return Batch(images.images[rows], images.labels[rows])
