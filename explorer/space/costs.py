"""What a whole space costs: the range of shapes, parameters and multiply-accumulates, in all and node by node."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from operator import attrgetter, itemgetter

from explorer.space.architecture import Architecture
from explorer.space.base import SearchSpace
from explorer.space.darts import INPUTS, KINDS, DartsSpace, inputs_label, operation_label
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
    up, so the cheapest and dearest option of each choice (in a DARTS cell: edges of each node) give the exact ends.
    Otherwise a seeded sample is measured.
    """
    ends = extremes(space) if space.size > ENUMERATED and _is_additive(space) else None
    architectures, exact = (ends, True) if ends else _measured(space)
    networks = [space.lower(architecture) for architecture in architectures]
    parameters, macs = [network.parameters for network in networks], [network.macs for network in networks]
    return CostRange((min(parameters), max(parameters)), (min(macs), max(macs)), exact)


def node_ranges(space: SearchSpace) -> tuple[NodeRange, ...]:
    """The range of every node, in running order; exact wherever `cost_range` is."""
    if isinstance(space, DartsSpace):
        return _darts_node_ranges(space)
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


def _is_additive(space: SearchSpace) -> bool:
    """Whether costs add up: no single edit changes a layer's shape, so by induction along the network none does.

    A value inside a candidate counts only where that candidate is chosen, which single edits do not see; a space with
    values is therefore never taken for additive.
    """
    if isinstance(space, DartsSpace):
        return True
    separate = not any(isinstance(mutable, ValueChoice) for mutable in space.mutables)
    listed = all(_is_free(mutable) or mutable.count <= ENUMERATED for mutable in space.mutables)
    if not (separate and listed):
        return False
    shapes = _layer_shapes(space.lower(space.default))
    return all(_layer_shapes(space.lower(edited)) == shapes for edited in _single_edits(space))


def _measured(space: SearchSpace) -> tuple[list[Architecture], bool]:
    """Architectures to measure, and whether they are all."""
    if space.size <= ENUMERATED:
        return list(space), True
    return space.sample(SAMPLED, random.Random(0)), False


def extremes(space: SearchSpace) -> list[Architecture]:
    """The architectures with the fewest and the most parameters, and with the fewest and the most MACs.

    Exact where costs add up; of any other space, what the single choices make look cheapest and dearest.
    """
    if isinstance(space, DartsSpace):
        return _darts_extremes(space)
    networks = {
        mutable.label: [
            space.lower(space.default.with_choice(mutable.label, option)) for option in _options(mutable)
        ]
        for mutable in space.mutables
    }
    measures: tuple[Callable[[Network], int], ...] = (attrgetter("parameters"), attrgetter("macs"))
    return [
        Architecture(
            {
                mutable.label: _extreme(
                    mutable, [measure(network) for network in networks[mutable.label]], largest
                )
                for mutable in space.mutables
            }
        )
        for measure in measures
        for largest in (False, True)
    ]


def _extreme(mutable: Mutable, costs: list[int], largest: bool) -> Choice:
    """The option with the smallest or largest of `costs`; of any number of inputs, all those that cost something."""
    options = _options(mutable)
    if not _is_free(mutable):
        return options[costs.index(max(costs) if largest else min(costs))]
    return tuple(
        option[0] for option, cost in zip(options[1:], costs[1:], strict=True) if largest and cost > costs[0]
    )


# -- DARTS cells: costs add up over edges, and a node keeps any two of its own -----------------------------------------


def _darts_rows(space: DartsSpace) -> dict[str, list[Measured]]:
    """Every node of the network in running order; an edge's rows are those of its operations."""
    found: dict[str, list[Measured]] = {}
    for operation in space.derivable:
        for row in space.filled(operation).rows:
            found.setdefault(row.node.name, []).append(row)
    return found


def _darts_node_ranges(space: DartsSpace) -> tuple[NodeRange, ...]:
    """A node's first two edges are there in any case when it has no others."""
    found = _darts_rows(space)
    always = {name for name in found if "/edge_" not in name or name.endswith(f"_{INPUTS}")}
    return tuple(_node_range(name, rows, name in always) for name, rows in found.items())


def _darts_extremes(space: DartsSpace) -> list[Architecture]:
    rows = _darts_rows(space)
    return [
        _darts_extreme(space, rows, measure, sign)
        for measure in (attrgetter("parameters"), attrgetter("macs"))
        for sign in (1, -1)
    ]


def _darts_extreme(
    space: DartsSpace, rows: Mapping[str, list[Measured]], measure: Callable[[Measured], int], sign: int
) -> Architecture:
    """The cheapest two edges of each node with their cheapest operations; with `sign` -1 the dearest."""
    choices: dict[str, Choice] = {}
    for kind in KINDS:
        cells = [f"cell{cell + 1}" for cell in range(space.cells) if space.kind_of(cell) == kind]
        for target in space.targets:
            best = []
            for source in range(target):
                edges = [rows[f"{cell}/edge_{source}_{target}"] for cell in cells]
                costs = [
                    sign * sum(measure(edge[at]) for edge in edges) for at in range(len(space.derivable))
                ]
                best.append((min(costs), source, space.derivable[costs.index(min(costs))]))
            kept = sorted(sorted(best)[:INPUTS], key=itemgetter(1))
            choices[inputs_label(kind, target)] = tuple(source for _, source, _ in kept)
            for at, (_, _, operation) in enumerate(kept):
                choices[operation_label(kind, target, at)] = operation
    return space.architecture(choices)
