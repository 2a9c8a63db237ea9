"""The two that learn nothing: random search, the baseline that every other must beat, and the order of the space."""

from __future__ import annotations

from explorer.strategies.contract import Proposal, Strategy
from explorer.strategies.radix import choices_at


class RandomSearch(Strategy):
    """Uniform without replacement (Li & Talwalkar 2019, arXiv:1902.07638, draw with replacement)."""

    name = "random"

    def _next(self) -> Proposal:
        return self._propose(self._beginner())

    def _learn(self, proposal: Proposal, value: float) -> None:
        """Nothing."""


class GridSearch(Strategy):
    """Every architecture once, in the order of the space: the first decision changes fastest. Draws nothing."""

    name = "grid"

    def _next(self) -> Proposal:
        return self._propose(choices_at(self._asked, self.counts))

    def _learn(self, proposal: Proposal, value: float) -> None:
        """Nothing."""
