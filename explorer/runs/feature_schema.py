"""What the measurements of a features run may look like; a recorded run is a stranger's file.

What passes can be drawn: lists are as long as the plan's columns only where the reader looks, numbers finite or null.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from explorer.runs.bounds import is_number, is_whole

PLAN, SCORES, ACCURACY, SELECTION, GENERATED = (
    "feature_plan",
    "feature_scores",
    "feature_accuracy",
    "feature_selection",
    "feature_generation",
)

_Fits = Callable[[Any], bool]


def feature_problem(name: str, data: Any) -> bool:
    """Whether the data of a features run's measurement cannot be drawn; other names are not looked into."""
    wanted = _MEASURED.get(name)
    return wanted is not None and not (
        isinstance(data, Mapping) and all(fits(data.get(key)) for key, fits in wanted.items())
    )


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_number_or_null(value: Any) -> bool:
    return value is None or is_number(value)


def _is_flag(value: Any) -> bool:
    return value is None or isinstance(value, bool)


def _list_of(fits: _Fits) -> _Fits:
    return lambda value: isinstance(value, list | tuple) and all(map(fits, value))


def _is_parameters(value: Any) -> bool:
    return value is None or isinstance(value, Mapping)


_OF_A_SELECTOR: Mapping[str, _Fits] = {"selector": _is_text, "resample": is_whole}
_MEASURED: Mapping[str, Mapping[str, _Fits]] = MappingProxyType(
    {
        PLAN: {
            "table": _is_text,
            "task": _is_text,
            "target": _is_text,
            "metric": _is_text,
            "rows": is_whole,
            "resamples": is_whole,
            "columns": _list_of(_is_text),
            "selectors": _list_of(_is_text),
            "counts": _list_of(is_whole),
            "pipeline": _list_of(_is_text),
            "chance": _is_number_or_null,
        },
        SCORES: {
            **_OF_A_SELECTOR,
            "scores": _list_of(_is_number_or_null),
            "ranks": _list_of(is_whole),
            "seconds": _is_number_or_null,
            "tied": _is_flag,
        },
        ACCURACY: {**_OF_A_SELECTOR, "k": is_whole, "value": _is_number_or_null},
        SELECTION: {
            "selector": _is_text,
            "k": is_whole,
            "columns": _list_of(_is_text),
            "agreement": _is_number_or_null,
        },
        GENERATED: {
            "parameters": _is_parameters,
            "columns": _list_of(_is_text),
            **dict.fromkeys(("search", "search_without", "kept", "kept_without"), _is_number_or_null),
        },
    }
)
