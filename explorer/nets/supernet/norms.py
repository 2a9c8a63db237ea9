"""Batch norms without scale and shift that stand side by side: their statistics, and what is weighed behind them.

A mixture's weights are the scale of the batch norms, so that weighing costs nothing and the gradient of the alphas falls
out of the batch norm's own. Torch's kernel for the statistics of a batch takes several times as long as sums do
(163 of 183 us for (64, 24, 8, 8), one thread, torch 2.13), so they are summed here; torch's kernel for the gradient
is used as it is. Everything can be differentiated twice: the second time, torch's own batch norm is differentiated.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from operator import add as plus
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

Norms = Sequence[nn.BatchNorm2d]


class Statistics:
    """The running statistics of `rows` rows of batch norms, as many in each, in one place.

    The modules' own buffers are views of `mean` and `variance` (rows, norms a row * c) and of `counts` (norms,).
    """

    mean: Tensor
    variance: Tensor
    counts: Tensor

    def __init__(self, rows: Sequence[Norms]) -> None:
        self.rows = len(rows)
        self.norms = [norm for row in rows for norm in row]
        self.tie()

    def tie(self) -> None:
        """Make the modules' buffers views of ours, after they were made or moved."""
        means = [norm.running_mean for norm in self.norms]
        variances = [norm.running_var for norm in self.norms]
        counts = [norm.num_batches_tracked for norm in self.norms]
        if any(each is None for each in (*means, *variances, *counts)):
            return  # `batch_statistics` took them away for a while
        self.mean, self.variance = torch.cat(means), torch.cat(variances)  # type: ignore[arg-type]
        self.counts = torch.stack(counts)  # type: ignore[arg-type]
        size = self.norms[0].num_features
        views = zip(self.mean.split(size), self.variance.split(size), self.counts.unbind(), strict=True)
        for norm, (mean, variance, count) in zip(self.norms, views, strict=True):
            norm.running_mean, norm.running_var, norm.num_batches_tracked = mean, variance, count
        self.mean, self.variance = self.mean.view(self.rows, -1), self.variance.view(self.rows, -1)

    @property
    def of_the_batch(self) -> bool:
        """Whether mean and variance come from the batch, as in training."""
        return self.norms[0].training or self.norms[0].running_mean is None

    @property
    def epsilon(self) -> float:
        """Added to every variance."""
        return self.norms[0].eps

    def centre(self, rows: Sequence[Tensor]) -> Tensor:
        """Take its mean from every channel of the rows (b, norms a row * c, h, w), in place; notes the statistics.

        Returns one over the standard deviations, (rows, norms a row * c).
        """
        count = rows[0].numel() // rows[0].shape[1]
        if count == 1:
            raise ValueError(f"Expected more than 1 value per channel when training, got {rows[0].shape}.")
        sums = rows[0].new_empty(len(rows), rows[0].shape[1])
        for row, into in zip(rows, sums.unbind(), strict=True):
            torch.sum(row, (0, 2, 3), out=into)
        means = sums / count
        for row, mean, into in zip(rows, means.view(len(rows), -1, 1, 1).unbind(), sums.unbind(), strict=True):
            torch.sum(row.sub_(mean).square(), (0, 2, 3), out=into)
        sums /= count  # from here the variances
        inverse = (sums + self.epsilon).rsqrt_()
        self._note(means, sums, count)
        return inverse

    def _note(self, means: Tensor, variances: Tensor, count: int) -> None:
        """Let the running statistics follow; the running variance is the unbiased one, as torch has it."""
        norm = self.norms[0]
        if not norm.training or not norm.track_running_stats:
            return
        self.counts += 1
        rate = 1 / int(self.counts[0]) if norm.momentum is None else norm.momentum
        self.mean.lerp_(means, rate)
        self.variance.lerp_(variances * (count / (count - 1)), rate)

    def normalise(self, row: Tensor, number: int, scale: Tensor | None = None) -> Tensor:
        """Row `number` by torch's own batch norm, running statistics left alone; `scale` is a factor a channel."""
        given = (None, None) if self.of_the_batch else (self.mean[number], self.variance[number])
        return functional.batch_norm(row, *given, scale, None, self.of_the_batch, 0.0, self.epsilon)


def mixed(
    statistics: Statistics | None, weights: Tensor, images: Sequence[Tensor], rows: Sequence[Tensor]
) -> Sequence[Tensor]:
    """What leaves a value, for each edge (b, c, h, w): images that all edges share, and rows that are normalised first.

    `weights` (images + rows, edges), an image (b, c, h, w), a row (b, edges * c, h, w). Uses the rows up: nothing else
    may read them. `statistics` are those of the rows; None without rows.
    """
    if statistics is not None and statistics.of_the_batch:
        found: Sequence[Tensor] = Mixed.apply(statistics, weights, len(images), *images, *rows)
        return found
    return _mixed_by_torch(statistics, weights, images, rows)


def normalised(statistics: Statistics, row: Tensor) -> Tensor:
    """A row of batch norms, (b, c, h, w) -> (b, c, h, w). Uses the row up."""
    if not statistics.of_the_batch:
        return statistics.normalise(row, 0)
    found: Tensor = Normalised.apply(statistics, row)
    return found


class Normalised(torch.autograd.Function):
    """`normalised` by the batch's statistics."""

    @staticmethod
    def forward(ctx: Any, statistics: Statistics, row: Tensor) -> Tensor:
        (inverse,) = statistics.centre([row])
        ctx.statistics = statistics
        ctx.save_for_backward(row, inverse)
        return row * inverse.view(-1, 1, 1)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Any:
        row, inverse = ctx.saved_tensors
        if torch.is_grad_enabled():
            return None, *_by_torch(lambda one: [ctx.statistics.normalise(one, 0)], [row], gradients)
        found, _ = _norm_gradient(gradients[0].contiguous(), row, None, inverse, ctx.statistics.epsilon)
        return None, found


class Mixed(torch.autograd.Function):
    """`mixed` by the batch's statistics; there is at least one row."""

    @staticmethod
    def forward(
        ctx: Any, statistics: Statistics, weights: Tensor, count: int, *given: Tensor
    ) -> tuple[Tensor, ...]:
        images, rows = given[:count], given[count:]
        edges = weights.shape[1]
        inverse = statistics.centre(rows)  # (rows, edges * c)
        scales = inverse.view(len(rows), edges, -1) * weights[count:, :, None]  # (rows, edges, c)
        first, *others = scales.view(len(rows), -1, 1, 1).unbind()
        found = rows[0] * first
        for row, scale in zip(rows[1:], others, strict=True):
            found.addcmul_(row, scale)  # (b, edges * c, h, w)
        stacked = torch.stack(images).view(count, -1) if images else None  # (images, b * c * h * w)
        ctx.statistics, ctx.count = statistics, count
        ctx.save_for_backward(weights, inverse, stacked, *given)
        found = found.view(len(found), edges, -1, *found.shape[2:]).transpose(0, 1)  # (edges, b, c, h, w)
        if stacked is None:
            return found.unbind()
        total = torch.mm(weights[:count].t(), stacked).view(edges, *images[0].shape)
        return (total + found if edges > 1 else total.add_(found)).unbind()

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Any:
        weights, inverse, stacked, *given = ctx.saved_tensors
        count, statistics = ctx.count, ctx.statistics
        if torch.is_grad_enabled():
            whole = lambda table, *ones: _mixed_by_torch(statistics, table, ones[:count], ones[count:])  # noqa: E731
            found, *others = _by_torch(whole, [weights, *given], gradients)
            return None, found, None, *others
        images, rows = given[:count], given[count:]
        edges = weights.shape[1]
        arriving = torch.stack(gradients, 1).view(rows[0].shape) if edges > 1 else gradients[0].contiguous()
        of_weights, of_rows, of_images = [], [], []
        if stacked is not None:
            flat = torch.stack(gradients) if edges > 1 else arriving
            flat = flat.view(edges, -1)  # (edges, b * c * h * w)
            of_images = [one.view(images[0].shape) for one in torch.mm(weights[:count], flat).unbind()]
            if ctx.needs_input_grad[1]:
                of_weights.append(torch.mm(stacked, flat.t()))
        for row, weight, scale in zip(rows, weights[count:], inverse, strict=True):
            of_row, of_scale = _norm_gradient(
                arriving, row, weight[:, None].expand(edges, len(scale) // edges).reshape(-1), scale, statistics.epsilon
            )
            of_rows.append(of_row)
            of_weights.append(of_scale.view(1, edges, -1).sum(2))
        return None, torch.cat(of_weights) if ctx.needs_input_grad[1] else None, None, *of_images, *of_rows


def _norm_gradient(
    arriving: Tensor, row: Tensor, scale: Tensor | None, inverse: Tensor, epsilon: float
) -> tuple[Tensor, Tensor]:
    """The gradients of a row whose means are 0, and of its scale (c,), by torch's kernel."""
    wanted = [True, scale is not None, False]
    of_row, of_scale, _ = torch.ops.aten.native_batch_norm_backward(
        arriving, row, scale, None, None, torch.zeros_like(inverse), inverse, True, epsilon, wanted
    )
    return of_row, of_scale


def _by_torch(function: Any, inputs: Sequence[Tensor], gradients: Sequence[Tensor]) -> Sequence[Tensor | None]:
    """The gradients of `function(*inputs)` in a form that can be differentiated again."""
    wanted = [one for one in inputs if one.requires_grad]
    found = iter(torch.autograd.grad(function(*inputs), wanted, gradients, create_graph=True))
    return [next(found) if one.requires_grad else None for one in inputs]


def _mixed_by_torch(
    statistics: Statistics | None, weights: Tensor, images: Sequence[Tensor], rows: Sequence[Tensor]
) -> Sequence[Tensor]:
    edges, count = weights.shape[1], len(images)
    found: list[list[Tensor]] = [[] for _ in range(edges)]
    if images:
        stacked = torch.stack(tuple(images)).view(count, -1)  # (images, b * c * h * w)
        total = torch.mm(weights[:count].t(), stacked).view(edges, *images[0].shape)
        found = [[one] for one in total.unbind()]
    for number, row in enumerate(rows):
        assert statistics is not None, "rows come with their statistics"
        scale = weights[count + number].repeat_interleave(row.shape[1] // edges)
        normed = statistics.normalise(row, number, scale)
        for kept, one in zip(found, normed.view(len(row), edges, -1, *row.shape[2:]).unbind(1), strict=True):
            kept.append(one)
    return [reduce(plus, kept) for kept in found]
