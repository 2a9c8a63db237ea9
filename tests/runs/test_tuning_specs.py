"""What a run of hyper-parameter optimisation may ask for, and what is said before it starts."""

from __future__ import annotations

from typing import Any

import pytest

from explorer.catalogue import ASSESSORS, OBJECTIVES, TUNERS
from explorer.errors import SpecError
from explorer.hyper import read_search_space
from explorer.hyper.tuner_rules import tuner_problems, tuners_for
from explorer.runs import RunSpec

BRANIN: dict[str, Any] = {"kind": "hpo", "objective": "branin"}


def problems(**form: Any) -> tuple[str, ...]:
    """What is wrong with these settings."""
    return RunSpec.restore({"kind": "hpo", **form}).problems()


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_every_objective_runs_with_nothing_but_its_name(objective: str) -> None:
    assert problems(objective=objective) == ()


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_a_spec_survives_json_and_a_link(objective: str) -> None:
    spec = RunSpec(kind="hpo", objective=objective, trials=7, method={"tuner": "Evolution"})
    assert RunSpec.from_json(spec.to_json()) == spec == RunSpec.from_link(spec.to_link())
    assert spec.method == {"tuner": "Evolution", "assessor": "none"}


def test_settings_written_before_there_were_objectives_still_read() -> None:
    form = RunSpec().to_json()
    del form["objective"], form["search_space"]
    assert RunSpec.from_json(form) == RunSpec()


def test_the_direction_is_the_objectives_own_unless_the_tuner_is_told_otherwise() -> None:
    assert RunSpec(kind="hpo", objective="branin").optimize_mode == "minimize"
    assert RunSpec(kind="hpo", objective="train").optimize_mode == "maximize"
    told = RunSpec(kind="hpo", objective="branin", settings={"tuner": {"optimize_mode": "maximize"}})
    assert told.optimize_mode == "maximize"


SAID = [
    ({"objective": "brain"}, "did you mean 'branin'"),
    ({"method": {"tuner": "TPEE"}}, "did you mean 'TPE'"),
    ({"method": {"assessor": "Curvefit"}}, "did you mean 'Curvefitting'"),
    ({"method": {"tuner": "SMAC"}}, "The tuner SMAC is not available here"),
    ({"search_space": {"learning_rate": {"_type": "loguniform", "_value": [0, 1]}}}, "loguniform"),
    ({"search_space": {"learning_rate": {"_type": "uniform", "_value": [1, 1]}}}, "learning_rate"),
    (
        {"search_space": {"learnin_rate": {"_type": "uniform", "_value": [0.1, 1]}}},
        "did you mean 'learning_rate'",
    ),
    ({"search_space": {}}, "search space"),
    ({"search_space": {f"x{n}": {"_type": "uniform", "_value": [0, 1]} for n in range(1000)}}, "1,000"),
    (
        {"search_space": {f"x{n}": {"_type": "uniform", "_value": [0, 1]} for n in range(5000)}},
        "bytes as JSON",
    ),
    (BRANIN | {"method": {"assessor": "Curvefitting"}}, "reports none"),
    (BRANIN | {"architecture": {}}, "trains no architecture"),
    (BRANIN | {"settings": {"training": {"batch_size": 3}}}, "trains nothing"),
    ({"settings": {"tuner": {"gama": 1}}}, "did you mean 'gamma'"),
    ({"settings": {"tuner": {"gamma": 7}}}, "gamma is 7"),
    ({"settings": {"strategy": {"x": 1}}}, "has no settings of the group 'strategy'"),
    (
        {"method": {"assessor": "Curvefitting"}, "settings": {"assessor": {"threshold": 9.0}}, "epochs": 10},
        "9",
    ),
    (
        {"method": {"assessor": "Curvefitting"}, "settings": {"assessor": {"epoch_num": 5}}, "epochs": 10},
        "epoch_num",
    ),
    ({"method": {"assessor": "Curvefitting"}, "epochs": 3}, "start_step"),
    (
        {
            "method": {"assessor": "Curvefitting"},
            "settings": {"tuner": {"optimize_mode": "minimize"}},
            "epochs": 10,
        },
        "cannot minimise",
    ),
    (
        {"method": {"tuner": "Hyperband", "assessor": "Medianstop"}, "epochs": 9},
        "no assessor can stand beside it",
    ),
    (BRANIN | {"method": {"tuner": "Hyperband"}}, "a trial of the objective branin has none; take another"),
    (BRANIN | {"method": {"tuner": "BOHB"}}, "a trial of the objective branin has none; take another"),
    (
        {"method": {"tuner": "Hyperband"}, "settings": {"tuner": {"R": 10}}, "epochs": 9},
        "Hyperband's R is 10, and a trial has at most 9 epochs; give R at most 9",
    ),
    (
        {"objective": "curves", "method": {"tuner": "BOHB"}, "settings": {"tuner": {"max_budget": 10}}},
        "BOHB's max_budget is 10, and a trial has at most 3 epochs",
    ),
    (
        {"objective": "curves", "method": {"tuner": "BOHB"}, "settings": {"tuner": {"min_budget": 4}}},
        "BOHB's min_budget is 4, and a trial has at most 3 epochs",
    ),
    (
        {
            "objective": "curves",
            "method": {"tuner": "BOHB"},
            "settings": {"tuner": {"min_budget": 6, "max_budget": 5}},
            "epochs": 9,
        },
        "BOHB's min_budget is 6, and a trial has at most 5 epochs",
    ),
    ({"executor": "ray"}, "executor"),
    ({"kind": "random", "executor": "nni"}, "executor"),
    ({"dataset": "digit"}, "did you mean 'digits'"),
]


@pytest.mark.parametrize(("form", "said"), SAID, ids=[said for _, said in SAID])
def test_what_cannot_run_is_said_in_a_sentence(form: dict[str, Any], said: str) -> None:
    found = problems(**form)
    assert any(said in sentence for sentence in found), found
    assert all(sentence.endswith((".", "?")) for sentence in found), found


def test_a_space_that_a_tuner_cannot_take_is_refused_with_the_tuners_that_can() -> None:
    space = {"optimizer": {"_type": "choice", "_value": ["sgd", "adam"]}}
    (found,) = problems(method={"tuner": "GP"}, search_space=space, architecture=_pinned())
    assert "GP" in found and "'optimizer'" in found and "TPE" in found
    assert "GP" not in tuners_for(read_search_space(space))


def test_what_is_tuned_along_counts_for_the_tuner_too() -> None:
    space = {"learning_rate": {"_type": "loguniform", "_value": [0.01, 0.1]}}
    assert problems(method={"tuner": "GP"}, search_space=space, architecture=_pinned()) == ()
    assert "'conv1'" in problems(method={"tuner": "GP"}, search_space=space)[0]


def test_every_tuner_says_what_it_takes_or_why_it_is_not_here() -> None:
    space = read_search_space({"x": {"_type": "uniform", "_value": [0, 1]}})
    for name, entry in TUNERS.items():
        assert set(entry.facts) >= {"types", "nested", "available", "reason", "advisor", "seconds"}
        if entry.facts["available"]:
            assert entry.facts["types"]
            assert not tuner_problems(name, space) or name == "Batch"
        else:
            assert len(entry.facts["reason"]) > 20 and not entry.parameters


def test_settings_of_the_wrong_tuner_are_not_taken_for_another_ones() -> None:
    with pytest.raises(SpecError, match="gamma"):
        RunSpec(kind="hpo", method={"tuner": "Random"}, settings={"tuner": {"gamma": 0.5}}).checked()


@pytest.mark.parametrize("name", ASSESSORS)
def test_an_assessors_defaults_are_sound(name: str) -> None:
    assert problems(objective="curves", epochs=20, method={"assessor": name}) == ()


@pytest.mark.parametrize("tuner", ["Hyperband", "BOHB"])
def test_budgets_within_the_runs_epochs_are_taken(tuner: str) -> None:
    own = {"R": 9} if tuner == "Hyperband" else {"min_budget": 9, "max_budget": 9}
    for given in ({}, own):
        assert (
            problems(objective="curves", epochs=9, method={"tuner": tuner}, settings={"tuner": given}) == ()
        )


def _pinned() -> dict[str, Any]:
    return {"conv1": "conv3x3", "mid_conv": "conv3x3", "skip": []}
