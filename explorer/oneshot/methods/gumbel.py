"""Gumbel DARTS: the mixture is a soft sample of the candidates, and its temperature falls.

Wu et al. 2019, FBNet, section 3.2, equation 8, arXiv:1812.03443, with the Gumbel softmax of Jang, Gu & Poole 2017,
arXiv:1611.01144: weights = softmax((log p + g) / tau) with p = softmax(alpha) and standard Gumbel noise g. At a high
tau the mixture is nearly even, at a low one nearly a single candidate, drawn with probability p. In between its mean is
not p, and it is never told as the probability (NNI 3.0's `export_probs` does that).

FBNet lets tau fall exponentially; here, as in NNI, it falls linearly from epoch to epoch.
"""

from __future__ import annotations

from typing import Any

from torch import Tensor

from explorer.nets.supernet.mixing import Mixture
from explorer.oneshot.contract import Context
from explorer.oneshot.learning import GradientMethod, gumbel_softmax, linear, told


class Gumbel(GradientMethod):
    """Soft Gumbel weights, drawn anew for each forward pass."""

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self.drawn: dict[str, Tensor] = {}

    def temperature(self) -> float:
        """Linear over the epochs."""
        return linear(
            self.settings["temperature_start"],
            self.settings["temperature_end"],
            self.epoch,
            self.context.epochs,
        )

    def draw(self) -> Mixture:
        """One soft sample for the whole network."""
        tau = self.temperature()
        drawn = self.logits.rows(lambda alphas: gumbel_softmax(alphas, tau, self.generator))
        self.drawn = {label: row.detach() for label, row in drawn.items()}
        return drawn

    def extra(self) -> dict[str, Any]:
        """`sample`: the newest draw, beside the probabilities that it was drawn from."""
        return {"sample": told(self.drawn)}
