"""A features run's events read as a story: the plan, ranks and worth of each selector, what agrees.

Arithmetic only, over a RunState; the engine, the charts and the exports all read the same.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from explorer.catalogue import SELECTORS
from explorer.runs.feature_checks import feature_settings, selectors_of
from explorer.runs.feature_schema import ACCURACY, GENERATED, PLAN, SCORES, SELECTION
from explorer.runs.state import RunState


@dataclass(frozen=True)
class FeaturePlan:
    """What is compared on what. `counts` are the numbers of features that are judged; `metric` is accuracy or R2."""

    table: str
    task: str
    target: str
    metric: str
    rows: int
    resamples: int
    columns: tuple[str, ...]
    selectors: tuple[str, ...]
    counts: tuple[int, ...]
    pipeline: tuple[str, ...]
    chance: float | None


@dataclass(frozen=True)
class SelectorStory:
    """One selector: resample -> scores and ranks of every column; (k, resample) -> worth; seconds of each resample."""

    name: str
    scores: Mapping[int, tuple[float | None, ...]]
    ranks: Mapping[int, tuple[int, ...]]
    worth: Mapping[tuple[int, int], float]
    seconds: Mapping[int, float]
    tied: frozenset[int]

    @property
    def counts(self) -> tuple[int, ...]:
        """The numbers of features that were judged."""
        return tuple(sorted({count for count, _ in self.worth}))

    def at(self, count: int) -> tuple[float, ...]:
        """The worth of `count` features in each resample."""
        return tuple(value for (k, _), value in sorted(self.worth.items()) if k == count)

    def mean_ranks(self) -> tuple[float, ...]:
        """Each column's rank, averaged over the resamples (Saeys, Abeel & Van de Peer 2008, ECML PKDD: ensembles of
        selectors by the mean rank).
        """
        rows = list(self.ranks.values())
        return tuple(sum(column) / len(rows) for column in zip(*rows, strict=True))

    def best_columns(self, count: int) -> tuple[int, ...]:
        """The `count` columns with the best mean rank, the best first."""
        means = self.mean_ranks()
        return tuple(sorted(range(len(means)), key=lambda column: (means[column], column))[:count])

    def stability(self, count: int) -> float | None:
        """Mean agreement of the best `count` columns over all pairs of resamples; None where there is nothing to
        compare.
        """
        tops = [_top(ranks, count) for ranks in self.ranks.values()]
        return mean_agreement(tops, len(next(iter(self.ranks.values()), ())))

    def advised(self) -> int | None:
        """The smallest number of features whose mean is within one standard error of the best (Breiman, Friedman,
        Olshen & Stone 1984, Classification and Regression Trees, section 3.4.3).
        """
        told = [(count, *mean_and_error(self.at(count))) for count in self.counts]
        if not told:
            return None
        _, best, error = max(told, key=lambda one: (one[1], -one[0]))
        return next(count for count, mean, _ in told if mean >= best - error)


def plan_of(state: RunState) -> FeaturePlan | None:
    """The newest plan; None before it was told."""
    data = _last(state, PLAN)
    if data is None:
        return None
    lists: dict[str, Any] = {
        name: tuple(data[name]) for name in ("columns", "selectors", "counts", "pipeline")
    }
    plain = {name: data[name] for name in ("table", "task", "target", "metric", "rows", "resamples")}
    return FeaturePlan(**plain, **lists, chance=data.get("chance"))


def stories(state: RunState) -> tuple[SelectorStory, ...]:
    """Every selector of the plan that has at least one resample, in the plan's order."""
    plan = plan_of(state)
    if plan is None:
        return ()
    found = [_story(name, state, len(plan.columns)) for name in plan.selectors]
    return tuple(story for story in found if story.ranks)


def done_pairs(state: RunState) -> frozenset[tuple[str, int]]:
    """(selector, resample) that are complete: the scores are told after what they are worth."""
    return frozenset((data["selector"], data["resample"]) for data in _all(state, SCORES))


def selections(state: RunState) -> tuple[Mapping[str, Any], ...]:
    """The newest feature_selection of each selector."""
    return tuple({data["selector"]: data for data in _all(state, SELECTION)}.values())


def generation(state: RunState) -> Mapping[str, Any] | None:
    """What the search for new columns came to; None without one, or before its end."""
    return _last(state, GENERATED)


def generation_sentence(made: Mapping[str, Any], metric: str) -> str:
    """What the search for new columns came to, in one sentence."""
    if made["parameters"] is None:
        return f"No set of new columns was better than none ({metric} {_number(made['search_without'])} in the search)."
    return (
        f"New columns: {', '.join(made['columns'])}. On rows that the search never saw {metric} is "
        f"{_number(made['kept'])} "
        f"with them, {_number(made['kept_without'])} without."
    )


def missing_of_features(state: RunState) -> int:
    """How much is still to be done: each trial of a search, its end, each selector on each resample, the selections."""
    spec = state.spec
    pairs = len(selectors_of(spec)) * feature_settings(spec)["resamples"]
    tried = sum(trial.status in ("succeeded", "failed") for trial in state.trials.values())
    search = spec.planned_trials - tried + 1 if spec.planned_trials and generation(state) is None else 0
    advice = int(
        any(SELECTORS[name].facts["needs_target"] for name in selectors_of(spec)) and not selections(state)
    )
    return search + pairs - len(done_pairs(state)) + advice


def agreement(one: Iterable[Any], other: Iterable[Any], of: int) -> float | None:
    """How much two sets of one size overlap beyond chance, -1 to 1: Kuncheva's consistency index (2007, AIAP, A
    stability index for feature selection). None where every set of this size is the same.

    >>> agreement({1, 2}, {2, 3}, 4)
    0.0
    """
    first, second = set(one), set(other)
    size = len(first)
    if size != len(second) or not 0 < size < of:
        return None
    return (len(first & second) * of - size**2) / (size * (of - size))


def mean_agreement(sets: Sequence[Iterable[Any]], of: int) -> float | None:
    """The mean over all pairs; None with fewer than two sets, or where `agreement` says nothing."""
    found = [agreement(one, other, of) for one, other in combinations(sets, 2)]
    known = [value for value in found if value is not None]
    return sum(known) / len(known) if known else None


def mean_and_error(values: Sequence[float]) -> tuple[float, float]:
    """The mean and its standard error (0 with one value; resamples share rows, so the error is rather too small)."""
    mean = sum(values) / len(values)
    if len(values) < 2:
        return mean, 0.0
    variance = sum((value - mean) ** 2 for value in values) / (len(values) - 1)
    return mean, math.sqrt(variance / len(values))


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.4f}"


def _top(ranks: Sequence[int], count: int) -> set[int]:
    return {column for column, rank in enumerate(ranks) if rank <= count}


def _story(name: str, state: RunState, columns: int) -> SelectorStory:
    told = [
        data
        for data in _all(state, SCORES)
        if data["selector"] == name and len(data["ranks"]) == len(data["scores"]) == columns
    ]
    known = {data["resample"] for data in told}
    return SelectorStory(
        name,
        {data["resample"]: tuple(data["scores"]) for data in told},
        {data["resample"]: tuple(data["ranks"]) for data in told},
        {
            (data["k"], data["resample"]): float(data["value"])
            for data in _all(state, ACCURACY)
            if data["selector"] == name and data["resample"] in known and data["value"] is not None
        },
        {data["resample"]: float(data["seconds"]) for data in told if data.get("seconds") is not None},
        frozenset(data["resample"] for data in told if data.get("tied")),
    )


def _all(state: RunState, name: str) -> list[Mapping[str, Any]]:
    return [each["data"] for each in state.measurements if each["name"] == name]


def _last(state: RunState, name: str) -> Mapping[str, Any] | None:
    found = _all(state, name)
    return found[-1] if found else None
