"""A small multilayer perceptron over the pixels: the objective that trains fastest."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import nn

_ACTIVATIONS: Mapping[str, type[nn.Module]] = {"relu": nn.ReLU, "tanh": nn.Tanh}


def perceptron(pixels: int, classes: int, settings: Mapping[str, Any]) -> nn.Sequential:
    """(b, channels, side, side) -> (b, classes); `settings` are those of `catalogue.MLP`, all of them."""
    layers: list[nn.Module] = [nn.Flatten()]
    width = pixels
    for _ in range(settings["hidden_layers"]):
        layers += [nn.Linear(width, settings["hidden_units"]), _ACTIVATIONS[settings["activation"]]()]
        if settings["dropout"] > 0:
            layers.append(nn.Dropout(settings["dropout"]))
        width = settings["hidden_units"]
    return nn.Sequential(*layers, nn.Linear(width, classes))
