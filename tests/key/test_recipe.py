"""The plan of the key: what is trained how often, and that shards divide it without overlap."""

from __future__ import annotations

from collections import Counter

import numpy as np

from explorer.key.effects import LESSON, OF_THREE
from explorer.key.recipe import (
    BEST,
    BEST_SEEDS,
    DATASETS,
    NOISY,
    SEEDS,
    SHIFTED,
    best_shards,
    fingerprint,
    shards,
    space,
)
from explorer.nas.key_packing import NAME
from tests.key.tables import key


def test_every_cell_is_planned_once_a_seed_and_the_best_more_often() -> None:
    best = range(900, 900 + BEST)
    planned = [*shards(), *best_shards(best)]
    trained = Counter((shard.dataset, shard.seed, cell) for shard in planned for cell in shard.cells)
    assert set(trained.values()) == {1}
    seeds = Counter((dataset, cell) for dataset, _, cell in trained)
    assert [seeds[NOISY, cell] for cell in range(space().size)] == [
        BEST_SEEDS if cell in best else SEEDS for cell in range(space().size)
    ]
    assert {count for (dataset, _), count in seeds.items() if dataset == SHIFTED} == {SEEDS}


def test_the_second_dataset_has_the_cells_of_both_sub_tables() -> None:
    one = key(np.full(space().size, 0.5))
    expected = {*one.grid(LESSON).ravel().tolist(), *one.grid(OF_THREE).ravel().tolist()}
    planned = {cell for shard in shards() if shard.dataset == SHIFTED for cell in shard.cells}
    assert planned == expected


def test_a_shards_name_says_what_it_holds() -> None:
    planned = [*shards(), *best_shards([3, 1])]
    assert len({shard.file for shard in planned}) == len(planned)
    for shard in planned:
        name = NAME.fullmatch(shard.file)
        assert name is not None and name["dataset"] in DATASETS
        assert (name["dataset"], int(name["seed"]), name["part"]) == (shard.dataset, shard.seed, shard.name)


def test_the_order_in_which_the_best_are_named_does_not_matter() -> None:
    named = list(best_shards([7, 2, 9]))
    assert named == list(best_shards(iter([9, 7, 2])))
    assert [shard.file for shard in named][:: BEST_SEEDS - SEEDS - 1] == [
        "noisy-digits-seed03-best.npz",
        "noisy-digits-seed15-best.npz",
    ]
    assert named[0].cells == (2, 7, 9)


def test_the_recipe_is_that_of_the_trained_key() -> None:
    """Another one makes every training so far worthless."""
    assert fingerprint() == "a90ea47c33a6"
