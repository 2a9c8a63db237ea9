"""FairNAS: as SPOS, but every step trains every candidate of every decision exactly once.

Chu, Zhang & Xu 2021, section 3.2 and algorithm 1 (strict fairness), arXiv:1907.01845. With m candidates a decision, a
step draws a permutation of them for each decision, runs m paths, the i-th made of the i-th entries, and takes one step
down the sum of the m gradients. In a DARTS cell every edge is a decision with all its candidates, none among them, so a
training path runs all edges at once, as the supernet does and a derived cell does not.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from explorer.errors import SpaceError
from explorer.oneshot.contract import Batch, Context
from explorer.oneshot.learning import accuracy
from explorer.oneshot.methods.spos import Spos
from explorer.runs.oneshot_checks import serving
from explorer.space import Decision, SearchSpace
from explorer.space.decisions import Path


def fair_paths(decisions: Sequence[Decision], generator: torch.Generator) -> list[Path]:
    """m paths that together run every one of the m candidates of each decision once."""
    orders = {each.label: _shuffled(len(each.candidates), generator) for each in decisions}
    several = {each.label for each in decisions if each.kind == "inputs"}
    turns = len(decisions[0].candidates)
    return [
        {label: (order[turn],) if label in several else order[turn] for label, order in orders.items()}
        for turn in range(turns)
    ]


def _shuffled(count: int, generator: torch.Generator) -> list[int]:
    order: list[int] = torch.randperm(count, generator=generator, device=generator.device).tolist()
    return order


def check_fair(space: SearchSpace, decisions: Sequence[Decision]) -> None:
    """Raises SpaceError where the candidates cannot all be trained equally often."""
    able = ", ".join(name for name in serving(space) if name != "fairnas")
    counts = sorted({len(each.candidates) for each in decisions})
    if len(counts) > 1:
        raise SpaceError(
            "FairNAS trains every candidate equally often, so all choices need the same number of candidates, "
            f"and here they have {' and '.join(map(str, counts))}; {able} can search {space.name}."
        )
    several = [each for each in decisions if each.chosen > 1]
    if several:
        raise SpaceError(
            f"FairNAS trains every candidate once a step, and {several[0].label} runs {several[0].chosen} "
            f"of its {counts[0]} inputs at a time; {able} can search {space.name}."
        )


class FairNas(Spos):
    """Strictly fair paths; after every step all counts are equal."""

    def __init__(self, context: Context) -> None:
        check_fair(context.net.space, context.net.decisions)
        super().__init__(context)

    def train(self, batch: Batch) -> tuple[Path, dict[str, Any]]:
        """m paths and one update; loss and accuracy are their means, and the gradient's length that of the sum."""
        losses: list[Tensor] = []
        right: list[Tensor] = []
        total: list[Tensor | None] = [None] * len(self.weights.parameters)
        paths = fair_paths(self.decisions, self.generator)
        for path in paths:
            logits = self.net(batch.images, path)  # (b, classes)
            loss = cross_entropy(logits, batch.labels)
            total = [_added(*pair) for pair in zip(total, self.weights.gradients(loss), strict=True)]
            losses.append(loss.detach())
            right.append(accuracy(logits, batch.labels))
            self.count(path)
        return paths[-1], {
            "train_loss": torch.stack(losses).mean(),
            "train_accuracy": torch.stack(right).mean(),
            "weight_gradient": self.weights.apply(total),
        }


def _added(one: Tensor | None, other: Tensor | None) -> Tensor | None:
    """None is 0: a weight that did not run has no gradient."""
    if one is None or other is None:
        return other if one is None else one
    return one + other
