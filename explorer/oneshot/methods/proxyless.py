"""ProxylessNAS: a sampled candidate runs, and the alphas learn from the gradient of the gates.

Cai, Zhu & Han 2019, section 3.2, arXiv:1812.00332. A gate is 1 for one candidate, drawn with p = softmax(alpha), and 0
for the others (equation 2). d L / d alpha_i is estimated by sum_j dL/dg_j p_j (delta_ij - p_i) (equation 4), where
dL/dg_j = <dL/dy, o_j(x)> needs every candidate's output. `full` computes them all. `two` draws two candidates by p, and
one of them by their probabilities among themselves; after the step both logits are shifted so that together they are as
probable as before and no other's probability changes (section 3.2.1).

The estimator is unbiased where the loss is linear in the gates, and not otherwise. The alphas' Adam has beta1 = 0, as
the authors' (mit-han-lab/proxylessnas, imagenet_arch_search.py): a candidate that was not drawn must not go on moving.
Where we differ: weight decay of the alphas is offered (theirs is 0; in `two` it reaches the drawn candidates only), the
penalty on latency is left out, and of a choice of several inputs all are run, in `two` as well.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from explorer.nets.supernet.mixing import Gate, Mixture
from explorer.oneshot.contract import Batch, Context
from explorer.oneshot.learning import GradientMethod, Path, accuracy, gumbel, largest, path_mixture, spread


class Proxyless(GradientMethod):
    """Binary gates; `mode` says how many candidates the alphas' pass runs."""

    alpha_betas = (0.0, 0.999)

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self.path: Path = {}

    def draw(self) -> Mixture:
        """One path, drawn by p."""
        self.path = largest(self.decisions, self._perturbed())
        return path_mixture(self.decisions, self.path)

    def step_alphas(self, train: Batch, validation: Batch) -> dict[str, Any]:
        """The gates' gradients, carried over to the alphas."""
        with torch.no_grad():
            pairs, gates = self._gates()
            probabilities = self.logits.probabilities()
        mixture: dict[str, Any] = {
            label: Gate(pairs[label], gate) if label in pairs else gate for label, gate in gates.items()
        }
        logits = self.net(validation.images, mixture)  # (b, classes)
        loss = cross_entropy(logits, validation.labels)
        slopes = torch.autograd.grad(loss, list(gates.values()), materialize_grads=True)
        gradient = {
            label: _within(pairs.get(label), probabilities[label], slope)
            for label, slope in zip(gates, slopes, strict=True)
        }
        return {
            "validation_loss": loss.detach(),
            "validation_accuracy": accuracy(logits, validation.labels),
            "alpha_gradient": self._descend(self.logits.flatten(gradient), pairs),
        }

    def _perturbed(self) -> dict[str, Tensor]:
        """log p + g: the largest is a draw from p, the k largest are k draws without replacement."""
        with torch.no_grad():
            return self.logits.rows(lambda alphas: alphas.log_softmax(-1) + gumbel(alphas, self.generator))

    def _gates(self) -> tuple[Path, dict[str, Tensor]]:
        """The pairs that are compared (none where everything runs), and every decision's gates, leaves of the graph."""
        perturbed = self._perturbed()
        path = dict(largest(self.decisions, perturbed))
        pairs: Path = {}
        if self.settings["mode"] == "two":
            single = [each for each in self.decisions if each.chosen == 1]
            pairs = largest(single, perturbed, 2)
            # Noise of its own: which of a pair had the larger noise before does not go by p within the pair.
            again = self._perturbed()
            path |= {label: _better(again[label], pair) for label, pair in pairs.items()}
        self.path = path
        return pairs, {
            label: spread(perturbed[label], chosen).requires_grad_() for label, chosen in path.items()
        }

    def _descend(self, gradient: Tensor, pairs: Path) -> Tensor:
        before = self.logits.values()
        length = self.logits.descend(gradient)
        if pairs:
            after = self.logits.values()
            rows = {
                label: keep_others(before[label], row, pairs[label]) if label in pairs else row
                for label, row in after.items()
            }
            with torch.no_grad():
                self.logits.flat.copy_(self.logits.flatten(rows))
        return length

    def extra(self) -> dict[str, Any]:
        """`path`: the candidates that ran last."""
        return {"path": {label: list(chosen) for label, chosen in self.path.items()}}


def gate_gradient(probabilities: Tensor, slopes: Tensor) -> Tensor:
    """Equation 4: sum_j slopes_j p_j (delta_ij - p_i), for each i; `slopes` are dL/dg (candidates,)."""
    return probabilities * (slopes - (slopes * probabilities).sum())


def keep_others(before: Tensor, after: Tensor, pair: tuple[int, ...]) -> Tensor:
    """`after` at the pair, shifted so that its share of the softmax is as `before`; `before` elsewhere."""
    at = list(pair)
    row = before.clone()
    row[at] = after[at] + (before[at].logsumexp(0) - after[at].logsumexp(0))
    return row


def _within(pair: tuple[int, ...] | None, probabilities: Tensor, slopes: Tensor) -> Tensor:
    """Equation 4 over all candidates, or over a pair with its probabilities among themselves and 0 elsewhere."""
    if pair is None:
        return gate_gradient(probabilities, slopes)
    at = list(pair)
    found = torch.zeros_like(slopes)
    found[at] = gate_gradient(probabilities[at] / probabilities[at].sum(), slopes[at])
    return found


def _better(scores: Tensor, pair: tuple[int, ...]) -> tuple[int, ...]:
    return (max(pair, key=lambda at: float(scores[at])),)
