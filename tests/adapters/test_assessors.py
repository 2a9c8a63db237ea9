"""The contract of every assessor in the catalogue, and what each records and mends."""

from __future__ import annotations

import copy
import json
import math
import random
import warnings
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pytest
from nni.algorithms.hpo.curvefitting_assessor import (
    CurvefittingAssessor,
    curvefitting_assessor,
    curvefunctions,
)
from nni.algorithms.hpo.medianstop_assessor import MedianstopAssessor
from nni.assessor import AssessResult

from explorer.adapters.assessors import MAX_HISTORY, Assessor, build_assessor, generator_for, thinned
from explorer.adapters.curvefitting import fresh_parameters
from explorer.catalogue import ASSESSORS
from explorer.errors import SpecError, UnknownName
from explorer.lens.explain import explain
from explorer.runs.events import data_problem

EPOCHS = 10
NAMES = [name for name in ASSESSORS if name != "none"]
COMMON = {"decision", "assessor", "acts", "history", "completed", "milliseconds"}
KEYS = {
    "Curvefitting": COMMON | {"best_completed", "target", "prediction", "threshold", "line", "models"},
    "Medianstop": COMMON | {"best_so_far", "averages", "median", "completed_all"},
}


def build(name: str, mode: str = "maximize", seed: int = 0, **settings: Any) -> Assessor:
    """An assessor of ten-epoch trials, its clock standing still."""
    built = build_assessor(name, settings, optimize_mode=mode, epochs=EPOCHS, seed=seed, clock=lambda: 0.0)
    assert built is not None
    return built


def curve(top: float, steps: int = EPOCHS) -> list[float]:
    """A learning curve that nears `top`."""
    return [top - 0.4 * (step + 1) ** -0.8 for step in range(steps)]


def run(assessor: Assessor, trial_id: int, values: Sequence[Any]) -> list[Any]:
    """One whole trial: an assessment after every result, then its end."""
    seen = [assessor.assess(trial_id, values[:step]) for step in range(1, len(values) + 1)]
    assessor.end(trial_id, True)
    return seen


# Every assessor


def test_none_is_no_assessor() -> None:
    assert build_assessor("none", {}, optimize_mode="maximize", epochs=3) is None


def test_an_unknown_assessor_is_named() -> None:
    with pytest.raises(UnknownName, match="Medianstop"):
        build_assessor("Medianstopp", {}, optimize_mode="maximize", epochs=3)


@pytest.mark.parametrize("name", NAMES)
def test_impossible_settings_are_refused_when_it_is_built(name: str) -> None:
    with pytest.raises(SpecError):
        build(name, start_step="six")
    with pytest.raises(SpecError, match="start_step"):
        build(name, start_step=EPOCHS + 1)


@pytest.mark.parametrize("name", NAMES)
def test_an_assessment_holds_the_events_keys_as_plain_json(name: str) -> None:
    assessor = build(name)
    for trial_id in range(2):
        for seen in run(assessor, trial_id, [np.float32(value) for value in curve(0.8)]):
            assert set(seen.data) == KEYS[name]
            assert json.loads(json.dumps(seen.data, allow_nan=False)) == seen.data
            assert seen.decision == seen.data["decision"] in ("good", "bad", "wait")
            assert seen.data["acts"] or seen.decision == "wait"


@pytest.mark.parametrize("name", NAMES)
def test_a_long_history_is_cut_to_its_newest_results_and_still_explained(name: str) -> None:
    """A look with all results would make a run's size grow with the square of its epochs."""
    steps = MAX_HISTORY + 50
    assessor = build_assessor(name, {}, optimize_mode="maximize", epochs=steps, clock=lambda: 0.0)
    assert assessor is not None
    values = curve(0.9, steps)
    whole, cut = (assessor.assess(0, values[:count]).data for count in (MAX_HISTORY, steps))
    assert whole["history"] == values[:MAX_HISTORY] and "history_from" not in whole
    assert (cut["history"], cut["history_from"]) == (values[50:], 51)
    assert explain(cut).startswith(f"After {steps} results")
    assert data_problem("assessment", {"trial_id": 0, "step": steps, **cut}) is None


@pytest.mark.parametrize("name", NAMES)
def test_a_result_that_was_none_is_still_told_after_the_history_was_cut(name: str) -> None:
    assessor = build_assessor(name, {}, optimize_mode="maximize", epochs=999, clock=lambda: 0.0)
    assert assessor is not None
    values = [0.5, 0.5, None, *curve(0.9, MAX_HISTORY)]
    assert "is missing or not finite" in explain(build(name).assess(0, values).data | {"problem": None})
    data = assessor.assess(0, values).data
    assert (data["history_from"], data["gap_at"]) == (4, 3)
    assert None not in data["history"]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("scale", [1e-300, 1e60, 1e99, 1e300])
def test_whatever_the_scale_an_assessment_can_be_stored(name: str, scale: float) -> None:
    assessor = build(name, start_step=1)
    for trial_id in range(2):
        for step, seen in enumerate(run(assessor, trial_id, [scale * value for value in curve(0.9)]), 1):
            data = {"trial_id": trial_id, "step": step, **seen.data}
            assert data_problem("assessment", data) is None


@pytest.mark.parametrize("name", NAMES)
def test_the_same_calls_give_the_same_assessments(name: str) -> None:
    def story() -> list[Any]:
        assessor = build(name)
        return [
            seen for trial_id in range(3) for seen in run(assessor, trial_id, curve(0.9 - 0.1 * trial_id))
        ]

    assert story() == story()


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "strange",
    [
        math.nan,
        math.inf,
        -math.inf,
        None,
        "0.9",
        {"loss": 1.0},
        {"default": math.nan},
        [0.5],
        10**400,
        object(),
    ],
    ids=lambda strange: type(strange).__name__,  # not its address: two processes collect the same tests
)
def test_a_result_that_is_no_finite_number_means_wait_and_is_told(name: str, strange: Any) -> None:
    assessor = build(name, start_step=1)
    run(assessor, 0, curve(0.9))
    for steps, told in ((0, True), (1, False), (4, False)):
        seen = assessor.assess(1, [0.5, 0.5, strange] + [0.5] * steps)
        assert (seen.decision, seen.data["acts"]) == ("wait", False)
        assert ("step 3" in seen.data.get("problem", "")) == told  # once a trial
        assert seen.data["history"][2] is None
        json.dumps(seen.data, allow_nan=False)
    assessor.end(1, True)
    assert run(assessor, 2, curve(0.9))[-1].decision in ("good", "wait")


@pytest.mark.parametrize("name", NAMES)
def test_a_dict_counts_by_its_default_as_in_nni(name: str) -> None:
    seen = build(name).assess(0, [{"default": 0.5, "loss": 2}])
    assert seen.data["history"] == [0.5]
    assert "problem" not in seen.data


@pytest.mark.parametrize("name", NAMES)
def test_ends_that_say_nothing_are_taken(name: str) -> None:
    assessor = build(name)
    assert "nothing" in assessor.assess(0, []).data["problem"]
    assessor.end(0, True)
    assessor.end(17, True)
    assessor.end(18, False)
    run(assessor, 1, curve(0.8))
    assessor.end(1, True)


@pytest.mark.parametrize("name", NAMES)
def test_what_was_over_before_is_learned_as_if_it_had_been_assessed(name: str) -> None:
    past = [
        (curve(0.9), True),
        (curve(0.95), False),
        ([*curve(0.7)[:8], math.nan], True),
        ([0.5, math.nan], True),
        (curve(0.6, steps=3), True),
        ([], True),
    ]
    lived, learned = build(name, start_step=5), build(name, start_step=5)
    for trial_id, (values, completed) in enumerate(past):
        for step in range(1, len(values) + 1):
            lived.assess(trial_id, values[:step])
        lived.end(trial_id, completed)
        learned.learn(trial_id, values, completed)
    for step in range(1, EPOCHS + 1):
        assert lived.assess(99, curve(0.8)[:step]) == learned.assess(99, curve(0.8)[:step])


@pytest.mark.parametrize("name", NAMES)
def test_trials_that_failed_or_were_stopped_are_no_standard(name: str) -> None:
    assessor = build(name)
    assessor.assess(0, curve(0.99))
    assessor.end(0, False)
    seen = assessor.assess(1, curve(0.3))
    assert (seen.decision, seen.data["completed"]) == ("wait", 0)


@pytest.mark.parametrize("name", NAMES)
def test_a_poor_trial_is_stopped_and_a_good_one_goes_on(name: str) -> None:
    assessor = build(name)
    run(assessor, 0, curve(0.9))
    assert "bad" in [seen.decision for seen in run(assessor, 1, curve(0.5))]
    assert "bad" not in [seen.decision for seen in run(assessor, 2, curve(0.97))]


# Curvefitting


@pytest.fixture
def nni_untouched() -> Iterator[None]:
    """NNI's module and numpy's random state are afterwards what they were."""
    before = (copy.deepcopy(curvefunctions.model_para), dict(vars(curvefitting_assessor)))
    state = np.random.get_state()[1].tolist()
    yield
    assert (curvefunctions.model_para, dict(vars(curvefitting_assessor))) == before
    assert np.random.get_state()[1].tolist() == state


@pytest.mark.usefixtures("nni_untouched")
def test_a_stop_is_told_with_all_that_it_rests_on() -> None:
    assessor = build("Curvefitting", threshold=0.9)
    run(assessor, 0, curve(0.9))
    data = assessor.assess(1, curve(0.5, steps=6)).data
    assert data["decision"] == "bad"
    assert data["best_completed"] == curve(0.9)[-1]
    assert data["line"] == data["best_completed"] * 0.9 >= data["prediction"]
    assert (data["completed"], data["target"], data["threshold"]) == (1, EPOCHS, 0.9)
    used = [model for model in data["models"].values() if "dropped" not in model]
    assert len(data["models"]) == 12
    assert len(used) >= 4
    assert sum(model["weight"] * model["prediction"] for model in used) == pytest.approx(data["prediction"])
    assert all(model["dropped"] for model in data["models"].values() if model not in used)


def test_predictions_are_recorded_from_step_four_whatever_start_step_says() -> None:
    assessor = build("Curvefitting", start_step=8)
    seen = run(assessor, 0, curve(0.9)) + run(assessor, 1, curve(0.9))
    assert [bool(look.data["models"]) for look in seen] == [step % EPOCHS >= 3 for step in range(2 * EPOCHS)]
    assert [look.data["acts"] for look in seen] == [step >= EPOCHS + 7 for step in range(2 * EPOCHS)]


def test_a_smaller_start_step_is_obeyed() -> None:
    assessor = build("Curvefitting", start_step=2)
    run(assessor, 0, curve(0.9))
    assert [look.data["acts"] for look in run(assessor, 1, curve(0.9))] == [False, *[True] * 9]


def test_between_two_looks_lies_the_gap() -> None:
    assessor = build("Curvefitting", start_step=4, gap=3)
    run(assessor, 0, curve(0.9))
    acts = [look.data["acts"] for look in run(assessor, 1, curve(0.9))]
    assert [step for step, acted in enumerate(acts, 1) if acted] == [4, 7, 10]


def test_a_trials_own_last_result_is_its_completed_value() -> None:
    """NNI would take 0.1, the last value of whichever trial was assessed last."""
    assessor = build("Curvefitting")
    assessor.assess(0, [0.5, 0.9])
    assessor.assess(1, [0.1])
    assessor.end(0, True)
    assert assessor.assess(1, [0.1, 0.1]).data["best_completed"] == 0.9


def test_randomness_comes_from_seed_trial_and_step_alone() -> None:
    values = curve(0.8, steps=6)

    def predicted(seed: int, trial_id: int, before: int = 0) -> float:
        assessor = build("Curvefitting", seed=seed)
        for other in range(before):
            assessor.assess(100 + other, values)
        return assessor.assess(trial_id, values).data["prediction"]

    assert predicted(1, 2) == predicted(1, 2, before=3)
    assert len({predicted(1, 2), predicted(2, 2), predicted(1, 3)}) == 3


@pytest.mark.slow
def test_decisions_are_nnis_own_with_its_own_model() -> None:
    """One trial after the other, where NNI's bookkeeping is right; its global state put in order before each look."""
    ours, theirs = build("Curvefitting", start_step=5), CurvefittingAssessor(EPOCHS, 5, 0.95, 1)
    before = copy.deepcopy(curvefunctions.model_para)
    decisions = []
    for trial_id, top in enumerate([0.9, 0.7, 0.95, 0.86]):
        values = curve(top)
        for step in range(4, 8):
            look = ours.assess(trial_id, values[:step])
            curvefunctions.model_para.update(fresh_parameters())
            np.random.set_state(generator_for(0, trial_id, step).get_state())
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                good = theirs.assess_trial(str(trial_id), values[:step]) is AssessResult.Good
            assert (look.decision == "bad") == (not good)
            decisions.append(look.decision)
        ours.end(trial_id, True)
        theirs.trial_end(str(trial_id), True)
    curvefunctions.model_para.update(before)
    assert set(decisions) == {"good", "bad", "wait"}


def test_what_misleads_it_is_told_once_a_kind() -> None:
    assessor = build("Curvefitting")
    percent = [look.data.get("problem") for look in run(assessor, 0, [100 * value for value in curve(0.9)])]
    assert [bool(problem) for problem in percent] == [step == 3 for step in range(EPOCHS)]
    assert "percent" in percent[3]
    assert not any("problem" in look.data for look in run(assessor, 1, [90.0] * EPOCHS))


@pytest.mark.slow
def test_a_falling_measure_is_told_once_most_trials_fall_and_not_for_one_that_diverges() -> None:
    def told(assessor: Assessor, trial_id: int, history: list[float]) -> str:
        return " ".join(filter(None, (look.data.get("problem") for look in run(assessor, trial_id, history))))

    losses = build("Curvefitting")
    assert [bool(told(losses, number, curve(0.9)[::-1])) for number in range(4)] == [
        False,
        False,
        True,
        False,
    ]
    accuracies = build("Curvefitting")
    for number in range(8):
        assert not told(accuracies, number, curve(0.9)[::-1] if number in (0, 4, 6) else curve(0.9))


def test_an_inner_error_of_nni_means_wait() -> None:
    huge = [1e308, -1e308, 1e308, 1e308, 1e308, 1e308]
    assessor = build("Curvefitting")
    run(assessor, 0, curve(0.9))
    seen = assessor.assess(1, huge)
    assert seen.decision == "wait"
    json.dumps(seen.data, allow_nan=False)


# Medianstop


@pytest.mark.parametrize("mode", ["maximize", "minimize"])
def test_medianstop_decides_as_nni_and_shows_the_median_that_it_used(mode: str) -> None:
    ours, theirs = build("Medianstop", mode, start_step=3), MedianstopAssessor(mode, 3)
    sign = -1 if mode == "minimize" else 1
    draw = random.Random(2)
    decisions = set()
    for trial_id in range(12):
        values = [sign * (value + draw.gauss(0, 0.05)) for value in curve(draw.uniform(0.5, 0.95))]
        for step in range(1, EPOCHS + 1):
            look = ours.assess(trial_id, values[:step])
            good = theirs.assess_trial(str(trial_id), values[:step]) is AssessResult.Good
            assert look.decision == (("good" if good else "bad") if look.data["acts"] else "wait")
            if look.data["acts"]:
                best, median = look.data["best_so_far"], look.data["median"]
                assert (look.decision == "bad") == (sign * best < sign * median)
            decisions.add(look.decision)
        ours.end(trial_id, trial_id % 4 != 0)
        theirs.trial_end(str(trial_id), trial_id % 4 != 0)
    assert decisions == {"good", "bad", "wait"}


def test_medianstop_shows_its_averages_before_it_may_act() -> None:
    assessor = build("Medianstop", start_step=5)
    run(assessor, 0, [0.2, 0.4, 0.6, 0.6, 0.6])
    seen = assessor.assess(1, [0.1, 0.1])
    assert seen.data["averages"] == [pytest.approx(0.3)]
    assert (seen.decision, seen.data["acts"], seen.data["completed"]) == ("wait", False, 1)


def test_medianstop_records_at_most_fifty_averages() -> None:
    assessor = build("Medianstop")
    for trial_id in range(120):
        run(assessor, trial_id, [trial_id / 120])
    data = assessor.assess(500, [0.4]).data
    assert (data["completed"], len(data["averages"])) == (120, 50)
    assert (data["averages"][0], data["averages"][-1]) == (0.0, 119 / 120)
    assert data["averages"] == sorted(data["averages"])


def test_thinning_keeps_what_is_few_and_the_ends_of_what_is_many() -> None:
    assert thinned([1.0, 2.0]) == [1.0, 2.0]
    assert thinned([float(at) for at in range(101)], most=3) == [0.0, 50.0, 100.0]
