"""One architecture as plain PyTorch code, the way a person would write it: nothing of this package, nothing of NNI."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from explorer.errors import SpaceError
from explorer.export.darts_code import darts_torch
from explorer.export.writing import (
    CENTER_CROP,
    CONV_EDGE,
    PLAIN,
    call,
    helpers,
    identifiers,
    indented,
    module,
    net_class,
    remark,
    shown_input,
    skeleton,
)
from explorer.space import (
    INPUT,
    CellSpace,
    DartsSpace,
    Measured,
    Network,
    SearchSpace,
    check_network,
    edge_label,
)


def torch_code(space: SearchSpace, architecture: Mapping[str, Any]) -> str:
    """A module `Net` as text; raises SpaceError, with every problem, for an architecture that cannot run."""
    network = space.lower(architecture)
    problems = check_network(network)
    if problems:
        raise SpaceError(*map(str, problems))
    title = remark(f"{space.name}, architecture {space.code(architecture)}")
    costs = remark(f"{network.parameters:,} parameters, {network.macs:,} multiply-accumulates for one image")
    if isinstance(space, DartsSpace):
        body = darts_torch(space, architecture)
    elif isinstance(space, CellSpace):
        body = _cell(space, space.architecture(architecture))
    else:
        body = _chain(network)
    imports = "import torch\nfrom torch import nn\n"
    if "functional." in body:
        imports += "from torch.nn import functional\n"
    if not any(f"torch.{name}" in body for name in ("relu", "zeros", "cat")):
        imports = "from torch import nn\n" + imports.split("from torch import nn\n")[1]
    return f"{title}\n{costs}\n\n{imports}\n{body}"


# -- a chain of layers with skips --------------------------------------------------------------------------------------


def _chain(network: Network) -> str:
    writer = _ChainWriter(network)
    for row in network.rows:
        writer.write(row)
    crop = f"{CENTER_CROP}\n" if writer.crops else ""
    crop += helpers("\n".join(writer.built))
    shape = shown_input(network.input_shape)
    return crop + net_class(shape, str(network.output_shape[0]), writer.built, [*writer.run, "return x"])


class _ChainWriter:
    """Goes along the nodes; `x` is always the newest value, what a skip reads later gets a name."""

    def __init__(self, network: Network) -> None:
        nodes = [node.name for node in network]
        self.names = identifiers([INPUT, *nodes])
        self.built: list[str] = []
        self.run: list[str] = []
        self.crops = False
        self.expressions: dict[str, str] = {}  # what an addition reads
        self.kept = {
            source
            for node in network
            for source in (node.inputs[:1] if node.operation == "align" else node.inputs[:-1])
            if node.operation in ("add", "align")
        }
        self._keep(INPUT)

    def write(self, row: Measured) -> None:
        """The lines of one node."""
        node, name = row.node, self.names[row.node.name]
        if node.operation == "align":
            self._align(row)
            return
        if node.operation == "add":
            arriving = [self.expressions[source] for source in node.inputs[:-1]]
            self.run.append(f"x = {' + '.join([*arriving, 'x'])}")
        elif node.operation != "identity":
            plain = call(node)
            if plain is None:
                self.built.append(f"self.{name} = {module(node, row.shapes_in[0])}")
            self.run.append(f"x = {plain or f'self.{name}(x)'}  # {'x'.join(map(str, row.shape))}")
        self._keep(node.name)

    def _align(self, row: Measured) -> None:
        source, target = row.shapes_in
        written = self.expressions[row.node.inputs[0]]
        if len(source) == 3 and source[0] != target[0]:
            name = self.names[row.node.name]
            self.built.append(f"self.{name} = nn.Conv2d({source[0]}, {target[0]}, kernel_size=1, bias=False)")
            written = f"self.{name}({written})"
        if source[1:] != target[1:]:
            self.crops = True
            written = f"center_crop({written}, {target[1]})"
        self.expressions[row.node.name] = written

    def _keep(self, node: str) -> None:
        if node in self.kept:
            self.run.append(f"{self.names[node]} = x")
            self.expressions[node] = self.names[node]


# -- stacked cells -----------------------------------------------------------------------------------------------------


def _cell(space: CellSpace, chosen: Mapping[str, Any]) -> str:
    built, run = [], []
    for target in range(1, space.nodes):
        terms = []
        for edge in (edge for edge in space.edges if edge[1] == target):
            label, source = edge_label(edge), f"node_{edge[0]}"
            operation = chosen[label]
            if operation == "skip_connect":
                terms.append(source)
            elif operation != "none":
                built.append(f"self.{label} = {PLAIN[operation]}")
                terms.append(f"self.{label}({source})")
        run.append(f"node_{target} = {' + '.join(terms) or 'torch.zeros_like(node_0)'}")
    run.append(f"return node_{space.nodes - 1}")
    helper = f"{CONV_EDGE}\n" if any("conv_edge" in line for line in built) else ""
    helper += helpers("\n".join(built))
    around = skeleton(space)
    shape = shown_input(space.input.shape)
    cell = f'''
class Cell(nn.Module):
    """Every node is the sum of what its edges bring."""

    def __init__(self, channels):
        super().__init__()
{indented(built, 2)}

    def forward(self, node_0):
{indented(run, 2)}

'''.replace("super().__init__()\n\n\n", "super().__init__()\n\n")
    return helper + cell + net_class(shape, str(space.classes), *around)
