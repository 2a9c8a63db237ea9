"""What the data of an `assessment` must look like, by the assessor that it names: one check for whoever reads it later.

The lens, the charts and the exports take an assessment's keys as they are, so that a file which passes here can be
shown. An assessor unknown here (of a newer version, or none named) is taken with its decision only.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from explorer.hyper.assessor_rules import CURVEFITTING, MEDIANSTOP
from explorer.hyper.curve_families import CURVE_PARAMETERS
from explorer.runs.bounds import is_number, is_whole

DECISIONS = ("good", "bad", "wait")
MAX_HISTORY = 10_000
"""As many results as a trial may have; runs recorded before histories were cut carry them whole."""

MAX_AVERAGES = 1_000
Check = Callable[[Any], bool]


def assessment_problem(data: Mapping[str, Any]) -> str | None:
    """What is wrong with an assessment (whose trial_id, step and decision are there), or None."""
    if data["decision"] not in DECISIONS:
        return f"the decision {data['decision']!r:.60}; known: {', '.join(DECISIONS)}"
    name = data.get("assessor")
    if name is not None and not isinstance(name, str):
        return f"the assessor {name!r:.60}; give its name"
    required = _REQUIRED.get(name or "")
    if required is None:
        return None
    missing = [key for key in required if key not in data]
    if missing:
        return f"no {', '.join(missing)}, which {name} records"
    checks = {**required, **_OPTIONAL}
    wrong = next((key for key, fits in checks.items() if key in data and not fits(data[key])), None)
    return None if wrong is None else f"an impossible {wrong}: {data[wrong]!r:.100}"


def _is_flag(value: Any) -> bool:
    return isinstance(value, bool)


def _is_value(value: Any) -> bool:
    """A number, or null where there was none."""
    return value is None or is_number(value)


def _are_values(value: Any, most: int = MAX_HISTORY) -> bool:
    return isinstance(value, list | tuple) and len(value) <= most and all(map(_is_value, value))


def _are_averages(value: Any) -> bool:
    return isinstance(value, list | tuple) and len(value) <= MAX_AVERAGES and all(map(is_number, value))


def _is_step(value: Any) -> bool:
    return is_whole(value, 1)


def _are_models(value: Any) -> bool:
    return isinstance(value, Mapping) and all(
        name in CURVE_PARAMETERS and _is_model(model, len(CURVE_PARAMETERS[name]))
        for name, model in value.items()
    )


def _is_model(model: Any, count: int) -> bool:
    """A fitted curve: one that was dropped has its reason, one that was used its parameters and its weight."""
    if not isinstance(model, Mapping) or not _is_value(model.get("prediction")):
        return False
    parameters = model.get("parameters")
    if "dropped" in model:
        return isinstance(model["dropped"], str) and (parameters is None or _are_values(parameters))
    return (
        is_number(model.get("weight"))
        and isinstance(parameters, list | tuple)
        and len(parameters) == count
        and _are_values(parameters)
    )


# assessor -> key -> what its value must be; the lens reads each of them
_REQUIRED: Mapping[str, Mapping[str, Check]] = MappingProxyType(
    {
        CURVEFITTING: {
            "acts": _is_flag,
            "history": _are_values,
            "best_completed": _is_value,
            "completed": is_whole,
            "target": _is_step,
            "prediction": _is_value,
            "threshold": is_number,
            "line": _is_value,
            "models": _are_models,
        },
        MEDIANSTOP: {
            "acts": _is_flag,
            "history": _are_values,
            "best_so_far": _is_value,
            "averages": _are_averages,
            "completed": is_whole,
            "median": _is_value,
        },
    }
)
_OPTIONAL: Mapping[str, Check] = MappingProxyType(
    {
        "completed_all": is_whole,
        "history_from": _is_step,
        "gap_at": _is_step,
        "milliseconds": lambda value: is_number(value) and value >= 0,
        "problem": lambda value: value is None or isinstance(value, str),
    }
)
