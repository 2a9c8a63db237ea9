"""SPOS: the shared weights learn on one path a step, drawn uniformly; nothing is learned about architectures.

Guo et al. 2019, Single path one-shot NAS with uniform sampling, section 3.2, arXiv:1904.00420. What is best is looked
for afterwards, with inherited weights (`selection.scored`).
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from explorer.nets.supernet.batch_norm import batch_statistics
from explorer.oneshot.contract import ARCHITECTURE, Batch, Context, Method, StepReport
from explorer.oneshot.learning import Weights, accuracy
from explorer.space import Architecture, Decision, SearchSpace, path_of
from explorer.space.darts import INPUTS, DartsSpace
from explorer.space.decisions import Path

DRAWS = 2**62  # a generator's draw seeds the draw of an architecture, whose number may be beyond 64 bits


def uniform_architecture(space: SearchSpace, generator: torch.Generator) -> Architecture:
    """Every architecture is as likely as any other, however many there are."""
    drawn = torch.randint(DRAWS, (), generator=generator, device=generator.device)
    return space.architecture_at(random.Random(int(drawn)).randrange(space.size))


def uniform_probabilities(space: SearchSpace, decisions: Sequence[Decision]) -> dict[str, Tensor]:
    """How often each candidate is part of a uniformly drawn architecture, each row summing to 1.

    1 / K, but for the edges of a DARTS cell: an edge of a node with n of them is taken with 2 / n, and none has the
    rest.
    """
    even = {each.label: torch.full((len(each.candidates),), 1 / len(each.candidates)) for each in decisions}
    if not isinstance(space, DartsSpace):
        return even
    return {each.label: _edge(each, decisions) for each in decisions}


def _edge(decision: Decision, decisions: Sequence[Decision]) -> Tensor:
    edges = sum(each.group == decision.group for each in decisions)
    taken = INPUTS / edges if decision.nones else 1.0
    row = torch.full((len(decision.candidates),), taken / (len(decision.candidates) - len(decision.nones)))
    row[list(decision.nones)] = 1 - taken
    return row


class Spos(Method):
    """Uniform single paths; `counts` says how many steps each candidate of each decision was trained in.

    The path just trained is also shown a validation batch, with that batch's own statistics, but only in every
    `snapshot_every`-th step: it costs a third of a step and steers nothing.
    """

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self.space, self.decisions = context.net.space, context.net.decisions
        self.generator = context.generator
        # Of its own, so that whoever asks for samples leaves the training's course alone.
        self.sampler = torch.Generator(context.generator.device).manual_seed(
            context.generator.initial_seed() ^ 1
        )
        self.weights = Weights(context)
        self.counts = {each.label: [0] * len(each.candidates) for each in self.decisions}

    def step(self, phase: str, train: Batch, validation: Batch) -> StepReport:
        """One step of the weights; in the phase ARCHITECTURE there is nothing to do."""
        if phase == ARCHITECTURE:
            return StepReport()
        if not self.net.training:
            self.net.train()
        path, seen = self.train(train)
        if self.weights.steps % self.settings["snapshot_every"] == 0:
            seen |= self._validated(path, validation)
        return StepReport(**seen, extra={"counts": {label: list(row) for label, row in self.counts.items()}})

    def train(self, batch: Batch) -> tuple[Path, dict[str, Any]]:
        """One update; the last path that was trained, and fields of the StepReport."""
        path = path_of(self.space, uniform_architecture(self.space, self.generator))
        logits = self.net(batch.images, path)  # (b, classes)
        loss = cross_entropy(logits, batch.labels)
        self.count(path)
        return path, {
            "train_loss": loss.detach(),
            "train_accuracy": accuracy(logits, batch.labels),
            "weight_gradient": self.weights.descend(loss),
        }

    def count(self, path: Path) -> None:
        """Add one to every candidate that `path` runs."""
        for label, choice in path.items():
            for at in () if choice is None else (choice,) if isinstance(choice, int) else choice:
                self.counts[label][at] += 1

    @torch.no_grad()
    def _validated(self, path: Path, batch: Batch) -> dict[str, Tensor]:
        with batch_statistics(self.net):
            logits = self.net(batch.images, path)  # (b, classes)
        return {
            "validation_loss": cross_entropy(logits, batch.labels),
            "validation_accuracy": accuracy(logits, batch.labels),
        }

    def probabilities(self) -> dict[str, Tensor]:
        """Those of a uniform draw, from the first step to the last."""
        return uniform_probabilities(self.space, self.decisions)

    def sample(self, count: int) -> list[Architecture]:
        """Uniform ones."""
        return [uniform_architecture(self.space, self.sampler) for _ in range(count)]

    def state(self) -> dict[str, Any]:
        """The optimizer, the counts and both generators."""
        return {
            "weights": self.weights.state(),
            "counts": {label: list(row) for label, row in self.counts.items()},
            "generator": self.generator.get_state(),
            "sampler": self.sampler.get_state(),
        }

    def load(self, state: Mapping[str, Any]) -> None:
        """The inverse of `state`."""
        self.weights.load(state["weights"])
        self.counts = {label: list(row) for label, row in state["counts"].items()}
        self.generator.set_state(state["generator"].cpu())
        self.sampler.set_state(state["sampler"].cpu())
