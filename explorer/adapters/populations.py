"""Evolution and PBT: a population lives inside NNI's tuner, and nothing can be suggested while all of it runs."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import numpy as np

from explorer.adapters.base import NniTuner, Order
from explorer.adapters.coding import Coded
from explorer.adapters.seeding import Generators, derived, swapped
from explorer.errors import SpecError


class _Population(NniTuner):
    """NNI's populations begin generators without a seed; ours are derived from the tuner's own."""

    def _surroundings(self) -> AbstractContextManager[Any]:
        return swapped(np.random, RandomState=derived)

    def _learn(self, parameters: dict[str, Any], value: float | None) -> None:
        """A population has no place for a trial that it did not make."""


class Evolution(_Population):
    """NNI's Evolution, asked only when an individual is free.

    Asked in between, it would hand out a later trial's parameters by a callback; we ask again instead.
    """

    def _draw(self, trial_id: int) -> Mapping[str, Any] | None:
        if self._tuner.num_running_trials >= self._tuner.population_size:
            return None
        (drawn,) = self._tuner.generate_multiple_parameters([trial_id], st_callback=None)
        return drawn


class PopulationBasedTraining(_Population):
    """NNI's PBT, asked only when a member of this generation has not started.

    Choices go in as their indices: NNI draws from them with numpy, which turns ["relu", 3] into texts and cannot draw
    from lists. Parameters carry `load_checkpoint_dir` and `save_checkpoint_dir`: the trial continues from what is there
    (nothing in the first generation, or after a failure) and leaves its weights there.
    """

    def __init__(self, tuner: Any, order: Order, generators: Generators, coded: Coded) -> None:
        super().__init__(tuner, order, generators)
        self._coded = coded

    def _draw(self, trial_id: int) -> Mapping[str, Any] | None:
        if self._tuner.pos >= self._tuner.population_size - 1:
            return None
        return self._tuner.generate_parameters(trial_id)

    def _shown(self, drawn: Mapping[str, Any]) -> dict[str, Any]:
        return super()._shown(self._coded.decode(drawn))


def evolution(order: Order) -> NniTuner:
    """NNI's Evolution with its population drawn from the seed."""
    from nni.algorithms.hpo.evolution_tuner import EvolutionTuner

    tuner = EvolutionTuner(order.optimize_mode, **order.given("population_size"))
    generators = Generators(order.seed)
    with _begun(generators):
        tuner.update_search_space(order.space)
    return Evolution(tuner, order, generators)


def pbt(order: Order) -> NniTuner:
    """NNI's PBT with checkpoints under the run's folder; raises SpecError when there is none."""
    from nni.algorithms.hpo.pbt_tuner import PBTTuner

    if order.folder is None:
        raise SpecError("Tuner 'PBT' hands weights from trial to trial and needs a folder for them.")
    given = order.given("population_size", "factor", "resample_probability", "fraction")
    tuner = PBTTuner(order.optimize_mode, os.fspath(order.folder), **given)
    generators, coded = Generators(order.seed), Coded(order.space)
    with _begun(generators):
        tuner.update_search_space(coded.space)
    return PopulationBasedTraining(tuner, order, generators, coded)


@contextmanager
def _begun(generators: Generators) -> Iterator[None]:
    with generators.own(), swapped(np.random, RandomState=derived):
        yield
