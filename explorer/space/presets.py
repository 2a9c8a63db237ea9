"""The spaces that come with the app."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from importlib import import_module

from explorer.catalogue import SPACES
from explorer.space.base import Input, SearchSpace
from explorer.space.cell import CellSpace, full_edges
from explorer.space.darts import DartsSpace
from explorer.space.macro import Layer, MacroSpace
from explorer.space.mutables import InputChoice, LayerChoice, Operation


def preset(name: str, **settings: int) -> SearchSpace:
    """The space called `name`, with its catalogue parameters changed by `settings`; raises UnknownName or SpecError.

    A space that is not the preset any more takes a name of its own, so that no link or page takes it for that.
    """
    entry = SPACES.find(name)
    module, attribute = entry.path.split(":")
    space: SearchSpace = getattr(import_module(module), attribute)(**entry.settings(settings))
    changed = [f"{key} {value}" for key, value in settings.items() if value != entry.defaults()[key]]
    if not changed:
        return space
    own = "-".join([name, *changed]).replace(" ", "-")
    return replace(space, name=own, title=f"{space.title}, {', '.join(changed)}")


@cache
def searchable() -> tuple[str, ...]:
    """The presets that leave something to choose."""
    return tuple(name for name in SPACES if preset(name).size > 1)


def _convolutions(label: str, channels: int) -> Layer:
    """A 3x3 against a 5x5 convolution, padded so that the side stays."""
    candidates = tuple(
        (
            f"conv{kernel}x{kernel}",
            Operation("conv2d", {"out_channels": channels, "kernel_size": kernel, "padding": kernel // 2}),
        )
        for kernel in (3, 5)
    )
    return Layer(label, LayerChoice(label, candidates))


def _notes_net(name: str, in_features: int | None, align: str, remarks: tuple[str, ...]) -> MacroSpace:
    first_linear = {"out_features": 120} | ({} if in_features is None else {"in_features": in_features})
    return MacroSpace(
        name=name,
        title=SPACES[name].label,
        input=Input(channels=3, side=32),
        remarks=remarks,
        layers=(
            _convolutions("conv1", 8),
            Layer("relu1", Operation("relu")),
            Layer("pool1", Operation("max_pool2d")),
            _convolutions("mid_conv", 8),
            Layer("conv2", Operation("conv2d", {"out_channels": 16, "kernel_size": 5})),
            Layer("relu2", Operation("relu")),
            Layer("pool2", Operation("max_pool2d")),
            Layer("flatten", Operation("flatten")),
            Layer("func1", Operation("linear", first_linear)),
            Layer("relu3", Operation("relu")),
            Layer("func2", Operation("linear", {"out_features": 84})),
            Layer("relu4", Operation("relu")),
            Layer("func3", Operation("linear", {"out_features": 10})),
        ),
        skips=(InputChoice("skip", sources=("mid_conv",), into="conv2", n_chosen=None, align=align),),
    )


def notes_net() -> MacroSpace:
    """The network of the learning notes, with the skip aligned and the first linear layer's features inferred."""
    return _notes_net("notes-net", in_features=None, align="crop", remarks=())


def notes_net_as_written() -> MacroSpace:
    """The notes' code word for word: 16*5*5 features expected, and a skip that adds different shapes."""
    remarks = (
        "The notes' text calls mid_conv skippable, but their code bypasses conv2: mid_conv's output goes past it.",
        "InputChoice(n_candidates=1) means 0 or 1 in NNI 1 and always 1 in NNI 3, so we build n_chosen=None.",
    )
    return _notes_net("notes-net-as-written", in_features=16 * 5 * 5, align="none", remarks=remarks)


def cell() -> CellSpace:
    """NAS-Bench-201's cell (4 nodes, 6 edges, 5 operations) on the dataset's own images, C = 4, two cells."""
    return CellSpace(
        name="cell",
        title=SPACES["cell"].label,
        input=Input(channels=1, side=8, from_dataset=True),
        nodes=4,
        edges=full_edges(4),
        operations=("none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3"),
        channels=4,
        stages=2,
    )


def darts_cell(nodes: int, cells: int, channels: int) -> DartsSpace:
    """The DARTS cell space with its eight primitives on the dataset's own images; small by default."""
    return DartsSpace(
        name="darts-cell",
        title=SPACES["darts-cell"].label,
        input=Input(channels=1, side=8, from_dataset=True),
        nodes=nodes,
        cells=cells,
        channels=channels,
    )


def enas_macro(layers: int, channels: int) -> MacroSpace:
    """ENAS's macro space (section 2.3): six operations a layer, any earlier layers added, batch norm behind the sum.

    Unlike theirs, no operation has a 1x1 convolution of its own in front, and there is no pooling between thirds.
    """
    chain = [Layer("stem", Operation("conv_bn_relu", {"out_channels": channels}))]
    skips = []
    for number in range(1, layers + 1):
        chain.append(_enas_layer(f"layer_{number}", channels))
        chain.append(Layer(f"norm_{number}", Operation("batch_norm2d")))
        earlier = tuple(f"norm_{source}" for source in range(1, number))
        if earlier:
            skips.append(InputChoice(f"skip_{number}", earlier, f"layer_{number}", align="none"))
    chain.append(Layer("pool", Operation("global_avg_pool")))
    chain.append(Layer("head", Operation("linear", {"out_features": 10})))
    return MacroSpace(
        name="enas-macro",
        title=SPACES["enas-macro"].label,
        input=Input(channels=1, side=8, from_dataset=True),
        layers=tuple(chain),
        skips=tuple(skips),
    )


def _enas_layer(label: str, channels: int) -> Layer:
    """Plain and separable convolutions of 3x3 and 5x5, average and max pooling of 3x3; the shape stays."""
    window = {"kernel_size": 3, "stride": 1, "padding": 1}
    candidates = tuple(
        (f"{short}{kernel}x{kernel}", Operation(name, {"out_channels": channels, "kernel_size": kernel}))
        for short, name in (("conv", "conv_bn_relu"), ("sep", "sep_conv_bn_relu"))
        for kernel in (3, 5)
    )
    pools = (("avg3x3", Operation("avg_pool2d", window)), ("max3x3", Operation("max_pool2d", window)))
    return Layer(label, LayerChoice(label, (*candidates, *pools)))


def blank() -> MacroSpace:
    """The shortest chain that runs: flattened pixels into ten numbers, nothing to choose; to build upon."""
    return MacroSpace(
        name="blank",
        title=SPACES["blank"].label,
        input=Input(channels=1, side=8, from_dataset=True),
        layers=(
            Layer("flatten", Operation("flatten")),
            Layer("head", Operation("linear", {"out_features": 10})),
        ),
    )
