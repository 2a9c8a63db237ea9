"""Many different cells trained at once: one batch of grouped convolutions, equal to training them one by one.

A tensor of all networks is held as rows (b * h * w, networks, channels): what the channels-last layout of a grouped
convolution is in memory. Where a node is read, the networks that chose an operation there are gathered, all edges from
that node together, run through one grouped convolution and one batch norm, and added to the nodes they lead to. The
losses are summed over networks, so gradients never mix. Edges that do not matter to the output are left out.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from explorer.catalogue import TRAINING
from explorer.errors import SpaceError, SpecError
from explorer.nets.network import NetworkModule
from explorer.nets.optimizers import optimizer
from explorer.nets.training import Dataset, Split, batches, initialise, on_device, pick_device, rates
from explorer.space import Architecture, CellSpace, edge_label

CONVOLUTIONS = {"nor_conv_1x1": 1, "nor_conv_3x3": 3}  # operation -> window
OPERATIONS = ("none", "skip_connect", *CONVOLUTIONS, "avg_pool_3x3")
SCORED_IMAGES = 32  # a batch without gradients that stays in the cache
EPSILON = 1e-5
MOMENTUM = 0.1  # of batch norm's running statistics, as torch's own


@dataclass(frozen=True)
class GroupEpoch:
    """One epoch of all networks: accuracies in 0 .. 1 and mean losses, one a network; seconds of all together."""

    epoch: int  # counts from 1
    train_loss: tuple[float, ...]
    validation_accuracy: tuple[float, ...]
    seconds: float


class GroupedNetwork(nn.Module):
    """The cells of `architectures`, stacked as `space` says: (b, channels, side, side) -> (b, networks, classes).

    Each starts from the weights that a `NetworkModule` of its own has after `initialise(module, seed)`. Raises
    SpaceError for a space with other operations than `OPERATIONS`.
    """

    def __init__(self, space: CellSpace, architectures: Sequence[Architecture], seeds: Sequence[int]) -> None:
        super().__init__()
        if other := [name for name in space.operations if name not in OPERATIONS]:
            raise SpaceError(
                f"Cells with {other[0]!r} cannot be trained in a group; {', '.join(OPERATIONS)} can."
            )
        self.space, self.count = space, len(architectures)
        self.plans = [
            _Plan(source, operation, places, self.count)
            for source in range(space.nodes - 1)
            for operation in space.operations
            if operation != "none" and (places := _places(space, architectures, source, operation))
        ]
        self.momentum = MOMENTUM
        self._take(space, architectures, seeds)

    def _take(self, space: CellSpace, architectures: Sequence[Architecture], seeds: Sequence[int]) -> None:
        """Weights and statistics: those of single networks side by side."""
        alone = []
        for architecture, seed in zip(architectures, seeds, strict=True):
            module = NetworkModule(space.lower(architecture))
            initialise(module, seed)
            alone.append({name: getattr(module, safe) for name, safe in module.names.items()})
        self._norm("stem", [each["stem/norm"] for each in alone])
        self._weight("stem", [each["stem/conv"].weight for each in alone])
        for stage in range(1, space.stages + 1):
            if stage > 1:
                self._weight(f"reduce{stage - 1}", [each[f"reduce{stage - 1}/conv"].weight for each in alone])
                self._norm(f"reduce{stage - 1}", [each[f"reduce{stage - 1}/norm"] for each in alone])
            for plan in self.plans:
                if plan.operation in CONVOLUTIONS:
                    chosen = [
                        alone[number][f"cell{stage}/{edge_label((plan.source, target))}"]
                        for target, numbers in plan.places.items()
                        for number in numbers
                    ]
                    self._weight(plan.name(stage), [_part(each, nn.Conv2d).weight for each in chosen])
                    self._norm(plan.name(stage), [_part(each, nn.BatchNorm2d) for each in chosen])
        self._norm("head", [each["head/norm"] for each in alone])
        self.linear = nn.Parameter(torch.stack([each["head/linear"].weight.detach() for each in alone]))
        self.bias = nn.Parameter(torch.stack([each["head/linear"].bias.detach() for each in alone]))

    def _weight(self, name: str, single: Sequence[Tensor]) -> None:
        weight = torch.cat([each.detach() for each in single]).contiguous(memory_format=torch.channels_last)
        self.register_parameter(f"{name}_weight", nn.Parameter(weight))

    def _norm(self, name: str, single: Sequence[Any]) -> None:
        for kind, learned in ("scale", "weight"), ("shift", "bias"):
            given = [getattr(each, learned) for each in single]  # None where batch norm has nothing to learn
            joined = None if given[0] is None else nn.Parameter(torch.cat([each.detach() for each in given]))
            self.register_parameter(f"{name}_{kind}", joined)
        self.register_buffer(f"{name}_mean", torch.cat([each.running_mean for each in single]))
        self.register_buffer(f"{name}_variance", torch.cat([each.running_var for each in single]))

    def forward(self, images: Tensor) -> Tensor:
        """Every network sees the same images."""
        side = images.shape[-1]
        values = functional.conv2d(images, self.stem_weight, padding=1)  # type: ignore[arg-type]
        rows = self._normalised("stem", values, self.count)
        for stage in range(1, self.space.stages + 1):
            if stage > 1:
                name = f"reduce{stage - 1}"
                rows = self._convolved(name, functional.relu(rows), side, stride=2)
                side = (side + 1) // 2
            rows = self._cell(stage, rows, side)
        shown = self._normalised("head", _images(rows, side), self.count)
        pooled = (
            functional.relu(shown).view(len(images), side * side, self.count, -1).mean(1)
        )  # (b, networks, channels)
        return torch.einsum("bnc,nkc->bnk", pooled, self.linear) + self.bias

    def _cell(self, stage: int, rows: Tensor, side: int) -> Tensor:
        """(rows, networks, channels) -> the same, the sum that each cell's last node is."""
        names = [plan.name(stage) for plan in self.plans if plan.operation in CONVOLUTIONS]
        weights = [getattr(self, f"{name}_weight") for name in names]
        statistics = [(getattr(self, f"{name}_mean"), getattr(self, f"{name}_variance")) for name in names]
        how = _How(self.plans, self.space.nodes, side, statistics, self.training, self.momentum)
        out: Tensor = _Cell.apply(rows, how, *weights)
        return out

    def _convolved(self, name: str, rows: Tensor, side: int, stride: int = 1) -> Tensor:
        """Convolution and batch norm, each network by its own weights."""
        weight, networks = getattr(self, f"{name}_weight"), rows.shape[1]
        window = weight.shape[-1]
        values = functional.conv2d(
            _images(rows, side), weight, stride=stride, padding=window // 2, groups=networks
        )
        return self._normalised(name, values, networks)

    def _normalised(self, name: str, values: Tensor, networks: int) -> Tensor:
        """Batch norm of images (b, networks * channels, h, w), handed on as rows."""
        values = functional.batch_norm(
            values,
            getattr(self, f"{name}_mean"),
            getattr(self, f"{name}_variance"),
            getattr(self, f"{name}_scale"),
            getattr(self, f"{name}_shift"),
            self.training,
            self.momentum,
        )
        return _rows(values, networks)


class _Plan:
    """One operation at the edges from one node: who chose it, in the order of the grouped convolution."""

    def __init__(self, source: int, operation: str, places: Mapping[int, Sequence[int]], count: int) -> None:
        self.source, self.operation, self.places = source, operation, places
        pairs = [(target, number) for target, numbers in places.items() for number in numbers]
        self.read = torch.tensor([source * count + number for _, number in pairs])  # where in all nodes' rows
        self.write = torch.tensor([target * count + number for target, number in pairs])

    def name(self, stage: int) -> str:
        """What its weights are called."""
        return f"stage{stage}_from{self.source}_{self.operation}"

    def to(self, device: torch.device) -> None:
        """The indices where the weights are."""
        self.read, self.write = self.read.to(device), self.write.to(device)


@dataclass(frozen=True)
class _How:
    """What a cell needs beside its input and its weights."""

    plans: Sequence[_Plan]
    nodes: int
    side: int
    statistics: Sequence[tuple[Tensor, Tensor]]  # of each convolution's batch norm
    training: bool
    momentum: float


class _Cell(torch.autograd.Function):
    """All operations of all cells, with the gradient written out.

    The nodes of all networks stand side by side in one tensor that operations read from and add to in place; with
    autograd every reading would cost a tensor of that size on the way back.
    """

    @staticmethod
    def forward(context: Any, rows: Tensor, how: _How, *weights: Tensor) -> Tensor:
        """(rows, networks, channels) -> the same."""
        length, count, channels = rows.shape
        nodes = rows.new_zeros(length, how.nodes * count, channels)
        nodes[:, :count] = rows
        context.how, context.count, kept = how, count, []
        given = iter(zip(weights, how.statistics, strict=True))
        for plan in how.plans:
            out = nodes.index_select(1, plan.read)
            if plan.operation in CONVOLUTIONS:
                weight, (mean, variance) = next(given)
                positive = _images(out.relu_(), how.side)
                convolved = torch.conv2d(
                    positive, weight, padding=weight.shape[-1] // 2, groups=len(plan.read)
                )
                normed = torch.native_batch_norm(
                    convolved, None, None, mean, variance, how.training, how.momentum, EPSILON
                )
                kept += [positive, convolved, *normed[1:]]
                out = _rows(normed[0], len(plan.read))
            elif plan.operation == "avg_pool_3x3":
                out = _pooled(out, how.side)
            nodes.index_add_(1, plan.write, out)
        context.save_for_backward(*weights, *kept)
        return nodes[:, -count:].contiguous()

    @staticmethod
    def backward(context: Any, gradient: Tensor) -> tuple[Tensor | None, ...]:
        """The same way back."""
        how, count = context.how, context.count
        convolutions = len(how.statistics)
        weights, kept = context.saved_tensors[:convolutions], context.saved_tensors[convolutions:]
        length, _, channels = gradient.shape
        nodes = gradient.new_zeros(length, how.nodes * count, channels)
        nodes[:, -count:] = gradient
        found: list[Tensor | None] = [None] * convolutions
        at = convolutions
        for plan in reversed(how.plans):
            back = nodes.index_select(1, plan.write)
            if plan.operation in CONVOLUTIONS:
                at -= 1
                weight, (positive, convolved, mean, deviation) = weights[at], kept[4 * at : 4 * at + 4]
                back, _, _ = torch.ops.aten.native_batch_norm_backward(
                    _images(back, how.side), convolved, None, None, None, mean, deviation, True, EPSILON,
                    [True, False, False],
                )  # fmt: skip
                padding = [weight.shape[-1] // 2] * 2
                back, found[at], _ = torch.ops.aten.convolution_backward(
                    back, positive, weight, None, [1, 1], padding, [1, 1], False, [0, 0], len(plan.read),
                    [True, True, False],
                )  # fmt: skip
                back = _rows(torch.ops.aten.threshold_backward(back, positive, 0), len(plan.read))
            elif plan.operation == "avg_pool_3x3":
                back = _pooled(back, how.side, adjoint=True)
            nodes.index_add_(1, plan.read, back)
        return nodes[:, :count].contiguous(), None, *found


def _places(
    space: CellSpace, architectures: Sequence[Architecture], source: int, operation: str
) -> dict[int, list[int]]:
    """Target -> the networks whose edge from `source` to it has that operation and matters to the output."""
    found: dict[int, list[int]] = {}
    for number, architecture in enumerate(architectures):
        for edge in live_edges(space, architecture):
            if edge[0] == source and architecture[edge_label(edge)] == operation:
                found.setdefault(edge[1], []).append(number)
    return dict(sorted(found.items()))


def live_edges(space: CellSpace, architecture: Mapping[str, Any]) -> list[tuple[int, int]]:
    """The edges that carry something from the cell's input to its output."""
    carrying = [edge for edge in space.edges if architecture[edge_label(edge)] != "none"]
    fed, read = {0}, {space.nodes - 1}
    for node in range(1, space.nodes):
        if any(source in fed for source, target in carrying if target == node):
            fed.add(node)
    for node in range(space.nodes - 2, -1, -1):
        if any(target in read for source, target in carrying if source == node):
            read.add(node)
    return [(source, target) for source, target in carrying if source in fed and target in read]


def _part(module: Any, kind: type[nn.Module]) -> Any:
    return next(part for part in module.modules() if isinstance(part, kind))


def _rows(images: Tensor, networks: int) -> Tensor:
    """Images (b, networks * channels, h, w), channels last in memory, as rows: a view."""
    flat = images.permute(0, 2, 3, 1)
    return flat.reshape(-1, networks, flat.shape[-1] // networks)


def _images(rows: Tensor, side: int) -> Tensor:
    """Rows as images (b, networks * channels, side, side), channels last in memory: a view."""
    return rows.reshape(-1, side, side, rows.shape[1] * rows.shape[2]).permute(0, 3, 1, 2)


def _summed(images: Tensor) -> Tensor:
    for axis in (1, 2):
        length = images.shape[axis]
        out = images.clone()
        out.narrow(axis, 1, length - 1).add_(images.narrow(axis, 0, length - 1))
        out.narrow(axis, 0, length - 1).add_(images.narrow(axis, 1, length - 1))
        images = out
    return images


@lru_cache
def _shares(side: int, dtype: torch.dtype, device: torch.device) -> Tensor:
    """(1, side, side, 1): one over how many pixels a window holds; asked for a dozen times a step."""
    with torch.inference_mode(False):
        return 1 / _summed(torch.ones(1, side, side, 1, dtype=dtype, device=device))


def _pooled(rows: Tensor, side: int, adjoint: bool = False) -> Tensor:
    """The average over 3x3 without counting the padding: sums along one axis, then the other; or its adjoint."""
    images = rows.reshape(-1, side, side, rows.shape[1] * rows.shape[2])
    shares = _shares(side, rows.dtype, rows.device)
    pooled = _summed(images * shares) if adjoint else _summed(images) * shares
    return pooled.view(rows.shape)


class GroupedTraining:
    """Trains the cells together, an epoch each time the next result is asked for; then `scores`.

    `seed` decides the order of the images and, with the architecture, the weights that each begins with: what `train`
    makes of the network alone. `settings` are those of `catalogue.TRAINING`; a gradient is not cut here, because its
    length would be that of all networks: SpecError.
    """

    def __init__(
        self,
        space: CellSpace,
        architectures: Sequence[Architecture],
        dataset: Dataset,
        *,
        epochs: int,
        settings: Mapping[str, Any],
        seed: int,
        device: torch.device | None = None,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        given = TRAINING.settings(settings)
        if given["gradient_clip"]:
            raise SpecError("Networks of a group are trained without gradient_clip; leave it at 0.")
        self.network = GroupedNetwork(space, architectures, [seed] * len(architectures))
        self.epochs, self.epoch, self.clock = epochs, 0, clock
        self.device = device or pick_device()
        self.network.to(self.device)
        for plan in self.network.plans:
            plan.to(self.device)
        self._training = on_device(dataset.train, self.device)
        self._validation = dataset.validation
        self._size = given["batch_size"]
        self._order = torch.Generator().manual_seed(seed)
        self._stepper = optimizer(self.network.parameters(), given)
        steps = len(batches(torch.arange(len(self._training.labels)), self._size))
        self._rates = rates(given, epochs * steps)

    def __iter__(self) -> Iterator[GroupEpoch]:
        return self

    def __next__(self) -> GroupEpoch:
        if self.epoch >= self.epochs:
            raise StopIteration
        self.epoch += 1
        started, losses = self.clock(), []
        shuffled = torch.randperm(len(self._training.labels), generator=self._order)
        self.network.train()
        for batch in batches(shuffled, self._size):
            logits = self.network(self._training.images[batch])
            loss = _losses(logits, self._training.labels[batch])
            loss.sum().backward()
            self._stepper.step(next(self._rates))
            losses.append(loss.detach())
        return GroupEpoch(
            self.epoch,
            tuple(torch.stack(losses).mean(0).tolist()),
            self.scores(self._validation),
            self.clock() - started,
        )

    def scores(self, split: Split) -> tuple[float, ...]:
        """The accuracy of each network as it stands, with batch norm's statistics as they stand."""
        images, labels = on_device(split, self.device)
        self.network.eval()
        with torch.inference_mode():
            found = torch.cat([self.network(part).argmax(-1) for part in images.split(SCORED_IMAGES)])
        return tuple((found == labels[:, None]).float().mean(0).tolist())

    def recalibrate(self, split: Split) -> None:
        """Give batch norm the statistics of all images of `split` under the weights as they stand.

        Running statistics trail behind weights that still moved, which hides what was learnt; these do not.
        """
        self.network.train()
        self.network.momentum = 1.0
        with torch.no_grad():
            self.network(on_device(split, self.device).images)
        self.network.momentum = MOMENTUM


def _losses(logits: Tensor, labels: Tensor) -> Tensor:
    """(b, networks, classes) and (b,) -> the mean cross-entropy of each network (networks,)."""
    count = logits.shape[1]
    spread = labels[:, None].expand(-1, count)
    return functional.cross_entropy(logits.transpose(1, 2), spread, reduction="none").mean(0)
