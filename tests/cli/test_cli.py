"""The command line's contract: JSON lines only, one sentence and exit 2 for a mistake, never a traceback."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from explorer.catalogue import REGISTRIES
from explorer.cli import main
from explorer.runs.recorded import read_recorded

QUICK = (
    "run",
    "random",
    "--space",
    "cell",
    "--dataset",
    "synthetic",
    "--trials",
    "2",
    "--epochs",
    "1",
    "--workers",
    "1",
)


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    """Standard output as JSON lines; fails on anything else."""
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def sentence(capsys: pytest.CaptureFixture[str]) -> str:
    """The one sentence on standard error, with nothing on standard output."""
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("explorer: ") and captured.err.count("\n") == 1
    assert "Traceback" not in captured.err
    return captured.err


@pytest.mark.parametrize("what", REGISTRIES)
def test_list_prints_every_entry(what: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list", what, "--json"]) == 0
    assert [entry["name"] for entry in lines(capsys)] == list(REGISTRIES[what])
    assert main(["list", what]) == 0
    printed = capsys.readouterr().out
    assert all(name in printed for name in REGISTRIES[what])


def test_check_of_a_sound_space_says_what_it_holds(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "cell"]) == 0
    assert "15,625 architectures, 454 to 4,774 parameters" in capsys.readouterr().out


def test_check_of_the_notes_own_network_names_both_mistakes_and_exits_2(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["check", "notes-net-as-written", "--json"]) == 2
    found = lines(capsys)
    assert {problem["layer"] for problem in found} == {"func1", "skip"}
    assert main(["check", "notes-net-as-written"]) == 2
    assert capsys.readouterr().out.count("Remark:") == 2


def test_check_takes_architectures_and_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "cell:340213"]) == 0
    assert "cell:340213: 1,974 parameters" in capsys.readouterr().out
    assert main(["check", "notes-net-as-written:000"]) == 2
    assert main(["check", "notes-net-as-written:001", "--json"]) == 2
    path = tmp_path / "space.json"
    path.write_text(
        '{"schema": 1, "family": "macro", "name": "x", "input": {"channels": 1, "side": 8}, "layers": []}'
    )
    capsys.readouterr()
    assert main(["check", str(path)]) == 2
    assert "no layers" in sentence(capsys)


WRONG = [
    (["run", "random", "--space", "cel"], "did you mean 'cell'"),
    (["run", "random", "--trials", "-3"], "trials"),
    (["run", "random", "--epochs", "0"], "epochs"),
    (["run", "random", "--workers", "0"], "workers"),
    (["run", "random", "--dataset", "digit"], "did you mean 'digits'"),
    (["run", "random", "--space", "notes-net-as-written"], "576"),
    (["run", "random", "--architecture", "cell:99"], "6 characters"),
    (["run", "random", "--set", "training.learning_rate=-1"], "learning_rate"),
    (["run", "random", "--set", "training.speed=1"], "speed"),
    (["run", "random", "--space", "notes-net", "--architecture", "cell:340213"], "--space is notes-net"),
    (["run", "random", "--set", "speed"], "GROUP.KEY=VALUE"),
    (["run", "random", "--spec", "nowhere.json"], "cannot be read"),
    (["run", "random", "--space", "z9.abc"], "newer version"),
    (["run", "random", "--trials", "many"], "--trials"),
    (["run", "dance"], "dance"),
    (["dance"], "dance"),
    (["show", "no-such-run"], "no-such-run"),
    (["cancel", "no-such-run"], "no-such-run"),
    (["resume", "no-such-run"], "no-such-run"),
    (["import", "nowhere.jsonl.gz"], "nowhere.jsonl.gz"),
    (["export", "cel", "--as", "nni"], "did you mean 'cell'"),
    (["export", "cell", "--as", "nni", "--to", "/nowhere/at/all.py"], "cannot be written"),
    (["check", "{"], "not JSON"),
]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    WRONG,
    ids=lambda value: " ".join(value)[:50] if isinstance(value, list) else "",
)
def test_a_mistake_is_one_sentence_and_exit_2(
    arguments: list[str], expected: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    assert expected in sentence(capsys)


def test_an_unreachable_database_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("EXPLORER_DATABASE_URL", "sqlite:////proc/no/such/place.sqlite3")
    assert main(["runs"]) == 2
    sentence(capsys)


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        ([1], "JSON object"),
        ({"kind": "hpo"}, "'hpo'"),
        ({"settings": [1]}, "settings is [1]"),
        ({"settings": {"training": 3}}, "settings of training"),
        ({"schema": 9}, "newer"),
        ({"space": {"family": "mesh"}}, "pick 'macro', 'cell' or 'darts'"),
        ({"trials": 10**9}, "trials"),
        ({"surprise": 1}, "surprise"),
    ],
    ids=str,
)
def test_a_spec_file_with_a_mistake_is_refused(
    form: Any, expected: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "spec.json"
    path.write_text(json.dumps(form))
    assert main(["run", "random", "--spec", str(path), "--set", "training.batch_size=16"]) == 2
    assert expected in sentence(capsys)


@pytest.mark.slow
def test_a_run_prints_its_events_and_is_kept(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main([*QUICK, "--json", "--seed", "3"]) == 0
    events = lines(capsys)
    kinds = [event["kind"] for event in events]
    assert kinds[0] == "run_queued" and kinds[-1] == "run_finished"
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    assert kinds.count("final_result") == 2 and kinds.count("intermediate_result") == 2
    run_id = events[0]["run_id"]

    assert main(["runs", "--json"]) == 0
    (summary,) = lines(capsys)
    assert (summary["run_id"], summary["status"]) == (run_id, "finished")

    assert main(["show", run_id, "--json"]) == 0
    assert lines(capsys) == events

    path = tmp_path / "run.jsonl.gz"
    assert main(["export", run_id, "--as", "run", "--to", str(path)]) == 0
    assert len(read_recorded(path)[1]) == len(events)
    assert main(["import", str(path)]) == 0
    imported = capsys.readouterr().out.strip()
    assert imported != run_id
    assert main(["show", imported]) == 0
    assert "finished" in capsys.readouterr().out

    for form, expected in (("report", "<html"), ("nni", "LayerChoice"), ("torch", "nn.Module")):
        assert main(["export", run_id, "--as", form]) == 0
        assert expected in capsys.readouterr().out

    assert main(["resume", run_id, "--retrain", "2", "--json"]) == 0
    again = lines(capsys)
    assert again[0]["kind"] == "run_resumed"
    repeats = [event["data"] for event in again if event["kind"] == "trial_started"]
    assert len(repeats) == 2 and len({repeat["seed"] for repeat in repeats}) == 2


@pytest.mark.slow
def test_the_same_seed_gives_the_same_run_whatever_the_workers(capsys: pytest.CaptureFixture[str]) -> None:
    found = []
    for workers in ("1", "2"):
        assert main([*QUICK[:-1], workers, "--json", "--seed", "5"]) == 0
        finals = [event["data"] for event in lines(capsys) if event["kind"] == "final_result"]
        found.append({final["trial_id"]: final["value"] for final in finals})
    assert found[0] == found[1]


@pytest.mark.slow
def test_asking_for_more_than_the_space_holds_trains_all_with_a_warning(
    capsys: pytest.CaptureFixture[str],
) -> None:
    arguments = [
        "run",
        "random",
        "--space",
        "notes-net",
        "--dataset",
        "synthetic",
        "--trials",
        "9",
        "--epochs",
        "1",
    ]
    assert main([*arguments, "--json"]) == 0
    events = lines(capsys)
    assert sum(event["kind"] == "final_result" for event in events) == 8
    assert any(event["kind"] == "warning" and "8" in event["data"]["message"] for event in events)
