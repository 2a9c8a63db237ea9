"""`python -m explorer key`: the contract for programs, words for people, one sentence for mistakes."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from explorer.cli import main
from explorer.key import answer, load
from explorer.nas.key_packing import pack
from explorer.space import to_nasbench201
from tests.key.tables import SPACE, shard

CELL = SPACE.index_of(SPACE.from_code("340213"))


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A key of three cells where the shipped one is looked for."""
    for seed in (0, 1):
        shard(tmp_path / "shards", f"noisy-digits-seed{seed:02d}-block00.npz", [3, CELL, 99], seed)
    pack(tmp_path / "shards", tmp_path)
    monkeypatch.setattr("explorer.key.table.FOLDER", tmp_path)
    return tmp_path


@pytest.mark.parametrize("text", ["cell:340213", to_nasbench201(SPACE, SPACE.from_code("340213"))])
def test_json_is_the_answer_and_nothing_else(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["key", text, "--json"]) == 0
    (line,) = capsys.readouterr().out.splitlines()
    said = json.loads(line)
    assert said == answer(load("noisy-digits"), CELL)
    assert said["architecture"] == "cell:340213" and said["of"] == 3 and said["seeds"] == 2


def test_people_read_the_same_numbers(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["key", "cell:340213"]) == 0
    printed = capsys.readouterr().out
    said = answer(load("noisy-digits"), CELL)
    assert printed.startswith("cell:340213 on noisy-digits, mean of 2 seeds\n")
    assert f"test accuracy        {said['test']:.4f}, 95 % interval {said['interval'][0]:.4f}" in printed
    assert f"{said['rank']} of 3; with 95 % confidence {said['rank_low']} to {said['rank_high']}" in printed


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (
            ["cell:000000"],
            "cell:000000 was not trained: the answer key of noisy-digits holds 3 of the 15,625",
        ),
        (["notes-net:000"], "'notes-net' is another one"),
        (["cell"], "is a whole space"),
        (["cell:99"], "is no architecture code"),
        (["cell:340213", "--dataset", "shifted-digits"], "no answer key of 'shifted-digits' here"),
        (["cell:340213", "--dataset", "digits"], "there is one of noisy-digits"),
        (["cell:340213", "--dataset", "noisy-digit"], "did you mean 'noisy-digits'"),
    ],
)
def test_a_mistake_is_one_sentence_and_exit_2(
    arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["key", *arguments]) == 2
    captured = capsys.readouterr()
    assert captured.out == "" and captured.err.count("\n") == 1
    assert captured.err.startswith("explorer: ") and words in captured.err


def test_a_damaged_key_is_one_sentence_and_everything_else_works(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "noisy-digits.npz").write_bytes(b"no key")
    assert main(["key", "cell:340213"]) == 2
    assert "is damaged (its checksum differs)" in capsys.readouterr().err
    assert main(["check", "cell:340213"]) == 0


def test_a_single_seed_has_no_interval(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "shards" / "noisy-digits-seed01-block00.npz").unlink()
    pack(folder / "shards", folder)
    assert main(["key", "cell:340213"]) == 0
    assert "one seed" in (printed := capsys.readouterr().out) and "interval" not in printed
    assert main(["key", "cell:340213", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["interval"] is None
    assert np.isnan(load("noisy-digits").sigma)
