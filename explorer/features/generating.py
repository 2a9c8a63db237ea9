"""New columns as a search space: counts, target means, crosses, aggregates, histograms, distinct values a group.

The operators are those of NNI's feature engineering example. Everything is learned from training rows and looked up for
others; the target mean of a training row never uses that row's own target (out of fold: Micci-Barreca 2001, A
preprocessing scheme for high-cardinality categorical attributes, SIGKDD Explorations 3; Prokhorenkova et al. 2018,
CatBoost, arXiv:1706.09516, section 3.2, shows what the leak does). A tuner chooses which columns go into them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.model_selection import KFold

from explorer.features.preparing import NOTHING

OFF = "(none)"
MOST_COLUMNS = 40
CROSSES = ("product", "ratio", "difference", "sum", "together")
AGGREGATES = ("mean", "median", "min", "max", "std")
_FOLDS = 5
_PRIOR_ROWS = 10.0  # how many rows the overall mean counts in a group's mean
_MOST_CLASSES = 10


def search_space(frame: pd.DataFrame) -> dict[str, Any]:
    """NNI's search_space.json over the first MOST_COLUMNS columns: per operator off, or what goes into it."""
    every = list(frame.columns)[:MOST_COLUMNS]
    numbers = [name for name in every if pd.api.types.is_numeric_dtype(frame[name].dtype)]
    space: dict[str, Any] = {
        "count_of": _choice([OFF, *every]),
        "target_of": _choice([OFF, *every]),
        "histogram": _choice([OFF, "on"]),
        "histogram_of": _choice(every),
        "histogram_by": _choice(every),
        "unique": _choice([OFF, "on"]),
        "unique_of": _choice(every),
        "unique_by": _choice(every),
        "bins": {"_type": "randint", "_value": [2, 13]},
    }
    if numbers:
        space |= {
            "aggregate": _choice([OFF, *AGGREGATES]),
            "aggregate_of": _choice(numbers),
            "aggregate_by": _choice(every),
        }
    if len(numbers) > 1:
        space |= {
            "cross": _choice([OFF, *CROSSES]),
            "cross_left": _choice(numbers),
            "cross_right": _choice(numbers),
        }
    return space


def _choice(options: list[str]) -> dict[str, Any]:
    return {"_type": "choice", "_value": options}


def names_of(parameters: Mapping[str, Any], classes: int = 0) -> tuple[str, ...]:
    """What `Generator` calls the columns that these parameters make; `classes` is 0 for a target of numbers."""
    return tuple(name for part in _parts(parameters) for name in part.names(classes))


@dataclass
class Generator:
    """The columns of one assignment of `search_space`. `seed` cuts the folds of the target means."""

    parameters: Mapping[str, Any]
    classes: int
    seed: int
    _learned: list[Callable[[pd.DataFrame], NDArray[np.float64]]] = field(default_factory=list, init=False)

    def fit_transform(self, frame: pd.DataFrame, target: NDArray[Any]) -> pd.DataFrame:
        """Learn from training rows and return their new columns, beside the old ones."""
        bins = _Bins(frame, int(self.parameters.get("bins", 5)))
        made = []
        for part in _parts(self.parameters):
            own, lookup = part.learn(frame, target, self.classes, bins, self.seed)
            made.append(own)
            self._learned.append(lookup)
        return self._beside(frame, made)

    def transform(self, frame: pd.DataFrame) -> pd.DataFrame:
        """The same columns for rows that nothing was learned from."""
        return self._beside(frame, [lookup(frame) for lookup in self._learned])

    def _beside(self, frame: pd.DataFrame, made: list[NDArray[np.float64]]) -> pd.DataFrame:
        names = names_of(self.parameters, self.classes)
        if not names:
            return frame
        new = pd.DataFrame(
            np.column_stack(made), columns=list(names), index=frame.index
        )  # (rows, new columns)
        return pd.concat([frame, new], axis=1)


class _Bins:
    """Groups of rows: the values of a category, or a number's range between quantiles of the training rows."""

    def __init__(self, frame: pd.DataFrame, count: int) -> None:
        self._edges = {}
        for name in frame.columns:
            if pd.api.types.is_numeric_dtype(frame[name].dtype):
                known = frame[name].dropna().to_numpy(dtype=np.float64)
                inner = np.linspace(0, 1, count + 1)[1:-1]
                self._edges[name] = np.unique(np.quantile(known, inner)) if len(known) else np.empty(0)

    def of(self, frame: pd.DataFrame, name: str) -> pd.Series[Any]:
        """The group of each row, as text."""
        if name not in self._edges:
            return frame[name].fillna(NOTHING).astype(str)
        values = frame[name].to_numpy(dtype=np.float64)
        codes = np.searchsorted(self._edges[name], values, side="right").astype(str)
        return pd.Series(np.where(np.isnan(values), NOTHING, codes), index=frame.index)


Lookup = Callable[[pd.DataFrame], NDArray[np.float64]]
Learned = tuple[NDArray[np.float64], Lookup]


@dataclass(frozen=True)
class _Count:
    """Share of the training rows that are in this row's group."""

    of: str

    def names(self, classes: int) -> tuple[str, ...]:
        return (f"count of {self.of}",)

    def learn(
        self, frame: pd.DataFrame, target: NDArray[Any], classes: int, bins: _Bins, seed: int
    ) -> Learned:
        return _looked_up(
            frame, lambda rows: bins.of(rows, self.of), lambda groups: groups.value_counts() / len(groups)
        )


@dataclass(frozen=True)
class _Together:
    """Share of the training rows that are in this row's groups of two columns at once."""

    left: str
    right: str

    def names(self, classes: int) -> tuple[str, ...]:
        return (f"count of {self.left} with {self.right}",)

    def learn(
        self, frame: pd.DataFrame, target: NDArray[Any], classes: int, bins: _Bins, seed: int
    ) -> Learned:
        return _looked_up(
            frame,
            lambda rows: _pairs(bins, rows, self.left, self.right),
            lambda groups: groups.value_counts() / len(groups),
        )


@dataclass(frozen=True)
class _Target:
    """Mean target of this row's group, drawn towards the mean of all; for classes, how frequent each one is there."""

    of: str

    def names(self, classes: int) -> tuple[str, ...]:
        if classes <= 2:
            return (f"target mean of {self.of}",)
        return tuple(f"share of class {each} by {self.of}" for each in range(1, min(classes, _MOST_CLASSES)))

    def learn(
        self, frame: pd.DataFrame, target: NDArray[Any], classes: int, bins: _Bins, seed: int
    ) -> Learned:
        groups, wanted = bins.of(frame, self.of), _indicators(target, classes)  # (rows, indicators)
        own = np.empty_like(wanted)
        for others, rows in KFold(_FOLDS, shuffle=True, random_state=seed).split(wanted):
            own[rows] = _means(groups.iloc[others], wanted[others])(groups.iloc[rows])
        all_rows = _means(groups, wanted)
        return own, lambda rows: all_rows(bins.of(rows, self.of))


@dataclass(frozen=True)
class _Cross:
    """Two numbers made into one."""

    how: str
    left: str
    right: str

    def names(self, classes: int) -> tuple[str, ...]:
        sign = {"product": "×", "ratio": "/", "difference": "-", "sum": "+"}[self.how]
        return (f"{self.left} {sign} {self.right}",)

    def learn(
        self, frame: pd.DataFrame, target: NDArray[Any], classes: int, bins: _Bins, seed: int
    ) -> Learned:
        return self._made(frame), self._made

    def _made(self, frame: pd.DataFrame) -> NDArray[np.float64]:
        left, right = (frame[name].to_numpy(dtype=np.float64) for name in (self.left, self.right))
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            made = _ARITHMETIC[self.how](left, right)
        return np.where(np.abs(made) <= 1e100, made, np.nan)[:, None]  # (rows, 1)


_ARITHMETIC: Mapping[str, Callable[[Any, Any], Any]] = {
    "product": np.multiply,
    "ratio": np.divide,
    "difference": np.subtract,
    "sum": np.add,
}


@dataclass(frozen=True)
class _Aggregate:
    """A statistic of a number over the training rows of this row's group."""

    how: str
    of: str
    by: str

    def names(self, classes: int) -> tuple[str, ...]:
        return (f"{self.how} of {self.of} by {self.by}",)

    def learn(
        self, frame: pd.DataFrame, target: NDArray[Any], classes: int, bins: _Bins, seed: int
    ) -> Learned:
        found = frame[self.of].groupby(bins.of(frame, self.by)).agg(self.how)
        overall = float(frame[self.of].agg(self.how))

        def lookup(rows: pd.DataFrame) -> NDArray[np.float64]:
            return bins.of(rows, self.by).map(found).fillna(overall).to_numpy(dtype=np.float64)[:, None]

        return lookup(frame), lookup


@dataclass(frozen=True)
class _Histogram:
    """How frequent this row's group of one column is among the training rows of its group of another."""

    of: str
    by: str

    def names(self, classes: int) -> tuple[str, ...]:
        return (f"frequency of {self.of} within {self.by}",)

    def learn(
        self, frame: pd.DataFrame, target: NDArray[Any], classes: int, bins: _Bins, seed: int
    ) -> Learned:
        sizes = bins.of(frame, self.by).value_counts()

        def shares(pairs: pd.Series[Any]) -> pd.Series[Any]:
            counts = pairs.value_counts()
            return counts / sizes.reindex([pair.split(_BETWEEN)[1] for pair in counts.index]).to_numpy()

        return _looked_up(frame, lambda rows: _pairs(bins, rows, self.of, self.by), shares)


@dataclass(frozen=True)
class _Unique:
    """How many different groups of one column the training rows of this row's group of another have."""

    of: str
    by: str

    def names(self, classes: int) -> tuple[str, ...]:
        return (f"number of {self.of} by {self.by}",)

    def learn(
        self, frame: pd.DataFrame, target: NDArray[Any], classes: int, bins: _Bins, seed: int
    ) -> Learned:
        different = bins.of(frame, self.of).groupby(bins.of(frame, self.by)).nunique()
        return _looked_up(frame, lambda rows: bins.of(rows, self.by), lambda _: different)


_Part = _Count | _Together | _Target | _Cross | _Aggregate | _Histogram | _Unique
_BETWEEN = "\x1f"  # between two groups' names; in no table's text


def _parts(parameters: Mapping[str, Any]) -> list[_Part]:
    given = {
        name: parameters.get(name, OFF)
        for name in ("count_of", "target_of", "cross", "aggregate", "histogram", "unique")
    }
    parts: list[_Part] = []
    if given["count_of"] != OFF:
        parts.append(_Count(given["count_of"]))
    if given["target_of"] != OFF:
        parts.append(_Target(given["target_of"]))
    if given["cross"] == "together":
        parts.append(_Together(parameters["cross_left"], parameters["cross_right"]))
    elif given["cross"] != OFF:
        parts.append(_Cross(given["cross"], parameters["cross_left"], parameters["cross_right"]))
    if given["aggregate"] != OFF:
        parts.append(_Aggregate(given["aggregate"], parameters["aggregate_of"], parameters["aggregate_by"]))
    if given["histogram"] != OFF:
        parts.append(_Histogram(parameters["histogram_of"], parameters["histogram_by"]))
    if given["unique"] != OFF:
        parts.append(_Unique(parameters["unique_of"], parameters["unique_by"]))
    return parts


def _looked_up(
    frame: pd.DataFrame,
    groups_of: Callable[[pd.DataFrame], pd.Series[Any]],
    learn: Callable[[pd.Series[Any]], pd.Series[Any]],
) -> Learned:
    """One number a group, learned from the training rows' groups; 0 for a group that they do not have."""
    found = learn(groups_of(frame))

    def lookup(rows: pd.DataFrame) -> NDArray[np.float64]:
        return groups_of(rows).map(found).fillna(0.0).to_numpy(dtype=np.float64)[:, None]  # (rows, 1)

    return lookup(frame), lookup


def _pairs(bins: _Bins, rows: pd.DataFrame, left: str, right: str) -> pd.Series[Any]:
    return bins.of(rows, left) + _BETWEEN + bins.of(rows, right)


def _indicators(target: NDArray[Any], classes: int) -> NDArray[np.float64]:
    """What is averaged: the numbers themselves, or for every class but the first whether a row is of it."""
    if not classes:
        return target.astype(np.float64)[:, None]  # (rows, 1)
    return (target[:, None] == np.arange(1, max(2, min(classes, _MOST_CLASSES)))).astype(np.float64)


def _means(
    groups: pd.Series[Any], wanted: NDArray[np.float64]
) -> Callable[[pd.Series[Any]], NDArray[np.float64]]:
    """Mean of `wanted` by group, drawn towards the mean of all by _PRIOR_ROWS rows; of all where a group is new."""
    overall = wanted.mean(axis=0)  # (indicators,)
    table = pd.DataFrame(wanted, index=groups.index).groupby(groups).agg(["sum", "count"])
    found = {
        column: (table[column]["sum"] + _PRIOR_ROWS * overall[column])
        / (table[column]["count"] + _PRIOR_ROWS)
        for column in range(wanted.shape[1])
    }
    return lambda asked: np.column_stack(
        [
            asked.map(means).fillna(overall[column]).to_numpy(dtype=np.float64)
            for column, means in found.items()
        ]
    )
