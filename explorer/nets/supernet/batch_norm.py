"""Batch norm's statistics of a supernet: measured anew for one mixture, or taken from the batch itself.

A path that was never trained alone has no running statistics of its own: those that are kept average over whatever ran
(Guo et al. 2019, SPOS, section 3.4, arXiv:1904.00420).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from explorer.nets.supernet.mixing import Mixture


def recalibrate(net: nn.Module, batches: Iterable[Any], mixture: Mixture) -> None:
    """Running statistics become the mean over the statistics of `batches` under `mixture`; training mode stays.

    A batch is a tensor (b, channels, side, side), or has one as `images`.
    """
    norms = _norms(net)
    momenta, training = [norm.momentum for norm in norms], net.training
    try:
        for norm in norms:
            norm.reset_running_stats()
            norm.momentum = None  # a plain mean over all batches
        net.train()
        with torch.no_grad():
            for batch in batches:
                images: Tensor = getattr(batch, "images", batch)
                net(images, mixture)
    finally:
        for norm, momentum in zip(norms, momenta, strict=True):
            norm.momentum = momentum
        net.train(training)


@contextmanager
def batch_statistics(net: nn.Module) -> Iterator[None]:
    """Within, batch norm takes mean and variance from the batch that it is given, and keeps nothing of them."""
    norms, training = _norms(net), net.training
    kept = [norm.track_running_stats for norm in norms]
    buffers = [(norm.running_mean, norm.running_var, norm.num_batches_tracked) for norm in norms]
    net.eval()
    try:
        for norm in norms:
            norm.track_running_stats = False
            norm.running_mean = norm.running_var = norm.num_batches_tracked = None
        yield
    finally:
        for norm, tracked, (mean, variance, count) in zip(norms, kept, buffers, strict=True):
            norm.track_running_stats = tracked
            norm.running_mean, norm.running_var, norm.num_batches_tracked = mean, variance, count
        net.train(training)


def _norms(net: nn.Module) -> list[_BatchNorm]:
    return [part for part in net.modules() if isinstance(part, _BatchNorm)]
