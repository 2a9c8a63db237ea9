"""`run nas`: what is said where nothing is; headless."""

from __future__ import annotations

import pytest

from explorer.cli import main
from explorer.runs.spec import RunSpec

SEARCH = ["run", "nas", "--space", "cell", "--dataset", "noisy-digits", "--strategy", "random", "--detach"]


@pytest.mark.parametrize(
    ("given", "epochs"),
    [(["--executor", "key"], 20), (["--executor", "key", "--epochs", "4"], 4), ([], 3)],
)
def test_what_the_key_looks_up_is_whole_trainings_where_nothing_else_is_said(
    given: list[str], epochs: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[RunSpec] = []
    monkeypatch.setattr(
        "explorer.commands.running.launch.start_run", lambda _, spec: seen.append(spec) or "id"
    )
    assert main([*SEARCH, *given]) == 0
    assert [(spec.epochs, spec.method["strategy"]) for spec in seen] == [(epochs, "random")]


def test_a_strategy_belongs_to_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", "random", "--strategy", "random"]) == 2
    assert "--strategy belongs to 'run nas'" in capsys.readouterr().err
