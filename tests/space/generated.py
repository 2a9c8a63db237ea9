"""Well-formed spaces, generated: chains with choices of layers, widths and skips, and stacks of DARTS cells."""

from __future__ import annotations

from hypothesis import strategies as st

from explorer.space import (
    DartsSpace,
    Input,
    InputChoice,
    Layer,
    LayerChoice,
    MacroSpace,
    Operation,
    SearchSpace,
    ValueChoice,
)
from explorer.space.darts import PRIMITIVES
from explorer.space.mutables import InputChoice as Skip


@st.composite
def macro_spaces(draw: st.DrawFn) -> MacroSpace:
    """One to three convolution blocks on 8x8 or 12x12 images, then a linear layer; every architecture can run."""
    side = draw(st.sampled_from([8, 12]))
    layers: list[Layer] = []
    skips: list[InputChoice] = []
    depth = draw(st.integers(1, 3))
    for at in range(depth):
        layers.append(_block(draw, f"conv{at}"))
        if draw(st.booleans()):
            layers.append(
                Layer(f"relu{at}", Operation(draw(st.sampled_from(["relu", "batch_norm2d", "identity"]))))
            )
    names = [layer.name for layer in layers]
    for at in range(1, depth):
        earlier = ["input", *names[: names.index(f"conv{at}")]]
        sources = draw(st.lists(st.sampled_from(earlier), min_size=1, max_size=3, unique=True))
        if draw(st.booleans()):
            n_chosen = draw(st.sampled_from([None, *range(1, len(sources) + 1)]))
            skips.append(Skip(f"skip{at}", tuple(sources), f"conv{at}", n_chosen))
    if draw(st.booleans()):
        layers.append(Layer("pool", Operation(draw(st.sampled_from(["max_pool2d", "avg_pool2d"])))))
    layers.append(Layer("features", Operation(draw(st.sampled_from(["flatten", "global_avg_pool"])))))
    layers.append(Layer("head", Operation("linear", {"out_features": 10})))
    return MacroSpace(
        "generated", Input(draw(st.integers(1, 3)), side), layers=tuple(layers), skips=tuple(skips)
    )


def _block(draw: st.DrawFn, name: str) -> Layer:
    kernels = draw(st.lists(st.sampled_from([1, 3, 5]), min_size=1, max_size=3, unique=True))
    width: int | ValueChoice = draw(st.sampled_from([4, 6, 8]))
    if draw(st.booleans()):
        width = ValueChoice(f"{name}_width", (4, 8))
    padded = [
        (
            f"conv{kernel}",
            Operation("conv2d", {"out_channels": width, "kernel_size": kernel, "padding": kernel // 2}),
        )
        for kernel in kernels
    ]
    if len(padded) == 1:
        return Layer(name, padded[0][1])
    return Layer(name, LayerChoice(name, tuple(padded)))


@st.composite
def darts_spaces(draw: st.DrawFn, is_small: bool = False) -> DartsSpace:
    """Three to five thin cells, on odd sides too; `is_small` keeps to what can be enumerated in a moment."""
    nodes = draw(st.integers(1, 2 if is_small else 4))
    most = 8 if not is_small else 3 if nodes == 1 else 1
    operations = st.lists(st.sampled_from(PRIMITIVES[1:]), min_size=1, max_size=most, unique=True)
    none = draw(st.sampled_from([[], ["none"]]))
    return DartsSpace(
        "generated",
        draw(st.sampled_from([Input(2, 7), Input(1, 4), Input(1, 8, from_dataset=True)])),
        nodes=nodes,
        cells=draw(st.integers(3, 5)),
        channels=draw(st.integers(1, 3)),
        stem_multiplier=draw(st.integers(1, 3)),
        operations=tuple(none + draw(operations)),
    )


def small_spaces() -> st.SearchStrategy[SearchSpace]:
    """Spaces of both generated families."""
    return st.one_of(macro_spaces(), darts_spaces(is_small=True))
