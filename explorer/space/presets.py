"""The spaces that come with the app."""

from __future__ import annotations

from importlib import import_module

from explorer.catalogue import SPACES
from explorer.space.base import Input, SearchSpace
from explorer.space.cell import CellSpace, full_edges
from explorer.space.macro import Layer, MacroSpace
from explorer.space.mutables import InputChoice, LayerChoice, Operation


def preset(name: str) -> SearchSpace:
    """The space called `name`; raises UnknownName."""
    module, attribute = SPACES.find(name).path.split(":")
    space: SearchSpace = getattr(import_module(module), attribute)()
    return space


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
