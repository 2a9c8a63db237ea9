"""What torch itself says about a module: shapes by hooks, parameters by counting, MACs from the weights' shapes."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from explorer.space import Shape


def parameters(module: nn.Module) -> int:
    """Learned numbers."""
    return sum(weight.numel() for weight in module.parameters())


def run(module: nn.Module, *shapes: Shape) -> tuple[Shape, int]:
    """(shape of the output, MACs) for one image of each of `shapes`, in evaluation mode."""
    macs: list[int] = []

    def count(layer: nn.Module, _: tuple[Tensor, ...], output: Tensor) -> None:
        if isinstance(layer, nn.Conv2d):
            macs.append(layer.weight.numel() * output.shape[2] * output.shape[3])
        if isinstance(layer, nn.Linear):
            macs.append(layer.weight.numel())

    hooks = [part.register_forward_hook(count) for part in module.modules()]
    with torch.inference_mode():
        output = module.eval()(*[torch.zeros(1, *shape) for shape in shapes])
    for hook in hooks:
        hook.remove()
    return tuple(output.shape[1:]), sum(macs)
