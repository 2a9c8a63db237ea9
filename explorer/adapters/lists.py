"""Tuners that follow a list fixed from the start: GridSearch and Batch. Results do not change what comes next."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from explorer.adapters.base import Exhausted, NniTuner, Order
from explorer.adapters.domains import plain
from explorer.adapters.seeding import Generators


class _Grid(NniTuner):
    """A grid over qnormal or qlognormal ends where doubles do.

    NNI halves the outermost interval for ever; when its end rounds to the distribution's infinite one it raises
    OverflowError. Every value within eight standard deviations was suggested by then.
    """

    _ended = False

    def _draw(self, trial_id: int) -> Mapping[str, Any] | None:
        if self._ended:
            raise Exhausted("The grid holds no further point.")
        try:
            return super()._draw(trial_id)
        except OverflowError:
            self._ended = True
            return self._draw(trial_id)


def grid_search(order: Order) -> NniTuner:
    """NNI's GridSearch: discrete axes in full, continuous ones halved again and again."""
    from nni.algorithms.hpo.gridsearch_tuner import GridSearchTuner

    tuner = GridSearchTuner(order.optimize_mode)
    tuner.update_search_space(order.space)
    return _Grid(tuner, order, Generators(order.seed))


class _Batch(NniTuner):
    """The options of the one parameter are the assignments themselves, so no domain applies to their values."""

    def _shown(self, drawn: object) -> dict[str, object]:
        return plain(drawn)


def batch(order: Order) -> NniTuner:
    """NNI's Batch: each option of the one choice is a whole assignment."""
    from nni.algorithms.hpo.batch_tuner import BatchTuner

    tuner = BatchTuner()
    tuner.update_search_space(order.space)
    return _Batch(tuner, order, Generators(order.seed))
