"""TPE and Random: what becomes of a suggestion that was made before.

NNI replaces it by the next point of a grid that begins at the first option of everything. On a finite space TPE soon
repeats itself, so that most of its suggestions then are grid points, from its first corner on: worse than chance.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from explorer.adapters.base import Exhausted, NniTuner, Order
from explorer.adapters.domains import size
from explorer.adapters.seeding import LARGEST_SEED, Generators

DRAWS = 20  # before a repeated assignment stands: TPE's draws resemble each other, more would seldom help


class _AsDrawn:
    """In the place of NNI's Deduplicator: every assignment stands."""

    def __call__(self, parameters: Any) -> Any:
        return parameters

    def add_history(self, parameters: Any) -> None:
        """Nothing is remembered here."""


class Drawing(NniTuner):
    """TPE or Random with duplicates="redraw" (ours), "grid" (NNI's) or "allow".

    redraw: draws until an assignment is new, at most 20 times, then the repeat stands; a finite space whose every point
    was suggested is exhausted.
    """

    def __init__(self, tuner: Any, order: Order, generators: Generators) -> None:
        super().__init__(tuner, order, generators)
        duplicates = order.settings.get("duplicates") or "redraw"
        if duplicates != "grid":
            tuner.dedup = _AsDrawn()
        self._redraws = duplicates == "redraw"
        self._points = size(order.space)
        self._suggested: set[str] = set()
        self._by_hand: set[str] = set()

    def add(self, trial_id: int, parameters: dict[str, Any]) -> None:
        """See Tuner; the assignment is not suggested again if that can be helped."""
        super().add(trial_id, parameters)
        self._by_hand.add(_key(parameters))

    def _draw(self, trial_id: int) -> Mapping[str, Any] | None:
        if not self._redraws:
            return super()._draw(trial_id)
        if len(self._suggested) >= self._points:
            raise Exhausted("Every point of the search space was suggested.")
        for _ in range(DRAWS):
            drawn = self._tuner.generate_parameters(trial_id)
            key = _key(self._shown(drawn))
            if key not in self._suggested and key not in self._by_hand:
                break
            self._tuner.trial_end(trial_id, False)  # TPE takes a running trial for a good one: not this draw
        else:
            drawn = self._tuner.generate_parameters(trial_id)
            key = _key(self._shown(drawn))
        self._suggested.add(key)
        return drawn


def _key(parameters: Mapping[str, Any]) -> str:
    return json.dumps(parameters, sort_keys=True)


def tpe(order: Order) -> NniTuner:
    """NNI's TPE; it has a seed of its own."""
    from nni.algorithms.hpo.tpe_tuner import TpeTuner

    arguments = order.given(
        *(
            "constant_liar_type",
            "n_startup_jobs",
            "n_ei_candidates",
            "linear_forgetting",
            "prior_weight",
            "gamma",
        )
    )
    return _drawing(TpeTuner(order.optimize_mode, order.seed % LARGEST_SEED, arguments), order)


def random(order: Order) -> NniTuner:
    """NNI's Random; it has a seed of its own."""
    from nni.algorithms.hpo.random_tuner import RandomTuner

    return _drawing(RandomTuner(order.seed % LARGEST_SEED, order.optimize_mode), order)


def _drawing(tuner: Any, order: Order) -> NniTuner:
    tuner.update_search_space(order.space)
    return Drawing(tuner, order, Generators(order.seed))
