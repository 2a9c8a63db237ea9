"""Zero-cost proxies: what an untrained network lets one guess about a trained one, from one batch of images.

As collected by Abdelfattah, Mehrotra, Dudziak & Lane 2021, Zero-cost proxies for lightweight NAS, arXiv:2101.08134. A
higher score promises more. Which of them ranks a space well is an empirical question that the answer key answers.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional

from explorer.nets.training import initialise

Score = Callable[[nn.Module, Tensor, Tensor], float]


def parameters(module: nn.Module, images: Tensor, labels: Tensor) -> float:
    """How many weights there are: the proxy to beat."""
    return float(sum(weight.numel() for weight in module.parameters()))


def grad_norm(module: nn.Module, images: Tensor, labels: Tensor) -> float:
    """The sum over weight tensors of their gradient's length, for one batch (section 3.2)."""
    module.train()
    functional.cross_entropy(module(images), labels).backward()
    found = sum(float(weight.grad.norm()) for weight in module.parameters() if weight.grad is not None)
    module.zero_grad()
    return found


def synflow(module: nn.Module, images: Tensor, labels: Tensor) -> float:
    """log(1 + sum of weight * dR/dweight), R the sum of outputs for one image of ones under absolute weights.

    Tanaka, Kunin, Yamins & Ganguli 2020, arXiv:2006.05467, equation 1. Batch norm stands still (its fresh running
    statistics change nothing) and, as in Abdelfattah et al., counts with what it learns.
    """
    module.eval()
    module.double()  # products over many layers leave the range of floats
    kept = {name: tensor.clone() for name, tensor in module.state_dict().items()}
    with torch.no_grad():
        for weight in module.parameters():
            weight.abs_()
    module(torch.ones_like(images[:1], dtype=torch.float64)).sum().backward()
    flow = sum(
        float((weight.detach() * weight.grad).sum())
        for weight in module.parameters()
        if weight.grad is not None
    )
    module.zero_grad()
    module.load_state_dict(kept)
    module.float()
    return math.log1p(flow)


def naswot(module: nn.Module, images: Tensor, labels: Tensor) -> float:
    """The log-determinant of how alike the images' patterns of active ReLUs are (Mellor, Turner, Storkey & Crowley
    2021, arXiv:2006.04647, section 3.1): -inf where two images cannot be told apart.
    """
    module.train()  # batch norm centres what arrives, as there
    alike = torch.zeros(len(images), len(images), dtype=torch.float64)

    def count(_: nn.Module, __: tuple[Tensor, ...], out: Tensor) -> None:
        active = (out > 0).flatten(1).double()
        alike.add_(active @ active.T + (1 - active) @ (1 - active).T)

    hooks = [part.register_forward_hook(count) for part in module.modules() if isinstance(part, nn.ReLU)]
    try:
        with torch.no_grad():
            module(images)
    finally:
        for hook in hooks:
            hook.remove()
    sign, size = torch.linalg.slogdet(alike)
    return float(size) if sign > 0 else -math.inf


PROXIES: Mapping[str, Score] = {
    "parameters": parameters,
    "grad_norm": grad_norm,
    "synflow": synflow,
    "naswot": naswot,
}


def proxy_score(
    name: str, module: nn.Module, images: Tensor, labels: Tensor, seeds: tuple[int, ...]
) -> float:
    """The mean over fresh weights by these seeds; -inf where one of them says nothing."""
    found = []
    for seed in seeds:
        initialise(module, seed)
        found.append(PROXIES[name](module, images, labels))
    return sum(found) / len(found) if all(map(math.isfinite, found)) else -math.inf
