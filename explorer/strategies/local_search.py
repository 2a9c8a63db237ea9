"""Local search: look at all neighbours, go to the best, begin elsewhere where none is better.

White, Nolen & Savani 2021, Exploring the loss landscape in neural architecture search, arXiv:2005.02960, Algorithm 1,
maximised. Where we differ: an architecture that was evaluated before is known and costs nothing; at a local optimum we
begin again at an architecture not seen yet; equal neighbours are taken in the order of their evaluation.
`improvement="first"` goes on as soon as a result is better (the paper's variant that queries until one is found).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from explorer.errors import SpecError
from explorer.strategies.contract import Proposal, Strategy
from explorer.strategies.radix import Choices, Neighbourhood

MOST_NEIGHBOURS = 100_000


class LocalSearch(Strategy):
    """phase: climbs so far; generation: moves within the climb; parent: where it was standing."""

    name = "local_search"

    def __init__(
        self, counts: tuple[int, ...], parameters: Mapping[str, Any], rng: np.random.Generator
    ) -> None:
        super().__init__(counts, parameters, rng)
        neighbours = sum(count - 1 for count in self.counts)
        if neighbours > MOST_NEIGHBOURS:
            raise SpecError(
                f"Local search looks at every neighbour, and here are {neighbours}; "
                f"take a space with at most {MOST_NEIGHBOURS}, or another strategy."
            )
        self._neighbourhood = Neighbourhood.of(self.counts)
        self._known: dict[Choices, tuple[float, int]] = {}  # value, proposal
        self._here: Choices | None = None  # None: the next ask begins a climb, or its first result is awaited
        self._around: list[Choices] = []  # of `_here`, in the order of evaluation
        self._climbs, self._moves = -1, 0

    def _next(self) -> Proposal | None:
        if self._here is None:
            return None if self._running else self._begin()
        left = next((one for one in self._around if one not in self._seen), None)
        if left is None:
            return None  # what is out decides
        parent = self._known[self._here][1]
        return self._propose(left, parents=(parent,), phase=self._climbs, generation=self._moves + 1)

    def _begin(self) -> Proposal:
        self._climbs, self._moves = self._climbs + 1, 0
        return self._propose(self._beginner(), phase=self._climbs)

    def _learn(self, proposal: Proposal, value: float) -> None:
        self._known[proposal.choices] = (value, proposal.number)
        if self._here is None:
            self._stand(proposal.choices)
        elif self.settings["improvement"] == "first" and value > self._known[self._here][0]:
            self._moves += 1
            self._stand(proposal.choices)
        while self._here is not None and not self._running and all(one in self._seen for one in self._around):
            self._climb()

    def _stand(self, place: Choices) -> None:
        keys = self.rng.random(len(self._neighbourhood))
        near = self._neighbourhood.choices(place)
        self._here, self._around = place, [near[at] for at in np.argsort(keys)]

    def _climb(self) -> None:
        """All neighbours are known: go to the best of them if it is better, else be ready to begin elsewhere."""
        assert self._here is not None
        best = max(self._around, key=lambda one: self._known[one][0], default=self._here)
        if self._known[best][0] > self._known[self._here][0]:
            self._moves += 1
            self._stand(best)
        else:
            self._here = None
