"""Small spaces, images and mixtures for tests of supernets."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from explorer.nets.supernet.mixing import Gate, Mix
from explorer.nets.supernet.network import Supernet, build_supernet
from explorer.nets.training import initialise
from explorer.space import (
    Architecture,
    Input,
    InputChoice,
    Layer,
    LayerChoice,
    MacroSpace,
    Operation,
    SearchSpace,
    decisions,
    full_edges,
    path_of,
    preset,
)

CELL: SearchSpace = replace(preset("cell"), nodes=3, edges=full_edges(3), channels=4).bound_to(1, 6, 3)
DARTS: SearchSpace = replace(preset("darts-cell"), nodes=2, cells=3, channels=2).bound_to(1, 8, 3)
SPACES = {"cell": CELL, "darts": DARTS}


def images(space: SearchSpace, count: int = 5, seed: int = 0, dtype: torch.dtype = torch.double) -> Tensor:
    """(count, channels, side, side)"""
    shape = (count, space.input.channels, space.input.side, space.input.side)
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def supernet(space: SearchSpace, kind: str, seed: int = 3, dtype: torch.dtype = torch.double) -> Supernet:
    """With fresh weights by `seed`, in training mode."""
    return fresh(build_supernet(space, kind), seed, dtype)


def fresh(net: Supernet, seed: int = 3, dtype: torch.dtype = torch.double) -> Supernet:
    """`net` as new: weights by `seed`, statistics forgotten, in training mode."""
    initialise(net.float(), seed)
    return net.to(dtype).train()


def tables(space: SearchSpace, seed: int = 1, dtype: torch.dtype = torch.double) -> dict[str, Tensor]:
    """A softmax over random logits for each decision, leaves of the graph."""
    generator = torch.Generator().manual_seed(seed)
    return {
        each.label: torch.randn(len(each.candidates), generator=generator, dtype=dtype)
        .softmax(0)
        .requires_grad_()
        for each in decisions(space)
    }


def mixture(kind: str, weights: Mapping[str, Tensor], space: SearchSpace, seed: int = 0) -> dict[str, Mix]:
    """Every form that a mixture may take, made of `weights`."""
    if kind == "tensors":
        return dict(weights)
    if kind == "path":
        return dict(path_of(space, architecture(space, seed)))
    if kind in ("gates", "constants"):
        return {
            label: Gate((at % len(row),), row, constants=kind == "constants" and at % 2 == 0)
            for at, (label, row) in enumerate(weights.items())
        }
    if kind == "pairs":
        return {
            label: Gate((at % len(row), (at + 2) % len(row)), row)
            for at, (label, row) in enumerate(weights.items())
        }
    assert kind == "all sorts", kind
    forms: list[Any] = [lambda row: row, lambda row: Gate((len(row) - 1,), row), lambda _: 1, lambda _: None]
    return {label: forms[at % len(forms)](row) for at, (label, row) in enumerate(weights.items())}


MIXTURES = ("tensors", "gates", "constants", "pairs", "path", "all sorts")


def architecture(space: SearchSpace, seed: int = 0) -> Architecture:
    """One of the space, at random."""
    return space.sample(1, random.Random(seed))[0]


def far(one: Tensor | None, other: Tensor | None) -> float:
    """Greatest difference; no gradient is a gradient of 0."""
    if one is None or other is None:
        kept = other if one is None else one
        return 0.0 if kept is None else kept.abs().max().item()
    return (one - other).abs().max().item() if one.numel() else 0.0


def inputs_space(chosen: int | None, sources: int = 3, align: str = "none") -> MacroSpace:
    """Convolutions in a row, of which the last may take in what earlier ones gave: one, two or any number of them."""
    convolution = Operation("conv2d", {"out_channels": 3, "kernel_size": 3, "padding": 1})
    other = Operation("conv2d", {"out_channels": 3, "kernel_size": 1})
    names = tuple(f"layer_{at}" for at in range(sources))
    return MacroSpace(
        f"inputs {chosen}",
        Input(1, 6),
        layers=(
            *(Layer(name, convolution) for name in names),
            Layer("last", LayerChoice("last", (("wide", convolution), ("small", other)))),
            Layer("pool", Operation("global_avg_pool")),
            Layer("linear", Operation("linear", {"out_features": 3})),
        ),
        skips=(InputChoice("skip", names, "last", chosen, align),),
    )
