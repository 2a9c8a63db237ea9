"""What a snapshot of a one-shot search, and the measures beside it, may look like; a recorded run is a stranger's file.

What passes here can be drawn: rows of probabilities are rows, numbers are finite or null, what was derived is a
mapping. Whether labels and candidates are those of the run's space is the reader's question: charts leave out what they
do not know.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from explorer.runs.bounds import excess, is_number, is_whole

MOST_VALUES = 20_000
"""Numbers in one snapshot: a DARTS cell with 7 nodes has 70 edges of 8 candidates, twice."""

_SCALARS = (
    "epoch",
    "skip_share",
    "none_share",
    "train_loss",
    "train_accuracy",
    "validation_loss",
    "validation_accuracy",
    "weight_gradient",
    "alpha_gradient",
    "temperature",
    "learning_rate",
    "seconds",
    "baseline",
    "reward",
    "policy_entropy",
    "first_term",
    "second_term",
    "cosine",
)


def snapshot_problem(data: Mapping[str, Any]) -> str | None:
    """What is wrong with an architecture_snapshot beyond the keys that it must have, as the end of a sentence."""
    too_much = excess(data, MOST_VALUES)
    if too_much:
        return too_much
    if not _is_table(data["probabilities"], _is_share):
        return f"impossible probabilities: {data['probabilities']!r:.60}; give label -> candidate -> 0 to 1"
    if not _is_table(data.get("alphas", {}), is_number):
        return f"impossible alphas: {data['alphas']!r:.60}; give label -> candidate -> a number"
    for name in ("entropy", "margins"):
        if not _is_row(data.get(name, {}), _is_number_or_null):
            return f"an impossible {name}: {data[name]!r:.60}; give label -> a number"
    if not _is_architecture(data.get("derived", {})):
        return f"an impossible derived: {data['derived']!r:.60}; give label -> choice"
    for name in _SCALARS:
        if not _is_number_or_null(data.get(name)):
            return f"an impossible {name}: {data[name]!r:.60}; give a number or null"
    sampled = data.get("sampled", [])
    if not isinstance(sampled, list | tuple) or not all(_is_sample(one) for one in sampled):
        return f"an impossible sampled: {sampled!r:.60}; give a list of architectures with their rewards"
    counts = data.get("counts", {})
    if not isinstance(counts, Mapping) or not all(_is_list(row, is_whole) for row in counts.values()):
        return f"impossible counts: {counts!r:.60}; give label -> a list of whole numbers"
    return None


def measured_problem(name: str, data: Any) -> bool:
    """Whether the data of a one-shot measurement cannot be drawn; other names are not looked into."""
    wanted = _MEASURED.get(name)
    return wanted is not None and not (isinstance(data, Mapping) and wanted(data))


def _is_table(value: Any, fits: Callable[[Any], bool]) -> bool:
    return isinstance(value, Mapping) and all(_is_row(row, fits) for row in value.values())


def _is_row(value: Any, fits: Callable[[Any], bool]) -> bool:
    return isinstance(value, Mapping) and all(map(fits, value.values()))


def _is_list(value: Any, fits: Callable[[Any], bool]) -> bool:
    return isinstance(value, list | tuple) and all(map(fits, value))


def _is_share(value: Any) -> bool:
    return is_number(value) and -1e-6 <= value <= 1 + 1e-6


def _is_number_or_null(value: Any) -> bool:
    return value is None or is_number(value)


def _is_architecture(value: Any) -> bool:
    return isinstance(value, Mapping) and all(
        isinstance(choice, str | int | float) or _is_list(choice, is_whole) for choice in value.values()
    )


def _is_sample(value: Any) -> bool:
    return (
        isinstance(value, Mapping)
        and isinstance(value.get("architecture"), str)
        and all(_is_number_or_null(number) for name, number in value.items() if name != "architecture")
    )


def _numbers(*names: str) -> Callable[[Mapping[str, Any]], bool]:
    return lambda data: all(_is_number_or_null(data.get(name)) for name in names)


def _is_probe(data: Mapping[str, Any]) -> bool:
    lists = [data.get(name) for name in ("architectures", "inherited", "standalone")]
    return (
        all(isinstance(one, list | tuple) for one in lists)
        and len({len(one) for one in lists if one is not None}) == 1
        and _is_list(lists[0], lambda one: isinstance(one, str))
        and _is_list(lists[1], _is_number_or_null)
        and _is_list(lists[2], _is_number_or_null)
        and _numbers("kendall", "spearman", "known", "seconds")(data)
    )


_MEASURED: Mapping[str, Callable[[Mapping[str, Any]], bool]] = MappingProxyType(
    {
        "checkpoint": lambda data: is_whole(data.get("step")),
        "derived": lambda data: (
            _is_architecture(data.get("architecture"))
            and isinstance(data.get("rule", ""), str)
            and _numbers("inherited_accuracy", "supernet_accuracy", "parameters", "macs", "seconds")(data)
        ),
        "discretization_gap": _numbers("supernet", "derived", "images", "seconds"),
        "hessian_eigenvalue": _numbers("value", "iterations", "images", "seconds"),
        "rank_probe": _is_probe,
        "perturbation": lambda data: (
            _is_table(data.get("drops"), _is_number_or_null) and _numbers("base", "seconds")(data)
        ),
        "alarm": lambda data: isinstance(data.get("sentence"), str) and _numbers("share")(data),
        "guard": lambda data: isinstance(data.get("sentence"), str),
        "selection": lambda data: (
            isinstance(data.get("rule", ""), str) and _numbers("evaluated", "best")(data)
        ),
    }
)
