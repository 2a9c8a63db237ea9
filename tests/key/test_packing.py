"""Shards become one checked file a dataset; what does not fit is refused in one sentence."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from explorer.errors import KeyDamaged
from explorer.key.recipe import fingerprint
from explorer.key.table import load
from explorer.nas.key_packing import pack, top
from tests.key.tables import SPACE, shard

CELLS = [3, 900, 15_624]


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


def test_the_best_are_chosen_by_validation(shards: Path, tmp_path: Path) -> None:
    shard(
        shards,
        "noisy-digits-seed00-best.npz",
        [11],
        validation=np.array([400], np.uint16),
        test=np.array([0], np.uint16),
    )
    shard(
        shards,
        "noisy-digits-seed00-worst.npz",
        [12],
        validation=np.array([0], np.uint16),
        test=np.array([897], np.uint16),
    )
    pack(shards, tmp_path)
    found = top(tmp_path, "noisy-digits", 5)
    assert found[0] == 11 and found[-1] == 12 and len(found) == 5
    assert top(tmp_path, "noisy-digits", 1) == (11,)
