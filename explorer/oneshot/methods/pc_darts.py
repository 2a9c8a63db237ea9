"""PC-DARTS: DARTS on a part of the channels, with weights of the edges beside those of the operations.

Xu et al. 2020, arXiv:1907.05737. Equation 1: only one of `channel_part` channels goes through the mixed operation, the
others pass by, which leaves room for larger batches and favours no operation without weights; the `partial` supernet
does that. Equation 2: which channels are mixed changes from batch to batch, so the edges get weights of their own,
softmax(beta) over the edges into a node, which steady what is derived. A mixture is the product of both, and so is what
derivation ranks by (section 3.3).

The paper freezes the alphas for the first 15 of 50 epochs; that is `warmup_epochs`, and betas wait with them. Alphas
and betas share an Adam, as in the authors' code (yuhuixu1993/PC-DARTS, architect.py).
"""

from __future__ import annotations

from typing import Any

from torch import Tensor

from explorer.nets.supernet.mixing import Mixture
from explorer.oneshot.learning import GradientMethod, told


class PcDarts(GradientMethod):
    """Products of operation and edge weights; the logits hold a row an edge, and a row of betas a node."""

    def sizes(self) -> dict[str, int]:
        """A row of alphas for each edge, then a row of betas for each node, named like its group."""
        groups = [each.group for each in self.decisions]
        return super().sizes() | {group: groups.count(group) for group in dict.fromkeys(groups)}

    def draw(self) -> Mixture:
        """softmax(alpha) times the edge's softmax(beta); a row's sum is the edge's weight, for all its channels."""
        return self._products(self.logits.probabilities())

    def _products(self, softmax: dict[str, Tensor]) -> dict[str, Tensor]:
        place = dict.fromkeys(softmax, 0)
        found = {}
        for each in self.decisions:
            found[each.label] = softmax[each.label] * softmax[each.group][place[each.group]]
            place[each.group] += 1
        return found

    def probabilities(self) -> dict[str, Tensor]:
        """softmax(alpha), edge by edge."""
        return self._of_decisions(super().probabilities())

    def edges(self) -> dict[str, Tensor]:
        """Node -> softmax(beta) over the edges into it, in the order of the decisions."""
        rows = super().probabilities()
        return {group: rows[group] for group in dict.fromkeys(each.group for each in self.decisions)}

    def alphas(self) -> dict[str, Tensor]:
        """The alphas without the betas."""
        return self._of_decisions(super().alphas())

    def scores(self) -> dict[str, Tensor]:
        """The products: what derivation ranks by."""
        return self._products(super().probabilities())

    def mixture(self) -> Mixture:
        """The products: what the supernet is made for."""
        return self.scores()

    def _of_decisions(self, rows: dict[str, Tensor]) -> dict[str, Tensor]:
        return {each.label: rows[each.label] for each in self.decisions}

    def extra(self) -> dict[str, Any]:
        """`edges`: the weights of the edges into each node."""
        return {"edges": told(self.edges())}
