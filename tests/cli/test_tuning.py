"""`run hpo` and `tell` on the command line: JSON lines, one sentence and exit 2, everything headless."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from explorer.cli import main
from explorer.errors import SpecError
from explorer.jobs import launch
from explorer.runs import RunSpec, Store
from tests.cli.test_cli import lines, sentence
from tests.jobs.conftest import store, wait_for_end

__all__ = ["store"]

CURVES = ("run", "hpo", "--objective", "curves", "--tuner", "Random", "--workers", "1")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--tuner", "TPEE"), "did you mean 'TPE'"),
        (("--assessor", "Curvefiting"), "did you mean 'Curvefitting'"),
        (("--objective", "brannin"), "did you mean 'branin'"),
        (("--search-space", "nowhere.json"), "cannot be read"),
        (("--set", "tuner.gamma=9"), "gamma is 9"),
        (("--assessor", "Curvefitting", "--epochs", "10", "--set", "assessor.threshold=9.0"), "threshold"),
        (("--executor", "nni", "--objective", "branin", "--workers", "0"), "workers is 0"),
    ],
    ids=str,
)
def test_a_mistake_is_one_sentence_and_exit_2(
    arguments: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["run", "hpo", *arguments]) == 2
    assert said in sentence(capsys)


def test_a_search_space_with_mistakes_is_told_with_their_lines(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "search_space.json"
    file.write_text(
        '{\n  "learning_rate": {"_type": "loguniform", "_value": [0, 1]},\n  "x": {"_type": "chioce"}\n}'
    )
    assert main(["run", "hpo", "--search-space", str(file)]) == 2
    told = sentence(capsys)
    assert "Line 2" in told and "Line 3" in told


def test_tuning_options_belong_to_hpo(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "random", "--tuner", "TPE"]) == 2
    assert "belong to 'run hpo'" in sentence(capsys)


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_run_tells_everything_as_json_lines_and_its_stopped_trials_can_be_finished(
    capsys: pytest.CaptureFixture[str], store: Store
) -> None:
    arguments = (*CURVES, "--assessor", "Curvefitting", "--trials", "8", "--epochs", "12", "--json")
    assert main(list(arguments)) == 0
    events = lines(capsys)
    kinds = {event["kind"] for event in events}
    assert {"trial_started", "intermediate_result", "assessment", "final_result", "run_finished"} <= kinds
    run_id = events[0]["run_id"]
    stopped = [
        event["data"]["trial_id"]
        for event in events
        if event["kind"] == "trial_ended" and event["data"]["status"] == "early_stopped"
    ]
    assert stopped
    launch.let_finish(store, run_id, stopped[:1])
    state = wait_for_end(store, run_id)
    ghosts = [trial for trial in state.trials.values() if trial.continues]
    assert [(ghost.repeat_of, ghost.status) for ghost in ghosts] == [(stopped[0], "succeeded")]
    assert main(["show", run_id]) == 0
    assert "finished later" in capsys.readouterr().out
    launch.more_trials(store, run_id, 10)
    state = wait_for_end(store, run_id)
    assert state.planned_trials == 10 == sum(trial.repeat_of is None for trial in state.trials.values())
    launch.add_after_end(store, run_id, launch.parameters_of(store, run_id, 0))
    state = wait_for_end(store, run_id)
    assert [trial.parameters for trial in state.trials.values() if trial.origin == "hand"] == [
        state.trials[0].parameters
    ]
    with pytest.raises(SpecError, match="whole number from 12"):
        launch.more_trials(store, run_id, 5)


@pytest.fixture
def waiting(store: Store) -> str:
    """A queued tuning run; its id."""
    return store.create_run(RunSpec(kind="hpo", objective="branin"))


@pytest.mark.parametrize(
    ("arguments", "kind", "data"),
    [
        (("pause",), "pause", {}),
        (("set", "trials=40"), "set", {"name": "trials", "value": 40}),
        (("set", "workers=3"), "set", {"name": "workers", "value": 3}),
        (("add", '{"x1": 1, "x2": 2}'), "add_trial", {"parameters": {"x1": 1, "x2": 2}}),
        (("kill", "3"), "kill_trial", {"trial_id": 3}),
    ],
    ids=str,
)
def test_what_a_run_is_told_is_a_request(
    arguments: tuple[str, ...], kind: str, data: dict[str, Any], waiting: str, store: Store
) -> None:
    assert main(["tell", waiting, *arguments]) == 0
    assert [(request.kind, request.data) for request in store.requests(waiting)] == [(kind, data)]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("set", "speed=3"), "write trials=N or workers=N"),
        (("set",), "write trials=N"),
        (("set", "trials=many"), "write trials=N"),
        (("add", "[1]"), "A trial is a JSON object"),
        (("add", "{"), "not valid JSON"),
        (("kill", "first"), "names no trials"),
        (("kill",), "names no trials"),
        (("again", "5"), "no trial 5"),
        (("finish",), "no early stopped trial"),
        (("finish", "5"), "cannot be finished"),
    ],
    ids=str,
)
def test_what_a_run_cannot_be_told_is_one_sentence(
    arguments: tuple[str, ...], said: str, waiting: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["tell", waiting, *arguments]) == 2
    assert said in sentence(capsys)


def test_a_tuning_run_is_exported_as_a_folder(
    waiting: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["export", waiting, "--as", "nni"]) == 2
    assert "--to FOLDER" in sentence(capsys)
    assert main(["export", waiting, "--as", "nni", "--to", str(tmp_path / "out")]) == 0
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert {"config.yml", "search_space.json", "trial.py", "run.py", "README.md"} <= names
    assert set(json.loads((tmp_path / "out" / "search_space.json").read_text())) == {"x1", "x2"}
