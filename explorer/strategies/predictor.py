"""Predictor search: learn from the results to tell good architectures, try the most promising neighbours of the best.

After BANANAS (White, Neiswanger & Savani 2021, arXiv:1910.11858, Algorithm 1): an ensemble's spread is its doubt, the
acquisition is independent Thompson sampling, candidates are changes of the best so far. Where we differ: the ensemble
is one of REGRESSORS or injected (theirs are neural networks); architectures are written as one-hot choices and pairs of
choices, which needs no paths and serves any space; candidates are never what was tried before.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from explorer.strategies.contract import FAILED, Proposal, Strategy
from explorer.strategies.radix import Choices

Floats = npt.NDArray[np.float64]
Predict = Callable[[Floats], Floats]  # (architectures, features) -> (members, architectures)
Regressor = Callable[
    [Floats, Floats, np.random.Generator], Predict
]  # (trained, features), (trained,), randomness
MOST_PAIRS = 4000  # columns; larger spaces are written without pairs
# heavy ones are imported when a search begins, so that this room stays light
REGRESSORS: Mapping[str, str] = {
    "ridge": "explorer.strategies.ridge:ridge_ensemble",
    "forest": "explorer.nas.regressors:forest",
    "gaussian_process": "explorer.nas.regressors:gaussian_process",
}


class PredictorSearch(Strategy):
    """phase: 0 for the first, random ones, 1 afterwards; generation: how often the ensemble was trained."""

    name = "predictor"

    def __init__(
        self,
        counts: tuple[int, ...],
        parameters: Mapping[str, Any],
        rng: np.random.Generator,
        regressor: Regressor | None = None,  # None: the one that the parameters name
    ) -> None:
        super().__init__(counts, parameters, rng)
        self._regressor = regressor or regressor_of(self.settings["regressor"])
        self._known: list[tuple[Proposal, float]] = []
        self._queue: list[tuple[Choices, tuple[int, ...]]] = []
        self._trained = self._told = 0

    def _next(self) -> Proposal | None:
        first = min(self.settings["initial"], self.size)
        if self._asked < first:
            return self._propose(self._beginner())
        if self._told < first:
            return None
        if not self._queue:
            self._fill()
        choices, parents = self._queue.pop(0)
        return self._propose(choices, parents=parents, phase=1, generation=self._trained)

    def _learn(self, proposal: Proposal, value: float) -> None:
        self._told += 1
        if value != FAILED:
            self._known.append((proposal, value))

    def _fill(self) -> None:
        """Train on what is known, queue the most promising of the candidates."""
        candidates = self._candidates()
        self._trained += 1
        scores = self._scores(list(candidates)) if self._known else np.zeros(len(candidates))
        best = np.argsort(-scores, kind="stable")[: self.settings["batch"]]
        listed = list(candidates.items())
        self._queue = [listed[at] for at in best]

    def _candidates(self) -> dict[Choices, tuple[int, ...]]:
        """Untried changes of the best so far, with their parents; uniform draws where these are too few."""
        ranked = sorted(self._known, key=lambda known: (-known[1], known[0].number))[
            : self.settings["parents"]
        ]
        wanted = min(self.settings["candidates"], self.size - len(self._seen))
        found: dict[Choices, tuple[int, ...]] = {}
        for _ in range(4 * wanted if ranked else 0):
            parent = ranked[int(self.rng.integers(len(ranked)))][0]
            child = self._changed(parent.choices)
            if child not in self._seen:
                found.setdefault(child, (parent.number,))
            if len(found) == wanted:
                return found
        while not found or (len(found) < wanted and 2 * len(self._seen) <= self.size):
            found.setdefault(self._unseen(), ())
        return found

    def _changed(self, parent: Choices) -> Choices:
        """Each decision is drawn afresh with a chance of one in their number; at least one is."""
        mask = self.rng.random(len(parent)) < 1 / len(parent)
        mask[self.rng.integers(len(parent))] = True
        drawn = self._any()
        return tuple(new if change else old for old, new, change in zip(parent, drawn, mask, strict=True))

    def _scores(self, candidates: list[Choices]) -> Floats:
        values = np.array([value for _, value in self._known])
        middle, spread = values.mean(), values.std() or 1.0
        trained = one_hot_pairs([proposal.choices for proposal, _ in self._known], self.counts)
        predict = self._regressor(trained, (values - middle) / spread, self.rng)
        predicted = predict(one_hot_pairs(candidates, self.counts))  # (members, candidates)
        mean, doubt = predicted.mean(axis=0), predicted.std(axis=0)
        if self.settings["acquisition"] == "ucb":
            return mean + self.settings["kappa"] * doubt
        return self.rng.normal(mean, doubt)


def regressor_of(name: str) -> Regressor:
    """The ensemble called `name` in REGRESSORS."""
    module, _, attribute = REGRESSORS[name].partition(":")
    found: Regressor = getattr(importlib.import_module(module), attribute)
    return found


def one_hot_pairs(architectures: list[Choices], counts: tuple[int, ...]) -> Floats:
    """One column an option, and one a pair of options of two decisions unless these are too many."""
    rows = np.array(architectures, np.int64)  # (architectures, decisions)
    ends = np.cumsum(counts)
    single = np.zeros((len(rows), ends[-1]))  # (architectures, options)
    single[np.arange(len(rows))[:, None], rows + (ends - counts)] = 1.0
    pairs = [(a, b) for b in range(len(counts)) for a in range(b)]
    if sum(counts[a] * counts[b] for a, b in pairs) > MOST_PAIRS:
        return single
    columns = [single]
    for a, b in pairs:
        both = np.zeros((len(rows), counts[a] * counts[b]))
        both[np.arange(len(rows)), rows[:, a] * counts[b] + rows[:, b]] = 1.0
        columns.append(both)
    return np.concatenate(columns, axis=1)  # (architectures, options + pairs)
