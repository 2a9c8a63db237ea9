"""Every tuner keeps the contract on every space that it claims, whatever becomes of its trials."""

from __future__ import annotations

import json
import math
import os
import random
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from explorer.adapters.domains import fitted, plain, size, steps
from explorer.adapters.tuners import BUILDERS, Exhausted, Suggestion, Tuner, build_tuner
from explorer.catalogue import TUNERS
from explorer.errors import SpecError, UnknownName

SLOW = {  # their smallest settings: a short cold start, then the model
    "GP": {"cold_start_num": 5, "selection_num_warm_up": 200, "selection_num_starting_points": 3},
    "Metis": {"cold_start_num": 5, "selection_num_starting_points": 3, "restarts": 0},
    "BOHB": {"num_samples": 4},
}
EPOCHS = 9
BATCH = {"combine_params": {"_type": "choice", "_value": [{"lr": 0.1 * k, "units": k} for k in range(1, 31)]}}
ONE_TYPE: dict[str, dict[str, Any]] = {
    "choice": {"_type": "choice", "_value": [64, 16, 32]},
    "randint": {"_type": "randint", "_value": [-2, 5]},
    "uniform": {"_type": "uniform", "_value": [-1.5, 2]},
    "quniform": {"_type": "quniform", "_value": [0.1, 1.15, 0.25]},
    "loguniform": {"_type": "loguniform", "_value": [0.0001, 0.1]},
    "qloguniform": {"_type": "qloguniform", "_value": [1, 128, 4]},
    "normal": {"_type": "normal", "_value": [0, 1]},
    "qnormal": {"_type": "qnormal", "_value": [5, 2, 0.5]},
    "lognormal": {"_type": "lognormal", "_value": [0, 0.5]},
    "qlognormal": {"_type": "qlognormal", "_value": [1, 0.5, 0.25]},
}
WORDS = {"_type": "choice", "_value": ["relu", "tanh", 3, [0, 1], True]}
NESTED = {
    "_type": "choice",
    "_value": [
        {"_name": "sgd", "momentum": {"_type": "uniform", "_value": [0, 1]}},
        {"_name": "adam", "beta": {"_type": "choice", "_value": [0.9, 0.99]}, "q": ONE_TYPE["qloguniform"]},
        {"_name": "plain"},
    ],
}
DISCRETE = {f"c{i}": {"_type": "choice", "_value": [0, 1, 2, 3]} for i in range(8)}
POINT = {"c": {"_type": "choice", "_value": [7]}, "r": {"_type": "randint", "_value": [3, 4]}}


def spaces_of(name: str) -> dict[str, Mapping[str, Any]]:
    """Each space that the tuner claims, by what is special about it."""
    if name == "Batch":
        return {"batch": BATCH}
    takes = TUNERS[name].facts
    mixed = {kind: ONE_TYPE[kind] for kind in takes["types"]}
    spaces = {kind: {"x": spec} for kind, spec in mixed.items()} | {"mixed": mixed, "point": POINT}
    spaces["discrete"] = DISCRETE | {"r": ONE_TYPE["randint"]}
    if not takes["numeric_choices_only"]:
        spaces["words"] = mixed | {"words": WORDS}
    if takes["nested"]:
        spaces["nested"] = {"net": NESTED, "u": ONE_TYPE["uniform"]}
    return spaces


CASES = [(name, kind) for name in BUILDERS for kind in spaces_of(name)]


def build(name: str, space: Mapping[str, Any], folder: Path, **settings: Any) -> Tuner:
    mode = settings.pop("optimize_mode", "maximize")
    seed = settings.pop("seed", 5)
    chosen = SLOW.get(name, {}) | settings
    return build_tuner(name, space, chosen, optimize_mode=mode, seed=seed, folder=folder, epochs=EPOCHS)


def outside(space: Mapping[str, Any], parameters: Mapping[str, Any]) -> str | None:
    """What is wrong with an assignment, or None."""
    if set(parameters) - {"load_checkpoint_dir", "save_checkpoint_dir"} != set(space):
        return f"names {sorted(parameters)}"
    found = [f"{name}={parameters[name]!r}" for name in space if not _inside(space[name], parameters[name])]
    return ", ".join(found) or None


def _inside(spec: Mapping[str, Any], value: Any) -> bool:
    kind, values = spec["_type"], spec["_value"]
    if kind == "choice":
        if isinstance(value, dict) and "_name" in value:
            option = next((option for option in values if option["_name"] == value["_name"]), None)
            inner = {name: item for name, item in value.items() if name != "_name"}
            return option is not None and not outside(
                {k: v for k, v in option.items() if k != "_name"}, inner
            )
        return any(value == option and type(value) is type(option) for option in values)
    if kind == "randint":
        return type(value) is int and values[0] <= value < values[1]
    if type(value) is not float or not math.isfinite(value):
        return False
    if kind.endswith("uniform") and not values[0] <= value <= values[1]:
        return False
    if kind in ("quniform", "qloguniform"):
        return any(math.isclose(value, step, abs_tol=1e-9) for step in steps(*values))
    if kind.startswith("q"):
        return math.isclose(value / values[2], round(value / values[2]), abs_tol=1e-6)
    return value > 0 if kind == "lognormal" else True


Call = tuple[Any, ...]


def story(tuner: Tuner, trials: int, *, fate: str = "mixed", at_once: int = 4) -> Iterator[Call]:
    """Drives a run with results out of order and yields each call and its answer.

    fate: "mixed" (some fail, some are stopped early), "failing" (all fail) or "fine".
    """
    dice, running, trial_id, waited = random.Random(3), [], 0, 0
    while trial_id < trials or running:
        suggestion = None
        if trial_id < trials and len(running) < at_once:
            try:
                suggestion = tuner.suggest(trial_id)
            except Exhausted:
                trials = trial_id
                yield ("exhausted", trial_id)
                continue
            yield ("suggest", trial_id, suggestion)
            if suggestion is not None:
                running.append(trial_id)
                trial_id, waited = trial_id + 1, 0
                continue
        assert running, "it waits although nothing is running"
        waited += 1
        assert waited <= at_once, "it waits although everything has ended"
        ended = running.pop(dice.randrange(len(running)))
        quality = dice.random()
        for step in (1, 2):
            tuner.report(ended, step, quality * step / 2)
        failed = fate == "failing" or (fate == "mixed" and dice.random() < 0.2)
        stopped = not failed and fate == "mixed" and dice.random() < 0.3
        tuner.end(ended, None if failed else quality, stopped=stopped)
        yield ("end", ended, failed, stopped)


def suggestions(calls: Iterator[Call]) -> list[Suggestion]:
    return [call[2] for call in calls if call[0] == "suggest" and call[2] is not None]


def trials_for(name: str) -> int:
    return {"GP": 10, "Metis": 10, "BOHB": 60}.get(name, 200)


@pytest.mark.parametrize(("name", "kind"), CASES)
def test_every_suggestion_lies_in_the_space_and_is_plain_json(name: str, kind: str, tmp_path: Path) -> None:
    space = spaces_of(name)[kind]
    got = suggestions(
        story(
            build(name, space, tmp_path),
            trials_for(name) if kind in ("mixed", "discrete", "nested") or name in SLOW else 60,
        )
    )
    assert got
    for suggestion in got:
        shown = suggestion.parameters
        assert json.loads(json.dumps(shown, allow_nan=False)) == shown
        if name == "Batch":
            assert shown in BATCH["combine_params"]["_value"]
        else:
            assert outside(space, shown) is None


@pytest.mark.parametrize("name", BUILDERS)
@pytest.mark.parametrize(
    ("fate", "early_stopped"), [("failing", "last"), ("mixed", "last"), ("mixed", "ignore")]
)
def test_no_fate_of_trials_breaks_a_tuner(name: str, fate: str, early_stopped: str, tmp_path: Path) -> None:
    space = spaces_of(name)["batch" if name == "Batch" else "mixed"]
    for at_once in (1, 7):
        tuner = build(name, space, tmp_path, early_stopped=early_stopped, optimize_mode="minimize")
        got = suggestions(story(tuner, trials_for(name), fate=fate, at_once=at_once))
        assert len(got) == (30 if name == "Batch" else trials_for(name))


@pytest.mark.parametrize("name", BUILDERS)
def test_the_same_story_told_to_a_fresh_tuner_gives_the_same_suggestions(name: str, tmp_path: Path) -> None:
    space = spaces_of(name)["batch" if name == "Batch" else "mixed"]
    trials = min(60, trials_for(name))
    first = list(story(build(name, space, tmp_path), trials))
    random.seed(1)
    np.random.seed(1)
    assert list(story(build(name, space, tmp_path), trials)) == first


@pytest.mark.parametrize("name", [name for name in BUILDERS if name not in ("GridSearch", "Batch")])
def test_another_seed_gives_other_suggestions(name: str, tmp_path: Path) -> None:
    space = spaces_of(name)["mixed"]
    one, other = (build(name, space, tmp_path, seed=seed).suggest(0) for seed in (5, 6))
    assert one != other


_TELL = """
import json, random, sys
from pathlib import Path
from tests.adapters.test_tuners import BUILDERS, build, spaces_of, story, suggestions
told = {
    name: [one.parameters for one in suggestions(story(build(name, spaces_of(name)[kind], Path("runs")), 30))]
    for name in BUILDERS if name not in ("GP", "Metis")
    for kind in [{"Batch": "batch", "PBT": "words", "BOHB": "words"}.get(name, "nested")]
}
print(json.dumps(told))
"""


@pytest.mark.slow
def test_another_process_suggests_the_same() -> None:
    """A resumed run is told its story in a new process, where texts hash differently."""
    processes = [
        subprocess.Popen(
            [sys.executable, "-W", "ignore", "-c", _TELL],
            env=os.environ | {"PYTHONHASHSEED": seed, "PYTHONPATH": "."},
            stdout=subprocess.PIPE,
            text=True,
        )
        for seed in ("1", "2")
    ]
    told = [process.communicate()[0] for process in processes]
    assert told[0] == told[1]
    assert len(json.loads(told[0])) == len(BUILDERS) - 2


@pytest.mark.parametrize("name", BUILDERS)
def test_tuners_leave_no_trace_in_the_process(name: str, tmp_path: Path) -> None:
    """The worker forks its trials: no thread, no socket, no disturbed generator, no changed search path."""
    random.seed(9)
    np.random.seed(9)
    before = random.getstate(), np.random.get_state()[1].tolist(), np.random.RandomState, list(sys.path)
    files = os.listdir("/proc/self/fd") if Path("/proc/self/fd").exists() else []
    threads = set(threading.enumerate())
    space = spaces_of(name)["batch" if name == "Batch" else "mixed"]
    suggestions(story(build(name, space, tmp_path), 14))
    assert set(threading.enumerate()) == threads
    assert len(os.listdir("/proc/self/fd") if files else []) == len(files)
    after = random.getstate(), np.random.get_state()[1].tolist(), np.random.RandomState, list(sys.path)
    assert after == before


def test_two_tuners_in_one_process_do_not_disturb_each_other(tmp_path: Path) -> None:
    names = ["TPE", "Evolution", "PBT", "Anneal", "Hyperband", "BOHB"]
    alone = {name: suggestions(story(build(name, spaces_of(name)["mixed"], tmp_path), 40)) for name in names}
    stories = {name: story(build(name, spaces_of(name)["mixed"], tmp_path), 40) for name in names}
    together: dict[str, list[Call]] = {name: [] for name in names}
    while stories:
        for name in list(stories):
            call = next(stories[name], None)
            if call is None:
                del stories[name]
            else:
                together[name].append(call)
    assert {name: suggestions(iter(calls)) for name, calls in together.items()} == alone


@pytest.mark.parametrize("name", BUILDERS)
def test_a_trial_added_by_hand_disturbs_nobody(name: str, tmp_path: Path) -> None:
    space = spaces_of(name)[
        "batch" if name == "Batch" else "nested" if TUNERS[name].facts["nested"] else "mixed"
    ]
    tuner = build(name, space, tmp_path)
    by_hand = suggestions(story(build(name, space, tmp_path, seed=8), 3))
    for trial_id, suggestion in enumerate(by_hand, start=1000):
        tuner.add(trial_id, suggestion.parameters)
    tuner.end(1000, 0.0)
    tuner.end(1001, None)
    tuner.end(1002, 0.7, stopped=True)
    assert suggestions(story(tuner, 14))


def test_gridsearch_and_batch_do_not_repeat_what_was_added_by_hand(tmp_path: Path) -> None:
    tuner = build("Batch", BATCH, tmp_path)
    tuner.add(99, BATCH["combine_params"]["_value"][1])
    tuner.end(99, 0.0)
    got = suggestions(story(tuner, 200))
    assert [one.parameters["units"] for one in got] == [1, *range(3, 31)]
    grid = build("GridSearch", {"c": ONE_TYPE["choice"]}, tmp_path)
    grid.add(99, {"c": 16})
    grid.end(99, 0.5)
    assert [one.parameters["c"] for one in suggestions(story(grid, 9))] == [64, 32]


def test_tpe_learns_from_a_trial_added_by_hand(tmp_path: Path) -> None:
    space = {"x": {"_type": "uniform", "_value": [0, 1]}}
    tuner = build("TPE", space, tmp_path, optimize_mode="minimize")
    for trial_id in range(1000, 1030):
        x = (trial_id - 1000) / 30
        tuner.add(trial_id, {"x": x})
        tuner.end(trial_id, (x - 0.3) ** 2)
    near = [one.parameters["x"] for one in suggestions(story(tuner, 8, at_once=8))]
    assert all(abs(x - 0.3) < 0.15 for x in near)


@pytest.mark.parametrize("name", [name for name in BUILDERS if name not in ("Random", "GridSearch", "Batch")])
@pytest.mark.parametrize("mode", ["minimize", "maximize"])
def test_the_direction_is_the_one_that_was_asked_for(name: str, mode: str, tmp_path: Path) -> None:
    """The value is the mean of the parameters: what comes late is better than chance, in its direction."""
    space = {f"c{i}": {"_type": "choice", "_value": list(range(8))} for i in range(2)}
    if name in ("GP", "Metis", "Anneal"):  # Anneal draws at random once it repeats itself
        space = {"u": {"_type": "uniform", "_value": [0, 7]}}
    chosen = {"exploration_probability": 0.0} if name == "Metis" else {"duplicates": "allow"}
    tuner, values = build(name, space, tmp_path, optimize_mode=mode, **chosen), []
    while len(values) < (15 if name in ("GP", "Metis") else 150):
        suggestion = tuner.suggest(len(values))
        assert suggestion is not None
        values.append(float(np.mean(list(_numbers(suggestion.parameters)))))
        tuner.end(len(values) - 1, values[-1])
    late = np.mean(values[len(values) // 2 :])
    assert late > 3.7 if mode == "maximize" else late < 3.3


def _numbers(parameters: Mapping[str, Any]) -> Iterator[float]:
    return (value for value in parameters.values() if not isinstance(value, str))


@pytest.mark.parametrize("name", ["TPE", "Random"])
def test_redrawing_visits_a_finite_space_once_and_then_is_exhausted(name: str, tmp_path: Path) -> None:
    space = {"c": ONE_TYPE["choice"], "q": ONE_TYPE["quniform"]}
    calls = list(story(build(name, space, tmp_path), 500))
    got = {json.dumps(one.parameters, sort_keys=True) for one in suggestions(iter(calls))}
    assert len(got) == size(space) == 18
    assert [call[0] for call in calls].count("exhausted") == 1


@pytest.mark.parametrize("name", ["TPE", "Random"])
def test_duplicates_stand_where_they_are_allowed_and_become_grid_points_as_in_nni(
    name: str, tmp_path: Path
) -> None:
    space = {"a": ONE_TYPE["choice"], "b": ONE_TYPE["choice"]}
    assert len(suggestions(story(build(name, space, tmp_path, duplicates="allow"), 40))) == 40
    grid = suggestions(story(build(name, space, tmp_path, duplicates="grid"), 40))
    assert len(grid) == len({json.dumps(one.parameters) for one in grid}) == 9


def test_an_early_stopped_trial_teaches_its_last_value_unless_it_is_ignored(tmp_path: Path) -> None:
    space = {"x": {"_type": "uniform", "_value": [0, 1]}}
    late = {}
    for early_stopped in ("last", "ignore"):
        tuner = build("TPE", space, tmp_path, early_stopped=early_stopped)
        for trial_id in range(60):
            suggestion = tuner.suggest(trial_id)
            assert suggestion is not None
            tuner.end(trial_id, suggestion.parameters["x"], stopped=True)
        late[early_stopped] = [tuner.suggest(trial_id).parameters["x"] for trial_id in range(60, 70)]  # type: ignore[union-attr]
    assert np.mean(late["last"]) > 0.8
    assert np.mean(late["ignore"]) < 0.8


@pytest.mark.parametrize("name", ["Hyperband", "BOHB"])
def test_an_advisor_halves_the_trials_and_triples_their_epochs(name: str, tmp_path: Path) -> None:
    tuner = build(name, spaces_of(name)["mixed"], tmp_path)
    calls = list(story(tuner, 22, fate="fine", at_once=1))
    budgets = [one.budget for one in suggestions(iter(calls))]
    assert budgets == [1] * 9 + [3] * 3 + [9] + [3] * 5 + [9] + [9] * 3
    first_rung, second_rung = suggestions(iter(calls))[:9], suggestions(iter(calls))[9:12]
    assert all(any(one.parameters == before.parameters for before in first_rung) for one in second_rung)


def test_a_serial_rung_waits_for_its_last_trial_and_a_failed_one_is_not_promoted(tmp_path: Path) -> None:
    tuner = build("Hyperband", spaces_of("Hyperband")["mixed"], tmp_path, exec_mode="serial")
    rung = [tuner.suggest(trial_id) for trial_id in range(9)]
    assert tuner.suggest(9) is None
    for trial_id in range(9):
        tuner.report(trial_id, 1, 10.0 + trial_id)
        tuner.end(trial_id, None if trial_id > 4 else float(trial_id))
    promoted = [tuner.suggest(trial_id) for trial_id in range(9, 12)]
    assert all(one is not None for one in promoted)
    assert [one.parameters for one in promoted if one] == [rung[k].parameters for k in (4, 3, 2)]  # type: ignore[union-attr]


def test_pbt_hands_the_best_weights_to_the_worst(tmp_path: Path) -> None:
    tuner = build("PBT", spaces_of("PBT")["mixed"], tmp_path, population_size=4, fraction=0.25)
    first = [tuner.suggest(k) for k in range(4)]
    assert tuner.suggest(4) is None
    for trial_id in range(4):
        tuner.end(trial_id, float(trial_id))
    second = [tuner.suggest(trial_id) for trial_id in range(4, 8)]
    loads = [one.parameters["load_checkpoint_dir"] for one in second if one]
    assert sorted(loads).count(first[3].parameters["save_checkpoint_dir"]) == 2  # type: ignore[union-attr]
    assert all(Path(load).is_relative_to(tmp_path) for load in loads)


def test_a_population_waits_while_all_of_it_is_running(tmp_path: Path) -> None:
    tuner = build("Evolution", spaces_of("Evolution")["mixed"], tmp_path, population_size=3)
    assert all(tuner.suggest(trial_id) for trial_id in range(3))
    assert tuner.suggest(3) is None
    tuner.end(1, 0.5)
    assert tuner.suggest(3) is not None


@pytest.mark.parametrize(
    ("name", "spec", "told"),
    [
        ("GP", {"_type": "choice", "_value": ["relu", "tanh"]}, "choices among numbers only"),
        ("GP", {"_type": "choice", "_value": [True, False]}, "choices among numbers only"),
        ("Metis", {"_type": "loguniform", "_value": [0.1, 1]}, "does not take the type loguniform"),
        ("BOHB", {"_type": "quniform", "_value": [0, 1, 0.1]}, "does not take the type quniform"),
        ("PBT", NESTED, "takes no nested choices"),
    ],
)
def test_a_space_that_a_tuner_cannot_take_is_refused_with_those_that_can(
    name: str, spec: dict[str, Any], told: str, tmp_path: Path
) -> None:
    with pytest.raises(SpecError, match=told) as caught:
        build(name, {"fine": ONE_TYPE["uniform"], "odd": spec}, tmp_path)
    (problem,) = caught.value.problems
    assert f"tuner {name}" in problem and "'odd'" in problem and "TPE" in problem
    assert isinstance(build("TPE", {"odd": spec}, tmp_path).suggest(0), Suggestion)


def test_what_is_no_tuner_no_direction_or_no_batch_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnknownName, match="TPE"):
        build("TPEE", POINT, tmp_path)
    with pytest.raises(SpecError, match="'up'"):
        build("TPE", POINT, tmp_path, optimize_mode="up")
    with pytest.raises(SpecError, match="combine_params"):
        build("Batch", POINT | BATCH, tmp_path)
    with pytest.raises(SpecError, match="combine_params"):
        build("Batch", {"c": ONE_TYPE["choice"]}, tmp_path)
    with pytest.raises(SpecError, match="at least one parameter"):
        build("TPE", {}, tmp_path)
    with pytest.raises(SpecError, match="folder"):
        build_tuner("PBT", {"u": ONE_TYPE["uniform"]}, {}, optimize_mode="maximize", seed=1)


def test_a_value_that_strayed_is_put_back_inside() -> None:
    space = {name: ONE_TYPE[name] for name in ("randint", "quniform", "loguniform", "uniform")}
    strayed = {"randint": 5.0, "quniform": 1.4, "loguniform": 0.10000000000000002, "uniform": np.float64(0.5)}
    assert fitted(space, plain(strayed)) == {
        "randint": 4, "quniform": 1.15, "loguniform": 0.1, "uniform": 0.5,
    }  # fmt: skip


@pytest.mark.parametrize("kind", ["qnormal", "uniform", "normal", "loguniform"])
def test_the_size_of_a_space_is_counted_or_infinite(kind: str) -> None:
    assert size({"x": ONE_TYPE[kind]}) == math.inf
    assert size({"net": NESTED}) == math.inf
    finite = {"_type": "choice", "_value": [{"_name": "a", "x": ONE_TYPE["choice"]}, {"_name": "b"}]}
    assert size({"net": finite, "r": ONE_TYPE["randint"]}) == 4 * 7
