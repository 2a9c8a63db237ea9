"""The engine's promises: no leak, the same story for the same seed, ties said, resumed where it was lost."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from explorer.errors import SpecError
from explorer.features.engine import run
from explorer.features.judging import counts_of, folds, held_out, judged, resamples
from explorer.features.trials import try_columns
from explorer.jobs.control import Control
from explorer.jobs.executors import LocalExecutor
from explorer.runs.feature_story import (
    generation,
    missing_of_features,
    plan_of,
    selections,
    stories,
)
from explorer.runs.spec import RunSpec
from tests.features.rig import Direct, kept, noise, story, told
from tests.story import Story

QUICK = {"selectors": ["anova", "l1", "all_features", "random_k"]}
THREE = {"features": {"resamples": 3}}


def measured(one: Story, name: str) -> list[Any]:
    """The data of every measurement of this name."""
    return [each["data"] for each in one.of("measurement") if each["name"] == name]


def test_every_selector_is_compared_on_every_resample_and_advises_columns() -> None:
    one = story(dataset="wine", method=QUICK, settings=THREE)
    one.attempt(Direct())
    assert one.events[-1].kind == "run_finished"
    plan, found = plan_of(one.state), stories(one.state)
    assert (
        plan is not None
        and plan.selectors == tuple(QUICK["selectors"])
        and plan.counts == (1, 2, 3, 5, 8, 13)
    )
    assert [len(each.ranks) for each in found] == [3] * 4
    for each in found:
        assert each.counts == ((13,) if each.name == "all_features" else plan.counts)
        assert all(sorted(ranks) == list(range(1, 14)) for ranks in each.ranks.values())
    everything = {each.name: each.at(13) for each in found}
    assert len(set(everything.values())) == 1, "all columns are worth the same whoever ranks them"
    advice = {data["selector"]: data for data in selections(one.state)}
    assert set(advice) == {"anova", "l1"}, "baselines advise nothing"
    assert all(len(data["columns"]) == data["k"] for data in advice.values())
    assert missing_of_features(one.state) == 0


@pytest.mark.slow
def test_the_story_does_not_depend_on_workers_and_repeats_exactly() -> None:
    form = {"dataset": "wine", "settings": THREE, "seed": 3, "trials": 4}
    method = {"selectors": ["gbdt", "mutual_information", "random_forest", "random_k"], "tuner": "TPE"}
    found = []
    for executor in (Direct(1), Direct(4), LocalExecutor(2)):
        one = story(**form, method=method)
        try:
            one.attempt(executor)
        finally:
            if isinstance(executor, LocalExecutor):
                executor.close()
        assert one.events[-1].kind == "run_finished", one.events[-1].data
        found.append(told(one))
    assert found[0] == found[1] == found[2]
    other = story(**form | {"seed": 4}, method=method)
    other.attempt(Direct())
    assert told(other) != found[0]


@pytest.mark.slow
def test_a_lost_run_goes_on_and_ends_as_an_undisturbed_one() -> None:
    method = {"selectors": ["anova", "random_k"], "tuner": "TPE"}
    form = {"dataset": "wine", "settings": THREE, "trials": 5, "method": method}
    whole = story(**form)
    whole.attempt(Direct())
    for lost_at in (2, 7, 11):
        cut = story(**form)
        cut.attempt(Direct(), wishes={lost_at: Control(cancel=True)})
        assert cut.events[-1].kind == "run_cancelled" and missing_of_features(cut.state) > 0
        cut.attempt(Direct())
        assert cut.events[-1].kind == "run_finished"
        assert selections(cut.state) == selections(whole.state)
        assert generation(cut.state) == generation(whole.state)
        values = [{key: trial.value for key, trial in one.state.trials.items()} for one in (cut, whole)]
        assert values[0] == values[1]
        pairs = [(data["selector"], data["resample"]) for data in measured(cut, "feature_scores")]
        assert len(pairs) == len(set(pairs)) == 6


def test_nothing_starts_while_a_run_is_paused() -> None:
    one = story(dataset="wine", method=QUICK, settings=THREE)
    direct = Direct()
    wishes = {at: Control(pause=True) for at in range(3)} | {3: Control(cancel=True)}
    one.attempt(direct, wishes=wishes)
    assert direct.submitted == [] and one.events[-1].kind == "run_cancelled"


def test_one_epoch_of_the_gradient_selector_is_told_as_a_tie_once() -> None:
    one = story(
        dataset="breast-cancer",
        method={"selectors": ["gradient", "anova"]},
        settings={"selector": {"gradient.n_epochs": 1}, "features": {"resamples": 2}},
    )
    one.attempt(Direct())
    ties = [data["message"] for data in one.of("warning") if "the same score" in data["message"]]
    assert len(ties) == 1 and "all 30 columns" in ties[0] and "n_epochs of at least 5" in ties[0]
    gradient, anova = stories(one.state)
    assert gradient.tied == {0, 1} and not anova.tied


def test_with_enough_epochs_four_of_anovas_top_five_are_found() -> None:
    one = story(
        dataset="breast-cancer",
        method={"selectors": ["gradient", "anova"]},
        settings={"features": {"resamples": 2}},
    )
    one.attempt(Direct())
    gradient, anova = stories(one.state)
    assert len(set(gradient.best_columns(5)) & set(anova.best_columns(5))) >= 4
    assert not one.of("warning")


# -- leakage ----------------------------------------------------------------------------------------------------------


def test_choosing_on_all_rows_first_makes_noise_look_useful_and_choosing_inside_does_not(
    explorer_home: Path,
) -> None:
    frame = noise(rows=80, columns=600).drop(columns="place")
    one = story(dataset=kept(frame), method={"selectors": ["anova"]})
    one.attempt(Direct())
    (inside,) = stories(one.state)
    honest = float(np.mean(inside.at(8)))
    x, y = frame.drop(columns="y").to_numpy(), (frame["y"] == "yes").to_numpy().astype(int)
    first = np.argsort(-np.abs(np.corrcoef(x, y, rowvar=False)[-1, :-1]))[:8]
    wrong = np.mean(
        [
            judged("linear", True, (x[a][:, first], y[a]), (x[b][:, first], y[b]), 0)
            for a, b in folds(y, True, 5, 0)
        ]
    )
    assert wrong > 0.7 > 0.6 > honest


@pytest.mark.slow
def test_a_target_of_pure_noise_stays_at_chance_after_a_search_for_columns(explorer_home: Path) -> None:
    frame = noise(rows=900, columns=4)
    one = story(
        dataset=kept(frame),
        method={"selectors": ["anova", "random_k"], "tuner": "Evolution"},
        trials=12,
        settings={"features": {"resamples": 3, "held_out": 0.4}},
    )
    one.attempt(Direct())
    assert one.events[-1].kind == "run_finished"
    made = generation(one.state)
    assert made is not None and made["kept_without"] is not None
    error = (0.25 / 360) ** 0.5  # of an accuracy by chance on the 360 rows that were kept
    assert abs((made["kept"] or 0.5) - 0.5) < 3.5 * error
    for each in stories(one.state):
        assert all(abs(np.mean(each.at(count)) - 0.5) < 3.5 * error for count in each.counts)


@pytest.mark.parametrize("operator", ["target_of", "count_of"])
def test_groups_of_three_rows_cannot_carry_a_target_of_noise_to_other_rows(
    operator: str, explorer_home: Path
) -> None:
    rng = np.random.default_rng(2)
    frame = pd.DataFrame({"x": rng.normal(size=900), "word": [f"w{at % 300}" for at in range(900)]})
    frame["y"] = rng.permutation(np.arange(900) % 2)
    frame["word"] = frame["word"].where(rng.random(900) > 0.01, "other")
    payload = {
        "table": kept(frame),
        "target": None,
        "task": "auto",
        "resamples": 3,
        "seed": 0,
        "judge": "linear",
        "held_out": 0.4,
        "look_at_kept": True,
        "generated": {operator: "word", "bins": 5},
    }
    (said,) = try_columns(payload)
    assert abs(said["value"] - 0.5) < 3.5 * (0.25 / 540) ** 0.5
    assert abs(said["metrics"]["kept"] - 0.5) < 3.5 * (0.25 / 360) ** 0.5


@pytest.mark.slow
def test_a_search_finds_the_column_that_a_linear_model_lacks(explorer_home: Path) -> None:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"a": rng.normal(size=400), "b": rng.normal(size=400)})
    frame["y"] = np.where(frame["a"] * frame["b"] > 0, "yes", "no")
    one = story(
        dataset=kept(frame), method={"selectors": ["anova"], "tuner": "Random"}, trials=24, settings=THREE
    )
    one.attempt(Direct())
    made = generation(one.state)
    assert made is not None and made["kept_without"] < 0.65 < 0.9 < made["kept"]
    best = one.state.best
    assert best is not None and best.trial_id == made["trial_id"]
    assert any(set(data["columns"]) & set(made["columns"]) for data in selections(one.state))


def test_the_kept_rows_are_never_trained_on() -> None:
    values = np.arange(200) % 3
    seen, never = held_out(values, True, 0.25, 5)
    assert sorted([*seen, *never]) == list(range(200))
    cuts = resamples(values, True, 4, 5, 0.25)
    assert all(set(other) == set(never) and not set(train) & set(never) for train, other in cuts)
    plain = resamples(values, True, 4, 5)
    assert sorted(row for _, other in plain for row in other) == list(range(200))
    assert all(not set(train) & set(other) for train, other in plain)


# -- tables -----------------------------------------------------------------------------------------------------------


def test_missing_values_and_categories_are_prepared_and_said(explorer_home: Path) -> None:
    rng = np.random.default_rng(1)
    frame = pd.DataFrame({"number": rng.normal(size=90), "colour": rng.choice(["red", "green", "blue"], 90)})
    frame["gap"] = frame["number"].where(rng.random(90) > 0.3)
    frame["y"] = np.where(frame["colour"] == "red", "warm", "cold")
    frame.loc[frame["colour"] == "green", "colour"] = None
    one = story(dataset=kept(frame), method={"selectors": ["anova", "gbdt"]})
    one.attempt(Direct())
    plan = plan_of(one.state)
    assert plan is not None
    assert plan.columns == ("number", "gap", "colour = (missing)", "colour = blue", "colour = red")
    assert "median" in plan.pipeline[0] and "Categories" in plan.pipeline[1]
    advice = {data["selector"]: data["columns"][0] for data in selections(one.state)}
    assert advice["anova"] == "colour = red"


def test_what_was_left_out_is_said_once(explorer_home: Path) -> None:
    frame = noise(60, 3).assign(same=1.0)[["x0", "x1", "same", "y"]]
    one = story(dataset=kept(frame), method=QUICK, settings=THREE)
    one.attempt(Direct(), wishes={2: Control(cancel=True)})
    one.attempt(Direct())
    assert [data["message"] for data in one.of("warning") if "'same'" in data["message"]] == [
        "Left out because it is the same in every row: 'same'."
    ]


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ({"settings": {"features": {"target": "z"}}}, "No column is called 'z'"),
        (
            {"settings": {"features": {"target": "worst area", "task": "classification"}}},
            "at most 50 classes",
        ),
        ({"dataset": "table:0123456789abcdef.csv"}, "give the file again"),
    ],
)
def test_a_table_that_cannot_serve_fails_the_run_in_one_sentence(form: dict[str, Any], said: str) -> None:
    one = story(**{"dataset": "breast-cancer", "method": QUICK} | form)
    one.attempt(Direct())
    assert one.events[-1].kind == "run_failed" and said in one.events[-1].data["reason"]


def test_a_selector_that_fails_is_told_and_the_others_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any) -> Any:
        raise RuntimeError("no scores today")

    monkeypatch.setattr("explorer.features.selectors.anova", broken)
    one = story(dataset="wine", method=QUICK, settings=THREE)
    one.attempt(Direct())
    assert one.events[-1].kind == "run_finished"
    assert one.of("warning")[0]["message"].startswith("ANOVA F on resample 1: ")
    assert [each.name for each in stories(one.state)] == ["l1", "all_features", "random_k"]
    alone = story(dataset="wine", method={"selectors": ["anova"]}, settings=THREE)
    alone.attempt(Direct())
    assert alone.events[-1].kind == "run_failed" and "no scores today" in alone.events[-1].data["reason"]


def test_a_tuner_that_cannot_take_the_columns_is_refused_before_the_run() -> None:
    with pytest.raises(SpecError, match="choices among numbers only"):
        RunSpec(kind="features", dataset="wine", method={"tuner": "GP"}).checked()


def test_the_numbers_of_features_grow_like_rabbits_and_end_with_all() -> None:
    assert counts_of(30, None) == (1, 2, 3, 5, 8, 13, 21, 30)
    assert counts_of(2, None) == (1, 2)
    assert counts_of(30, 10) == (1, 2, 3, 5, 8, 10)
    assert counts_of(5, 1) == (1,)


def test_the_engine_is_the_one_that_workers_call() -> None:
    from explorer.jobs.executors import resolve
    from explorer.jobs.worker import ENGINES

    assert resolve(ENGINES["features"]) is run
