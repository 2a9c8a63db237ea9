"""What a features run may ask for, what is said before it starts, and what its measurements may look like."""

from __future__ import annotations

from typing import Any

import pytest

from explorer.catalogue import FEATURES, SELECTORS, TABLES, TUNERS
from explorer.runs import RunSpec
from explorer.runs.events import data_problem
from explorer.runs.feature_checks import OWN_LOOPS, feature_settings, selector_settings, selectors_of
from explorer.space import preset


def problems(**form: Any) -> tuple[str, ...]:
    """What is wrong with these settings."""
    return RunSpec.restore({"kind": "features", "dataset": "wine", **form}).problems()


@pytest.mark.parametrize("table", TABLES)
def test_every_table_is_compared_with_nothing_but_its_name(table: str) -> None:
    assert problems(dataset=table) == ()
    spec = RunSpec(kind="features", dataset=table)
    assert selectors_of(spec) == tuple(SELECTORS) and feature_settings(spec) == FEATURES.defaults()


def test_a_spec_survives_json_and_a_link() -> None:
    spec = RunSpec(
        kind="features",
        dataset="table:0123456789abcdef.parquet",
        method={"selectors": ["anova", "gradient"], "tuner": "TPE"},
        settings={"selector": {"gradient.n_epochs": 5}, "features": {"target": "y"}, "tuner": {}},
        trials=7,
    )
    assert RunSpec.from_json(spec.to_json()) == spec == RunSpec.from_link(spec.to_link())
    assert selectors_of(spec) == ("gradient", "anova"), "in the catalogue's order"
    assert selector_settings(spec, "gradient")["n_epochs"] == 5
    assert selector_settings(spec, "anova") == {}
    assert spec.planned_trials == 7 and RunSpec(kind="features").planned_trials == 0
    assert spec.subject == "features" and not spec.trains_network


SAID = [
    ({"dataset": "digits"}, "did you mean 'digits-table'"),
    ({"dataset": "table:../../etc/passwd"}, "No table is called"),
    ({"dataset": 5}, "No table is called 5"),
    ({"method": {"selectors": ["anowa"]}}, "did you mean 'anova'"),
    ({"method": {"selectors": "anova"}}, "give a list"),
    ({"method": {"strategy": "random"}}, "part of a features run's method"),
    ({"method": {"tuner": "GP"}}, "takes choices among numbers only"),
    ({"method": {"tuner": "TPEE"}}, "did you mean 'TPE'"),
    ({"method": {"tuner": "TPE"}, "settings": {"tuner": {"optimize_mode": "minimize"}}}, "maximises"),
    ({"settings": {"tuner": {"gamma": 3}}}, "need a tuner"),
    ({"settings": {"selector": {"n_epochs": 3}}}, "write it as NAME.PARAMETER"),
    ({"settings": {"selector": {"gradiant.n_epochs": 3}}}, "did you mean 'gradient'"),
    ({"settings": {"selector": {"gradient.epochs": 3}}}, "No parameter of gradient"),
    ({"settings": {"selector": {"gradient.n_epochs": 0}}}, "n_epochs is 0"),
    ({"settings": {"features": {"resamples": 1}}}, "resamples is 1"),
    ({"settings": {"features": {"judge": "oracle"}}}, "pick 'linear' or 'forest'"),
    ({"settings": {"training": {"momentum": 0.5}}}, "reads features, selector, tuner"),
    ({"architecture": preset("cell").default.to_json()}, "leave architecture out"),
    ({"search_space": {"x": {"_type": "choice", "_value": [1, 2]}}}, "leave search_space out"),
    ({"executor": "nni"}, "No executor is called 'nni'"),
]


@pytest.mark.parametrize(("change", "words"), SAID)
def test_bad_settings_are_one_clear_sentence(change: dict[str, Any], words: str) -> None:
    found = problems(**change)
    assert len(found) == 1 and words in found[0], found


@pytest.mark.parametrize("tuner", OWN_LOOPS)
def test_tuners_that_share_out_budgets_are_refused(tuner: str) -> None:
    assert tuner in TUNERS
    assert "take TPE, Random or Evolution" in problems(method={"tuner": tuner})[0]


GOOD: dict[str, dict[str, Any]] = {
    "feature_plan": {
        "table": "t",
        "task": "regression",
        "target": "y",
        "metric": "R2",
        "rows": 10,
        "resamples": 2,
        "columns": ["a"],
        "selectors": ["anova"],
        "counts": [1],
        "pipeline": ["x"],
        "chance": None,
    },
    "feature_scores": {
        "selector": "anova",
        "resample": 0,
        "scores": [0.5, None],
        "ranks": [1, 2],
        "seconds": 0.1,
        "tied": False,
    },
    "feature_accuracy": {"selector": "anova", "resample": 0, "k": 1, "value": 0.5},
    "feature_selection": {"selector": "anova", "k": 1, "columns": ["a"], "agreement": None},
    "feature_generation": {"parameters": None, "columns": [], "search": 0.5, "kept": None},
}


@pytest.mark.parametrize("name", GOOD)
def test_measurements_that_cannot_be_drawn_are_refused(name: str) -> None:
    def problem(data: Any) -> str | None:
        return data_problem("measurement", {"name": name, "step": 0, "data": data})

    assert problem(GOOD[name]) is None
    assert problem([]) is not None
    for key, value in GOOD[name].items():
        assert problem({**GOOD[name], key: object}) is not None
        if value is not None and key not in ("parameters", "seconds", "tied"):
            assert problem({**GOOD[name], key: {"x": 1}}) is not None, key
