"""`python -m explorer key`: the contract for programs, words for people, one sentence for mistakes."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import numpy as np
import pytest

from explorer.cli import main
from explorer.commands import key as command
from explorer.key import answer, load, posterior
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


# -- trained again ----------------------------------------------------------------------------------------

Asked = list[tuple[str, list[str]]]


@pytest.fixture
def training(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Asked]:
    """Says what the process that trains answers; returns what it is asked."""

    def answers(test: list[int], status: int = 0) -> Asked:
        asked: Asked = []
        said = json.dumps({"validation": [[1] for _ in test], "test": [[count] for count in test]})

        def ask(module: str, arguments: list[str]) -> CompletedProcess[bytes]:
            asked.append((module, arguments))
            return CompletedProcess([], status, said.encode())

        monkeypatch.setattr(command, "ask_module", ask)
        return asked

    return answers


def test_retraining_says_how_far_off_the_key_is(
    training: Callable[..., Asked], capsys: pytest.CaptureFixture[str]
) -> None:
    asked = training([500, 510, 520])
    assert main(["key", "cell:340213", "--retrain", "3", "--json"]) == 0
    (line,) = capsys.readouterr().out.splitlines()
    said, key = json.loads(line), load("noisy-digits")
    assert asked == [("explorer.nas.key_checking", ["noisy-digits", "3", str(CELL)])]
    again = said.pop("retrained")
    assert said == answer(key, CELL)
    assert (again["seeds"], again["test"]) == (3, 510 / 897)
    assert again["difference"] == pytest.approx(510 / 897 - said["test"])
    expected = again["difference"] / (key.sigma * (1 / 2 + 1 / 3) ** 0.5)
    assert again["standard_errors"] == pytest.approx(expected)
    assert again["within_luck"] is (abs(expected) < 1.96)
    assert sum(again["interval"]) / 2 == pytest.approx(again["test"])


def test_people_read_whether_the_difference_is_luck(
    training: Callable[..., Asked],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    key = load("noisy-digits")
    mean = int(key.means[key.position[CELL]] * 897)
    training([mean])
    assert main(["key", "cell:340213", "--retrain", "1"]) == 0
    printed = capsys.readouterr().out
    assert "one new seed" in printed and "0.0 standard errors: within luck\n" in printed
    assert f"expected             {posterior(key)[0][key.position[CELL]]:.4f}:" in printed
    monkeypatch.setitem(vars(key), "sigma", 0.02)
    training([mean + 100] * 3)
    assert main(["key", "cell:340213", "--retrain", "3"]) == 0
    assert "mean of 3 new seeds" in (printed := capsys.readouterr().out)
    assert "6.1 standard errors: more than luck" in printed  # 100 / 897 / (.02 * sqrt(1/2 + 1/3))


def test_with_one_seed_a_cell_the_luck_is_not_known(
    folder: Path, training: Callable[..., Asked], capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "shards" / "noisy-digits-seed01-block00.npz").unlink()
    pack(folder / "shards", folder)
    training([500])
    assert main(["key", "cell:340213", "--retrain", "1"]) == 0
    assert "luck is not known" in capsys.readouterr().out
    assert main(["key", "cell:340213", "--retrain", "1", "--json"]) == 0
    again = json.loads(capsys.readouterr().out)["retrained"]
    assert again["standard_errors"] is again["within_luck"] is again["interval"] is None


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["cell:340213", "--retrain", "0"], "--retrain is 0; give 1 to 100"),
        (["cell:340213", "--retrain", "101"], "--retrain is 101"),
        (["cell:000000", "--retrain", "2"], "was not trained"),
        (["cell:340213", "--dataset", "shifted-digits", "--retrain", "2"], "no answer key of"),
    ],
)
def test_nothing_is_trained_for_a_mistake(
    arguments: list[str], words: str, training: Callable[..., Asked], capsys: pytest.CaptureFixture[str]
) -> None:
    asked = training([1])
    assert main(["key", *arguments]) == 2
    assert words in capsys.readouterr().err and asked == []


def test_a_training_that_ended_early_is_told(
    training: Callable[..., Asked], capsys: pytest.CaptureFixture[str]
) -> None:
    training([], 2)  # it has said why
    assert main(["key", "cell:340213", "--retrain", "1"]) == 2
    assert capsys.readouterr() == ("", "")
    training([], -9)
    assert main(["key", "cell:340213", "--retrain", "1"]) == 2
    assert "ended by signal 9" in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_cell_is_really_trained(capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["key", "cell:340213", "--retrain", "2", "--json"]) == 0
    out, err = capfd.readouterr()
    assert json.loads(out)["retrained"]["seeds"] == 2 and 0.5 < json.loads(out)["retrained"]["test"] < 0.8
    assert err.endswith("2 of 2 trainings\n")
