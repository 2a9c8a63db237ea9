"""The objectives: results depend on the payload alone, a stopped trial goes on where it stopped, optima are known."""

from __future__ import annotations

import itertools
import random
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import torch

from explorer.adapters.tuners import BUILDERS, build_tuner
from explorer.catalogue import ASSESSORS, OBJECTIVES, TUNERS
from explorer.errors import SpecError, TrialFailed
from explorer.hyper import DEFAULT_SPACES, read_search_space
from explorer.runs.spec import RunSpec
from explorer.tuning import functions
from explorer.tuning.objectives import evaluate
from explorer.tuning.plan import plan_of

TRAINED = [name for name, entry in OBJECTIVES.items() if entry.facts["trains"]]
STEPWISE = [name for name, entry in OBJECTIVES.items() if entry.facts["intermediate"]]


def payload(objective: str, number: int = 0, epochs: int = 3, **more: Any) -> dict[str, Any]:
    """What an executor would be given for a trial drawn from the objective's own space."""
    spec = RunSpec(kind="hpo", objective=objective, dataset="synthetic", epochs=epochs)
    plan = plan_of(spec)
    return plan.payload(plan.hyper.sample(random.Random(number)), number) | more


def words(given: dict[str, Any]) -> list[tuple[Any, float]]:
    """(step, value) of every result, the final one as step "final"."""
    return [(item.get("step", "final"), item["value"]) for item in evaluate(given)]


@pytest.mark.parametrize("name", OBJECTIVES)
def test_a_trial_reports_its_epochs_in_order_and_ends_with_its_final_result(name: str) -> None:
    told = words(payload(name))
    steps = [step for step, _ in told]
    assert steps == ([1, 2, 3, "final"] if OBJECTIVES[name].facts["intermediate"] else ["final"])
    if OBJECTIVES[name].facts["unit"] == "accuracy":
        assert all(0 <= value <= 1 for _, value in told)
        assert told[-1][1] == told[-2][1]


@pytest.mark.parametrize("name", OBJECTIVES)
def test_a_result_depends_on_the_payload_alone(name: str) -> None:
    first = words(payload(name, 1))
    torch.manual_seed(12345)
    torch.rand(7)
    words(payload(name, 2))
    assert words(payload(name, 1)) == first


@pytest.mark.parametrize("name", STEPWISE)
@pytest.mark.parametrize("stop", [1, 2])
@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_a_stopped_trial_that_goes_on_comes_to_the_same_numbers(
    name: str, stop: int, optimizer: str, tmp_path: Path
) -> None:
    more = {"checkpoint": str(tmp_path / "trial.pt")}
    given = payload(name, 3, **more)
    if name in TRAINED:
        given["parameters"] |= {"optimizer": optimizer, "learning_rate": 0.01, "dropout": 0.3}
    whole = words(given)
    trial = evaluate(given)
    told = [next(trial)]
    told += [trial.send(True) for _ in range(stop - 1)]
    with pytest.raises(StopIteration):
        trial.send(False)
    rest = words(given | {"resume_from": more["checkpoint"]})
    assert [(item["step"], item["value"]) for item in told] == whole[:stop]
    assert rest[-(len(whole) - stop) :] == whole[stop:]
    if name in TRAINED:
        assert len(rest) == len(whole) - stop, "it trained again what the checkpoint holds"


@pytest.mark.parametrize("damage", [None, b"", b"not a checkpoint", b"PK\x03\x04 broken"])
def test_without_its_checkpoint_it_begins_again_and_comes_by_the_same_numbers(
    damage: bytes | None, tmp_path: Path
) -> None:
    file = tmp_path / "trial.pt"
    if damage is not None:
        file.write_bytes(damage)
    assert words(payload("mlp", 4, resume_from=str(file))) == words(payload("mlp", 4))


def test_a_checkpoint_that_cannot_be_written_stops_nothing(tmp_path: Path) -> None:
    (tmp_path / "a-file").write_text("in the way")
    trial = evaluate(payload("mlp", 5, checkpoint=str(tmp_path / "a-file" / "trial.pt")))
    next(trial)
    with pytest.raises(StopIteration):
        trial.send(False)


def test_a_checkpoint_is_read_as_numbers_and_never_runs_code(tmp_path: Path) -> None:
    import pickle

    class Hostile:
        def __reduce__(self) -> Any:
            return (Path.touch, (tmp_path / "ran",))

    (tmp_path / "trial.pt").write_bytes(pickle.dumps(Hostile()))
    words(payload("mlp", 6, resume_from=str(tmp_path / "trial.pt")))
    assert not (tmp_path / "ran").exists()


def test_pbt_goes_on_with_the_weights_of_another_member(tmp_path: Path) -> None:
    given = payload("mlp", 7, epochs=2)
    given["parameters"] |= {
        "hidden_units": 16,
        "hidden_layers": 1,
        "learning_rate": 0.002,
        "optimizer": "sgd",
    }
    kept = str(tmp_path / "one" / "weights.pt")
    first = words(given | {"save_to": kept})
    assert words(given | {"load_from": kept, "seed": 99})[0][1] > first[0][1], (
        "it begins where the other ended"
    )
    wider = {"parameters": given["parameters"] | {"hidden_units": 32}, "seed": 99}
    assert words(given | wider | {"load_from": kept}) == words(given | wider), "other shapes are left alone"


def test_a_trial_saves_what_it_hands_on_before_its_last_word(tmp_path: Path) -> None:
    """An executor takes the final result and asks for nothing more."""
    kept = tmp_path / "weights.pt"
    trial = evaluate(payload("mlp", 7, save_to=str(kept)))
    while not next(trial).get("final"):
        pass
    trial.close()
    assert kept.exists()


def test_a_whole_number_may_arrive_as_a_float_and_nothing_else_may() -> None:
    given = payload("mlp", 8)
    as_float = given | {"parameters": given["parameters"] | {"batch_size": 16.0}}
    assert words(as_float) == words(given | {"parameters": given["parameters"] | {"batch_size": 16}})
    with pytest.raises(SpecError, match="batch_size is"):
        words(given | {"parameters": given["parameters"] | {"batch_size": 16.5}})


def test_a_training_that_diverges_fails_its_trial_in_one_sentence() -> None:
    given = payload("mlp", 9)
    extreme = {"learning_rate": 10.0, "optimizer": "sgd", "weight_decay": 1.0}
    given["training"] = {"gradient_clip": 0.0}
    given["parameters"] |= extreme
    with pytest.raises(TrialFailed, match="try a smaller one"):
        words(given | {"epochs": 20})


def test_a_nested_parameter_counts_under_its_own_name() -> None:
    inner = {"_name": "sgd", "momentum": {"_type": "choice", "_value": [0.5]}}
    space = {"optimizer": {"_type": "choice", "_value": [inner, {"_name": "adam"}]}}
    spec = RunSpec(kind="hpo", objective="mlp", dataset="synthetic", search_space=space, epochs=1)
    given = plan_of(spec).payload({"optimizer": {"_name": "sgd", "momentum": 0.5}}, 0)
    assert given["parameters"] == {"optimizer": "sgd", "momentum": 0.5}
    assert words(given)


# -- functions in closed form -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("x", [(-3.14159265, 12.275), (3.14159265, 2.275), (9.42478, 2.475)])
def test_branin_has_its_three_known_minima(x: tuple[float, float]) -> None:
    assert functions.branin(*x) == pytest.approx(OBJECTIVES["branin"].facts["optimum"], abs=1e-5)


def test_branin_is_nowhere_lower_on_a_grid() -> None:
    grid = itertools.product([-5 + 0.1 * n for n in range(151)], [0.1 * n for n in range(151)])
    assert min(functions.branin(*x) for x in grid) >= OBJECTIVES["branin"].facts["optimum"] - 1e-6


def test_hartmann6_has_its_known_minimum_and_no_lower_value_near_it() -> None:
    best = (0.20169, 0.150011, 0.476874, 0.275332, 0.311652, 0.6573)
    lowest = functions.hartmann6(best)
    assert lowest == pytest.approx(OBJECTIVES["hartmann6"].facts["optimum"], abs=1e-5)
    draw = random.Random(0)
    near = [tuple(min(1, max(0, x + draw.gauss(0, 0.05))) for x in best) for _ in range(500)]
    assert min(map(functions.hartmann6, near)) >= lowest


def test_simulated_curves_saturate_differ_and_repeat() -> None:
    space = read_search_space(DEFAULT_SPACES["curves"])
    drawn = [space.sample(random.Random(number)) for number in range(40)]
    curves = [functions.curves(parameters, 30, seed=1) for parameters in drawn]
    ends = sorted(curve[-1] for curve in curves)
    assert ends[0] < 0.6 < 0.9 < ends[-1]
    assert all(curve[-1] > curve[0] for curve in curves)
    assert functions.curves(drawn[0], 30, seed=1) == curves[0] != functions.curves(drawn[0], 30, seed=2)
    assert functions.curves(drawn[0], 30, seed=1)[:10] == functions.curves(drawn[0], 10, seed=1)


# -- the catalogue ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("registry", [OBJECTIVES, TUNERS, ASSESSORS], ids=lambda registry: registry.noun)
def test_every_entry_names_a_builder_that_is_there(registry: Any) -> None:
    for entry in registry.values():
        module, _, name = entry.path.partition(":")
        assert callable(getattr(import_module(module), name))


@pytest.mark.parametrize("name", BUILDERS)
def test_the_catalogues_defaults_build_every_tuner(name: str, tmp_path: Path) -> None:
    space = DEFAULT_SPACES["branin"]
    if name == "Batch":
        space = {"combine_params": {"_type": "choice", "_value": [{"x1": 1, "x2": 2}]}}
    assert TUNERS[name].facts["available"]
    settings = TUNERS[name].settings({})
    tuner = build_tuner(name, space, settings, optimize_mode="minimize", seed=0, folder=tmp_path, epochs=9)
    assert tuner.suggest(0) is not None


def test_the_tuners_that_are_available_are_those_that_can_be_built() -> None:
    assert {name for name, entry in TUNERS.items() if entry.facts["available"]} == set(BUILDERS)


def test_a_joint_plan_takes_the_networks_choices_out_of_the_parameters() -> None:
    spec = RunSpec(kind="hpo", space="notes-net", dataset="digits")
    plan = plan_of(spec)
    parameters = plan.hyper.sample(random.Random(0))
    settings, architecture = plan.parts(parameters)
    assert architecture is not None and set(architecture) == {"conv1", "mid_conv", "skip"}
    assert set(settings) == set(DEFAULT_SPACES["train"])
    pinned = plan_of(replace(spec, architecture=architecture.to_json()))
    assert set(pinned.hyper.names) == set(DEFAULT_SPACES["train"])
