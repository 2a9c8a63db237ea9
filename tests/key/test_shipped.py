"""The answer key that comes with the app: whole, and what its shards hold."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from explorer.key import load
from explorer.key.recipe import BEST, BEST_SEEDS, DATASETS, SEEDS, lesson, of_three
from explorer.key.table import FOLDER
from explorer.nas.key_making import FOLDER as SHARDS
from explorer.nas.key_making import best, missing
from explorer.nas.key_packing import SECONDS, pack, top


def test_no_shard_is_missing() -> None:
    assert missing() == [] and missing(wanted=best()) == []


@pytest.mark.parametrize(
    "dataset", [pytest.param(name, marks=[pytest.mark.slow] * (name == "noisy-digits")) for name in DATASETS]
)
def test_the_files_hold_what_the_shards_hold(dataset: str, tmp_path: Path) -> None:
    shards = tmp_path / "shards"
    shards.mkdir()
    for file in SHARDS.glob(f"{dataset}-*.npz"):
        shutil.copy(file, shards)
    shutil.copy(FOLDER / SECONDS, tmp_path)
    pack(shards, tmp_path)
    name = f"{dataset}.npz"
    with np.load(tmp_path / name) as packed, np.load(FOLDER / name) as shipped:
        assert packed.files == shipped.files
        for column in packed.files:
            assert np.array_equal(packed[column], shipped[column]), column


def test_every_cell_of_noisy_digits_has_its_seeds_and_the_best_have_more() -> None:
    key = load("noisy-digits")
    assert len(key.cells) == key.space.size and key.seeds.min() >= SEEDS
    assert key.seeds[list(top(key, BEST))].min() >= BEST_SEEDS


def test_shifted_digits_has_the_lessons_cells_and_those_of_three_operations() -> None:
    key = load("shifted-digits")
    wanted = [
        place
        for place, cell in enumerate(map(key.space.architecture_at, range(key.space.size)))
        if lesson(cell) or of_three(cell)
    ]
    assert key.cells.tolist() == wanted and len(wanted) == 827 and key.seeds.min() >= SEEDS


def test_both_together_are_small() -> None:
    assert sum((FOLDER / f"{dataset}.npz").stat().st_size for dataset in DATASETS) < 8_000_000
