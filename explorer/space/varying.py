"""Which layers have no one shape: what writes or builds a whole space must leave those open."""

from __future__ import annotations

from explorer.space.macro import MacroSpace
from explorer.space.network import Node
from explorer.space.shapes import RULES


def varying_layers(space: MacroSpace) -> frozenset[str]:
    """Layers whose output's shape depends on choices: a value or the candidates change it, or did so before them.

    Errs on the side of naming too many: a width that another layer undoes counts all the way.
    """
    found: set[str] = set()
    rows = {row.node.name: row for row in space.lower(space.default).rows}
    for layer in space.layers:
        if found or layer.values:
            found.add(layer.name)
            continue
        nodes = [Node(name, operation.name, (), operation.parameters) for name, operation in layer.operations]
        arriving = rows[layer.name].shapes_in
        if len({RULES[node.operation](node.parameters, *arriving).shape for node in nodes}) > 1:
            found.add(layer.name)
    return frozenset(found)
