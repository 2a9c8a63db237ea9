"""A supernet that mixes only a part of the channels: PC-DARTS (Xu et al. 2020, section 3.2, arXiv:1907.05737).

On every edge the first of `channel_part` groups of channels goes through the candidates, the others pass by (where the
edge halves the side, through max pooling); then the channels are shuffled, so that the next edge mixes others. Its
weights have the shapes of narrower candidates, so that no network can be cut out of it.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from explorer.catalogue import OPERATIONS
from explorer.errors import SpaceError
from explorer.nets.model_space import DartsNode, SpaceModel, build_model_space
from explorer.nets.network import module_names
from explorer.nets.nni_modules import LayerChoice
from explorer.nets.operations import build
from explorer.nets.samples import candidate_names
from explorer.nets.supernet.mixing import Gate, Mixture
from explorer.nets.supernet.network import Supernet
from explorer.nets.supernet.program import Names
from explorer.nets.supernet.steps import Edge, Node, Step, summed
from explorer.space import SearchSpace, Shape


class PartialSupernet(Supernet):
    """Raises SpaceError where some cell has fewer channels than `channel_part`, or a number that it does not divide."""

    def __init__(self, space: SearchSpace, channel_part: int) -> None:
        self.channel_part = channel_part
        super().__init__(space)
        self.steps: list[Step] = [
            PartialNode(step.edges, step.shape, channel_part) if isinstance(step, Node) else step
            for step in self.steps
        ]

    def _model(self, space: SearchSpace) -> SpaceModel:
        """The NNI model space with every candidate of every edge made for a part of the channels."""
        model, names = build_model_space(space), Names(space)
        arriving = _shapes_in(space)
        for name, part in model.parts.items():
            if isinstance(part, LayerChoice):
                choice = names.choice(part)
                for candidate, theirs in candidate_names(choice).items():
                    made = choice.operation(candidate)
                    given = _complete(made.name, made.parameters)
                    part._modules[theirs] = build(made.name, given, (self._narrow(arriving[name]),))
            elif isinstance(part, DartsNode):
                for source, recipes in enumerate(part.place.recipes):
                    modules = getattr(part, f"from_{source}")
                    for operation, recipe in recipes.items():
                        narrow = self._narrow(recipe.shapes_in[0])
                        modules[operation] = build(recipe.operation, recipe.parameters, (narrow,))
        return model

    def _narrow(self, shape: Shape) -> Shape:
        if shape[0] % self.channel_part:
            raise SpaceError(
                f"A cell of {self.space.name} has {shape[0]} channels, which cannot be cut into {self.channel_part} "
                "equal parts; take another channel_part, or more channels."
            )
        return (shape[0] // self.channel_part, *shape[1:])

    def cut(self, chosen: Any) -> nn.Module:
        """There is no network with these weights: raises SpaceError."""
        raise SpaceError(
            "The candidates of a partial supernet are narrower than those of any network of the space."
        )


class PartialNode(Node):
    """The sum of its edges, each with its own shuffled channels.

    A row of weights, of a Gate as well, also weighs the channels that pass by: with its sum, candidates that do not run
    included. They pass as they are where a candidate runs as it is.
    """

    def __init__(self, edges: tuple[Edge, ...], shape: Shape, channel_part: int) -> None:
        super().__init__(edges, shape)
        self.channel_part = channel_part

    def run(self, values: list[Tensor], mixture: Mixture) -> None:
        found = [self._edge(edge, values[edge.source], mixture) for edge in self.edges]
        values.append(torch.stack(found).sum(0))  # (b, *shape)

    def _edge(self, edge: Edge, value: Tensor, mixture: Mixture) -> Tensor:
        mix = mixture[edge.label]
        if mix is None:
            return value.new_zeros((len(value), *self.shape))
        size = value.shape[1] // self.channel_part
        part, others = value[:, :size], value[:, size:]
        if value.shape[2:] != self.shape[1:]:
            others = functional.max_pool2d(others, 2, 2, ceil_mode=True)
        weights = mix.weights if isinstance(mix, Gate) else mix
        if isinstance(weights, Tensor):
            others = others * weights.sum()  # the edge's own weight (equation 2); 1 for a softmax
        here = Edge(edge.label, 0, edge.modules)
        mixed = summed(here.terms([part], mix), part, (size, *self.shape[1:]), [mix])
        return shuffled(torch.cat([mixed, others], 1), self.channel_part)


def shuffled(images: Tensor, groups: int) -> Tensor:
    """Channels dealt out anew, as cards from `groups` piles: (b, c, h, w) -> (b, c, h, w)."""
    batch, channels, height, width = images.shape
    return (
        images.reshape(batch, groups, channels // groups, height, width).transpose(1, 2).reshape(images.shape)
    )


def _shapes_in(space: SearchSpace) -> dict[str, Shape]:
    """Part -> the shape that its first input has."""
    rows = space.lower(space.default).rows
    names = module_names(row.node.name for row in rows)
    return {names[row.node.name]: row.shapes_in[0] for row in rows}


def _complete(operation: str, parameters: Any) -> dict[str, Any]:
    return OPERATIONS[operation].defaults() | dict(parameters)
