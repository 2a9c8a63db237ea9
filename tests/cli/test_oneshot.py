"""`run oneshot`, `branch` and what `tell` asks of a search: JSON lines, or one sentence and exit 2; all headless."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from explorer.cli import main
from explorer.runs import Store
from tests.cli.test_cli import lines, sentence
from tests.jobs.conftest import store

__all__ = ["store"]

SEARCH = ("run", "oneshot", "--space", "cell", "--dataset", "synthetic", "--epochs", "2")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--method", "dart"), "did you mean 'darts'"),
        (("--selection", "best"), "No selection rule is called 'best'"),
        (("--selection", "top2"), "take argmax"),
        (("--engine", "keras"), "No one-shot engine is called 'keras'"),
        (("--method", "gdas", "--engine", "nni"), "NNI has no GDAS of its own"),
        (("--set", "method.alpha_rate=1"), "No parameter of darts is called 'alpha_rate'"),
        (("--set", "method.order=third"), "pick 'first' or 'second'"),
        (("--set", "space.nodes=3"), "No parameter of cell is called 'nodes'"),
        (("--tuner", "TPE"), "belong to 'run hpo'"),
    ],
)
def test_a_mistake_is_one_sentence_and_exit_2(
    arguments: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*SEARCH, *arguments]) == 2
    assert said in sentence(capsys)


@pytest.mark.parametrize(
    ("space", "method", "said"),
    [
        ("notes-net", "pc-darts", "darts, gumbel, gdas, enas"),
        ("enas-macro", "fairnas", "can search enas-macro"),
    ],
)
def test_a_method_that_cannot_serve_a_space_says_which_can(
    space: str, method: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["run", "oneshot", "--space", space, "--method", method]) == 2
    assert said in sentence(capsys)


def test_methods_of_one_shot_search_belong_to_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "random", "--method", "darts"]) == 2
    assert "belong to 'run oneshot'" in sentence(capsys)


def test_settings_of_a_space_make_a_space_of_their_own(
    store: Store, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Any] = []
    monkeypatch.setattr(
        "explorer.commands.running.launch.start_run", lambda _, spec: seen.append(spec) or "id"
    )
    given = ("--space", "darts-cell", "--dataset", "synthetic", "--set", "space.nodes=3", "--detach")
    assert main(["run", "oneshot", *given]) == 0
    assert seen[0].space["nodes"] == 3 and seen[0].epochs == 100 and seen[0].settings == {}
    assert capsys.readouterr().out == "id\n"


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_search_is_followed_told_branched_and_retrained(
    store: Store, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert main([*SEARCH, "--set", "method.snapshot_every=2", "--json"]) == 0
    events = lines(capsys)
    run_id = events[0]["run_id"]
    kinds = [event["kind"] for event in events]
    assert kinds[-1] == "run_finished" and kinds.count("architecture_snapshot") >= 3
    snapshot = next(event["data"] for event in events if event["kind"] == "architecture_snapshot")
    assert all(abs(sum(row.values()) - 1) < 1e-3 for row in snapshot["probabilities"].values())
    kept = [event["data"] for event in events if event["kind"] == "measurement"]
    assert [each["name"] for each in kept].count("derived") == 1
    step = next(each["data"]["step"] for each in kept if each["name"] == "checkpoint")

    assert (
        main(
            [
                "branch",
                run_id,
                "--at",
                str(step),
                "--epochs",
                "3",
                "--set",
                "alpha_learning_rate=0.1",
                "--json",
            ]
        )
        == 0
    )
    branched = lines(capsys)
    assert branched[0]["data"]["spec"]["parent"] == run_id and branched[-1]["kind"] == "run_finished"
    assert main(["branch", run_id, "--at", "999999"]) == 2
    assert "has no checkpoint of step 999999" in sentence(capsys)

    assert main(["resume", run_id, "--retrain", "1", "--rivals", "1", "--epochs", "1", "--json"]) == 0
    finals = [event for event in lines(capsys) if event["kind"] == "final_result"]
    assert len(finals) == 2
    assert main(["show", run_id]) == 0
    told = capsys.readouterr().out
    assert "derived cell:" in told and "with inherited weights" in told

    there = tmp_path / "found.py"
    assert main(["export", run_id, "--as", "torch", "--to", str(there)]) == 0
    assert "class" in there.read_text()
    recorded = tmp_path / "run.jsonl.gz"
    assert main(["export", run_id, "--as", "run", "--to", str(recorded)]) == 0
    assert main(["import", str(recorded)]) == 0
    capsys.readouterr()
    assert main(["list", "methods", "--json"]) == 0
    assert {json.loads(line)["name"] for line in capsys.readouterr().out.splitlines()} >= {
        "darts",
        "enas",
        "spos",
    }
