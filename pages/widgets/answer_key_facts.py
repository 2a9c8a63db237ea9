"""What the answer key page shows, worked out once a key for all visitors; a reason where the key cannot say it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType

import numpy as np

from explorer.errors import ExplorerError, OutsideKey
from explorer.export import key_says
from explorer.key import (
    LESSON,
    OF_THREE,
    Key,
    Truth,
    accuracy,
    available,
    bands,
    effects,
    load,
    transfer,
    truth,
)
from explorer.key.truth import seed_table
from explorer.plots.nas.key_effects import effects_svg, main_effects, shares, shares_svg
from explorer.plots.nas.key_ranks import rank_bands, ranks_svg, sample
from explorer.plots.nas.key_seeds import seed_against_seed, seeds_svg
from explorer.plots.nas.key_transfer import carried_over, transfer_svg
from explorer.space import Architecture

KEPT = 8  # keys whose facts are kept
LISTED = 10
ALL = "all cells"
TABLES: Mapping[str, Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {ALL: {}, "729 of three operations": OF_THREE, "125 of three nodes": LESSON}
)
Chart = tuple[str, str, str, str]  # question, SVG, answer, basis


@lru_cache(maxsize=KEPT)
def reliability(key: Key) -> tuple[Truth | None, str]:
    """What it knows of itself; None, and why."""
    try:
        return truth(key), ""
    except OutsideKey as problem:
        return None, str(problem)


@lru_cache(maxsize=KEPT)
def seeds_chart(key: Key) -> Chart:
    """One seed against another; raises OutsideKey with one seed a cell."""
    info = seed_against_seed(seed_table(key))
    return info.question, seeds_svg(info), info.answer, info.basis


@lru_cache(maxsize=KEPT)
def ranks_chart(key: Key) -> Chart:
    """Bands over ranks."""
    order = np.argsort(-key.means, kind="stable")
    shown = key.cells[order[sample(len(order))]]
    info = rank_bands(*bands(key, shown), len(key.cells))
    return info.question, ranks_svg(info), info.answer, info.basis


@lru_cache(maxsize=KEPT)
def best_cells(key: Key) -> tuple[int, ...]:
    """The places of the best cells by mean test accuracy, the best first."""
    return tuple(int(place) for place in key.cells[np.argsort(-key.means, kind="stable")[:LISTED]])


@lru_cache(maxsize=KEPT)
def listed(key: Key) -> tuple[tuple[str, ...], ...]:
    """The best cells as rows: rank and band, code, test accuracy, seeds, parameters."""
    rows = []
    for place in best_cells(key):
        test, stands = accuracy(key, place).test, key_says.place_of(key, place, key.means)
        size = f"{key.parameters[key.position[place]]:,}"
        rows.append(
            (key_says.true_rank(stands), key.text(place), key_says.interval(test), str(test.seeds), size)
        )
    return tuple(rows)


@lru_cache(maxsize=256)
def architecture(key: Key, place: int) -> Architecture:
    """The cell at a place."""
    return key.space.architecture_at(place)


@lru_cache(maxsize=KEPT)
def whole_tables(key: Key) -> tuple[str, ...]:
    """Of which tables it holds every cell."""
    return tuple(name for name, within in TABLES.items() if not (key.position[key.grid(within)] < 0).any())


@lru_cache(maxsize=KEPT * len(TABLES))
def effects_charts(key: Key, table: str) -> tuple[Chart, Chart]:
    """Effects of operations, and shares of the variance; raises OutsideKey when cells are missing."""
    within = TABLES[table]
    found = effects(key, within)
    shown = main_effects(found.main, found.options, found.grand, int(key.grid(within).size))
    pairs = sum(found.pair_shares.values())
    operations = {label: len(names) for label, names in found.options.items()}
    bar = shares(found.main_shares, pairs, found.rest, found.noise, found.variance**0.5, operations)
    return (
        (shown.question, effects_svg(shown), shown.answer, shown.basis),
        (bar.question, shares_svg(bar), bar.answer, bar.basis),
    )


def other_of(key: Key) -> Key | None:
    """A key of another dataset, where there is one; raises KeyDamaged."""
    others = [name for name in available() if name != key.dataset]
    return load(others[0]) if others else None


@lru_cache(maxsize=KEPT)
def transfer_chart(one: Key, other: Key) -> Chart:
    """The same cells on both; raises OutsideKey where they share too few."""
    found = transfer(one, other)
    common = np.intersect1d(one.cells[one.alive], other.cells[other.alive])
    here, there = one.means[one.position[common]], other.means[other.position[common]]
    names = one.dataset, other.dataset
    info = carried_over(here, there, names, found.best, found.spearman, found.overlap)
    return info.question, transfer_svg(info), info.answer, info.basis


def key_named(dataset: str) -> tuple[Key | None, str]:
    """The key of that name; None, and why."""
    try:
        key = load(dataset)
    except ExplorerError as problem:
        return None, str(problem)
    return (key, "") if len(key.cells) else (None, f"The answer key of {dataset} holds no cell yet.")
