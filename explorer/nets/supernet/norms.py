"""Batch norms without scale and shift that stand side by side: their statistics, and what is weighed behind them.

A mixture's weights are the scale of the batch norms, so that weighing costs nothing and the gradient of the alphas
falls out of the batch norm's own. Torch's kernel for the statistics of a batch takes several times as long as sums do
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


Windows = Sequence[Tensor | None]
"""Matrices (h * w, h * w) that pixels are multiplied by; None stands for the unit matrix."""


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
        into = sums.unbind()
        for number, row in enumerate(rows):
            torch.sum(row, (0, 2, 3), out=into[number])
        means = sums / count
        for number, mean in enumerate(means.view(len(rows), -1, 1, 1).unbind()):
            row = rows[number].sub_(mean)
            # More exact than the mean square less the squared mean.
            torch.sum(row * row, (0, 2, 3), out=into[number])
        variances = sums.mul_(1 / count)
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
        mean, variance = (None, None) if self.of_the_batch else (self.mean[number], self.variance[number])
        return functional.batch_norm(row, mean, variance, scale, None, self.of_the_batch, 0.0, self.epsilon)


class Shared(NamedTuple):
    """Images (b, c, h, w) that every edge shares: products of `value` with each of `windows`, and then `others`."""

    value: Tensor
    windows: Windows
    others: tuple[Tensor, ...] = ()


def mixed(
    statistics: Statistics | None, weights: Tensor, shared: Shared, rows: Sequence[Tensor]
) -> Sequence[Tensor]:
    """What leaves a value, for each edge (b, c, h, w): shared images, and rows that are normalised first.

    `weights` (images + rows, edges), a row (b, edges * c, h, w). Uses the rows up: nothing else may read them.
    `statistics` are those of the rows; None without rows.
    """
    value, windows, others = shared
    if statistics is not None and statistics.of_the_batch:
        found: Sequence[Tensor] = Mixed.apply(
            statistics, windows, len(others), weights, value, *others, *rows
        )
        return found
    return _mixed_by_torch(statistics, windows, weights, value, *others, *rows)


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
        inverse = statistics.centre([row])  # (1, c)
        ctx.statistics = statistics
        ctx.save_for_backward(row, inverse)
        return row * inverse.view(-1, 1, 1)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Any:
        row, inverse = ctx.saved_tensors
        if torch.is_grad_enabled():
            return None, *_by_torch(lambda one: [ctx.statistics.normalise(one, 0)], [row], gradients)
        arriving = gradients[0].contiguous()
        (found,), _ = _norm_gradients(arriving, [row], None, inverse, ctx.statistics.epsilon)
        return None, found


class Mixed(torch.autograd.Function):
    """`mixed` by the batch's statistics; there is at least one row."""

    @staticmethod
    def forward(
        ctx: Any, statistics: Statistics, windows: Windows, others: int, weights: Tensor, *given: Tensor
    ) -> tuple[Tensor, ...]:
        images, edges = len(windows) + others, weights.shape[1]
        value, rows = given[0], given[1 + others :]
        inverse = statistics.centre(rows)  # (rows, edges * c)
        scales = inverse.view(len(rows), edges, -1) * weights[images:, :, None]  # (rows, edges, c)
        scales = scales.view(len(rows), -1, 1, 1)
        found = rows[0] * scales[0]
        for number in range(1, len(rows)):
            found.addcmul_(rows[number], scales[number])  # (b, edges * c, h, w)
        stacked = _stacked(value, windows, given[1 : 1 + others]) if images else None
        ctx.statistics, ctx.windows, ctx.others = statistics, windows, others
        ctx.save_for_backward(weights, inverse, stacked, *given)
        if edges == 1:
            if stacked is not None:
                found.view(1, -1).addmm_(weights[:images].t(), stacked)
            return (found,)
        batch, _, *sides = found.shape
        found = found.view(batch, edges, -1, *sides).transpose(0, 1)  # (edges, b, c, h, w)
        if stacked is not None:
            found = torch.mm(weights[:images].t(), stacked).view(found.shape).add_(found)
        return found.unbind()

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Any:
        weights, inverse, stacked, *given = ctx.saved_tensors
        statistics, windows, others = ctx.statistics, ctx.windows, ctx.others
        if torch.is_grad_enabled():
            again = partial(_mixed_by_torch, statistics, windows)
            return None, None, None, *_by_torch(again, [weights, *given], gradients)
        images, edges = len(windows) + others, weights.shape[1]
        rows, is_wanted = given[1 + others :], ctx.needs_input_grad[3]
        is_deep = _goes_on(ctx.next_functions[1:])
        arriving = gradients[0].contiguous()
        if edges > 1:
            arriving = torch.stack(gradients, 1).view(rows[0].shape)  # (b, edges * c, h, w)
        of_weights = []
        of_given: list[Tensor | None] = [None] * (1 + others)
        of_rows: Sequence[Tensor | None] = [None] * len(rows)
        if stacked is not None:
            flat = (torch.stack(gradients) if edges > 1 else arriving).view(edges, -1)  # as `stacked`
            if is_deep:
                of_given = _unstacked(torch.mm(weights[:images], flat), windows, given[: 1 + others])
            if is_wanted:
                of_weights.append(torch.mm(stacked, flat.t()))
        if is_deep:
            size = inverse.shape[1] // edges
            scales = weights[images:, :, None].expand(-1, -1, size).reshape(inverse.shape)
            of_rows, of_scales = _norm_gradients(arriving, rows, scales, inverse, statistics.epsilon)
        else:
            of_scales = torch.stack([(arriving * row).sum((0, 2, 3)) for row in rows]) * inverse
        if is_wanted:
            of_weights.append(of_scales.view(len(rows), edges, -1).sum(2))
        return None, None, None, torch.cat(of_weights) if is_wanted else None, *of_given, *of_rows


def _goes_on(functions: Sequence[tuple[Any, int]]) -> bool:
    """Whether the backward pass that runs goes on through any of the functions behind.

    Nothing that the alphas' step asks for lies behind the first cell's input; `needs_input_grad` does not know that.
    """
    nodes = [node for node, _ in functions if node is not None]
    leaves = [node for node in nodes if node.name().endswith("AccumulateGrad")]
    return bool(leaves) or any(map(torch._C._will_engine_execute_node, nodes))


def _norm_gradients(
    arriving: Tensor, rows: Sequence[Tensor], scales: Tensor | None, inverse: Tensor, epsilon: float
) -> tuple[list[Tensor], Tensor]:
    """The gradients of centred rows and of their scales, by torch's kernel; `inverse` is what `centre` gave."""
    of_rows, of_scales = [], []
    zeros = torch.zeros_like(inverse[0])
    for number, row in enumerate(rows):
        scale = None if scales is None else scales[number]
        given = (scale, None, None, zeros, inverse[number], True, epsilon)
        wanted = (True, scales is not None, False)
        of_row, of_scale, _ = torch.ops.aten.native_batch_norm_backward(arriving, row, *given, wanted)
        of_rows.append(of_row)
        of_scales.append(of_scale)
    return of_rows, torch.stack(of_scales) if scales is not None else zeros


def _stacked(value: Tensor, windows: Windows, others: Sequence[Tensor]) -> Tensor:
    """The images, (images, b * c * h * w)."""
    size = others[0].numel() if others else value.numel()
    found = value.new_empty(len(windows) + len(others), size)
    for number, window in enumerate(windows):
        if window is None:
            found[number].view(value.shape).copy_(value)
        else:
            pixels = window.shape[0]
            torch.mm(value.view(-1, pixels), window, out=found[number].view(-1, pixels))
    for number, other in enumerate(others, start=len(windows)):
        found[number].view(other.shape).copy_(other)
    return found


def _unstacked(gradients: Tensor, windows: Windows, given: Sequence[Tensor]) -> list[Any]:
    """The gradients of the value and of the others, from those of the images."""
    value, *others = given
    total: Tensor | None = None
    for number, window in enumerate(windows):
        back = gradients[number]
        if window is None:
            total = back if total is None else total.view(-1) + back
            continue
        pixels = back.view(-1, window.shape[0])
        total = (
            torch.mm(pixels, window.t())
            if total is None
            else torch.addmm(total.view(pixels.shape), pixels, window.t())
        )
    of_others = [gradients[len(windows) + at].view(other.shape) for at, other in enumerate(others)]
    return [None if total is None else total.view(value.shape), *of_others]


def _by_torch(function: Any, inputs: Sequence[Tensor], gradients: Sequence[Tensor]) -> list[Tensor | None]:
    """The gradients of `function(*inputs)` in a form that can be differentiated again."""
    names = [one.view_as(one) for one in inputs]  # an input may hang on another one; its gradient must not
    wanted = [name for name in names if name.requires_grad]
    made = function(*names)
    found = iter(torch.autograd.grad(made, wanted, gradients, create_graph=True, allow_unused=True))
    return [next(found) if name.requires_grad else None for name in names]


def _mixed_by_torch(
    statistics: Statistics | None, windows: Windows, weights: Tensor, value: Tensor, *given: Tensor
) -> Sequence[Tensor]:
    """`mixed` by what torch differentiates itself, as often as one likes; `given` are others, and then rows."""
    edges, rows = weights.shape[1], 0 if statistics is None else statistics.rows
    images = [value if window is None else _product(value, window) for window in windows]
    images += given[: len(given) - rows]
    found = [[image * weight for weight in weights[number]] for number, image in enumerate(images)]
    for number, row in enumerate(given[len(given) - rows :]):
        assert statistics is not None, "rows come with their statistics"
        scale = weights[len(images) + number].repeat_interleave(row.shape[1] // edges)
        batch, _, *sides = row.shape
        normed = statistics.normalise(row, number, scale).view(batch, edges, -1, *sides)
        found.append(list(normed.unbind(1)))
    return [reduce(plus, terms) for terms in zip(*found, strict=True)]


def _product(value: Tensor, window: Tensor) -> Tensor:
    return (value.flatten(2) @ window).view(value.shape)
