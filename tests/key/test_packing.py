"""Shards become one checked file a dataset; what does not fit is refused in one sentence."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from explorer.errors import KeyDamaged, OutsideKey
from explorer.key.recipe import BEST_SEEDS, SEEDS, fingerprint
from explorer.key.record import Key
from explorer.key.table import key_of, load
from explorer.nas.key_packing import pack, top
from tests.key import tables
from tests.key.tables import SPACE, shard

CELLS = [3, 900, 15_624]
ROWS = ("row_cell", "row_seed", "validation", "test", "curve")


@pytest.fixture
def shards(tmp_path: Path) -> Path:
    """Two seeds of three cells, a third seed of one of them, and a cell of the other key."""
    folder = tmp_path / "shards"
    shard(folder, "noisy-digits-seed01-block00.npz", CELLS, 1)
    shard(folder, "noisy-digits-seed00-block00.npz", CELLS[::-1], 0)
    shard(folder, "noisy-digits-seed02-top.npz", [900], 2)
    shifted = np.array([300, 497], dtype=np.uint16)
    shard(
        folder,
        "shifted-digits-seed00-block00.npz",
        [4],
        9,
        sizes=shifted,
        test=np.array([7], np.uint16),
        validation=np.array([8], np.uint16),
        curve=np.full((1, 20), 9, np.uint16),
    )
    return folder


def test_every_row_of_every_shard_is_in_the_file(shards: Path, tmp_path: Path) -> None:
    pack(shards, tmp_path)
    with np.load(tmp_path / "noisy-digits.npz", allow_pickle=False) as kept:
        packed = {name: kept[name] for name in kept.files}
    rows = list(zip(packed["row_cell"].tolist(), packed["row_seed"].tolist(), strict=True))
    assert rows == [(3, 0), (3, 1), (900, 0), (900, 1), (900, 2), (15_624, 0), (15_624, 1)]
    for (cell, seed), validation, test, curve in zip(
        rows, packed["validation"], packed["test"], packed["curve"], strict=True
    ):
        (file,) = shards.glob(f"noisy-digits-seed{seed:02d}-*.npz")
        with np.load(file) as made:
            at = made["cells"].tolist().index(cell)
            assert (validation, test) == (made["validation"][at], made["test"][at])
            assert curve.tolist() == made["curve"][at].tolist()
    kinds = {name: str(packed[name].dtype) for name in packed if name != "fingerprint"}
    assert kinds == {
        **dict.fromkeys(("cells", "row_cell", "validation", "test", "curve", "sizes"), "uint16"),
        **dict.fromkeys(("parameters", "macs"), "uint32"),
        "row_seed": "uint8",
        "seconds": "float32",
    }


def test_the_packed_file_is_a_key_with_its_costs(shards: Path, tmp_path: Path) -> None:
    pack(shards, tmp_path)
    key = load("noisy-digits", tmp_path)
    assert key.cells.tolist() == CELLS and key.seeds.tolist() == [2, 3, 2]
    networks = [SPACE.lower(SPACE.architecture_at(place)) for place in CELLS]
    assert key.parameters.tolist() == [network.parameters for network in networks]
    assert key.macs.tolist() == [network.macs for network in networks]
    assert key.seconds.tolist() == [0.75, 1.25, 0.75]
    assert key.curves.shape == (7, 20)
    assert load("shifted-digits", tmp_path).sizes == (300, 497)


def test_the_index_says_what_each_file_must_be(shards: Path, tmp_path: Path) -> None:
    index = pack(shards, tmp_path)
    text = (tmp_path / "key.json").read_text()
    assert json.loads(text) == index
    packed = (tmp_path / "noisy-digits.npz").read_bytes()
    assert index["noisy-digits"] == {
        "sha256": hashlib.sha256(packed).hexdigest(),
        "bytes": len(packed),
        "fingerprint": fingerprint(),
        "cells": 3,
        "rows": 7,
        "seconds": 6.8,  # 3 * 0.25 + 3 * 1.25 + 2.25
    }
    assert text.index("noisy-digits") < text.index("shifted-digits")


def test_measured_seconds_are_a_sum_over_the_edges(shards: Path, tmp_path: Path) -> None:
    an_edge = dict(zip(SPACE.operations, (0.01, 0.1, 0.2, 0.4, 0.8), strict=True))
    both = {name: {"an_edge": an_edge} for name in ("noisy-digits", "shifted-digits")}
    (tmp_path / "seconds.json").write_text(json.dumps(both))
    pack(shards, tmp_path)
    key = load("noisy-digits", tmp_path)
    for place, seconds in zip(CELLS, key.seconds, strict=True):
        chosen = SPACE.architecture_at(place).values()
        assert seconds == pytest.approx(sum(an_edge[operation] for operation in chosen))


@pytest.mark.parametrize("text", ["", "[]", '{"noisy-digits": {"an_edge": {"none": 1}}}'])
def test_measured_seconds_that_say_nothing_are_refused(shards: Path, tmp_path: Path, text: str) -> None:
    (tmp_path / "seconds.json").write_text(text)
    with pytest.raises(KeyDamaged, match="does not say the seconds of noisy-digits; measure them again"):
        pack(shards, tmp_path)


def test_packing_twice_gives_the_same_bytes(shards: Path, tmp_path: Path) -> None:
    for folder in ("one", "two"):
        pack(shards, tmp_path / folder)
    for name in ("noisy-digits.npz", "shifted-digits.npz", "key.json"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def test_a_dataset_without_shards_keeps_its_key(shards: Path, tmp_path: Path) -> None:
    pack(shards, tmp_path)
    (shards / "shifted-digits-seed00-block00.npz").unlink()
    assert set(pack(shards, tmp_path)) == {"noisy-digits", "shifted-digits"}
    assert load("shifted-digits", tmp_path).cells.tolist() == [4]


@pytest.mark.parametrize(
    ("instead", "words"),
    [
        ({"fingerprint": np.array("0123456789ab")}, "is of recipe '0123456789ab' and not of"),
        ({"sizes": np.array([300, 497], np.uint16)}, r"is on \[300, 497\] images instead of \[400, 897\]"),
        ({"test": np.array([898], np.uint16)}, "has test that are not whole numbers from 0 to 897"),
        ({"validation": np.array([401], np.uint16)}, "has validation that are not .* 400"),
        ({"curve": np.full((1, 20), 401, np.uint16)}, "has curve that are not .* 400"),
        ({"cells": np.array([15_625], np.uint16)}, "has cells that are not .* 15624"),
        ({"test": np.array([0.5])}, "has test that are not whole numbers"),
        ({"curve": np.zeros((1, 19), np.uint16)}, r"has curve of shape \(1, 19\) instead of \(1, 20\)"),
        ({"seconds": np.array([np.nan], np.float32)}, "has seconds that are no numbers"),
        ({"seconds": np.array([None])}, "cannot be read"),  # would have to be unpickled
    ],
)
def test_a_shard_that_does_not_fit_is_refused(
    shards: Path, tmp_path: Path, instead: dict[str, Any], words: str
) -> None:
    shard(shards, "noisy-digits-seed05-odd.npz", [8], **instead)
    with pytest.raises(KeyDamaged, match=f"The shard noisy-digits-seed05-odd.npz {words}"):
        pack(shards, tmp_path)
    assert not (tmp_path / "noisy-digits.npz").exists()


def test_a_seed_of_a_cell_that_is_there_twice_is_refused(shards: Path, tmp_path: Path) -> None:
    shard(shards, "noisy-digits-seed01-again.npz", [900])
    with pytest.raises(KeyDamaged, match="Two shards of noisy-digits hold seed 1 of cell number 900"):
        pack(shards, tmp_path)


def test_a_cut_off_shard_is_refused(shards: Path, tmp_path: Path) -> None:
    file = shards / "noisy-digits-seed02-top.npz"
    file.write_bytes(file.read_bytes()[:-200])
    with pytest.raises(KeyDamaged, match=r"top\.npz cannot be read"):
        pack(shards, tmp_path)


@pytest.mark.parametrize(
    "name", ["digits-seed00-block00.npz", "noisy-digits.npz", "noisy-digits-seed999-x.npz"]
)
def test_a_file_that_is_no_shard_is_refused(shards: Path, tmp_path: Path, name: str) -> None:
    shard(shards, name, [1])
    with pytest.raises(KeyDamaged, match="is no shard's name"):
        pack(shards, tmp_path)


def test_the_best_are_chosen_by_validation(whole: Key) -> None:
    validation = np.zeros(SPACE.size)
    for seed in range(SEEDS):
        validation += whole.row_validation[whole.rows(np.arange(SPACE.size), seed)]
    chosen = top(whole, 50)
    rest = np.delete(validation, chosen)
    assert len(set(chosen)) == 50 and validation[list(chosen)].min() >= rest.max()
    assert validation[list(chosen)].tolist() == sorted(validation[list(chosen)], reverse=True)


def test_more_seeds_of_the_best_do_not_change_who_they_are(truth: np.ndarray) -> None:
    made = tables.columns(truth, BEST_SEEDS, 0.029, np.random.default_rng(8))
    thrice = np.flatnonzero(made["row_seed"] < SEEDS)
    chosen = top(key_of("noisy-digits", made | {name: made[name][thrice] for name in ROWS}), 200)
    more = np.flatnonzero((made["row_seed"] < SEEDS) | np.isin(made["row_cell"], chosen))
    topped = key_of("noisy-digits", made | {name: made[name][more] for name in ROWS})
    assert np.unique(topped.seeds).tolist() == [SEEDS, BEST_SEEDS]
    assert top(topped, 200) == chosen
    assert set(chosen) != set(
        topped.cells[np.argsort(-topped.validation_means)[:200]]
    )  # these would be others


def test_the_best_have_no_names_while_a_training_is_missing(truth: np.ndarray) -> None:
    made = tables.columns(truth, SEEDS, 0.029, np.random.default_rng(8))
    without = {name: np.delete(made[name], 77, axis=0) for name in ROWS}
    with pytest.raises(OutsideKey, match="of 15,625 cells with 3 seeds each 1 trainings are missing"):
        top(key_of("noisy-digits", made | without), 200)
