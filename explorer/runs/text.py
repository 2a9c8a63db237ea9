"""JSON as this package reads and writes it: canonical out, strict and bounded in.

Python's `json` accepts NaN, and meets deep nesting with a RecursionError; files and links come from
strangers, so both are turned into one sentence here. Numbers that are not finite are never written: `plain`
turns them into null and says so.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any, NoReturn

from explorer.errors import CodecError


def dumps(value: Any) -> str:
    """Canonical JSON: sorted keys, no spaces; raises ValueError for numbers that are not finite."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def loads(text: str | bytes, what: str) -> Any:
    """Strict JSON; `what` names the source in the CodecError's sentence."""
    try:
        return json.loads(text, parse_constant=_refuse_constant)
    except RecursionError:
        raise CodecError(f"{what} is nested too deeply to be read.") from None
    except ValueError as error:
        raise CodecError(f"{what} is not valid JSON: {_first_line(error)}.") from None


def plain(value: Any, at: str = "") -> tuple[Any, tuple[str, ...]]:
    """`value` as plain JSON data, and the places of the non-finite numbers that became null.

    Tuples become lists, mappings dicts with text keys; numpy and torch scalars and arrays become numbers and
    lists.

    >>> plain({"value": float("nan"), "metrics": {"loss": 1.5}})
    ({'value': None, 'metrics': {'loss': 1.5}}, ('value',))
    """
    if value is None or isinstance(value, bool | str):
        return value, ()
    if isinstance(value, int):
        return int(value), ()
    if isinstance(value, float):
        return (float(value), ()) if math.isfinite(value) else (None, (at or "value",))
    if isinstance(value, Mapping):
        return _plain_mapping(value, at)
    if isinstance(value, list | tuple | set | frozenset):
        return _plain_sequence(list(value), at)
    if hasattr(value, "tolist"):  # numpy and torch, without importing them
        return plain(value.tolist(), at)
    raise TypeError(
        f"{at or 'the value'} is a {type(value).__name__}; give numbers, texts, lists or mappings."
    )


def _plain_mapping(value: Mapping[Any, Any], at: str) -> tuple[dict[str, Any], tuple[str, ...]]:
    items = {str(key): plain(item, f"{at}.{key}" if at else str(key)) for key, item in value.items()}
    return {key: item for key, (item, _) in items.items()}, tuple(
        lost for _, found in items.values() for lost in found
    )


def _plain_sequence(value: list[Any], at: str) -> tuple[list[Any], tuple[str, ...]]:
    items = [plain(item, f"{at}[{index}]") for index, item in enumerate(value)]
    return [item for item, _ in items], tuple(lost for _, found in items for lost in found)


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a number that JSON knows")


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0].rstrip(".")[:200]
