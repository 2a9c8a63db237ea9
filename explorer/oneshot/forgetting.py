"""Two-model forgetting: what training one architecture does to another that shares its weights.

Benyahia et al. 2019, Overcoming multi-model forgetting, section 1, arXiv:1902.08232: architecture A is trained, then B
on the same supernet, and A is looked at again. What they share now serves B.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import torch
from torch.nn.functional import cross_entropy

from explorer.nets.supernet.batch_norm import batch_statistics
from explorer.nets.supernet.network import Supernet
from explorer.oneshot.contract import Batch, Context
from explorer.oneshot.learning import Weights, accuracy
from explorer.space import path_of
from explorer.space.decisions import Path


def two_model_forgetting(
    net: Supernet,
    first: Mapping[str, Any],
    second: Mapping[str, Any],
    batches: Callable[[], Iterable[Batch]],
    held_out: Batch,
    settings: Mapping[str, Any],
    epochs: int,
) -> Iterator[dict[str, Any]]:
    """Train architecture `first` for `epochs`, then `second`; yields after each epoch how both do.

    {"trained": "first" or "second", "epoch": from 1 to 2 epochs, "first": accuracy, "second": accuracy}, accuracies
    0 .. 1 on `held_out` with that batch's own statistics, so that running ones are not to blame. `batches()` gives an
    epoch's; each architecture has the whole learning rate schedule of `settings` (a method's) for itself.
    """
    paths = {"first": path_of(net.space, first), "second": path_of(net.space, second)}
    done = 0
    for name, path in paths.items():
        for epoch in _trained(net, path, batches, settings, epochs):
            seen = {each: _accuracy(net, other, held_out) for each, other in paths.items()}
            yield {"trained": name, "epoch": done + epoch, **seen}
        done += epochs


def _trained(
    net: Supernet,
    path: Path,
    batches: Callable[[], Iterable[Batch]],
    settings: Mapping[str, Any],
    epochs: int,
) -> Iterator[int]:
    """The number of each epoch from 1, when it is over."""
    weights: Weights | None = None
    for epoch in range(1, epochs + 1):
        drawn = list(batches())
        weights = weights or Weights(Context(net, settings, torch.Generator(), epochs, len(drawn)))
        net.train()
        for batch in drawn:
            weights.descend(cross_entropy(net(batch.images, path), batch.labels))
        yield epoch


@torch.no_grad()
def _accuracy(net: Supernet, path: Path, batch: Batch) -> float:
    with batch_statistics(net):
        return float(accuracy(net(batch.images, path), batch.labels))
