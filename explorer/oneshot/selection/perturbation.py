"""Selection by perturbation: an operation is worth what the supernet loses without it (DARTS-PT).

Wang et al. 2021, Rethinking architecture selection in differentiable NAS, algorithm 1, arXiv:2108.04392: alphas need
not tell how strong an operation is, so each decision in turn, in a random order, goes to the candidate whose removal
lowers the validation accuracy most, and the weights learn on for a while before the next. In a DARTS cell every edge
gets its operation first; then, node by node, the two edges stay whose removal hurts most.

As in the authors' code (ruocwang/darts-pt, sota/cnn/projection.py) what is left of a row is not brought back to a sum
of 1, the first of equal candidates wins, and of equal edges the earlier sources stay. `none` gives nothing, so taking
it out changes nothing: it wins where every other candidate does harm, except in a DARTS cell, whose derived edges are
never none. For the same reason a switch is on only where the supernet is worse without it.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import torch
from torch import Tensor

from explorer.errors import SpecError
from explorer.nets.supernet.mixing import Gate, Mix, Mixture
from explorer.oneshot.measures import accuracies_without
from explorer.oneshot.selection.context import SelectionContext
from explorer.space import Architecture, DartsSpace, Decision, architecture_of
from explorer.space.darts import INPUTS

Progress = Generator[dict[str, Any], None, Architecture]
NOTHING = 1e-4  # how far a row's sum may be from 1 and still be one of probabilities


def select(context: SelectionContext) -> Progress:
    """Settle every decision by perturbation; `tune_epochs` of learning follow each.

    Yields {"evaluated": mixtures so far, "best": accuracy of the supernet as settled so far} after every evaluation.
    Raises SpecError for a method without a mixture.
    """
    return (yield from _Selection(context).run())


class _Selection:
    """What is settled so far: a path, and what the supernet is given for it."""

    def __init__(self, context: SelectionContext) -> None:
        if context.method.mixture() is None:
            raise SpecError(
                "Perturbation takes candidates out of a mixture, and this method only trains single paths; "
                "pick sample, evolution or random as its selection."
            )
        self.context = context
        self.path: dict[str, int | tuple[int, ...] | None] = {}
        self.settled: dict[str, Mix] = {}
        self.evaluated = 0
        self.base = 0.0

    def run(self) -> Progress:
        space, rng = self.context.space, self.context.rng
        made = list(self.context.net.decisions)
        for decision in rng.sample(made, len(made)):
            yield from self._decide(decision)
        if isinstance(space, DartsSpace):
            nodes = list(dict.fromkeys(each.group for each in made))
            for node in rng.sample(nodes, len(nodes)):
                yield from self._keep_inputs([each for each in made if each.group == node])
        return architecture_of(space, self.path)

    @property
    def mixture(self) -> dict[str, Mix]:
        """The method's own, with what is settled in its place."""
        return {**(self.context.method.mixture() or {}), **self.settled}

    def _score(self, mixture: Mixture) -> float:
        self.evaluated += 1
        return self.context.mixture_score(mixture)

    def _told(self) -> dict[str, Any]:
        return {"evaluated": self.evaluated, "best": self.base}

    def _decide(self, decision: Decision) -> Generator[dict[str, Any], None, None]:
        """Give one decision to the candidate, or the candidates, that the supernet misses most."""
        mixture = self.mixture
        self.base = self._score(mixture)
        missed = []
        for accuracy in accuracies_without(decision, mixture, self._score, self.base):
            missed.append(accuracy)
            yield self._told()
        is_darts = isinstance(self.context.space, DartsSpace)
        held = [at for at in range(len(missed)) if not (is_darts and at in decision.nones)]
        ranked = sorted(held, key=missed.__getitem__)
        if decision.kind == "inputs":
            self.path[decision.label] = tuple(sorted(ranked[: decision.chosen]))
            self.settled[decision.label] = self.path[decision.label]
        else:
            self.path[decision.label] = ranked[0]
            self.settled[decision.label] = alone(mixture[decision.label], ranked[0])
        self._tune()

    def _keep_inputs(self, edges: list[Decision]) -> Generator[dict[str, Any], None, None]:
        """Keep the two edges into a node that the supernet misses most; the others are cut."""
        if len(edges) <= INPUTS:
            return
        mixture = self.mixture
        self.base = self._score(mixture)
        missed: dict[str, float] = {}
        for edge in edges:
            missed[edge.label] = self._score({**mixture, edge.label: None})
            yield self._told()
        for label in sorted(missed, key=missed.__getitem__)[INPUTS:]:
            self.path[label] = self.settled[label] = None
        self._tune()

    def _tune(self) -> None:
        epochs = self.context.settings["tune_epochs"]
        if epochs:
            self.context.tune(epochs, self.settled)


def alone(mix: Mix, at: int) -> Mix:
    """Only that candidate runs, with all that the row weighs: with 1, unless edges have weights of their own."""
    if not isinstance(mix, Tensor) or abs(float(mix.sum()) - 1) < NOTHING:
        return at
    weights = torch.zeros_like(mix)
    weights[at] = mix.sum()
    return Gate((at,), weights)
