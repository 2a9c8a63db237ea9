"""A key is read whole or not at all, and again when its file changes."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest

from explorer.errors import KeyDamaged, NoKey
from explorer.key.table import available, load
from explorer.nas.key_packing import pack
from tests.key.tables import shard


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A packed key of two cells and two seeds."""
    for seed in (0, 1):
        shard(tmp_path / "shards", f"noisy-digits-seed{seed:02d}-block00.npz", [5, 6], seed)
    pack(tmp_path / "shards", tmp_path)
    return tmp_path


def test_what_was_packed_is_read(folder: Path) -> None:
    key = load("noisy-digits", folder)
    assert (key.dataset, key.epochs, key.sizes) == ("noisy-digits", 20, (400, 897))
    assert key.row_cell.tolist() == [5, 5, 6, 6] and key.row_seed.tolist() == [0, 1, 0, 1]
    with np.load(folder / "shards" / "noisy-digits-seed01-block00.npz") as made:
        assert key.row_test[[1, 3]].tolist() == made["test"].tolist()
        assert key.curves[[1, 3]].tolist() == made["curve"].tolist()


def test_it_is_read_once(folder: Path) -> None:
    assert load("noisy-digits", folder) is load("noisy-digits", folder)


def test_a_changed_file_is_read_again(folder: Path) -> None:
    before = load("noisy-digits", folder)
    shard(folder / "shards", "noisy-digits-seed02-more.npz", [7], 2)
    pack(folder / "shards", folder)
    assert before.cells.tolist() == [5, 6]
    assert load("noisy-digits", folder).cells.tolist() == [5, 6, 7]


@pytest.mark.parametrize("at", [0, 100, -1])
def test_one_changed_byte_is_noticed(folder: Path, at: int) -> None:
    file = folder / "noisy-digits.npz"
    packed = bytearray(file.read_bytes())
    packed[at] ^= 1
    file.write_bytes(packed)
    with pytest.raises(
        KeyDamaged,
        match=r"^The answer key of noisy-digits is damaged \(its checksum differs\); get the file again\.$",
    ):
        load("noisy-digits", folder)


def test_a_file_that_is_damaged_behind_a_loaded_key_is_noticed(folder: Path) -> None:
    load("noisy-digits", folder)
    file = folder / "noisy-digits.npz"
    file.write_bytes(b"x" * file.stat().st_size)
    os.utime(file, ns=(1, 1))
    with pytest.raises(KeyDamaged, match="checksum"):
        load("noisy-digits", folder)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"noisy-digits": 3}', '{"noisy-digits": {"sha256": 1}}'])
def test_an_index_that_says_nothing_damages_the_key(folder: Path, text: str) -> None:
    (folder / "key.json").write_text(text)
    with pytest.raises(KeyDamaged, match=r"key\.json does not say what it should be"):
        load("noisy-digits", folder)
    (folder / "key.json").unlink()
    with pytest.raises(KeyDamaged, match=r"key\.json does not say what it should be"):
        load("noisy-digits", folder)


def test_a_key_of_another_recipe_is_refused(folder: Path) -> None:
    index = json.loads((folder / "key.json").read_text())
    index["noisy-digits"]["fingerprint"] = "0123456789ab"
    (folder / "key.json").write_text(json.dumps(index))
    with pytest.raises(KeyDamaged, match="another recipe, '0123456789ab'"):
        load("noisy-digits", folder)


def test_a_dataset_without_a_key_is_told_from_those_that_have_one(folder: Path) -> None:
    for name in ("shifted-digits", "cifar10"):
        with pytest.raises(
            NoKey, match=f"There is no answer key of '{name}' here; there is one of noisy-digits"
        ):
            load(name, folder)
    with pytest.raises(NoKey, match="there is none at all"):
        load("noisy-digits", folder / "empty")


def test_a_name_cannot_lead_out_of_the_folder(folder: Path) -> None:
    with pytest.raises(NoKey, match=r"no answer key of '\.\./noisy-digits' here"):
        load("../noisy-digits", folder / "shards")


@pytest.mark.parametrize("name", ["a\0b", "x" * 5_000, ["noisy-digits"]])
def test_a_name_that_cannot_be_one_is_one_short_sentence(folder: Path, name: str) -> None:
    with pytest.raises(NoKey, match="There is no answer key of") as refused:
        load(name, folder)
    assert len(str(refused.value)) < 200


def test_a_file_that_cannot_be_read_is_a_damaged_key(folder: Path) -> None:
    (folder / "noisy-digits.npz").unlink()
    (folder / "noisy-digits.npz").mkdir()
    with pytest.raises(KeyDamaged, match="its file cannot be read: Is a directory"):
        load("noisy-digits", folder)


def test_only_what_is_there_is_available(folder: Path) -> None:
    assert available(folder) == ("noisy-digits",)
    assert available(folder / "empty") == ()
