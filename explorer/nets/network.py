"""A plain, frozen torch module that runs one lowered architecture.

`module_names` is the map from node names (which people write) to module names (which torch accepts), shared with the
NNI model space so that weights can be carried from one to the other.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from torch import Tensor, nn

from explorer.errors import SpaceError
from explorer.nets.operations import build
from explorer.space import INPUT, Network


def module_names(names: Iterable[str], taken: Iterable[str] = ()) -> dict[str, str]:
    """Name -> a name of its own that a torch module may carry: `skip/0` becomes `skip_0`.

    Anything but letters, digits and _ becomes _, and what torch uses itself or what is `taken` gets a number.
    """
    given: dict[str, str] = {}
    taken = {*dir(nn.Module()), *dir(nn.ModuleDict), *taken, ""}
    for name in names:
        safe = base = re.sub(r"\W", "_", name, flags=re.ASCII)
        number = 2
        while safe in taken:
            safe, number = f"{base}_{number}", number + 1
        taken.add(safe)
        given[name] = safe
    return given


class NetworkModule(nn.Module):
    """Runs the nodes of `network` in order: (b, channels, side, side) -> (b, outputs).

    Raises SpaceError with every problem when the network cannot run.
    """

    def __init__(self, network: Network) -> None:
        super().__init__()
        if network.problems:
            raise SpaceError(*map(str, network.problems))
        self.names = module_names(node.name for node in network)
        at = {INPUT: 0} | {node.name: number for number, node in enumerate(network, start=1)}
        self.steps: list[tuple[str, tuple[int, ...]]] = []
        for row in network.rows:
            name = self.names[row.node.name]
            self.add_module(name, build(row.node.operation, row.node.parameters, row.shapes_in))
            self.steps.append((name, tuple(at[source] for source in row.node.inputs)))

    def forward(self, images: Tensor) -> Tensor:
        values = [images]
        for name, sources in self.steps:
            values.append(getattr(self, name)(*[values[source] for source in sources]))
        return values[-1]
