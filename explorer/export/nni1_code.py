"""A search space as NNI 1.x code, the way the learning notes write one: a plain module that holds mutables.

In NNI 1.x a mutator decides behind every LayerChoice and InputChoice while the network runs; mutables of one key share
their decision, and an InputChoice of which nothing is chosen gives None. What that NNI could not say is refused: it
had no choice of values, and the torch of its day no layers that take their shape from the first batch.
Standalone: imports torch and nni 1.x, which does not run beside the NNI that this app uses.
"""

from __future__ import annotations

from collections.abc import Iterator

from explorer.errors import SpaceError
from explorer.export.nni_code import ZERO
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
    InputChoice,
    Layer,
    LayerChoice,
    MacroSpace,
    Node,
    SearchSpace,
    ValueChoice,
    check,
    edge_label,
)
from explorer.space.varying import varying_layers

HOW = """\
# For NNI 1.x, as in the learning notes (pip install "nni<2"). Nothing is chosen yet, so the network runs only under a
# mutator: a trainer's, or apply_fixed_architecture(Net(), {key: indices}) from nni.nas.pytorch.fixed.
"""


def nni1_code(space: SearchSpace) -> str:
    """A module called `Net` as text, with LayerChoice and InputChoice of NNI 1.x where the space has choices.

    Raises SpaceError, with every problem, for a space that cannot run, and in one sentence for what NNI 1.x cannot say.
    """
    problems = check(space)
    if problems:
        raise SpaceError(*map(str, problems))
    if isinstance(space, CellSpace):
        body = _cell(space)
    elif isinstance(space, MacroSpace):
        _refuse_what_it_cannot_say(space)
        body = _macro(space)
    else:
        raise SpaceError(
            f"NNI 1.x code is written for chains of layers and for NAS-Bench-201's cells, and {space.name!r} is of the "
            f"{space.family} family; take its NNI 3 code."
        )
    title = remark(f"{space.name}: {space.size:,} architectures")
    how = HOW if "mutables." in body else ""
    return f"{title}\n{how}\n{_imports(body)}\n{body}"


def _refuse_what_it_cannot_say(space: MacroSpace) -> None:
    for mutable in space.mutables:
        if isinstance(mutable, ValueChoice):
            raise SpaceError(
                f"NNI 1.x chooses among layers and inputs, never among values, but {mutable.label!r} is a choice of "
                f"{len(mutable.values)} values; make it a choice of layers, or take the NNI 3 code."
            )
    varying = varying_layers(space)
    first = next((layer.name for layer in space.layers if layer.name in varying), None)
    if first is not None:
        raise SpaceError(
            f"NNI 1.x builds every layer before it sees an image, but the candidates of {first!r} give different "
            "shapes to the layers behind it; give them one shape, or take the NNI 3 code."
        )


def _imports(body: str) -> str:
    lines = ["import torch"] if "torch." in body.replace("nni.nas.pytorch", "") else []
    lines += ["from nni.nas.pytorch import mutables"] if "mutables." in body else []
    lines += ["from torch import nn"]
    lines += ["from torch.nn import functional"] if "functional." in body else []
    return "\n".join(lines) + "\n"


# -- a chain of layers with skips --------------------------------------------------------------------------------------


def _macro(space: MacroSpace) -> str:
    writer = _ChainWriter(space)
    for layer in space.layers:
        writer.layer(layer)
        for skip in space.skips:
            if skip.into == layer.name:
                writer.skip(skip)
        writer.keep(layer.name)
    network = writer.network
    above = f"{CENTER_CROP}\n" if any("center_crop(" in line for line in writer.run) else ""
    above += helpers("\n".join(writer.built))
    shape, outputs = shown_input(network.input_shape), str(network.output_shape[0])
    return above + net_class(shape, outputs, writer.built, [*writer.run, "return x"])


class _ChainWriter:
    """Goes along the layers; `x` is always the newest value, what a skip may read later gets a name."""

    def __init__(self, space: MacroSpace) -> None:
        self.network = space.lower(space.default)
        self.rows = {row.node.name: row for row in self.network.rows}
        inner = [f"{skip.label}/{at}" for skip in space.skips for at in range(len(skip.sources))]
        layers = (layer.name for layer in space.layers)
        self.names = identifiers([INPUT, *layers, *inner], taken=("mutables",))
        self.switches = identifiers((skip.label for skip in space.skips), taken=self.names.values())
        self.sources = {source for skip in space.skips for source in skip.sources}
        self.built: list[str] = []
        self.run: list[str] = []
        self.keep(INPUT)

    def layer(self, layer: Layer) -> None:
        """One layer, or the choice among several."""
        name = self.names[layer.name]
        if isinstance(layer.content, LayerChoice):
            self.built.append(f"self.{name} = mutables.LayerChoice(")
            self.built.append("    [")
            for candidate, expression in self._modules(layer):
                self.built.append(f"        {expression},  {remark(candidate)}")
            self.built.append("    ],")
            self.built.append(f"    key={literal(layer.content.label)},")
            self.built.append(")")
            self.run.append(f"x = self.{name}(x)")
            return
        plain = call(self.rows[layer.name].node)
        if plain is None:
            self.built.extend(f"self.{name} = {expression}" for _, expression in self._modules(layer))
        if plain != "x":
            self.run.append(f"x = {plain or f'self.{name}(x)'}")

    def _modules(self, layer: Layer) -> Iterator[tuple[str, str]]:
        """(candidate, the expression that builds it) of everything that may stand here."""
        arriving = self.rows[layer.name].shapes_in[0]
        for candidate, operation in layer.operations:
            yield candidate, module(Node(layer.name, operation.name, (), operation.parameters), arriving)

    def skip(self, skip: InputChoice) -> None:
        """The choice among earlier outputs; what is chosen is added to x."""
        name = self.switches[skip.label]
        arguments = f"n_candidates={len(skip.sources)}, n_chosen={skip.n_chosen}, key={literal(skip.label)}"
        self.built.append(f"self.{name} = mutables.InputChoice({arguments})")
        candidates = ", ".join(self._candidates(skip))
        if skip.n_chosen is not None:
            self.run.append(f"x = x + self.{name}([{candidates}])")
            return
        self.run += [
            f"chosen = self.{name}([{candidates}])",
            "if chosen is not None:",
            "    x = x + chosen",
        ]

    def _candidates(self, skip: InputChoice) -> Iterator[str]:
        target = self.rows[skip.into].shape
        for at, source in enumerate(skip.sources):
            kept, name = self.names[source], self.names[f"{skip.label}/{at}"]
            shape = self.network.input_shape if source == INPUT else self.rows[source].shape
            if skip.align == "none":
                yield kept
                continue
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
    built, run = [], []
    for edge in space.edges:
        label = edge_label(edge)
        built.append(f"self.{label} = mutables.LayerChoice(operations(channels), key={literal(label)})")
    for target in range(1, space.nodes):
        terms = [f"self.{edge_label(edge)}(node_{edge[0]})" for edge in space.edges if edge[1] == target]
        run.append(f"node_{target} = {' + '.join(terms)}")
    run.append(f"return node_{space.nodes - 1}")
    candidates = [f"{PLAIN[name]},  # {name}" for name in space.operations]
    above = f"{CONV_EDGE}\n" if any("conv_edge" in line for line in candidates) else ""
    above += helpers("\n".join(candidates))
    above += f"{ZERO}\n" if "none" in space.operations else ""
    operations = f'''
def operations(channels):
    """The candidates of one edge."""
    return [
{indented(candidates, 2)}
    ]

'''
    cell = f'''
class Cell(nn.Module):
    """Every node is the sum of what its edges bring; the cells share one choice an edge, by its key."""

    def __init__(self, channels):
        super().__init__()
{indented(built, 2)}

    def forward(self, node_0):
{indented(run, 2)}

'''
    around = skeleton(space)
    return above + operations + cell + net_class(shown_input(space.input.shape), str(space.classes), *around)
