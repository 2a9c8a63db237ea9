"""What a whole space costs: the range of shapes, parameters and multiply-accumulates, in all and node by node."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from explorer.space.architecture import Architecture
from explorer.space.base import SearchSpace
from explorer.space.mutables import Choice, InputChoice, Mutable, ValueChoice
from explorer.space.network import Measured, Network
from explorer.space.shapes import Shape

ENUMERATED = 512
SAMPLED = 512


@dataclass(frozen=True)
class CostRange:
    """Smallest and largest over the space; `exact` is False where only a sample could be measured."""

    parameters: tuple[int, int]
    macs: tuple[int, int]
    exact: bool


@dataclass(frozen=True)
class NodeRange:
    """One node over the space: every shape that may leave it, smallest and largest parameters and MACs.

    `always` is False for a node that only some architectures have, such as the alignment of a skip.
    """

    name: str
    operations: tuple[str, ...]
    shapes: tuple[Shape, ...]
    parameters: tuple[int, int]
    macs: tuple[int, int]
    always: bool


def cost_range(space: SearchSpace) -> CostRange:
    """The range over all architectures.

    Small spaces are enumerated. In a larger one, where no choice changes the shape that another choice sees, costs add
    up, so the cheapest and dearest option of each choice give the exact ends. Otherwise a seeded sample is measured.
    """
    ends = _extremes(space) if space.size > ENUMERATED and _is_additive(space) else None
    architectures, exact = (ends, True) if ends else _measured(space)
    networks = [space.lower(architecture) for architecture in architectures]
    parameters, macs = [network.parameters for network in networks], [network.macs for network in networks]
    return CostRange((min(parameters), max(parameters)), (min(macs), max(macs)), exact)


def node_ranges(space: SearchSpace) -> tuple[NodeRange, ...]:
    """The range of every node, in running order; exact wherever `cost_range` is."""
    if space.size > ENUMERATED and _is_additive(space):
        architectures = [space.default, *_single_edits(space)]
    else:
        architectures = _measured(space)[0]
    networks = [space.lower(architecture) for architecture in architectures]
    found: dict[str, list[Measured]] = {name: [] for name in _merged(networks)}
    for row in (row for network in networks for row in network.rows):
        found[row.node.name].append(row)
    return tuple(_node_range(name, rows, len(rows) == len(networks)) for name, rows in found.items())


def _merged(networks: list[Network]) -> list[str]:
    """Every node's name once, in running order: the longest network first, what it lacks before what follows it."""
    order: list[str] = []
    for network in sorted(networks, key=lambda network: -len(network.nodes)):
        following = len(order)
        for node in reversed(network.nodes):
            if node.name not in order:
                order.insert(following, node.name)
            following = order.index(node.name)
    return order


def _node_range(name: str, rows: list[Measured], always: bool) -> NodeRange:
    parameters, macs = [row.parameters for row in rows], [row.macs for row in rows]
    return NodeRange(
        name,
        tuple(dict.fromkeys(row.node.operation for row in rows)),
        tuple(dict.fromkeys(row.shape for row in rows)),
        (min(parameters), max(parameters)),
        (min(macs), max(macs)),
        always,
    )


def _is_free(mutable: Mutable) -> bool:
    return isinstance(mutable, InputChoice) and mutable.n_chosen is None


def _options(mutable: Mutable) -> list[Choice]:
    """Every option; for an InputChoice of any number, none and each source alone, since their costs add up."""
    if isinstance(mutable, InputChoice) and _is_free(mutable):
        return [(), *((at,) for at in range(len(mutable.sources)))]
    return [mutable.option(index) for index in range(min(mutable.count, ENUMERATED))]


def _single_edits(space: SearchSpace) -> Iterator[Architecture]:
    for mutable in space.mutables:
        for option in _options(mutable):
            yield space.default.with_choice(mutable.label, option)


def _layer_shapes(network: Network) -> dict[str, Shape]:
    return {row.node.name: row.shape for row in network.rows if row.node.operation not in ("add", "align")}


def _keeps_shapes(space: SearchSpace, edited: Architecture) -> bool:
    return _layer_shapes(space.lower(edited)) == _layer_shapes(space.lower(space.default))


def _is_additive(space: SearchSpace) -> bool:
    """Whether costs add up: no single edit changes a layer's shape, so by induction along the network none does.

    A value inside a candidate counts only where that candidate is chosen, which single edits do not see; a space with
    values is therefore never taken for additive.
    """
    separate = not any(isinstance(mutable, ValueChoice) for mutable in space.mutables)
    listed = all(_is_free(mutable) or mutable.count <= ENUMERATED for mutable in space.mutables)
    return separate and listed and all(_keeps_shapes(space, edited) for edited in _single_edits(space))


def _measured(space: SearchSpace) -> tuple[list[Architecture], bool]:
    """Architectures to measure, and whether they are all."""
    if space.size <= ENUMERATED:
        return list(space), True
    return space.sample(SAMPLED, random.Random(0)), False


def _extremes(space: SearchSpace) -> list[Architecture]:
    """The architectures with the fewest and the most parameters, and with the fewest and the most MACs."""
    return [
        Architecture(
            {mutable.label: _extreme(space, mutable, measure, largest) for mutable in space.mutables}
        )
        for measure in (lambda network: network.parameters, lambda network: network.macs)
        for largest in (False, True)
    ]


def _extreme(
    space: SearchSpace, mutable: Mutable, measure: Callable[[Network], int], largest: bool
) -> Choice:
    def cost(option: Choice) -> int:
        return measure(space.lower(space.default.with_choice(mutable.label, option)))

    options = _options(mutable)
    if not _is_free(mutable):
        return max(options, key=cost) if largest else min(options, key=cost)
    nothing, *single = options
    return tuple(option[0] for option in single if largest and cost(option) > cost(nothing))
