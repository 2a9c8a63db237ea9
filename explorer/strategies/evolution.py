"""Aging evolution: the best of a sample has a child with one change, and the oldest dies.

Real, Aggarwal, Huang & Le 2019, Regularized evolution for image classifier architecture search, arXiv:1802.01548,
Algorithm 1. As there, the sample is drawn with replacement, and what was trained before may be trained again
(`duplicates="allow"`). Where we differ: a mutation changes one decision, drawn uniformly, to another of its options,
drawn uniformly (no identity mutation). `duplicates="redraw"` mutates until the child is new; after 100 vain tries a
newcomer without parents is drawn from all that were not seen. With several out at once, children are made from the
results so far, and age is the order of results.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from explorer.strategies.contract import Proposal, Strategy
from explorer.strategies.radix import Choices

MUTATIONS = 100  # tries before a child is drawn from everything new


class AgingEvolution(Strategy):
    """phase: 0 for the first population, 1 afterwards; generation: steps from the first population."""

    name = "aging_evolution"

    def __init__(
        self, counts: tuple[int, ...], parameters: Mapping[str, Any], rng: np.random.Generator
    ) -> None:
        super().__init__(counts, parameters, rng)
        self._free = np.array([at for at, count in enumerate(self.counts) if count > 1], np.int64)
        self._population: list[tuple[Proposal, float]] = []  # a ring; the oldest is at told % population_size
        self._told = 0

    @property
    def done(self) -> bool:
        """Only a search without repeats ends."""
        return self._redraws and self._exhausted

    @property
    def _redraws(self) -> bool:
        return self.settings["duplicates"] == "redraw"

    def _next(self) -> Proposal | None:
        full = self.settings["population_size"]
        if self._asked < full:
            return self._propose(self._handed() or (self._unseen() if self._redraws else self._any()))
        if len(self._population) < full:
            return None
        picks = self.rng.integers(0, full, self.settings["sample_size"])
        parent = max((self._population[pick] for pick in picks), key=lambda one: one[1])[0]
        child = self._child(parent.choices)
        if child is None:
            return self._propose(self._unseen(), phase=1)
        return self._propose(child, parents=(parent.number,), phase=1, generation=parent.generation + 1)

    def _learn(self, proposal: Proposal, value: float) -> None:
        if len(self._population) < self.settings["population_size"]:
            self._population.append((proposal, value))
        else:
            self._population[self._told % len(self._population)] = (proposal, value)
        self._told += 1

    def _child(self, parent: Choices) -> Choices | None:
        """One change; None where a new one is wanted and none was found."""
        if not len(self._free):
            return parent
        for _ in range(MUTATIONS):
            at = int(self._free[self.rng.integers(0, len(self._free), 1)[0]])
            step = 1 + int(self.rng.integers(0, [self.counts[at] - 1])[0])
            child = (*parent[:at], (parent[at] + step) % self.counts[at], *parent[at + 1 :])
            if not self._redraws or child not in self._seen:
                return child
        return None
