"""Lanes are the same searches as the strategies that are asked one by one, only many at once."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice
from typing import Any

import numpy as np
import pytest
from scipy.stats import ks_2samp

from explorer.catalogue import STRATEGIES
from explorer.strategies.building import build
from explorer.strategies.lanes import FAST, Lanes
from explorer.strategies.radix import Neighbourhood
from explorer.strategies.replay import ask_and_tell, checked, replay
from explorer.strategies.table import Seen
from tests.strategies.tables import EPOCHS, SMALL, TINY, table_of

SETTINGS: Mapping[str, tuple[Mapping[str, Any], ...]] = {
    "local_search": ({}, {"improvement": "first"}),
    "aging_evolution": (
        {"population_size": 7, "sample_size": 3},
        {"population_size": 7, "sample_size": 3, "duplicates": "redraw"},
    ),
    "successive_halving": ({}, {"architectures": 7, "eta": 2}),
    "hyperband": ({}, {"eta": 2, "min_epochs": 2}),
}
CASES = [(name, settings) for name in FAST for settings in SETTINGS.get(name, ({},))]
every = pytest.mark.parametrize(
    "name, settings", CASES, ids=lambda case: case if isinstance(case, str) else ""
)
ROWS = table_of(SMALL, rows=3)


def test_the_catalogue_says_which_have_lanes() -> None:
    assert {name for name, entry in STRATEGIES.items() if entry.facts["replay"] == "lanes"} == set(FAST)


@every
@pytest.mark.parametrize("counts", [SMALL, TINY, (2, 1), (1,)])
def test_one_lane_is_the_strategy_draw_for_draw(
    name: str, settings: Mapping[str, Any], counts: tuple[int, ...]
) -> None:
    table = table_of(counts, rows=3)
    for seed in range(12):
        whole = checked(name, table, table.size, 1, settings)
        seen = Seen.draw(table, 1, np.random.default_rng(99))
        lanes = Lanes(seen, 1, np.random.default_rng(seed))
        FAST[name](lanes, table.size, whole)
        strategy = build(name, counts, whole, np.random.default_rng(seed))
        told = ask_and_tell(strategy, seen, 0, table.size)
        assert [(int(places[0]), float(values[0])) for places, values in zip(lanes.places, lanes.values, strict=True)] \
            == [(place, value) for place, value, _, _ in told]  # fmt: skip
        assert lanes.epochs == [epochs for *_, epochs, _ in told]
        assert lanes.extra == [extra for *_, extra in told]


def ends(name: str, settings: Mapping[str, Any], budget: int, asked: bool) -> np.ndarray:
    """(400,) truths of what 400 repeats end with, asked one by one or in lanes."""
    if not asked:
        return replay(name, ROWS, budget, 400, 5, settings).truth[:, -1]
    whole = checked(name, ROWS, budget, 400, settings)
    seen = Seen.draw(ROWS, 400, np.random.default_rng(17))
    found = []
    for repeat in range(400):
        strategy = build(name, SMALL, whole, np.random.default_rng([23, repeat]))
        told = ask_and_tell(strategy, seen, repeat, budget)
        found.append(ROWS.truth[max(told, key=lambda one: one[1])[0]])
    return np.array(found)


@every
def test_four_hundred_lanes_end_as_four_hundred_strategies(name: str, settings: Mapping[str, Any]) -> None:
    lanes, asked = ends(name, settings, 15, False), ends(name, settings, 15, True)
    assert ks_2samp(lanes, asked).pvalue > 0.001


def test_the_comparison_of_ends_notices_another_search() -> None:
    near = ends("aging_evolution", {"population_size": 7, "sample_size": 3}, 25, True)
    assert (
        ks_2samp(ends("aging_evolution", {"population_size": 7, "sample_size": 1}, 25, False), near).pvalue
        < 0.001
    )
    climbing = ends("local_search", {}, 25, True)
    assert ks_2samp(ends("random", {}, 25, False), climbing).pvalue < 0.001


@pytest.mark.parametrize("seed", range(3))
def test_every_lane_keeps_the_rules_of_local_search(seed: int) -> None:
    """Each lane's places are read again: all unseen neighbours, then the best, or a new beginning."""
    trace = replay("local_search", ROWS, 60, 40, seed)
    near = Neighbourhood.of(SMALL).places(np.arange(120))
    for places, values in zip(trace.places.tolist(), trace.seen.tolist(), strict=True):
        known: dict[int, float] = {}
        story = iter(zip(places, values, strict=True))
        for start, value in story:
            assert start not in known
            here, known[start] = start, value
            while True:
                missing = set(near[here].tolist()) - set(known)
                looked = list(islice(story, len(missing)))
                assert {place for place, _ in looked} <= missing
                known |= dict(looked)
                if len(looked) < len(missing):
                    break
                best = max(near[here].tolist(), key=known.__getitem__)
                if known[best] <= known[here]:
                    break
                here = best


def test_every_lane_of_evolution_has_children_of_who_is_alive() -> None:
    trace = replay("aging_evolution", ROWS, 60, 50, 1, {"population_size": 7, "sample_size": 3})
    near = Neighbourhood.of(SMALL).places(np.arange(120))
    for places in trace.places:
        for at in range(7, 60):
            assert np.isin(places[at], near[places[at - 7 : at]])


@every
def test_no_lane_repeats_what_is_distinct(name: str, settings: Mapping[str, Any]) -> None:
    trace = replay(name, ROWS, 60, 30, 2, settings)
    promise = STRATEGIES[name].facts["distinct"]
    trained = np.diff(trace.evaluations[0], prepend=0.0) * EPOCHS
    begun = trace.places[:, abs(trained - trace.epochs) < 1e-6]  # what does not go on from before
    assert begun.shape[1] > 20
    repeated = [len(np.unique(places)) < len(places) for places in begun]
    assert not any(repeated) if promise is True or promise == settings.get("duplicates") else all(repeated)
