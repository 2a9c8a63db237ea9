"""What of the key is there and what is missing."""

from __future__ import annotations

import sys
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from explorer.errors import NoKey
from explorer.key.recipe import BEST, NOISY, SHIFTED, Shard, best_shards, shards
from explorer.key.record import Key
from explorer.nas import key_making
from explorer.nas.key_making import best, main, missing
from explorer.nas.key_packing import top
from tests.key import tables
from tests.key.tables import shard as write

PLAN = [Shard(NOISY, 0, "block00", (1, 2)), Shard(SHIFTED, 1, "block01", (7,)), *best_shards([5, 4])]


def test_from_nothing_everything_is_missing_in_the_order_of_the_plan(tmp_path: Path) -> None:
    assert missing(tmp_path, wanted=PLAN) == PLAN
    assert missing(tmp_path / "none", wanted=PLAN) == PLAN
    assert list(islice(missing(tmp_path), 3)) == list(islice(shards(), 3))
    assert missing(tmp_path, SHIFTED, PLAN) == PLAN[1:2]


def test_what_is_there_is_not_made_again(tmp_path: Path) -> None:
    for shard in PLAN[::2]:
        write(tmp_path, shard.file, list(shard.cells))
    assert missing(tmp_path, wanted=PLAN) == PLAN[1::2]


@pytest.mark.parametrize("harm", ["recipe", "cells", "order", "cut off"])
def test_what_is_not_of_the_plan_is_made_again(tmp_path: Path, harm: str) -> None:
    best = PLAN[2]
    cells = {"cells": [4, 6], "order": [5, 4]}.get(harm, [4, 5])
    file = write(
        tmp_path, best.file, cells, **({"fingerprint": np.array("0" * 12)} if harm == "recipe" else {})
    )
    if harm == "cut off":
        file.write_bytes(file.read_bytes()[:-200])
    assert missing(tmp_path, wanted=PLAN[2:3]) == [best]


def test_the_best_are_those_of_the_packed_key(made_key: Key, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(key_making, "load", lambda dataset, folder: made_key)
    planned = best()
    assert planned == tuple(best_shards(top(made_key, BEST)))
    assert len({shard.cells for shard in planned}) == 1 and len(planned[0].cells) == BEST


def test_a_misspelt_dataset_is_not_a_finished_one(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["key_making", "--dataset", "noisy-digit"])
    with pytest.raises(SystemExit) as ended:
        main()
    said = capsys.readouterr()
    assert ended.value.code == 2 and "noisy-digits" in said.err and said.out == ""


def test_without_a_whole_key_the_best_are_not_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(NoKey):
        best(tmp_path)
    partial = tables.key(np.where(np.arange(tables.SIZE) < 9, 0.5, 0.1), np.arange(tables.SIZE) < 9)
    monkeypatch.setattr(key_making, "load", lambda dataset, folder: partial)
    monkeypatch.setattr(sys, "argv", ["key_making", "--best"])
    with pytest.raises(SystemExit) as ended:
        main()
    said = capsys.readouterr()
    assert ended.value.code == 2 and "cannot be named yet" in said.err and said.out == ""
