"""What is taken away from a features run: CSV that is safe to open, and a script that runs by itself."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from explorer.catalogue import TABLES
from explorer.errors import SpecError
from explorer.export.features_code import features_code, selected_csv
from explorer.runs.spec import RunSpec
from explorer.runs.state import RunState
from tests.runs.test_feature_specs import GOOD

PLAN = GOOD["feature_plan"] | {"columns": ["=cmd()", "b"], "selectors": ["anova", "random_k"]}


def state(*measurements: tuple[str, dict[str, Any]], **form: Any) -> RunState:
    """A run that told these."""
    told = tuple({"name": name, "step": 0, "data": data} for name, data in measurements)
    return RunState("r", RunSpec(kind="features", **{"dataset": "wine"} | form), measurements=told)


def test_the_selected_list_is_csv_with_formulas_neutralised() -> None:
    advice = GOOD["feature_selection"] | {"columns": ["b"]}
    scores = GOOD["feature_scores"] | {"ranks": [2, 1]}
    blind = scores | {"selector": "random_k"}
    found = state(
        ("feature_plan", PLAN),
        ("feature_scores", scores),
        ("feature_scores", blind),
        ("feature_selection", advice),
    )
    assert selected_csv(found).splitlines() == [
        "column,anova mean rank,anova selected",
        "'=cmd(),2.0,0",
        "b,1.0,1",
    ]


def test_a_run_without_ranks_has_no_list_yet() -> None:
    with pytest.raises(SpecError, match="no ranks yet"):
        selected_csv(state())


@pytest.mark.parametrize("selectors", [[], ["gradient"], ["gbdt"], ["anova"]])
@pytest.mark.parametrize("table", [*TABLES, "table:0123456789abcdef.csv", "table:0123456789abcdef.parquet"])
def test_the_script_is_code_with_nnis_selectors_of_the_run(table: str, selectors: list[str]) -> None:
    code = features_code(state(dataset=table, method={"selectors": selectors}))
    compile(code, "script.py", "exec")
    assert "explorer" not in code
    wanted = [name for name in ("gradient", "gbdt") if name in selectors] or ["gradient", "gbdt"]
    assert [name for name in ("gradient", "gbdt") if f"def {name}(" in code] == wanted


def test_a_targets_name_cannot_become_code() -> None:
    nasty = 'y"\nimport os  # '
    code = features_code(
        state(dataset="table:0123456789abcdef.csv", settings={"features": {"target": nasty}})
    )
    assert "import os" not in [line.strip() for line in code.splitlines()]
    compile(code, "script.py", "exec")


def test_new_columns_and_other_targets_have_no_script() -> None:
    with pytest.raises(SpecError, match="made new ones"):
        features_code(state(method={"tuner": "TPE"}))
    with pytest.raises(SpecError, match="its own target"):
        features_code(state(settings={"features": {"target": "hue"}}))


def _run(code: str, folder: Path, *arguments: str) -> list[str]:
    script = folder / "script.py"
    script.write_text(code)
    done = subprocess.run(
        [sys.executable, "-W", "ignore", str(script), *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


@pytest.mark.slow
def test_the_script_runs_by_itself_and_finds_what_the_engine_finds(tmp_path: Path) -> None:
    from explorer.adapters.selectors import gbdt_scores, gradient_scores
    from explorer.catalogue import SELECTORS
    from explorer.data.tables import load_table
    from explorer.features.preparing import layout_of, prepared

    told = _run(features_code(state(dataset="breast-cancer", seed=3)), tmp_path)
    task = load_table("breast-cancer")
    x, _ = prepared(layout_of(task.frame), task.frame, task.frame)
    for name, scorer in (("gradient", gradient_scores), ("gbdt", gbdt_scores)):
        # scikit-learn's own codes are the other way round: 0 is malignant
        scores = scorer(
            x, 1 - task.values, classification=True, seed=3, settings=SELECTORS[name].settings({})
        )
        best = [task.frame.columns[at] for at in np.argsort(scores, kind="stable")[::-1][:5]]
        assert [line.split(None, 3)[3] for line in told if line.startswith(f"{name} ")] == best


@pytest.mark.slow
def test_the_script_of_an_upload_reads_the_file_that_is_named(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.normal(size=(120, 3)), columns=["a", "b", "c"])
    frame["colour"] = rng.choice(["red", "blue"], 120)
    frame["y"] = 3 * frame["b"] + rng.normal(size=120) / 10
    frame.to_csv(tmp_path / "t.csv", index=False)
    told = _run(features_code(state(dataset="table:0123456789abcdef.csv")), tmp_path, "t.csv")
    assert [line.split()[3] for line in told if line.split()[1] == "1"] == ["b", "b"]
