"""Batch norms without scale and shift that stand side by side: their statistics, and what is weighed behind them.

A mixture's weights are the scale of the batch norms, so that weighing costs nothing and the gradient of the alphas falls
out of the batch norm's own. Torch's kernel for the statistics of a batch takes several times as long as sums do
(163 of 183 us for (64, 24, 8, 8), one thread, torch 2.13), so they are summed here; torch's kernel for the gradient
is used as it is. Everything can be differentiated twice: the second time, torch's own batch norm is differentiated.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial, reduce
from operator import add as plus
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

Norms = Sequence[nn.BatchNorm2d]

WANTED, ONLY_INPUT = (True, True, False), (True, False, False)  # gradients of input, scale and shift


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
        sums = [row.sum((0, 2, 3)) for row in rows]
        means = torch.stack(sums) / count  # (rows, c)
        for number, row in enumerate(rows):
            row -= means[number].view(-1, 1, 1)
            torch.sum(row * row, (0, 2, 3), out=sums[number])
        variances = torch.stack(sums).mul_(1 / count)
        inverse = (variances + self.epsilon).rsqrt_()
        self._note(means, variances, count)
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


class Image(NamedTuple):
    """What every edge shares: (b, c, h, w), its pixels multiplied by `window` (h * w, h * w) where there is one."""

    value: Tensor
    window: Tensor | None = None


def mixed(
    statistics: Statistics | None, weights: Tensor, images: Sequence[Image], rows: Sequence[Tensor]
) -> Sequence[Tensor]:
    """What leaves a value, for each edge (b, c, h, w): images that all edges share, and rows that are normalised first.

    `weights` (images + rows, edges), an image (b, c, h, w), a row (b, edges * c, h, w). Uses the rows up: nothing else
    may read them. `statistics` are those of the rows; None without rows.
    """
    windows = [image.window for image in images]
    values = [image.value for image in images]
    if statistics is not None and statistics.of_the_batch:
        found: Sequence[Tensor] = Mixed.apply(statistics, weights, windows, *values, *rows)
        return found
    return _mixed_by_torch(statistics, windows, weights, *values, *rows)


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
        found, _, _ = torch.ops.aten.native_batch_norm_backward(
            gradients[0].contiguous(), row, None, None, None, torch.zeros_like(inverse), inverse, True,
            ctx.statistics.epsilon, ONLY_INPUT
        )
        return None, found


class Mixed(torch.autograd.Function):
    """`mixed` by the batch's statistics; there is at least one row."""

    @staticmethod
    def forward(
        ctx: Any, statistics: Statistics, weights: Tensor, windows: Sequence[Tensor | None], *given: Tensor
    ) -> tuple[Tensor, ...]:
        count, edges = len(windows), weights.shape[1]
        values, rows = given[:count], given[count:]
        inverse = statistics.centre(rows)  # (rows, edges * c)
        scales = inverse.view(len(rows), edges, -1) * weights[count:, :, None]  # (rows, edges, c)
        scales = scales.view(len(rows), -1, 1, 1)
        found = rows[0] * scales[0]
        for number in range(1, len(rows)):
            found.addcmul_(rows[number], scales[number])
        found = found.view(len(found), edges, -1, *found.shape[2:]).transpose(0, 1)  # (edges, b, c, h, w)
        stacked = _stacked(values, windows) if values else None
        ctx.statistics, ctx.windows = statistics, windows
        ctx.save_for_backward(weights, inverse, stacked, *given)
        if stacked is None:
            return found.unbind()
        return torch.mm(weights[:count].t(), stacked).view(found.shape).add_(found).unbind()

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Any:
        weights, inverse, stacked, *given = ctx.saved_tensors
        statistics, windows, count = ctx.statistics, ctx.windows, len(ctx.windows)
        if torch.is_grad_enabled():
            again = partial(_mixed_by_torch, statistics, windows)
            found, *others = _by_torch(again, [weights, *given], gradients)
            return None, found, None, *others
        values, rows = given[:count], given[count:]
        edges, is_wanted = weights.shape[1], ctx.needs_input_grad[1]
        arriving = torch.stack(gradients, 1).view(rows[0].shape) if edges > 1 else gradients[0].contiguous()
        of_weights, of_values, of_rows = [], [], []
        if stacked is not None:
            flat = (torch.stack(gradients) if edges > 1 else arriving).view(edges, -1)  # (edges, b * c * h * w)
            if is_wanted:
                of_weights.append(torch.mm(stacked, flat.t()))
            for of_value, value, window in zip(torch.mm(weights[:count], flat), values, windows, strict=True):
                through = of_value if window is None else torch.mm(of_value.view(-1, len(window)), window.t())
                of_values.append(through.view(value.shape))
        scales = weights[count:, :, None].expand(-1, -1, inverse.shape[1] // edges).reshape(inverse.shape)
        zeros, of_scales = torch.zeros_like(scales[0]), []
        for number, row in enumerate(rows):
            of_row, of_scale, _ = torch.ops.aten.native_batch_norm_backward(
                arriving, row, scales[number], None, None, zeros, inverse[number], True, statistics.epsilon, WANTED
            )
            of_rows.append(of_row)
            of_scales.append(of_scale)
        if is_wanted:
            of_weights.append(torch.stack(of_scales).view(len(rows), edges, -1).sum(2))
        return None, torch.cat(of_weights) if is_wanted else None, None, *of_values, *of_rows


def _stacked(values: Sequence[Tensor], windows: Sequence[Tensor | None]) -> Tensor:
    """(images, b * c * h * w)"""
    found = values[0].new_empty(len(values), values[0].numel())
    for number, (value, window) in enumerate(zip(values, windows, strict=True)):
        if window is None:
            found[number].copy_(value.reshape(-1))
        else:
            torch.mm(value.reshape(-1, len(window)), window, out=found[number].view(-1, len(window)))
    return found


def _by_torch(function: Any, inputs: Sequence[Tensor], gradients: Sequence[Tensor]) -> Sequence[Tensor | None]:
    """The gradients of `function(*inputs)` in a form that can be differentiated again."""
    wanted = [one for one in inputs if one.requires_grad]
    found = iter(torch.autograd.grad(function(*inputs), wanted, gradients, create_graph=True))
    return [next(found) if one.requires_grad else None for one in inputs]


def _mixed_by_torch(
    statistics: Statistics | None, windows: Sequence[Tensor | None], weights: Tensor, *given: Tensor
) -> Sequence[Tensor]:
    """`mixed` by what torch differentiates itself, as often as one likes."""
    edges, found = weights.shape[1], list[list[Tensor]]()
    for number, value in enumerate(given):
        if number < len(windows):
            window = windows[number]
            image = value if window is None else (value.flatten(2) @ window).view(value.shape)
            found.append([image * weight for weight in weights[number]])
        else:
            assert statistics is not None, "rows come with their statistics"
            scale = weights[number].repeat_interleave(value.shape[1] // edges)
            row = statistics.normalise(value, number - len(windows), scale)
            found.append(list(row.view(len(row), edges, -1, *row.shape[2:]).unbind(1)))
    return [reduce(plus, terms) for terms in zip(*found, strict=True)]
