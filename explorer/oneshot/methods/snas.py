"""SNAS: Gumbel weights, and one level: weights and alphas descend the same loss on the same images.

Xie, Zheng, Liu & Lin 2019, arXiv:1812.09926, equations 2 to 6. The search is a stochastic computation graph: a soft
sample of every edge at a falling temperature, and the expected training loss descends in the weights and in the alphas
at once, with one forward and one backward pass. There is no validation batch, so none of its bias, and none of its
safeguard against overfitting alphas either. The paper's penalty on resources is left out.
"""

from __future__ import annotations

import torch
from torch.nn.functional import cross_entropy

from explorer.oneshot.contract import ARCHITECTURE, Batch, StepReport
from explorer.oneshot.learning import accuracy
from explorer.oneshot.methods.gumbel import Gumbel


class Snas(Gumbel):
    """Gumbel DARTS with a single level."""

    def step(self, phase: str, train: Batch, validation: Batch) -> StepReport:
        """Both from one sample; with one phase alone, only that side moves."""
        if not self.net.training:
            self.net.train()
        logits = self.net(train.images, self.draw())  # (b, classes)
        loss = cross_entropy(logits, train.labels)
        moves_alphas, moves_weights = self.moves_alphas(phase), phase != ARCHITECTURE
        moved = [self.logits.flat] * moves_alphas + self.weights.parameters * moves_weights
        gradients = list(torch.autograd.grad(loss, moved, allow_unused=True))
        return StepReport(
            train_loss=loss.detach(),
            train_accuracy=accuracy(logits, train.labels),
            alpha_gradient=self.logits.descend(gradients.pop(0)) if moves_alphas else None,
            weight_gradient=self.weights.apply(gradients) if moves_weights else None,
            extra=self.extra(),
        )
