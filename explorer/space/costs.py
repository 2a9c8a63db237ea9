"""What a whole space costs: the range of parameters and multiply-accumulates over its architectures."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from explorer.space.architecture import Architecture
from explorer.space.base import SearchSpace
from explorer.space.mutables import Choice, InputChoice, Mutable
from explorer.space.network import Network
from explorer.space.shapes import Shape

ENUMERATED = 512
SAMPLED = 512


@dataclass(frozen=True)
class CostRange:
    """Smallest and largest over the space; `exact` is False where only a sample could be measured."""

    parameters: tuple[int, int]
    macs: tuple[int, int]
    exact: bool


def cost_range(space: SearchSpace) -> CostRange:
    """The range over all architectures.

    Small spaces are enumerated. In a larger one, where no choice changes the shape that another choice sees, costs add
    up, so the cheapest and dearest option of each choice give the exact ends. Otherwise a seeded sample is measured.
    """
    if space.size <= ENUMERATED:
        return _of(space, space, exact=True)
    if all(_keeps_shapes(space, edited) for edited in _single_edits(space)):
        return _of(space, _extremes(space), exact=True)
    return _of(space, space.sample(SAMPLED, random.Random(0)), exact=False)


def _of(space: SearchSpace, architectures: Iterable[Architecture], exact: bool) -> CostRange:
    networks = [space.lower(architecture) for architecture in architectures]
    parameters = [network.parameters for network in networks]
    macs = [network.macs for network in networks]
    return CostRange((min(parameters), max(parameters)), (min(macs), max(macs)), exact)


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
