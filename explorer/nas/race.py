"""A race: several strategies, many times each, replayed on the answer key and judged by what the key knows.

Every repeat of every strategy sees the same recorded seed of each cell, drawn for that repeat, so that two strategies
can be compared in pairs. Strategies that step all repeats at once take no time; the others get a share of
`SLOW_SECONDS` and as many repeats as fit into it, which is told.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from explorer.catalogue import STRATEGIES
from explorer.errors import SpecError
from explorer.key import Key
from explorer.key.record import NONE
from explorer.nas.asking import AskTell, build
from explorer.nas.common import checked_space
from explorer.nas.key_executor import key_for
from explorer.runs.race_checks import REPEATS
from explorer.runs.spec import RunSpec, trial_seed
from explorer.runs.state import RunState
from explorer.space import CellSpace, edge_label
from explorer.strategies.comparing import compare, expected_random, mean_interval
from explorer.strategies.lanes import FAST
from explorer.strategies.replay import replay
from explorer.strategies.table import Seen, Table
from explorer.strategies.trace import Trace, trace_of
from explorer.trials.crew import Report

SLOW_SECONDS = 45.0  # for all strategies that are asked one repeat after the other
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

    Raises NoKey or OutsideKey where the key does not answer, SpecError for a budget beyond the space, and what
    `control().raise_if_cancelled()` raises.
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
    slow = [name for name in names if name not in FAST]
    traces: dict[str, Trace] = {}
    for number, name in enumerate(names):
        control().raise_if_cancelled()
        begun = time.monotonic()
        seconds = SLOW_SECONDS / max(1, len(slow))
        traces[name] = (
            replay(name, table, spec.trials, repeats, spec.seed, _parameters(spec, name))
            if name in FAST
            else _asked(spec, space, table, name, repeats, seconds, control)
        )
        told = told_of(traces[name], table, spec.trials)
        report(
            "measurement",
            {"name": "race", "step": number, "data": {**told, "took": round(time.monotonic() - begun, 2)}},
        )
    for number, pair in enumerate(_pairs(traces, spec.trials)):
        report("measurement", {"name": "race_pair", "step": number, "data": pair})


def table_of(key: Key, space: CellSpace) -> Table:
    """The key's table of a space that it covers, in the space's own order; three recorded seeds are its rows."""
    options = {
        edge_label(edge): space.operations if edge in space.edges else (NONE,) for edge in key.space.edges
    }
    places = key.grid(options).ravel(order="F")
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
    seen = Seen.draw(table, repeats, np.random.default_rng([spec.seed, _ROWS]))
    ends = time.monotonic() + seconds
    played: list[list[tuple[int, float]]] = []
    for repeat in range(repeats):
        control().raise_if_cancelled()
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
            played.append(list(_played(strategy, space, seen, repeat, spec.trials)))
        finally:
            strategy.close()
        if len(played) >= 2 and time.monotonic() > ends:
            break
    length = min(map(len, played))
    places = np.array([[place for place, _ in one[:length]] for one in played])
    values = np.array([[value for _, value in one[:length]] for one in played])
    steps = np.full(length, table.epochs)
    return trace_of(
        name, _parameters(spec, name), spec.seed, table, places=places, seen=values, epochs=steps, extra=steps
    )


def _played(
    strategy: AskTell, space: CellSpace, seen: Seen, repeat: int, budget: int
) -> Iterator[tuple[int, float]]:
    """(place, what was seen of it), one training after the other."""
    for _ in range(budget):
        asked = strategy.ask()
        if asked is None:
            return
        place = space.index_of(asked.architecture)
        value = float(seen.look(np.array(repeat), np.array(place)))
        strategy.tell(asked, value)
        yield place, value


# -- what is told -----------------------------------------------------------------------------------------------------


def points_of(budget: int) -> NDArray[np.int64]:
    """Whole trainings at which the lines are drawn: close at the beginning, the end included."""
    return np.unique(np.geomspace(1, budget, POINTS).round().astype(np.int64))


def told_of(trace: Trace, table: Table, budget: int) -> dict[str, Any]:
    """A strategy's lines: quantiles, mean and its interval of the true accuracy of the best so far, by evaluations and
    by seconds; the ranks that the repeats ended with; regret is the best true accuracy minus these.
    """
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
    if trace.name == "random":
        told["expected"] = _plain(expected_random(table.values.mean(0), table.truth, points)[1])
    if trace.seconds is not None:
        ends = np.median(trace.seconds[:, -1])
        seconds = np.geomspace(max(1e-3, float(np.median(trace.seconds[:, 0]))), ends, POINTS)
        told["seconds"] = _plain(seconds)
        told["bands_by_seconds"] = _plain(trace.bands(seconds, "seconds"))
    return told


def _pairs(traces: Mapping[str, Trace], budget: int) -> Iterator[dict[str, Any]]:
    """Every pair at every point: who is ahead with 95 % confidence."""
    names = list(traces)
    for at, one in enumerate(names):
        for other in names[at + 1 :]:
            if min(traces[one].repeats, traces[other].repeats) < 2:
                continue
            found = compare(traces[one], traces[other], points_of(budget))
            yield {
                "one": one,
                "other": other,
                "points": [int(each.spent) for each in found],
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
