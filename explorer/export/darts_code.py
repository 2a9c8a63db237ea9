"""A DARTS space as code: one architecture in plain PyTorch, or the whole space with NNI's own Cell.

NNI's Cell draws each of a node's two inputs on its own, so its space also holds nodes that read one input twice; every
architecture of ours is one of it. That is the price of a space that NNI's one-shot strategies understand.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from explorer.export.writing import helpers, indented, literal, net_class, shown_input
from explorer.space import DartsSpace, path_of
from explorer.space.darts import INPUTS, KINDS, darts_edge_label, inputs_label, operation_label

CLASSES = {"normal": "NormalCell", "reduce": "ReductionCell"}
ABOUT = {
    "normal": "Keeps the image's size; gives its nodes' channels behind each other.",
    "reduce": "Halves the image's side: its own two inputs are read at stride 2.",
}
EDGES: Mapping[str, str] = {
    "skip_connect": "nn.Identity() if {stride} == 1 else FactorizedReduce(channels, channels)",
    "max_pool_3x3": "max_pool(channels, stride={stride})",
    "avg_pool_3x3": "avg_pool(channels, stride={stride})",
    "sep_conv_3x3": "sep_conv(channels, 3, stride={stride})",
    "sep_conv_5x5": "sep_conv(channels, 5, stride={stride})",
    "dil_conv_3x3": "dil_conv(channels, 3, stride={stride})",
    "dil_conv_5x5": "dil_conv(channels, 5, stride={stride})",
}


def edge(operation: str, stride: int) -> str | None:
    """The expression that builds an operation on an edge; None where what arrives passes unchanged."""
    if operation == "skip_connect":
        return None if stride == 1 else "FactorizedReduce(channels, channels)"
    return EDGES[operation].format(stride=stride)


# -- PyTorch ----------------------------------------------------------------------------------------------------------


def darts_torch(space: DartsSpace, architecture: Mapping[str, Any]) -> str:
    """The helpers that are needed, a class for each kind of cell, and the network."""
    path = path_of(space, architecture)
    cells = "".join(_cell(space, kind, path) for kind in KINDS)
    built, run = _stack(space, "{kind}({arriving}, {channels}{reduced})", "{name}(before, x)")
    body = cells + net_class(shown_input(space.input.shape), str(space.classes), built, run)
    return f"{helpers(body)}{body}"


def _cell(space: DartsSpace, kind: str, path: Mapping[str, Any]) -> str:
    built = [
        "self.pre_0 = (",
        "    FactorizedReduce(before, channels) if is_behind_reduction else conv_1x1(before, channels)",
        ")",
        "self.pre_1 = conv_1x1(last, channels)",
    ]
    run = ["node_0, node_1 = self.pre_0(before), self.pre_1(last)"]
    for target in space.targets:
        terms = []
        for source in range(target):
            at = path[darts_edge_label(kind, source, target)]
            if at is None:
                continue
            expression = edge(space.operations[at], 2 if kind == "reduce" and source < INPUTS else 1)
            if expression is not None:
                built.append(f"self.edge_{source}_{target} = {expression}")
            terms.append(
                f"node_{source}" if expression is None else f"self.edge_{source}_{target}(node_{source})"
            )
        run.append(f"node_{target} = {' + '.join(terms)}")
    run.append(f"return torch.cat([{', '.join(f'node_{target}' for target in space.targets)}], dim=1)")
    return f'''
class {CLASSES[kind]}(nn.Module):
    """{ABOUT[kind]}"""

    def __init__(self, before, last, channels, is_behind_reduction=False):
        super().__init__()
{indented(built, 2)}

    def forward(self, before, last):
{indented(run, 2)}

'''


def _stack(space: DartsSpace, make: str, call: str) -> tuple[list[str], list[str]]:
    """(lines of __init__, lines of forward) of stem, cells and head."""
    width = space.stem_multiplier * space.channels
    built = [
        "self.stem = nn.Sequential(",
        f"    nn.Conv2d({space.input.channels}, {width}, kernel_size=3, padding=1, bias=False),",
        f"    nn.BatchNorm2d({width}),",
        ")",
    ]
    run = ["x = before = self.stem(x)"]
    before, last, channels = width, width, space.channels
    for cell in range(space.cells):
        kind = space.kind_of(cell)
        channels *= 2 if kind == "reduce" else 1
        reduced = ", is_behind_reduction=True" if cell and space.kind_of(cell - 1) == "reduce" else ""
        name = f"self.cell{cell + 1}"
        made = make.format(
            kind=CLASSES[kind], arriving=f"{before}, {last}", channels=channels, reduced=reduced, which=kind
        )
        built.append(f"{name} = {made}")
        run.append(f"before, x = x, {call.format(name=name)}")
        before, last = last, channels * space.nodes
    built.append(f"self.head = nn.Linear({last}, {space.classes})")
    run.append("return self.head(x.mean((2, 3)))")
    return built, run


# -- NNI --------------------------------------------------------------------------------------------------------------

SPACE_REMARK = """
# NNI's Cell draws each of a node's two inputs on its own, so its space also holds nodes that read one input twice.
"""


def darts_nni(space: DartsSpace) -> str:
    """Entrance, candidates and cells as NNI's DARTS space has them, and the network."""
    built, run = _stack(space, 'cell("{which}", {arriving}, {channels}{reduced})', "{name}([before, x])")
    candidates = [f'"{name}": lambda channels, stride: {_lambda(name)},' for name in space.derivable]
    body = f'''
# One network of torch for each candidate of an edge.
CANDIDATES = {{
{indented(candidates, 1)}
}}


class Entrance(nn.Module):
    """Brings what the two cells before gave to this cell's channels and side."""

    def __init__(self, before, last, channels, is_behind_reduction):
        super().__init__()
        self.pre_0 = (
            FactorizedReduce(before, channels) if is_behind_reduction else conv_1x1(before, channels)
        )
        self.pre_1 = conv_1x1(last, channels)

    def forward(self, inputs):
        return [self.pre_0(inputs[0]), self.pre_1(inputs[1])]


def cell(kind, before, last, channels, is_behind_reduction=False):
    """{space.nodes} nodes of two operations each; cells of one kind share their choices."""

    def candidate(make):
        def build(node, operation, source):
            reads_entrance = source is None or source < {INPUTS}
            return make(channels, 2 if kind == "reduce" and reads_entrance else 1)

        return build

    return Cell(
        {{name: candidate(make) for name, make in CANDIDATES.items()}},
        num_nodes={space.nodes},
        num_ops_per_node={INPUTS},
        num_predecessors=2,
        preprocessor=Entrance(before, last, channels, is_behind_reduction),
        label=kind,
    )

'''
    body += net_class(shown_input(space.input.shape), str(space.classes), built, run, base="ModelSpace")
    return f"{helpers(body)}{body}"


def _lambda(operation: str) -> str:
    return EDGES[operation].format(stride="stride").replace("stride=stride", "stride")


def nni_sample(space: DartsSpace, architecture: Mapping[str, Any]) -> Iterator[str]:
    """The lines of the dictionary that freezes NNI's cells to `architecture`."""
    chosen = space.architecture(architecture)
    for kind in KINDS:
        for target in space.targets:
            for at, source in enumerate(chosen[inputs_label(kind, target)]):
                operation = chosen[operation_label(kind, target, at)]
                yield f'"{kind}/input_{target}_{at}": [{source}], "{kind}/op_{target}_{at}": {literal(operation)},'
