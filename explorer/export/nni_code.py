"""A search space as NNI 3 code, the way a person would write it, and on request one architecture frozen.

Standalone: imports torch and nni. Where choices change the shapes behind them, torch's lazy layers infer these from
the first batch. Unlike the model space that this app builds, it keeps the align convolution of a skip not chosen.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from explorer.errors import SpaceError
from explorer.export.darts_code import SPACE_REMARK, darts_nni, nni_sample
from explorer.export.writing import (
    CENTER_CROP,
    CONV_EDGE,
    PLAIN,
    call,
    helpers,
    identifiers,
    indented,
    literal,
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
    InputChoice,
    Layer,
    LayerChoice,
    MacroSpace,
    Measured,
    Node,
    Operation,
    SearchSpace,
    ValueChoice,
    check,
    edge_label,
)
from explorer.space.varying import varying_layers

ALIGN = '''
class Align(nn.Module):
    """Brings a skip to the shape of what it joins; the first batch tells which shape that is."""

    def __init__(self):
        super().__init__()
        self.conv = None

    def forward(self, source, like):
        if self.conv is None:
            channels = (source.shape[1], like.shape[1])
            same = channels[0] == channels[1]
            self.conv = nn.Identity() if same else nn.Conv2d(*channels, kernel_size=1, bias=False)
            self.conv.to(source.device)
        return center_crop(self.conv(source), like.shape[2])
'''

LAZY = "# Run one batch through a frozen network before you make its optimizer: some layers take their shape from it."

BATCH_NORM = '''
class BatchNorm(nn.Module):
    """Batch norm over as many channels as the first batch has (NNI cannot copy torch's lazy one)."""

    def __init__(self):
        super().__init__()
        self.norm = None

    def forward(self, x):
        if self.norm is None:
            self.norm = nn.BatchNorm2d(x.shape[1]).to(x.device)
        return self.norm(x)
'''

ZERO = '''
class Zero(nn.Module):
    """Contributes nothing: the edge is cut."""

    def forward(self, x):
        return torch.zeros_like(x)
'''


def nni_code(space: SearchSpace, architecture: Mapping[str, Any] | None = None) -> str:
    """A `ModelSpace` called `Net` as text; with an architecture also `frozen_network()`.

    Raises SpaceError, with every problem, for a space that cannot run or what is no architecture of it.
    """
    problems = check(space)
    if problems:
        raise SpaceError(*map(str, problems))
    if isinstance(space, CellSpace):
        body = _cell(space)
    elif isinstance(space, MacroSpace):
        body = _macro(space)
    elif isinstance(space, DartsSpace):
        body = darts_nni(space)
    else:
        raise SpaceError(f"No NNI code is written for the {space.family} family yet.")
    if architecture is not None:
        body += _frozen(space, architecture)
    title = remark(f"{space.name}: {space.size:,} architectures")
    where = (
        "# NNI finds the class by its module: save this as a file and import it, rather than running it.\n"
    )
    where += "# If NNI stops at 'operator torchvision::nms does not exist', torch and torchvision come from different\n"
    where += "# builds: install both from one index, or import explorer.nets.nni_modules first."
    where += SPACE_REMARK.rstrip("\n") if isinstance(space, DartsSpace) else ""
    lazy = (
        f"{LAZY}\n"
        if any(mark in body for mark in ("Lazy", " Align()", " BatchNorm()", "Depthwise("))
        else ""
    )
    return f"{title}\n{where}\n{lazy}\n{_imports(body)}\n{body}"


def _imports(body: str) -> str:
    lines = ["import nni"] if "nni.choice(" in body else []
    lines += ["import torch"] if "torch." in body else []
    names = {word for word in body.replace("(", " ").replace("=", " ").split() if word.startswith("Mutable")}
    names |= {
        name for name in ("Cell", "InputChoice", "LayerChoice") if re.search(rf"(?<!class ){name}\(", body)
    }
    names -= {"Cell"} if "\nclass Cell(" in body else set()
    names |= {"ParametrizedModule"} if "ParametrizedModule" in body else set()
    lines.append(f"from nni.nas.nn.pytorch import {', '.join(sorted(names | {'ModelSpace'}))}")
    lines.append("from torch import nn")
    lines += ["from torch.nn import functional"] if "functional." in body else []
    return "\n".join(lines) + "\n"


def _frozen(space: SearchSpace, architecture: Mapping[str, Any]) -> str:
    lines = list(nni_sample(space, architecture)) if isinstance(space, DartsSpace) else []
    checked, labels = space.architecture(architecture), _labels(space)
    for mutable in space.mutables if not lines else ():
        value = checked[mutable.label]
        if isinstance(mutable, LayerChoice):
            value = identifiers(mutable.names)[value]
        lines.append(f"{literal(labels[mutable.label])}: {literal(value)},")
    return f'''

ARCHITECTURE = {{
{indented(lines, 1)}
}}


def frozen_network():
    """The architecture above as a plain module."""
    return Net().freeze(ARCHITECTURE)
'''


def _labels(space: SearchSpace) -> dict[str, str]:
    """NNI's labels hold no slash and are not empty."""
    return identifiers(mutable.label for mutable in space.mutables)


# -- a chain of layers with skips --------------------------------------------------------------------------------------


def _macro(space: MacroSpace) -> str:
    writer = _MacroWriter(space)
    for layer in space.layers:
        writer.layer(layer)
        for skip in space.skips:
            if skip.into == layer.name:
                writer.skip(skip)
        writer.keep(layer.name)
    network = writer.network
    above = f"{CENTER_CROP}\n" if any("center_crop(" in line for line in writer.run) or writer.aligns else ""
    above += f"{ALIGN}\n" if writer.aligns else ""
    above += f"{BATCH_NORM}\n" if any(" BatchNorm()" in line for line in writer.built) else ""
    above += helpers("\n".join(writer.built))
    shape, outputs = shown_input(network.input_shape), str(network.output_shape[0])
    return above + net_class(shape, outputs, writer.built, [*writer.run, "return x"], base="ModelSpace")


class _MacroWriter:
    """Goes along the layers; `x` is always the newest value, what a skip may read later gets a name."""

    def __init__(self, space: MacroSpace) -> None:
        self.space, self.network, self.varying = space, space.lower(space.default), varying_layers(space)
        self.rows = {row.node.name: row for row in self.network.rows}
        inner = [f"{skip.label}/{at}" for skip in space.skips for at in range(len(skip.sources))]
        self.names = identifiers([INPUT, *(layer.name for layer in space.layers), *inner])
        self.switches = identifiers((skip.label for skip in space.skips), taken=self.names.values())
        self.labels = _labels(space)
        self.aligns = False
        self.before = INPUT
        self.sources = {source for skip in space.skips for source in skip.sources}
        self.built: list[str] = []
        self.run: list[str] = []
        values = [mutable for mutable in space.mutables if isinstance(mutable, ValueChoice)]
        self.variables = identifiers((value.label for value in values), taken=self.names.values())
        for value in values:
            options = f"{literal(self.labels[value.label])}, {literal(value.values)}"
            self.built.append(f"{self.variables[value.label]} = nni.choice({options})")
        self.keep(INPUT)

    def layer(self, layer: Layer) -> None:
        """One layer, or the choice among several."""
        name, row = self.names[layer.name], self.rows[layer.name]
        if isinstance(layer.content, LayerChoice):
            keys = identifiers(layer.content.names)
            self.built.append(f"self.{name} = LayerChoice(")
            self.built.append("    {")
            for candidate, operation in layer.content.candidates:
                self.built.append(f"        {literal(keys[candidate])}: {self._module(operation, row)},")
            self.built.append("    },")
            self.built.append(f"    label={literal(self.labels[layer.content.label])},")
            self.built.append(")")
            self.run.append(f"x = self.{name}(x)")
        else:
            plain = None if layer.values else call(row.node)
            if plain is None:
                self.built.append(f"self.{name} = {self._module(layer.content, row)}")
            if plain != "x":
                self.run.append(f"x = {plain or f'self.{name}(x)'}")
        self.before = layer.name

    def _module(self, operation: Operation, row: Measured) -> str:
        chosen = {
            name: self.variables[value.label]
            for name, value in operation.parameters.items()
            if isinstance(value, ValueChoice)
        }
        plain = {
            name: value for name, value in operation.parameters.items() if not isinstance(value, ValueChoice)
        }
        node = Node(row.node.name, operation.name, (), plain)
        return module(node, row.shapes_in[0], chosen, is_open=self.before in self.varying)

    def skip(self, skip: InputChoice) -> None:
        """The choice among earlier outputs, and their sum with x."""
        name = self.switches[skip.label]
        arguments = f"n_candidates={len(skip.sources)}, n_chosen={skip.n_chosen}"
        self.built.append(f"self.{name} = InputChoice({arguments}, label={literal(self.labels[skip.label])})")
        candidates = ", ".join(self._candidates(skip))
        if skip.n_chosen is not None:
            self.run.append(f"x = self.{name}([{candidates}]) + x")
            return
        self.run += [
            f"chosen = self.{name}([{candidates}])",
            "if chosen is not None:",
            "    x = chosen + x",
        ]

    def _candidates(self, skip: InputChoice) -> Iterator[str]:
        target = self.rows[skip.into].shape
        for at, source in enumerate(skip.sources):
            kept, name = self.names[source], self.names[f"{skip.label}/{at}"]
            if skip.align == "none":
                yield kept
                continue
            if skip.into in self.varying or source in self.varying:
                self.aligns = True
                self.built.append(f"self.{name} = Align()")
                yield f"self.{name}({kept}, x)"
                continue
            shape = self.network.input_shape if source == INPUT else self.rows[source].shape
            if len(shape) == 3 and shape[0] != target[0]:
                self.built.append(
                    f"self.{name} = nn.Conv2d({shape[0]}, {target[0]}, kernel_size=1, bias=False)"
                )
                kept = f"self.{name}({kept})"
            yield f"center_crop({kept}, {target[1]})" if shape[1:] != target[1:] else kept

    def keep(self, layer: str) -> None:
        """Give x a name where a skip reads it later."""
        if layer in self.sources:
            self.run.append(f"{self.names[layer]} = x")


# -- stacked cells -----------------------------------------------------------------------------------------------------


def _cell(space: CellSpace) -> str:
    labels, keys = _labels(space), identifiers(space.operations)
    built, run = [], []
    for edge in space.edges:
        label = edge_label(edge)
        built.append(f"self.{label} = LayerChoice(operations(channels), label={literal(labels[label])})")
    for target in range(1, space.nodes):
        terms = [f"self.{edge_label(edge)}(node_{edge[0]})" for edge in space.edges if edge[1] == target]
        run.append(f"node_{target} = {' + '.join(terms)}")
    run.append(f"return node_{space.nodes - 1}")
    candidates = [f"{literal(keys[name])}: {PLAIN[name]}," for name in space.operations]
    above = f"{CONV_EDGE}\n" if any("conv_edge" in line for line in candidates) else ""
    above += helpers("\n".join(candidates))
    above += f"{ZERO}\n" if "none" in space.operations else ""
    operations = f'''
def operations(channels):
    """The candidates of one edge."""
    return {{
{indented(candidates, 2)}
    }}

'''
    cell = f'''
class Cell(nn.Module):
    """Every node is the sum of what its edges bring; all cells share one choice an edge."""

    def __init__(self, channels):
        super().__init__()
{indented(built, 2)}

    def forward(self, node_0):
{indented(run, 2)}

'''
    around = skeleton(space)
    shape = shown_input(space.input.shape)
    return above + operations + cell + net_class(shape, str(space.classes), *around, base="ModelSpace")
