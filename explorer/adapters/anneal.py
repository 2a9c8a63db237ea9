"""Anneal: NNI's wrapper of hyperopt, with the one method that numpy 2 broke.

NNI replaces a suggestion that was made before by a random one: on a small finite space Anneal is random search.
"""

from __future__ import annotations

from typing import Any

from nni.algorithms.hpo.hyperopt_tuner import HyperoptTuner

from explorer.adapters.base import NniTuner, Order
from explorer.adapters.domains import Space, nested, parameters_of, plain, without_points
from explorer.adapters.seeding import Generators, seeded


class AnnealTuner(HyperoptTuner):
    """NNI 3.0's HyperoptTuner whose suggestions hold plain numbers.

    Its `receive_trial_result` asks `vals[key] == []`; of a numpy number that makes an empty
    array, which has no truth value since numpy 2.2.
    """

    def _get_suggestion(self, random_search: bool = False) -> Any:
        return plain(super()._get_suggestion(random_search))


class Anneal(NniTuner):
    """Data of trials added by hand is indexed here: NNI's `import_data` knows only an older form of nested choice."""

    def _learn(self, parameters: dict[str, Any], value: float | None) -> None:
        if value is None:
            return
        imported = f"added-{len(self._tuner.total_data)}"
        self._tuner.total_data[imported] = indexed(without_points(self._space), parameters)
        self._tuner.receive_trial_result(imported, parameters, float(value))


def indexed(space: Space, parameters: dict[str, Any]) -> dict[str, Any]:
    """Parameters as NNI keeps them for hyperopt: an option as {"_index": its place, "_value": itself}."""
    return {name: _indexed(spec, parameters[name]) for name, spec in space.items()}


def _indexed(spec: Any, value: Any) -> Any:
    if spec["_type"] != "choice":
        return value
    options = spec["_value"]
    if not nested(spec):
        return {"_index": options.index(value), "_value": value}
    place = next(i for i, option in enumerate(options) if option["_name"] == value["_name"])
    inner = indexed(parameters_of(options[place]), value)
    return {"_index": place, "_value": {"_name": value["_name"], **inner}}


def build(order: Order) -> NniTuner:
    """NNI's Anneal, its generator begun from the seed."""
    tuner = AnnealTuner("anneal", order.optimize_mode)
    tuner.update_search_space(without_points(order.space))
    tuner.rval.rstate = seeded(order.seed)
    return Anneal(tuner, order, Generators(order.seed))
