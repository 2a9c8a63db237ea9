"""Which cells are the same network under another name: `none` and `skip_connect` simplified, edges renamed.

A node's value is the multiset of its terms: `none` contributes none, `skip_connect` hands on the terms of its source,
any other operation wraps its source's value. A convolution whose output is used twice is *shared* and not the same as
two convolutions, so shared edges keep an identity and only its name is free. NAS-Bench-201 (Dong & Yang 2020, section
2.1) counts more coarsely: it ignores sharing, and does not merge a sum that is handed on with the sum that receives it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from functools import lru_cache
from itertools import permutations
from typing import Any

from explorer.space.cell import CellSpace, edge_label

Terms = tuple[str, ...]

# Operations that learn weights: two such edges on the same input are two different functions. Pooling is not in here.
LEARNED = frozenset(
    {"nor_conv_1x1", "nor_conv_3x3", "sep_conv_3x3", "sep_conv_5x5", "dil_conv_3x3", "dil_conv_5x5"}
)
_TAG = re.compile(r"#(\d+)")


def canonical(space: CellSpace, architecture: Mapping[str, Any]) -> str:
    """The output's expression; two cells are isomorphic exactly when these are equal. A dead cell gives ""."""
    tagged = _output(space, architecture, {})
    uses = Counter(_TAG.findall("+".join(tagged)))
    shared = [tag for tag, count in uses.items() if count > 1]
    names = dict.fromkeys(uses, "")
    spellings = (
        names | {tag: f"#{at}" for at, tag in enumerate(order)} for order in permutations(sorted(shared))
    )  # at most three edges can be shared in a cell of four nodes
    return min("+".join(_output(space, architecture, spelling)) for spelling in spellings)


def _output(space: CellSpace, architecture: Mapping[str, Any], spelling: Mapping[str, str]) -> Terms:
    values: dict[int, Terms] = {0: ("0",)}
    for target in range(1, space.nodes):
        terms: list[str] = []
        for at, edge in enumerate(space.edges):
            if edge[1] == target:
                operation = architecture[edge_label(edge)]
                tag = spelling.get(str(at), f"#{at}") if operation in LEARNED else ""
                terms += _contribution(operation, tag, values[edge[0]])
        values[target] = tuple(sorted(terms))
    return values[space.nodes - 1]


def _contribution(operation: str, tag: str, source: Terms) -> Terms:
    if operation == "none" or not source:
        return ()
    if operation == "skip_connect":
        return source
    return (f"{operation}{tag}({'+'.join(source)})",)


@lru_cache(maxsize=8)
def distinct_cells(space: CellSpace) -> int:
    """How many cells of the space are not the same under another name, counted over all of them."""
    return len({canonical(space, architecture) for architecture in space})
