"""The supernet of cells, computed bundle by bundle: all edges that leave one value are run together.

Per value there is one ReLU, one convolution a kernel size whose output channels are those of all edges, one batch norm
over all of them, and one pooling as a matrix product. A mixture's weights become the scale of the batch norm, so that
weighing costs nothing and the gradient of the alphas falls out of the batch norm's own backward pass. What a DARTS
cell adds (separable and dilated convolutions) is stacked layer by layer, with as many groups as there are edges.

The numbers are those of the plain supernet, whose tensors are views of the stacked ones: `plain` names, cuts and
initialises them. Only what a mixture asks for is computed: for single paths the stacked tensors are sliced.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Self

import torch
from torch import Tensor, nn
from torch.nn import functional

from explorer.nets.operations import AveragePool3x3
from explorer.nets.supernet.mixing import Mix, Mixture
from explorer.nets.supernet.network import Supernet
from explorer.nets.supernet.steps import Edge, Node, Plain, Step, running, summed, terms
from explorer.space import SearchSpace

Wish = tuple[int, Tensor | None]
"""An edge (its number in the bundle), and the weight () of a candidate on it; None for one that runs as it is."""

Term = tuple[int, Tensor]
"""An edge, and what it adds (b, channels, side, side)."""


class FusedSupernet(Supernet):
    """The plain supernet's numbers in fewer operations; for spaces made of cells."""

    def __init__(self, space: SearchSpace) -> None:
        nn.Module.__init__(self)
        plain = Supernet(space)
        self._plain = (plain,)  # in a tuple, so that torch does not see its tensors twice
        self.space, self.decisions, self.places = plain.space, plain.decisions, plain.places
        own = {id(step.module) for step in plain.steps if isinstance(step, Plain)}
        self.parts = nn.ModuleDict({name: part for name, part in plain.parts.items() if id(part) in own})
        self.steps, self.bundles = _fused(plain.steps)
        self._tie()

    @property
    def plain(self) -> Supernet:
        """The same weights and statistics by their plain names."""
        return self._plain[0]

    def forward(self, images: Tensor, mixture: Mixture) -> Tensor:
        values, told = [images], dict[Bundle, list[Term]]()
        for step in self.steps:
            if isinstance(step, FusedNode):
                step.gather(values, mixture, told)
            else:
                step.run(values, mixture)
        return values[-1]  # (b, classes)

    def load_plain(self, other: Supernet) -> None:
        """Take over all weights and statistics of a plain supernet of the same space."""
        self.plain.load_state_dict(other.state_dict())

    def _apply(self, fn: Callable[..., Any], *others: Any, **named: Any) -> Self:
        super()._apply(fn, *others, **named)
        self._tie()
        return self

    def _tie(self) -> None:
        """Make the plain supernet's tensors views of ours, after these were made or moved."""
        for bundle in self.bundles:
            for stack in bundle.stacks:  # type: ignore[union-attr]
                stack.tie()


class Bundle(nn.Module):
    """All edges of one cell that leave one value: (b, channels, side, side) -> terms for the nodes they lead to."""

    def __init__(self, edges: Sequence[Edge]) -> None:
        super().__init__()
        self.labels = tuple(edge.label for edge in edges)
        self.passes: tuple[int, ...] = ()  # candidates that let the value through unchanged
        self.apart: dict[int, tuple[nn.Module, ...]] = {}  # candidates that are run edge by edge
        self.pools = nn.ModuleDict()  # candidate -> pooling without weights, the same on every edge
        stacks: dict[tuple[Any, ...], list[tuple[int, tuple[nn.Module, ...]]]] = {}
        for at in range(len(edges[0].modules)):
            modules = [edge.modules[at] for edge in edges]
            self._sort(at, modules, stacks)
        self.stacks = nn.ModuleList(Stack(candidates) for candidates in stacks.values())
        self.alone = nn.ModuleList(module for modules in self.apart.values() for module in modules)

    def _sort(self, at: int, modules: Sequence[nn.Module | None], stacks: dict[Any, list[Any]]) -> None:
        first = modules[0]
        if first is None:
            return
        if isinstance(first, nn.Identity):
            self.passes += (at,)
        elif isinstance(first, AveragePool3x3):
            self.pools[str(at)] = first
        elif isinstance(first, nn.Sequential) and _is_stackable(first):
            layers = tuple(tuple(module.children()) for module in modules if module is not None)
            simple = [type(layer) for layer in first] == [nn.ReLU, nn.Conv2d, nn.BatchNorm2d]
            key = ("side by side",) if simple and first[1].groups == 1 else ("alone", at)
            stacks.setdefault(key, []).append((at, layers))
        else:
            self.apart[at] = tuple(module for module in modules if module is not None)

    def forward(self, value: Tensor, mixture: Mixture) -> list[Term]:
        """What each edge adds; an edge may appear more than once, or not at all."""
        wishes = _wishes([mixture[label] for label in self.labels])
        found = self._unchanged(value, wishes)
        for stack in self.stacks:
            found += stack(value, wishes)
        for at, modules in self.apart.items():
            found += [
                (edge, modules[edge](value) if weight is None else modules[edge](value) * weight)
                for edge, weight in wishes.get(at, ())
            ]
        return found

    def _unchanged(self, value: Tensor, wishes: Mapping[int, Sequence[Wish]]) -> list[Term]:
        """Skips and pooling: the value and its means, weighed for each edge by one product."""
        asked = [at for at in (*self.passes, *map(int, self.pools)) if at in wishes]
        if not asked:
            return []
        images = {at: value if at in self.passes else self.pools[str(at)](value) for at in asked}
        rows = [dict(wishes[at]) for at in asked]
        edges = list(rows[0])
        if len(edges) > 1 and all(list(row) == edges and None not in row.values() for row in rows):
            table = torch.stack([torch.stack(list(row.values())) for row in rows])  # type: ignore[arg-type]
            stacked = torch.stack([image.flatten() for image in images.values()])  # (images, b * c * h * w)
            mixed = (table.t() @ stacked).view(len(edges), *value.shape)  # (edges, b, c, h, w)
            return list(zip(edges, mixed.unbind(), strict=True))
        return [
            (edge, images[at] if weight is None else images[at] * weight)
            for at in asked
            for edge, weight in wishes[at]
        ]


class Stack(nn.Module):
    """Candidates that are sequences of ReLU, pooling, convolutions and batch norms, on all edges of a bundle at once.

    Several candidates stand side by side where each is ReLU, convolution and batch norm: they share the first and the
    last. Channels are ordered by candidate, then by edge.
    """

    def __init__(self, candidates: Sequence[tuple[int, tuple[tuple[nn.Module, ...], ...]]]) -> None:
        super().__init__()
        self.candidates = tuple(at for at, _ in candidates)
        self.edges = len(candidates[0][1])
        self.columns = list(zip(*(edge for _, edges in candidates for edge in edges), strict=True))
        self.layers = nn.ModuleList()
        is_shared = True  # whether all columns still read the same
        for column in self.columns:
            if isinstance(column[0], nn.Conv2d):
                self.layers.append(Convolutions(column, is_shared))
                is_shared = False
            elif isinstance(column[0], nn.BatchNorm2d):
                self.layers.append(Norm(column, is_shared))
                is_shared = False
            else:
                self.layers.append(column[0])

    def tie(self) -> None:
        """Make the plain modules' tensors views of the stacked ones."""
        for layer, column in zip(self.layers, self.columns, strict=True):
            if isinstance(layer, Convolutions):
                layer.tie(column)
            elif isinstance(layer, nn.BatchNorm2d):
                size = layer.num_features // len(column)
                for at, module in enumerate(column):
                    for name in ("running_mean", "running_var"):
                        setattr(module, name, getattr(layer, name)[at * size : (at + 1) * size])

    def forward(self, value: Tensor, wishes: Mapping[int, Sequence[Wish]]) -> list[Term]:
        """Runs the columns that are wished for; the whole stack where all are."""
        asked = [
            (number * self.edges + edge, edge, weight)
            for number, at in enumerate(self.candidates)
            for edge, weight in wishes.get(at, ())
        ]
        if not asked:
            return []
        columns = tuple(column for column, _, _ in asked)
        everything = len(columns) == self.edges * len(self.candidates)
        running_ = None if everything else columns
        for layer in list(self.layers)[:-1]:
            value = layer(value, running_) if isinstance(layer, Convolutions | Norm) else layer(value)
        weights = [weight for _, _, weight in asked]
        scale = None
        if any(weight is not None for weight in weights):
            scale = torch.stack([value.new_ones(()) if weight is None else weight for weight in weights])
        value = self.layers[-1](value, running_, scale)  # (b, columns * c, h, w)
        parts = value.view(len(value), len(columns), -1, *value.shape[2:])
        if everything and len(self.candidates) > 1:
            summed_ = parts.view(len(value), len(self.candidates), self.edges, *parts.shape[2:]).sum(1)
            return list(enumerate(summed_.unbind(1)))
        return [(edge, part) for (_, edge, _), part in zip(asked, parts.unbind(1), strict=True)]


class Convolutions(nn.Module):
    """Equal convolutions side by side. The first of a stack reads the one value that all share, later ones their own."""

    def __init__(self, column: Sequence[Any], shared: bool) -> None:
        super().__init__()
        kernels: dict[int, list[nn.Conv2d]] = {}
        for module in column:
            kernels.setdefault(module.kernel_size[0], []).append(module)
        self.weights = nn.ParameterList(
            torch.cat([module.weight.detach() for module in modules]) for modules in kernels.values()
        )
        self.counts = [len(modules) for modules in kernels.values()]
        first = [modules[0] for modules in kernels.values()]
        self.given = [(one.stride, one.padding, one.dilation, one.groups) for one in first]
        self.shared = shared
        self.out = first[0].out_channels

    def tie(self, column: Sequence[nn.Module]) -> None:
        """Make the plain modules' weights views of the stacked ones."""
        at = 0
        for weight, count in zip(self.weights, self.counts, strict=True):
            weight.data = weight.data.contiguous()
            for number in range(count):
                view = weight.detach()[number * self.out : (number + 1) * self.out]
                column[at].weight = nn.Parameter(view)
                at += 1

    def forward(self, value: Tensor, columns: tuple[int, ...] | None) -> Tensor:
        """(b, c or columns * c, h, w) -> (b, columns * out, h', w')"""
        found, begin, done = [], 0, 0
        for weight, count, (stride, padding, dilation, groups) in zip(
            self.weights, self.counts, self.given, strict=True
        ):
            kernel, running_ = weight, count
            if columns is not None:
                wanted = [column - begin for column in columns if begin <= column < begin + count]
                running_ = len(wanted)
                if wanted:
                    pieces = weight.view(count, self.out, *weight.shape[1:])
                    kernel = torch.cat([pieces[one] for one in wanted])
            begin += count
            if not running_:
                continue
            image, many = value, 1
            if self.shared and groups > 1:
                image, many = value.repeat(1, running_, 1, 1), running_
            elif not self.shared:
                size = value.shape[1] // (len(columns) if columns is not None else sum(self.counts))
                image, many = value[:, done * size : (done + running_) * size], running_
            done += running_
            found.append(functional.conv2d(image, kernel, None, stride, padding, dilation, groups * many))
        return found[0] if len(found) == 1 else torch.cat(found, 1)


class Norm(nn.BatchNorm2d):
    """Batch norm without learned scale over all columns side by side; a scale may be given for each column."""

    def __init__(self, column: Sequence[Any], repeats: bool) -> None:
        first = column[0]
        super().__init__(first.num_features * len(column), first.eps, first.momentum, affine=False)
        self.size, self.repeats = first.num_features, repeats

    def forward(  # type: ignore[override]
        self, value: Tensor, columns: tuple[int, ...] | None = None, scale: Tensor | None = None
    ) -> Tensor:
        """(b, columns * c, h, w) -> the same; `scale` (columns,)."""
        if self.repeats:  # pooling before it is the same for every column
            value = value.repeat(
                1, len(columns) if columns is not None else self.num_features // self.size, 1, 1
            )
        weight = None if scale is None else scale.repeat_interleave(self.size)
        bias = None if weight is None else torch.zeros_like(weight)
        mean, variance = self.running_mean, self.running_var
        if columns is not None and mean is not None and variance is not None:
            kept = _indices(columns, self.size, mean.device)
            mean, variance = mean[kept], variance[kept]
        from_batch = self.training or self.running_mean is None
        found = functional.batch_norm(
            value, mean, variance, weight, bias, from_batch, self._factor(), self.eps
        )
        if columns is not None and self.training and mean is not None and self.running_mean is not None:
            with torch.no_grad():
                self.running_mean[kept], self.running_var[kept] = mean, variance  # type: ignore[index]
        return found

    def _factor(self) -> float:
        """How much of the new statistics is taken in, counted as torch does."""
        if not self.training or self.num_batches_tracked is None:
            return 0.0 if self.momentum is None else self.momentum
        self.num_batches_tracked.add_(1)
        return 1.0 / float(self.num_batches_tracked) if self.momentum is None else self.momentum


class FusedNode(Step):
    """The sum of what the bundles before it gave for this node. Bundles run when the first node asks for them."""

    def __init__(self, edges: tuple[Edge, ...], shape: Any) -> None:
        self.edges, self.shape = edges, shape
        self.sources: dict[int, tuple[Bundle, int]] = {}  # value -> bundle, and this node's edge in it

    def run(self, values: list[Tensor], mixture: Mixture) -> None:
        self.gather(values, mixture, {})

    def gather(self, values: list[Tensor], mixture: Mixture, told: dict[Bundle, list[Term]]) -> None:
        """As `run`; what the bundles said is kept in `told`, for the nodes behind this one."""
        found: list[Tensor] = []
        for source, (bundle, edge) in self.sources.items():
            if bundle not in told:
                told[bundle] = bundle(values[source], mixture)
            found += [term for at, term in told[bundle] if at == edge]
        for edge in self.edges:
            found += _constants(mixture[edge.label], len(edge.modules))
        mixes = (mixture[edge.label] for edge in self.edges)
        values.append(summed(found, values[self.edges[0].source], self.shape, mixes))


def _constants(mix: Mix, candidates: int) -> list[Tensor]:
    """What a Gate adds for the candidates that do not run."""
    return terms(mix, [None] * candidates)


def _wishes(mixes: Sequence[Mix]) -> dict[int, list[Wish]]:
    """Candidate -> which edges run it, and with what weight."""
    found: dict[int, list[Wish]] = {}
    for edge, mix in enumerate(mixes):
        for at, weight in running(mix):
            found.setdefault(at, []).append((edge, weight))
    return found


def _fused(steps: Sequence[Step]) -> tuple[list[Step], nn.ModuleList]:
    """Nodes read bundles, and the bundles; other steps stay."""
    leaving: dict[int, list[tuple[FusedNode, Edge]]] = {}
    found: list[Step] = []
    for step in steps:
        if not isinstance(step, Node):
            found.append(step)
            continue
        node = FusedNode(step.edges, step.shape)
        found.append(node)
        for edge in step.edges:
            leaving.setdefault(edge.source, []).append((node, edge))
    bundles = nn.ModuleList()
    for source, edges in leaving.items():
        bundle = Bundle([edge for _, edge in edges])
        bundles.append(bundle)
        for number, (node, _) in enumerate(edges):
            node.sources[source] = (bundle, number)
    return found, bundles


def _is_stackable(layers: nn.Sequential) -> bool:
    return isinstance(layers[-1], nn.BatchNorm2d) and all(map(_is_known, layers))


def _is_known(layer: nn.Module) -> bool:
    if isinstance(layer, nn.Conv2d):
        return layer.bias is None
    if isinstance(layer, nn.BatchNorm2d):
        return not layer.affine
    return isinstance(layer, nn.ReLU | AveragePool3x3 | nn.MaxPool2d)


def _indices(columns: tuple[int, ...], size: int, device: torch.device) -> Tensor:
    return torch.tensor([column * size + at for column in columns for at in range(size)], device=device)
