"""GDAS: one Gumbel sample for the whole network a forward pass; only what it chose is run.

Dong & Yang 2019, arXiv:1910.04465, equations 3 to 5. The candidate with the largest log p + g runs (g standard Gumbel
noise), which is a draw from p = softmax(alpha). The forward pass sees a one-hot row, the backward pass the softmax of
(log p + g) / tau: the straight-through estimator, whose bias vanishes with tau and whose variance grows.

The gradient needs d loss / d weight of candidates that did not run. `reference` is the authors' way (D-X-Y/AutoDL-
Projects, search_cells.py: forward_gdas): their weights, which are 0, are added as plain numbers, so all of them get one
and the same gradient, the sum of what arrives, whatever they would have computed. `correct` runs every candidate in the
alphas' pass, so that each gets its own; that costs what DARTS costs there. The weights' pass runs one path in both.
"""

from __future__ import annotations

from typing import Any

from torch import Tensor

from explorer.nets.supernet.mixing import Gate, Mixture
from explorer.oneshot.contract import Context
from explorer.oneshot.learning import (
    GradientMethod,
    Path,
    gumbel_softmax,
    largest,
    linear,
    path_mixture,
    spread,
)


class Gdas(GradientMethod):
    """Straight-through Gumbel paths."""

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self.path: Path = {}

    def temperature(self) -> float:
        """Linear over the epochs."""
        return linear(
            self.settings["temperature_start"],
            self.settings["temperature_end"],
            self.epoch,
            self.context.epochs,
        )

    def draw(self) -> Mixture:
        """The path, and the graph of its straight-through weights."""
        soft = self._sampled()
        hard = {
            decision.label: straight_through(soft[decision.label], self.path[decision.label])
            for decision in self.decisions
        }
        if self.settings["gradient"] == "correct":
            return hard
        # A Gate is taken as it is, a tensor times the number of chosen inputs.
        return {
            label: Gate(self.path[label], len(self.path[label]) * row, constants=True)
            for label, row in hard.items()
        }

    def draw_for_weights(self) -> Mixture:
        """The path alone."""
        self._sampled()
        return path_mixture(self.decisions, self.path)

    def _sampled(self) -> dict[str, Tensor]:
        tau = self.temperature()
        soft = self.logits.rows(lambda alphas: gumbel_softmax(alphas, tau, self.generator))
        self.path = largest(self.decisions, soft)
        return soft

    def extra(self) -> dict[str, Any]:
        """`path`: the candidates that ran last."""
        return {"path": {label: list(chosen) for label, chosen in self.path.items()}}


def straight_through(soft: Tensor, chosen: tuple[int, ...]) -> Tensor:
    """Worth 1 / k at the k chosen and 0 elsewhere, with the gradient of `soft` (candidates,)."""
    return spread(soft, chosen) + (soft - soft.detach())
