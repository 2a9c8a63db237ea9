"""`run features`, `list selectors` and its exports on the command line: JSON lines, or one sentence and exit 2."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from explorer.cli import main
from explorer.runs import Store
from tests.cli.test_cli import lines, sentence
from tests.features.rig import noise
from tests.jobs.conftest import store

__all__ = ["store"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--dataset", "wines"), "did you mean 'wine'"),
        (("--selector", "anowa"), "did you mean 'anova'"),
        (("--table", "nowhere.csv"), "cannot be read"),
        (("--table", "x.csv", "--dataset", "wine"), "give one of them"),
        (("--set", "selector.n_epochs=3"), "write it as NAME.PARAMETER"),
        (("--set", "selector.gradient.n_epochs=0"), "n_epochs is 0"),
        (("--tuner", "GP"), "choices among numbers only"),
        (("--assessor", "Medianstop"), "belong to 'run hpo'"),
        (("--method", "darts"), "belong to 'run oneshot'"),
    ],
    ids=str,
)
def test_a_mistake_is_one_sentence_and_exit_2(
    arguments: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["run", "features", *arguments]) == 2
    assert said in sentence(capsys)


def test_selectors_and_tables_belong_to_features(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "random", "--selector", "anova"]) == 2
    assert "belong to 'run features'" in sentence(capsys)


def test_a_file_that_cannot_serve_is_told_before_anything_runs(
    store: Store, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "t.csv"
    file.write_bytes("größe,b\n".encode("latin-1"))
    assert main(["run", "features", "--table", str(file)]) == 2
    assert "save it as UTF-8" in sentence(capsys)
    assert list(store.summaries()) == []


def test_what_is_said_becomes_the_runs_settings(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    seen: list[Any] = []
    monkeypatch.setattr(
        "explorer.commands.running.launch.start_run", lambda _, spec: seen.append(spec) or "id"
    )
    file = tmp_path / "t.csv"
    noise(60, 3).to_csv(file, index=False)
    given = ("--selector", "anova", "--selector", "gbdt", "--tuner", "TPE", "--trials", "5", "--target", "x1")
    assert (
        main(["run", "features", "--table", str(file), *given, "--set", "features.resamples=3", "--detach"])
        == 0
    )
    spec = seen[0]
    assert spec.method == {"selectors": ["anova", "gbdt"], "tuner": "TPE"} and spec.trials == 5
    assert spec.settings == {"features": {"target": "x1", "resamples": 3}}
    assert spec.dataset.startswith("table:") and spec.dataset.endswith(".csv")
    assert main(["run", "features", "--detach"]) == 0
    assert seen[1].dataset == "breast-cancer" and seen[1].method == {}


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_run_is_followed_shown_exported_and_imported(
    store: Store, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = (
        "--dataset",
        "wine",
        "--selector",
        "anova",
        "--selector",
        "gradient",
        "--set",
        "features.resamples=2",
    )
    assert main(["run", "features", *given, "--json"]) == 0
    events = lines(capsys)
    run_id, kinds = events[0]["run_id"], [event["kind"] for event in events]
    assert kinds[:2] == ["run_queued", "run_started"] and kinds[-1] == "run_finished"
    names = [event["data"]["name"] for event in events if event["kind"] == "measurement"]
    assert names.count("feature_scores") == 4 and names.count("feature_selection") == 2
    assert main(["show", run_id]) == 0
    assert "anova" in capsys.readouterr().out
    assert main(["runs"]) == 0
    assert "selectors compared" in capsys.readouterr().out
    assert main(["resume", run_id]) == 2
    capsys.readouterr()
    assert main(["resume", run_id, "--retrain", "2"]) == 2
    sentence(capsys)
    for form, name in (("nni", "s.py"), ("csv", "s.csv"), ("run", "r.jsonl.gz"), ("report", "r.html")):
        assert main(["export", run_id, "--as", form, "--to", str(tmp_path / name)]) == 0
    assert (tmp_path / "s.csv").read_text().startswith("column,")
    assert "anova" in (tmp_path / "r.html").read_text() or "ANOVA" in (tmp_path / "r.html").read_text()
    assert main(["export", run_id, "--as", "torch"]) == 2
    assert "trains no network" in sentence(capsys)
    assert main(["import", str(tmp_path / "r.jsonl.gz")]) == 0
    assert main(["export", "cell", "--as", "csv"]) == 2
