"""What a strategy is: ask for the next architecture, tell what came of it; and what all strategies share.

An architecture is its choices: per decision the number of the option, `space.mutables[d].option(choices[d])`. A higher
value is better. The state is a pure fold: the same asks and tells in the same order give the same strategy again, so a
lost run is taken up by repeating its story. An `ask` that gives None changes nothing and need not be repeated.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from explorer.catalogue import STRATEGIES
from explorer.errors import Conflict, SpaceError, SpecError
from explorer.strategies.radix import Choices, choices_at, place_of

FAILED = -math.inf  # the value of a trial that failed: worse than every other, and no lesson for a model


@dataclass(frozen=True)
class Proposal:
    """One training to do.

    `epochs` are those to have been trained in all, None for a whole training; `continues` is the proposal whose
    training goes on. `parents` are the proposals that it was made from. What `phase` and `generation` count is said
    by the catalogue's facts of the same names.
    """

    number: int
    choices: Choices
    epochs: int | None = None
    continues: int | None = None
    parents: tuple[int, ...] = ()
    phase: int = 0
    generation: int = 0


class Strategy(ABC):
    """A search in progress. Several proposals may be out at once; results may come in any order.

    Raises SpaceError where there is nothing to choose from, SpecError with every problem of `parameters`.
    """

    name: ClassVar[str]
    sees_space: ClassVar[bool] = False  # whether the constructor takes a SearchSpace behind `rng`

    def __init__(
        self, counts: tuple[int, ...], parameters: Mapping[str, Any], rng: np.random.Generator
    ) -> None:
        self.counts = checked_counts(counts)
        self.settings = STRATEGIES.find(self.name).settings(parameters)
        self.rng = rng
        self.size = math.prod(self.counts)
        self._running: dict[int, Proposal] = {}
        self._asked = 0
        self._seen: set[Choices] = set()
        self._given: list[Choices] = []

    @property
    def done(self) -> bool:
        """Whether no ask will ever give a proposal again, whatever is told."""
        return self._exhausted

    def give(self, first: Iterable[Choices]) -> None:
        """A warm start: propose these where the strategy would begin by random draws, in this order.

        Only before the first ask, which is part of the story that repeats. Raises Conflict afterwards, SpecError where
        the strategy draws nothing at random to begin with, SpaceError for what is none of the space.
        """
        if not STRATEGIES[self.name].facts["warm"]:
            raise SpecError(
                f"{STRATEGIES[self.name].label} has no first draws that a warm start could replace."
            )
        if self._asked:
            raise Conflict("This strategy was asked already; give a warm start before the first ask.")
        for choices in dict.fromkeys(map(tuple, first)):
            is_inside = len(choices) == len(self.counts) and all(
                0 <= choice < count for choice, count in zip(choices, self.counts, strict=True)
            )
            if not is_inside:
                raise SpaceError(f"{choices} is no architecture of a space with {self.counts} options.")
            self._given.append(choices)

    def ask(self) -> Proposal | None:
        """The next training; None when results have to come in first, or for good when `done`."""
        return None if self.done else self._next()

    def tell(self, proposal: Proposal, value: float) -> None:
        """Hand in the value of a proposal that is out, FAILED if it failed."""
        if proposal.number not in self._running:
            raise Conflict(f"Proposal {proposal.number} is not out; tell each proposal's value once.")
        if not value < math.inf:
            raise SpecError(
                f"The value of proposal {proposal.number} is {value}; give a number below infinity."
            )
        self._learn(self._running.pop(proposal.number), float(value))

    @abstractmethod
    def _next(self) -> Proposal | None:
        """What `ask` gives while not done; must not draw or change anything when it gives None."""

    @abstractmethod
    def _learn(self, proposal: Proposal, value: float) -> None:
        """Take up a value."""

    # -- for the strategies themselves ----------------------------------------------------------------------------

    @property
    def _exhausted(self) -> bool:
        return len(self._seen) == self.size

    def _propose(self, choices: Choices, **more: Any) -> Proposal:
        """The proposal with the next number, out from now on."""
        proposal = Proposal(self._asked, choices, **more)
        self._asked += 1
        self._seen.add(choices)
        self._running[proposal.number] = proposal
        return proposal

    def _any(self) -> Choices:
        """Uniform over the space."""
        drawn: list[int] = self.rng.integers(0, self.counts).tolist()
        return tuple(drawn)

    def _beginner(self) -> Choices:
        """What was given and never proposed, else uniform over what was never proposed."""
        given = self._handed()
        return self._unseen() if given is None else given

    def _handed(self) -> Choices | None:
        """The next that was given and never proposed."""
        while self._given:
            if (choices := self._given.pop(0)) not in self._seen:
                return choices
        return None

    def _unseen(self) -> Choices:
        """Uniform over what was never proposed; drawn from a list once more than half was."""
        if 2 * len(self._seen) <= self.size:
            while (drawn := self._any()) in self._seen:
                pass
            return drawn
        left = np.ones(self.size, bool)
        left[[place_of(choices, self.counts) for choices in self._seen]] = False
        pick = self.rng.integers(0, [self.size - len(self._seen)])[0]
        return choices_at(int(np.flatnonzero(left)[pick]), self.counts)


def checked_counts(counts: tuple[int, ...]) -> tuple[int, ...]:
    """Numbers of options, one a decision, as they are; raises SpaceError when one of them leaves nothing to take."""
    counts = tuple(int(count) for count in counts)
    if not counts or min(counts) < 1:
        raise SpaceError(
            f"The numbers of options are {counts}; give at least one decision, each with an option."
        )
    return counts
