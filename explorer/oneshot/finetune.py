"""Let the weights learn on, the architecture held where a selection rule has settled it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import torch
from torch.nn.functional import cross_entropy

from explorer.nets.supernet.mixing import Mix
from explorer.oneshot.learning import Weights
from explorer.oneshot.search import Search


def tune(search: Search, epochs: int, settled: Mapping[str, Mix], beat: Callable[[], None]) -> None:
    """Train the weights for `epochs` more, from the start of their cosine, as DARTS-PT does between two decisions.

    Decisions that `settled` does not name stay as the method mixes them (where it mixes nothing: by its
    probabilities). The method itself, its momenta and its alphas stay as they are.
    """
    net, method, feed = search.net, search.method, search.feed
    weights = Weights(replace(method.context, epochs=epochs))
    with torch.no_grad():
        mixture = {**(method.mixture() or method.probabilities()), **settled}
    net.train()
    for _ in range(epochs):
        feed.begin_epoch()
        for _ in range(feed.batches):
            beat()
            batch = feed.train()
            weights.descend(cross_entropy(net(batch.images, mixture), batch.labels))
