"""A race: several strategies, many times each, replayed on the answer key and judged by what the key knows.

Every repeat of every strategy sees the same recorded seed of each cell, drawn for that repeat, so that two strategies
can be compared in pairs. Strategies that step all repeats at once take no time; the others get a share of
`SLOW_SECONDS` and as many repeats as fit into it, which is told.

A search ends after `trials` trainings or, where the race has a budget in seconds, once its trainings took so many
simulated seconds, short ones included; whichever comes first.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from explorer.catalogue import STRATEGIES
from explorer.errors import SpecError
from explorer.key import Key
from explorer.nas.asking import AskTell, build
from explorer.nas.key_executor import key_for
from explorer.runs.race_checks import (
    LEAST_REPEATS,
    REPEATS,
    SLOW_SECONDS,
    seconds_of,
    seconds_problem,
    time_problem,
)
from explorer.runs.spec import RunSpec, trial_seed
from explorer.runs.state import RunState
from explorer.space import CellSpace
from explorer.strategies.comparing import compare, mean_interval
from explorer.strategies.lanes import FAST
from explorer.strategies.replay import replay
from explorer.strategies.table import Seen, Table
from explorer.strategies.trace import Trace, trace_of
from explorer.trials.crew import Report
from explorer.trials.ready import checked_space

POINTS = 48  # of a drawn line
_ROWS = 0  # the stream of random numbers that `replay` draws the seen rows by


def run(
    spec: RunSpec,
    state: RunState,
    *,
    executor: Any,
    report: Report,
    control: Callable[[], Any],
    clock: Callable[[], float],
) -> None:
    """Tell a measurement `race` for each strategy and `race_pair` for each pair.

    Raises NoKey or OutsideKey where the key does not answer, SpecError for a budget beyond the space or one that takes
    too long, and what `control().raise_if_cancelled()` raises.
    """
    space = checked_space(spec)
    key = key_for(space, spec.dataset)
    assert isinstance(space, CellSpace)
    table = table_of(key, space)
    if spec.trials > table.size:
        raise SpecError(
            f"A budget of {spec.trials:,} trainings is more than the {table.size:,} cells of {space.name}; give fewer."
        )
    repeats = spec.settings.get("race", {}).get("repeats", REPEATS)
    names = list(spec.method["strategies"])
    limit = _checked_seconds(spec, table)
    _check_time(names, spec.trials, repeats, table, limit)
    slow, left = sum(name not in FAST for name in names), SLOW_SECONDS
    traces: dict[str, Trace] = {}
    for number, name in enumerate(names):
        _listen(control)
        begun = time.monotonic()
        if name in FAST:
            whole = _replayed(spec, table, name, repeats, limit)
        else:
            whole = _asked(spec, space, table, name, repeats, left / slow, control)
            left, slow = max(0.0, left - (time.monotonic() - begun)), slow - 1
        traces[name] = whole if limit is None else cut(whole, limit)
        if limit is not None and whole.seconds is not None and (whole.seconds[:, -1] < limit).any():
            report("warning", {"message": _short(name, spec.trials, limit)})
        told = told_of(traces[name], table, spec.trials, limit)
        report(
            "measurement",
            {"name": "race", "step": number, "data": {**told, "took": round(time.monotonic() - begun, 2)}},
        )
    for number, pair in enumerate(_pairs(traces, table, spec.trials, limit)):
        report("measurement", {"name": "race_pair", "step": number, "data": pair})


def table_of(key: Key, space: CellSpace) -> Table:
    """The key's table of a space that it covers, in the space's own order; three recorded seeds are its rows."""
    places = key.within(space).ravel(order="F")
    seeds = int(key.seeds[key.positions(places)].min())
    rows = np.stack([key.rows(places, seed) for seed in range(seeds)])  # (seeds, size)
    position = key.position[places]
    return Table(
        counts=tuple(mutable.count for mutable in space.mutables),
        values=key.row_validation[rows] / key.sizes[0],
        truth=key.means[position],
        curves=(key.curves[rows] / key.sizes[0]).astype(np.float32),
        seconds=key.seconds[position],
    )


def cut(trace: Trace, seconds: float) -> Trace:
    """The trace whose repeats each end with the last result that they had after so many simulated seconds."""
    assert trace.seconds is not None
    last = np.maximum(0, (trace.seconds <= seconds + 1e-9).sum(1) - 1)[:, None]
    at = np.minimum(np.arange(trace.places.shape[1]), last)  # (repeats, steps)
    return replace(
        trace,
        places=np.take_along_axis(trace.places, at, axis=1),
        seen=np.take_along_axis(trace.seen, at, axis=1),
        evaluations=np.take_along_axis(trace.evaluations, at, axis=1),
        seconds=np.take_along_axis(trace.seconds, at, axis=1),
        incumbents=np.take_along_axis(trace.incumbents, at, axis=1),
        truth=np.take_along_axis(trace.truth, at, axis=1),
    )


def _checked_seconds(spec: RunSpec, table: Table) -> float | None:
    """The budget in simulated seconds, where there is one; raises SpecError."""
    limit = seconds_of(spec)
    if limit is not None and table.seconds is not None:
        problem = seconds_problem(limit, float(table.seconds.max()), float(table.seconds.mean()))
        if problem:
            raise SpecError(problem)
    return limit


def _check_time(names: list[str], trials: int, repeats: int, table: Table, seconds: float | None) -> None:
    """Raises SpecError where even the fewest repeats take too long."""
    trainings: float = trials
    if seconds is not None and table.seconds is not None:
        trainings = min(trials, seconds / float(table.seconds.mean()))
    problem = time_problem(names, trainings, repeats)
    if problem:
        raise SpecError(problem)


def _listen(control: Callable[[], Any]) -> None:
    """A sign of life; waits while the race is paused, and raises what a wish to cancel raises."""
    wish = control()
    wish.raise_if_cancelled()
    while wish.pause:
        wish = control()
        wish.raise_if_cancelled()


def _short(name: str, trials: int, seconds: float) -> str:
    return (
        f"Some searches of {STRATEGIES[name].label} were through with their {trials:,} trainings before {seconds:g} "
        "simulated seconds."
    )


def _replayed(spec: RunSpec, table: Table, name: str, repeats: int, seconds: float | None) -> Trace:
    """All repeats at once; with a budget in seconds as many trainings as fill it in every repeat, if there are."""
    budget = spec.trials
    if seconds is not None and table.seconds is not None:
        budget = min(budget, math.ceil(1.25 * seconds / float(table.seconds.mean())) + 1)
    while True:
        trace = replay(name, table, budget, repeats, spec.seed, _parameters(spec, name))
        if seconds is None or trace.seconds is None or budget == spec.trials:
            return trace
        if trace.seconds[:, -1].min() >= seconds:
            return trace
        budget = min(spec.trials, 2 * budget)


def _parameters(spec: RunSpec, name: str) -> Mapping[str, Any]:
    given = spec.settings.get("strategies", {})
    found = given.get(name, {}) if isinstance(given, dict) else {}
    return found if isinstance(found, dict) else {}


# -- one repeat after the other ---------------------------------------------------------------------------------------


def _asked(
    spec: RunSpec,
    space: CellSpace,
    table: Table,
    name: str,
    repeats: int,
    seconds: float,
    control: Callable[[], Any],
) -> Trace:
    """As many repeats as fit into `seconds`, at least 2."""
    limit = seconds_of(spec)
    seen = Seen.draw(table, repeats, np.random.default_rng([spec.seed, _ROWS]))
    ends = time.monotonic() + seconds
    played: list[list[tuple[int, float]]] = []
    for repeat in range(repeats):
        one = RunSpec(
            kind="nas",
            space=spec.space,
            dataset=spec.dataset,
            method={"strategy": name},
            settings={"strategy": dict(_parameters(spec, name))},
            epochs=table.epochs,
            seed=trial_seed(spec.seed, repeat),
        )
        strategy = build(one, space)
        try:
            played.append(list(_played(strategy, space, seen, repeat, spec.trials, limit, control)))
        finally:
            strategy.close()
        if len(played) >= LEAST_REPEATS and time.monotonic() > ends:
            break
    length = min(map(len, played)) if limit is None else max(map(len, played))
    played = [
        one + [one[-1]] * (length - len(one)) for one in played
    ]  # `cut` takes off what is beyond the seconds
    places = np.array([[place for place, _ in one[:length]] for one in played])
    values = np.array([[value for _, value in one[:length]] for one in played])
    steps = np.full(length, table.epochs)
    return trace_of(
        name, _parameters(spec, name), spec.seed, table, places=places, seen=values, epochs=steps, extra=steps
    )


def _played(
    strategy: AskTell,
    space: CellSpace,
    seen: Seen,
    repeat: int,
    budget: int,
    seconds: float | None,
    control: Callable[[], Any],
) -> Iterator[tuple[int, float]]:
    """(place, what was seen of it), one training after the other; with `seconds` up to the one that exceeds them.

    Listens before each: a repeat of a slow strategy takes longer than a worker may be silent.
    """
    spent = 0.0
    for _ in range(budget):
        _listen(control)
        asked = strategy.ask() if seconds is None or spent <= seconds else None
        if asked is None:
            return
        place = space.index_of(asked.architecture)
        value = float(seen.look(np.array(repeat), np.array(place)))
        strategy.tell(asked, value)
        spent += 0.0 if seen.table.seconds is None else float(seen.table.seconds[place])
        yield place, value


# -- what is told -----------------------------------------------------------------------------------------------------


def points_of(budget: int) -> NDArray[np.int64]:
    """Whole trainings at which the lines are drawn: close at the beginning, the end included."""
    return np.unique(np.geomspace(1, budget, POINTS).round().astype(np.int64))


def told_of(trace: Trace, table: Table, budget: int, limit: float | None = None) -> dict[str, Any]:
    """A strategy's lines: quantiles, mean and its interval of the true accuracy of the best so far, by evaluations and
    by seconds; the ranks that the repeats ended with; regret is the best true accuracy minus these. With `limit`, a
    budget in simulated seconds, the trace is cut there.
    """
    if limit is not None:
        budget = math.ceil(trace.evaluations[:, -1].max())
    points = points_of(budget)
    truth = trace.truth_after(points)
    rng = np.random.default_rng(trace.seed)
    told = {
        "strategy": trace.name,
        "label": STRATEGIES[trace.name].label,
        "repeats": trace.repeats,
        "best": float(table.truth.max()),
        "points": points.tolist(),
        "bands": _plain(trace.bands(points)),
        "mean": _plain(truth.mean(0)),
        "interval": _plain(mean_interval(truth, rng)),
        "final": _plain(np.sort(trace.truth[:, -1])),
        "ranks": np.sort(trace.final_ranks(table.truth)).tolist(),
    }
    if trace.seconds is not None:
        ends = np.median(trace.seconds[:, -1]) if limit is None else limit
        seconds = np.geomspace(max(1e-3, float(np.median(trace.seconds[:, 0]))), ends, POINTS)
        told["seconds"] = _plain(seconds)
        told["bands_by_seconds"] = _plain(trace.bands(seconds, "seconds"))
    return told


def _pairs(
    traces: Mapping[str, Trace], table: Table, budget: int, limit: float | None
) -> Iterator[dict[str, Any]]:
    """Every pair at every point, trainings or with `limit` simulated seconds: who is ahead with 95 % confidence."""
    names = list(traces)
    points: NDArray[Any] = points_of(budget)
    if limit is not None and table.seconds is not None:
        points = np.unique(np.geomspace(float(table.seconds.mean()), limit, POINTS).round(3))
    for at, one in enumerate(names):
        for other in names[at + 1 :]:
            if min(traces[one].repeats, traces[other].repeats) < 2:
                continue
            found = compare(
                traces[one], traces[other], points, unit="evaluations" if limit is None else "seconds"
            )
            yield {
                "one": one,
                "other": other,
                "points": [int(each.spent) if limit is None else each.spent for each in found],
                "difference": [round(each.difference, 5) for each in found],
                "low": [round(each.low, 5) for each in found],
                "high": [round(each.high, 5) for each in found],
                "ahead": [round(each.ahead, 4) for each in found],
                "verdict": [{"A": one, "B": other}.get(each.verdict, "") for each in found],
            }


def _plain(values: Any) -> Any:
    """An array as nested lists of five digits, null where there is no number."""
    array = np.asarray(values, dtype=np.float64)
    if array.ndim > 1:
        return [_plain(row) for row in array]
    return [round(float(value), 5) if np.isfinite(value) else None for value in array]
