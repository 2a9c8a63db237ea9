"""DrNAS: the mixture is a point of the simplex, drawn from a Dirichlet distribution that is learned.

Chen et al. 2021, arXiv:2006.10355. Concentrations beta = elu(alpha) + 1 (section 2.2); an edge's weights are drawn from
Dir(beta), and the alphas descend the expected validation loss along the pathwise derivative of the draw (equation 5).
Small concentrations draw single candidates, large ones even mixtures; a penalty holds them near 1 (equation 4), where
the distribution is uniform. What is believed is the mean beta / sum beta, and derivation ranks by it.

A draw is a row of gamma variables over their sum, because torch differentiates gamma draws from a generator of one's
own. In the authors' code the l2 penalty is the weight decay of the alphas' Adam; here the regularizer is a term of the
loss, and their Adam has no weight decay beside it. The progressive stages of section 2.4 are left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import elu

from explorer.nets.supernet.mixing import Mixture
from explorer.oneshot.contract import Context
from explorer.oneshot.learning import GradientMethod, told

SMALLEST = 1e-3  # of a concentration: below it a single-precision draw is 0 for most candidates


class DrNas(GradientMethod):
    """Dirichlet weights, drawn anew for each forward pass."""

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self.drawn: dict[str, Tensor] = {}

    def draw(self) -> Mixture:
        """One point a decision."""
        drawn = self.logits.rows(lambda alphas: dirichlet(concentrations(alphas), self.generator))
        self.drawn = {label: row.detach() for label, row in drawn.items()}
        return drawn

    def penalty(self) -> Tensor:
        """The distance of the concentrations from 1, over all decisions."""
        distance = squared_distance if self.settings["regularizer"] == "l2" else divergence
        rows = self.logits.rows(lambda alphas: distance(concentrations(alphas)))
        return self.settings["regularizer_weight"] * torch.stack(list(rows.values())).sum()

    def probabilities(self) -> dict[str, Tensor]:
        """The mean of each distribution; not softmax(alpha)."""
        with torch.no_grad():
            return self.logits.rows(lambda alphas: mean(concentrations(alphas)))

    def relaxed(self, alphas: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """The means, differentiable."""
        return {label: mean(concentrations(row)) for label, row in alphas.items()}

    def extra(self) -> dict[str, Any]:
        """`sample`: the newest draw; `concentration`: the sum of each row, high where draws are alike."""
        with torch.no_grad():
            sums = self.logits.rows(lambda alphas: concentrations(alphas).sum(-1))
        return {
            "sample": told(self.drawn),
            "concentration": {label: row[0] for label, row in told(sums).items()},
        }


def concentrations(alphas: Tensor) -> Tensor:
    """elu(alpha) + 1, positive."""
    return (elu(alphas) + 1).clamp_min(SMALLEST)


def mean(concentration: Tensor) -> Tensor:
    """Of Dir(concentration), row by row."""
    return concentration / concentration.sum(-1, keepdim=True)


def dirichlet(concentration: Tensor, generator: torch.Generator) -> Tensor:
    """One draw a row, differentiable in the concentrations."""
    there = concentration.to(generator.device)
    gammas = torch._standard_gamma(there, generator=generator).to(concentration.device)
    return mean(gammas.clamp_min(torch.finfo(gammas.dtype).tiny))


def squared_distance(concentration: Tensor) -> Tensor:
    """Half the squared distance from 1 of each row (rows,)."""
    return (concentration - 1).square().sum(-1) / 2


def divergence(concentration: Tensor) -> Tensor:
    """KL(Dir(concentration) || Dir(1)) of each row in nats (rows,)."""
    total = concentration.sum(-1, keepdim=True)
    width = torch.full_like(total[..., 0], concentration.shape[-1])
    return (
        total[..., 0].lgamma()
        - width.lgamma()
        - concentration.lgamma().sum(-1)
        + ((concentration - 1) * (concentration.digamma() - total.digamma())).sum(-1)
    )
