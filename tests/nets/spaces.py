"""Spaces for tests of networks and of generated code."""

from __future__ import annotations

from explorer.space import Input, InputChoice, Layer, LayerChoice, MacroSpace, Operation, ValueChoice


def changing() -> MacroSpace:
    """Widths, windows, a stride and a bias to choose, and skips over all of it."""
    width = ValueChoice("width", (4, 6))
    wide = Operation(
        "conv2d", {"out_channels": width, "kernel_size": 5, "padding": ValueChoice("edge", (0, 2))}
    )
    small = Operation(
        "conv2d", {"out_channels": 5, "kernel_size": 1, "bias": ValueChoice("bias", (True, False))}
    )
    return MacroSpace(
        "changing",
        Input(2, 12),
        layers=(
            Layer("first", LayerChoice("first", (("wide", wide), ("small", small)))),
            Layer("norm", Operation("batch_norm2d")),
            Layer("second", Operation("conv2d", {"out_channels": width, "kernel_size": 3})),
            Layer("pool", Operation("avg_pool2d", {"stride": ValueChoice("step", (1, 2))})),
            Layer("flat", Operation("flatten")),
            Layer("head", Operation("linear", {"out_features": 3})),
        ),
        skips=(
            InputChoice("over", ("first", "norm"), "second", n_chosen=None),
            InputChoice("one of", ("first", "second"), "pool", n_chosen=1),
        ),
    )
