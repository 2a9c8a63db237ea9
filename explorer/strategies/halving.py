"""Successive halving and Hyperband over architectures: many short trainings, and longer ones for the best.

Jamieson & Talwalkar 2016, Non-stochastic best arm identification, AISTATS, arXiv:1502.07943; Li, Jamieson, DeSalvo,
Rostamizadeh & Talwalkar 2018, Hyperband, JMLR 18, Algorithm 1. The resource is epochs, and a training that goes on is
not begun anew. Where we differ: epochs are rounded; when a round is through the next one begins with architectures not
seen yet, until the space is exhausted; one in `eta` goes on, not one in two. A rung waits for all of its results.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from explorer.errors import SpecError
from explorer.strategies.contract import Proposal, Strategy


class Rung(NamedTuple):
    """So many architectures, trained for so many epochs in all."""

    architectures: int
    epochs: int


class Halving(Strategy):
    """phase: brackets so far; generation: the rung, 0 being the shortest trainings."""

    def __init__(
        self, counts: tuple[int, ...], parameters: Mapping[str, Any], rng: np.random.Generator
    ) -> None:
        super().__init__(counts, parameters, rng)
        self._brackets = brackets_of(self.name, self.settings)
        self._at, self._rung = 0, 0
        self._told: list[tuple[float, Proposal]] = []  # of this rung
        self._waiting: list[Proposal] = []  # promoted, best first, to be trained on
        self._fresh = self._room()  # new architectures that this bracket still takes

    @property
    def done(self) -> bool:
        """Once everything was tried and the last bracket is through."""
        return self._exhausted and not (self._fresh or self._waiting or self._running or self._next_count())

    def _bracket(self) -> tuple[Rung, ...]:
        return self._brackets[self._at % len(self._brackets)]

    def _room(self) -> int:
        return min(self._bracket()[0].architectures, self.size - len(self._seen))

    def _next_count(self) -> int:
        """How many of this rung's results go on."""
        if self._rung + 1 == len(self._bracket()) or not self._told:
            return 0
        return min(self._bracket()[self._rung + 1].architectures, len(self._told))

    def _next(self) -> Proposal | None:
        if not (self._fresh or self._waiting):
            if self._running:
                return None
            self._advance()
        more: dict[str, Any] = {"phase": self._at, "generation": self._rung}
        epochs = self._bracket()[self._rung].epochs
        if self._fresh:
            self._fresh -= 1
            return self._propose(self._beginner(), epochs=epochs, **more)
        before = self._waiting.pop(0)
        more |= {"continues": before.number, "parents": (before.number,)}
        return self._propose(before.choices, epochs=epochs, **more)

    def _advance(self) -> None:
        """The rung is through: promote its best, or begin the next bracket."""
        promoted = sorted(self._told, key=lambda told: (-told[0], told[1].number))[: self._next_count()]
        self._told = []
        if promoted:
            self._rung, self._waiting = self._rung + 1, [proposal for _, proposal in promoted]
        else:
            self._at, self._rung = self._at + 1, 0
            self._fresh = self._room()

    def _learn(self, proposal: Proposal, value: float) -> None:
        self._told.append((value, proposal))


class SuccessiveHalving(Halving):
    """The same bracket again and again."""

    name = "successive_halving"


class Hyperband(Halving):
    """Brackets from the most hurried to whole trainings only, and again from the first."""

    name = "hyperband"


def brackets_of(name: str, settings: Mapping[str, Any]) -> tuple[tuple[Rung, ...], ...]:
    """The brackets of a round, each with its rungs; raises SpecError when the epochs do not fit."""
    most, eta = settings["max_epochs"], settings["eta"]
    if most is None:
        raise SpecError("max_epochs is left out; give the epochs of a whole training.")
    if settings["min_epochs"] > most:
        raise SpecError(f"min_epochs is {settings['min_epochs']}; give at most max_epochs, {most}.")
    deepest = 0
    while settings["min_epochs"] * eta ** (deepest + 1) <= most:
        deepest += 1
    if name == SuccessiveHalving.name:
        return (_rungs(settings["architectures"], deepest, most, eta),)
    # Algorithm 1: n = ceil(B / R * eta^s / (s + 1)) with B = (s_max + 1) R
    sizes = [(s, -(-(deepest + 1) * eta**s // (s + 1))) for s in range(deepest, -1, -1)]
    return tuple(_rungs(count, s, most, eta) for s, count in sizes)


def _rungs(count: int, deepest: int, most: int, eta: int) -> tuple[Rung, ...]:
    """Rung i has count / eta^i architectures, and most / eta^(deepest - i) epochs; at least one of each."""
    return tuple(
        Rung(max(1, count // eta**at), max(1, math.floor(most / eta ** (deepest - at) + 0.5)))
        for at in range(deepest + 1)
    )
