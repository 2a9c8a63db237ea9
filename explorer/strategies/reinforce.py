"""REINFORCE with the plainest policy: one softmax a decision, each independent of the others.

Williams 1992, Simple statistical gradient-following algorithms, Machine Learning 8, section 4, with the reinforcement
baseline of section 6 (an exponential average that includes the newest reward, as NAS-Bench-201's REINFORCE, arXiv:
2001.00326). Where we differ from both: plain gradient steps, no Adam; a result that comes late moves the policy of
now. The policy may propose what it proposed before, and does more and more as it makes up its mind.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from explorer.strategies.contract import FAILED, Proposal, Strategy


class Reinforce(Strategy):
    """generation: how many results the policy had learned from. It never ends by itself."""

    name = "reinforce"

    def __init__(
        self, counts: tuple[int, ...], parameters: Mapping[str, Any], rng: np.random.Generator
    ) -> None:
        super().__init__(counts, parameters, rng)
        self._logits = [np.zeros(count) for count in self.counts]
        self._baseline: float | None = None
        self._learned = 0

    @property
    def done(self) -> bool:
        """Never: the policy may always draw again."""
        return False

    def probabilities(self) -> list[npt.NDArray[np.float64]]:
        """Per decision the chance of each option."""
        shifted = [np.exp(row - row.max()) for row in self._logits]
        return [row / row.sum() for row in shifted]

    def _next(self) -> Proposal:
        choices = tuple(int(self.rng.choice(len(row), p=row)) for row in self.probabilities())
        return self._propose(choices, generation=self._learned)

    def _learn(self, proposal: Proposal, value: float) -> None:
        if value == FAILED:
            return
        keep = self.settings["baseline_decay"]
        self._baseline = value if self._baseline is None else keep * self._baseline + (1 - keep) * value
        step = self.settings["learning_rate"] * (value - self._baseline)
        for row, chances, choice in zip(self._logits, self.probabilities(), proposal.choices, strict=True):
            row -= step * chances
            row[choice] += step
        self._learned += 1
