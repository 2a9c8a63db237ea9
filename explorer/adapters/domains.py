"""Search spaces as tuners meet them: which one a tuner takes, how many points it has, and values put back inside.

A space is NNI's `search_space.json` form: `{name: {"_type": ..., "_value": [...]}}`; an option of a nested choice is an
object with `_name` and parameters of its own.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from explorer.errors import SpecError
from explorer.hyper.reading import read_search_space
from explorer.hyper.tuner_rules import tuner_problems

Space = Mapping[str, Any]


def plain(value: Any) -> Any:
    """The same value as JSON has it: no numpy, no tuples; nothing is shared with the original."""
    if isinstance(value, Mapping):
        return {str(name): plain(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [plain(inner) for inner in value]
    if isinstance(value, np.generic | np.ndarray):
        return plain(value.tolist())
    return copy.deepcopy(value)


def nested(spec: Mapping[str, Any]) -> bool:
    """Whether it is a choice whose options hold parameters of their own (NNI's rule: all are objects with a name)."""
    options = spec["_value"]
    return spec["_type"] == "choice" and all(isinstance(item, dict) and "_name" in item for item in options)


def parameters_of(option: Mapping[str, Any]) -> dict[str, Any]:
    """The space inside one option of a nested choice."""
    return {name: spec for name, spec in option.items() if name != "_name"}


def check(tuner: str, space: Space) -> None:
    """Raises SpecError for what is no search space, and for one that `tuner` cannot take, with the tuners that can."""
    problems = tuner_problems(tuner, read_search_space(space))
    if problems:
        raise SpecError(*problems)


def is_number(value: Any) -> bool:
    """A true number: `True` is none."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def size(space: Space) -> float:
    """How many different assignments there are; infinite as soon as one parameter is continuous or unbounded."""
    return math.prod(_size(spec) for spec in space.values())


def _size(spec: Mapping[str, Any]) -> float:
    kind, values = spec["_type"], spec["_value"]
    if kind == "choice":
        return (
            sum(size(parameters_of(option)) for option in values) if nested(spec) else len(_distinct(values))
        )
    if kind == "randint":
        return math.ceil(values[1]) - math.ceil(values[0])
    if kind in ("quniform", "qloguniform"):
        return len(steps(*values))
    if kind in ("uniform", "loguniform"):
        return 1 if values[0] == values[1] else math.inf
    return math.inf


def _distinct(options: list[Any]) -> list[Any]:
    found: list[Any] = []
    for option in options:
        if not any(option == other and type(option) is type(other) for other in found):
            found.append(option)
    return found


def steps(low: float, high: float, q: float) -> list[float]:
    """Every value of a quniform or qloguniform parameter: NNI rounds to multiples of q and clips to the range."""
    if (high - low) / q > 1e6:
        return [math.inf] * 1_000_000  # as good as infinite; nobody will see them all
    multiples = range(round(low / q), round(high / q) + 1)
    return sorted({min(max(multiple * q, low), high) for multiple in multiples})


def without_points(space: Space) -> dict[str, Any]:
    """The space with each range of a single value as a choice of one: hyperopt and ConfigSpace take no empty ranges."""
    return {name: _without_points(spec) for name, spec in space.items()}


def _without_points(spec: Mapping[str, Any]) -> dict[str, Any]:
    kind, values = spec["_type"], spec["_value"]
    if kind == "choice":
        options = (
            [{"_name": item["_name"], **without_points(parameters_of(item))} for item in values]
            if nested(spec)
            else values
        )
        return {"_type": kind, "_value": list(options)}
    if (kind == "randint" and _size(spec) == 1) or (kind.endswith("uniform") and values[0] == values[1]):
        return {"_type": "choice", "_value": [values[0]]}
    return {"_type": kind, "_value": list(values)}


def fitted(space: Space, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """`parameters` in the space's order, each value inside its domain.

    NNI's own values are inside but for a last digit (exp(log(0.01)) is 0.010000000000000002) and for GP, Metis and PBT,
    which round to whole numbers instead of multiples of q, or reach the excluded end of a randint.
    """
    inside = {name: _fit(spec, parameters[name]) for name, spec in space.items() if name in parameters}
    return inside | {name: value for name, value in parameters.items() if name not in inside}


def _fit(spec: Mapping[str, Any], value: Any) -> Any:
    kind, values = spec["_type"], spec["_value"]
    if kind == "choice":
        if not nested(spec):
            return value
        option = next(option for option in values if option["_name"] == value["_name"])
        return {"_name": value["_name"], **fitted(parameters_of(option), parameters_of(value))}
    if kind == "randint":
        return int(min(max(round(value), math.ceil(values[0])), math.ceil(values[1]) - 1))
    if kind.startswith("q"):
        value = round(value / values[2]) * values[2]
    if kind.endswith("uniform"):
        value = min(max(value, values[0]), values[1])
    return float(value)
