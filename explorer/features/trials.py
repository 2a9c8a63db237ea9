"""What an executor runs for the engine: one selector on one resample, or one set of new columns on the searched rows.

Payloads are plain data, and name the table instead of holding it; each process keeps the tables that it has read.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from explorer.data.tables import load_table
from explorer.errors import TrialFailed
from explorer.features.generating import Generator
from explorer.features.judging import folds, held_out, judged, resamples
from explorer.features.preparing import layout_of, prepared
from explorer.features.selectors import Ask, rank
from explorer.tables import Task

SELECT = "explorer.features.trials:select"
TRY = "explorer.features.trials:try_columns"
SEARCH_FOLDS = 3


def task_of(payload: Mapping[str, Any]) -> Task:
    """The table that a payload names."""
    return load_table(
        payload["table"], target=payload["target"], task=payload["task"], resamples=payload["resamples"]
    )


def select(payload: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Rank the columns on the training rows of a resample, and judge the best 1, 2, 3 … of them on the others."""
    with threadpool_limits(1):
        task = task_of(payload)
        train, other = resamples(
            task.values, task.is_classification, payload["resamples"], payload["seed"], payload["held_out"]
        )[payload["resample"]]
        x, x_other = _columns(task, train, other, payload["generated"], payload["seed"])
        y = _scaled(task, train)
        ask = Ask(task.is_classification, payload["selector_seed"], payload["settings"])
        began = time.perf_counter()
        ranking = rank(payload["selector"], x, y, ask)
        seconds = time.perf_counter() - began
        worth = [
            [count, _worth(task, payload, (train, other), (x, x_other), ranking.order[:count])]
            for count in payload["counts"]
        ]
    metrics = {
        "scores": ranking.scores.tolist(),
        "ranks": ranking.ranks.tolist(),
        "tied": ranking.tied,
        "seconds": seconds,
        "worth": worth,
    }
    yield {"value": max(value for _, value in worth), "metrics": metrics, "final": True}


def try_columns(payload: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """What new columns are worth beside the old ones: cross-validated on the searched rows; `final` also on those kept.

    `metrics` hold `kept`, None unless the payload asks for it.
    """
    with threadpool_limits(1):
        task = task_of(payload)
        seen, kept = held_out(task.values, task.is_classification, payload["held_out"], payload["seed"])
        cuts = [
            (seen[train], seen[other])
            for train, other in folds(
                task.values[seen], task.is_classification, SEARCH_FOLDS, payload["seed"]
            )
        ]
        values = [_worth_of_all(task, payload, cut) for cut in cuts]
        last = _worth_of_all(task, payload, (seen, kept)) if payload["look_at_kept"] else None
    yield {"value": float(np.mean(values)), "metrics": {"kept": last}, "final": True}


def _worth_of_all(task: Task, payload: Mapping[str, Any], cut: tuple[NDArray[Any], NDArray[Any]]) -> float:
    x, x_other = _columns(task, *cut, payload["generated"], payload["seed"])
    return _worth(task, payload, cut, (x, x_other), np.arange(x.shape[1]))


def _columns(
    task: Task,
    train: NDArray[Any],
    other: NDArray[Any],
    generated: Mapping[str, Any] | None,
    seed: int,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Both parts prepared, with new columns where there are any; all of it learned from the training rows."""
    layout = layout_of(task.frame)
    mine, theirs = task.frame.iloc[train], task.frame.iloc[other]
    if generated is None:
        return prepared(layout, mine, theirs)
    maker = Generator(generated, len(task.classes), seed)
    mine, theirs = maker.fit_transform(mine, task.values[train]), maker.transform(theirs)
    made = tuple(name for name in mine.columns if name not in task.frame.columns)
    return prepared(replace(layout, numbers=(*layout.numbers, *made)), mine, theirs)


def _scaled(task: Task, train: NDArray[Any]) -> NDArray[Any]:
    """The training rows' target; numbers with mean 0 and spread 1."""
    y = task.values[train]
    if task.is_classification:
        return y
    spread = float(y.std())
    if spread == 0:
        raise TrialFailed(
            f"The target {task.target!r} is the same in all training rows of a resample; ask for fewer."
        )
    return (y - y.mean()) / spread


def _worth(
    task: Task,
    payload: Mapping[str, Any],
    cut: tuple[NDArray[Any], NDArray[Any]],
    columns: tuple[NDArray[np.float64], NDArray[np.float64]],
    chosen: NDArray[Any],
) -> float:
    (train, other), (x, x_other) = cut, columns
    return judged(
        payload["judge"],
        task.is_classification,
        (x[:, chosen], task.values[train]),
        (x_other[:, chosen], task.values[other]),
        payload["seed"],
    )
