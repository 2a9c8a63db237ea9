"""Classical NAS over a fake executor and over the answer key: every strategy, told as events, taken up where lost."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest

from explorer.catalogue import STRATEGIES
from explorer.jobs.control import Control
from explorer.nas import search
from explorer.nas.key_executor import KeyExecutor
from explorer.runs.spec import RunSpec, trial_seed
from explorer.space import preset
from tests.nas.rig import FakeExecutor, Story, request, value_of

CELLS = RunSpec(kind="nas", space="cell", dataset="noisy-digits", trials=40, epochs=4, workers=1, seed=3)
SMALL: Mapping[str, Mapping[str, Any]] = {
    "aging_evolution": {"population_size": 6, "sample_size": 3},
    "nni-evolution": {"population_size": 6, "sample_size": 3},
    "predictor": {"initial": 8},
}


def spec_of(name: str, **changes: Any) -> RunSpec:
    settings = {"strategy": dict(SMALL.get(name, {}))}
    return replace(CELLS, method={"strategy": name}, settings=settings, **changes)


def story_of(name: str, **changes: Any) -> Story:
    return Story(spec_of(name, **changes), search.run)


def told(story: Story) -> list[Any]:
    """What must repeat: every event of a trial but the attempt's own."""
    kinds = ("trial_started", "intermediate_result", "final_result", "trial_ended")
    return [(event.kind, dict(event.data)) for event in story.events if event.kind in kinds]


@pytest.fixture(params=list(STRATEGIES))
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_a_run_of_every_strategy_can_be_started(name: str) -> None:
    assert spec_of(name).problems() == ()


def test_every_strategy_evaluates_what_was_asked_for(name: str) -> None:
    story = story_of(name)
    story.attempt(FakeExecutor(3, steps=4))
    assert story.state.status == "finished", story.state.reason
    trials = story.state.trials
    assert sorted(trials) == list(range(40))
    assert all(trial.status == "succeeded" for trial in trials.values())
    assert all(parent < trial.trial_id for trial in trials.values() for parent in trial.parents)


def test_with_one_worker_the_whole_sequence_repeats_and_another_seed_is_another(name: str) -> None:
    if name == "grid":
        return  # whose order is the space's, whatever the seed
    first, second, other = story_of(name), story_of(name), story_of(name, seed=4)
    for story in (first, second, other):
        story.attempt(FakeExecutor(1, steps=4))
    assert told(first) == told(second) != told(other)


def test_a_search_that_was_lost_goes_on_as_if_it_had_not_been(name: str) -> None:
    whole, broken = story_of(name), story_of(name)
    whole.attempt(FakeExecutor(1, steps=4))
    broken.attempt(FakeExecutor(1, steps=4), wishes={33: Control(cancel=True)})
    assert 0 < len(broken.state.trials) < 40
    broken.attempt(FakeExecutor(1, steps=4))
    assert broken.state.status == "finished", broken.state.reason
    chosen = [
        {
            number: (trial.architecture, trial.seed, trial.value)
            for number, trial in story.state.trials.items()
        }
        for story in (whole, broken)
    ]
    assert chosen[0] == chosen[1]


def test_a_small_space_is_tried_whole_and_the_missing_trials_are_said(name: str) -> None:
    facts = STRATEGIES[name].facts
    if facts.get("distinct", True) is not True or facts.get("partial"):
        return  # it may train an architecture again
    story = story_of(name, space="notes-net", dataset="digits", trials=20)
    story.attempt(FakeExecutor(2, steps=4))
    space = preset("notes-net")
    codes = [space.code(space.architecture(trial.architecture)) for trial in story.state.trials.values()]
    assert sorted(codes) == sorted(space.code(one) for one in space)
    assert "20 trials were asked for" in story.state.warnings[-1] and "8" in story.state.warnings[-1]


def test_a_training_that_goes_on_begins_at_the_checkpoint_of_its_first_part() -> None:
    story = story_of("hyperband", epochs=9, trials=30)
    executor = story.attempt(FakeExecutor(1, steps=9))
    payloads = dict(executor.submitted)
    longer = [trial for trial in story.state.trials.values() if trial.parents]
    assert longer
    for trial in longer:
        (before,) = (story.state.trials[number] for number in trial.parents)
        assert (trial.budget or 9) > (before.budget or 0)
        assert trial.architecture == before.architecture and trial.seed == before.seed
        assert payloads[trial.trial_id]["resume_from"] == payloads[before.trial_id]["checkpoint"]
        assert [step for step, _, _ in trial.intermediate] == list(
            range((before.budget or 0) + 1, (trial.budget or 9) + 1)
        )


def test_a_proxys_pool_is_trained_in_the_order_of_its_scores() -> None:
    story = story_of("proxy", trials=10)
    story.attempt(FakeExecutor(1, steps=4))
    (scores,) = [each["data"] for each in story.of("measurement") if each["name"] == "proxy_scores"]
    assert scores["pool"] == 200 and len(scores["best"]) == 200
    listed = [score for _, score in scores["best"]]
    assert listed == sorted(listed, reverse=True)
    space = preset("cell")
    trained = [space.code(space.architecture(trial.architecture)) for trial in story.state.trials.values()]
    assert trained == [code for code, _ in scores["best"][:10]]
    worths = {space.code(one): value_of(one.to_json()) for one in space.sample(200, random.Random(3))}
    assert dict(scores["best"]) == worths


def test_a_failed_trial_is_no_end_but_all_failed_is() -> None:
    story = story_of("aging_evolution", trials=12)
    story.attempt(FakeExecutor(2, steps=4, failing=frozenset({1, 4})))
    assert story.state.status == "finished"
    assert [story.state.trials[number].status for number in (1, 4)] == ["failed", "failed"]
    worse = story_of("random", trials=3)
    worse.attempt(FakeExecutor(2, steps=4, failing=frozenset(range(3))))
    assert worse.state.status == "failed" and "diverged" in (worse.state.reason or "")


def test_a_trial_that_a_person_stops_is_waited_for_no_longer() -> None:
    story = story_of("local_search", trials=10)
    story.attempt(
        FakeExecutor(1, steps=4), wishes={2: Control(requests=(request("kill_trial", trial_id=0),))}
    )
    assert story.state.status == "finished"
    assert story.state.trials[0].status == "cancelled" and len(story.state.trials) == 10


def test_a_paused_search_starts_nothing_new() -> None:
    story, executor = story_of("random", trials=3), FakeExecutor(1, steps=2)
    pauses = {number: Control(pause=True) for number in range(1, 12)}
    story.attempt(executor, wishes=pauses)
    assert story.state.status == "finished" and len(story.state.trials) == 3


def test_the_best_can_be_trained_again_also_before_the_search_is_through() -> None:
    story = story_of("aging_evolution", trials=12)
    story.attempt(FakeExecutor(1, steps=4), wishes={30: Control(cancel=True)})
    best = story.state.best
    assert best is not None
    story.attempt(FakeExecutor(1, steps=4), resumed={"retrain": {"trial_id": best.trial_id, "seeds": 2}})
    again = [trial for trial in story.state.trials.values() if trial.repeat_of is not None]
    assert [trial.trial_id for trial in again] == [12, 13]
    assert all(trial.architecture == best.architecture for trial in again)
    assert {trial.seed for trial in again} == {trial_seed(3, 12), trial_seed(3, 13)}
    story.attempt(FakeExecutor(1, steps=4))
    assert story.state.status == "finished" and len(story.state.trials) == 14


# -- a warm start -----------------------------------------------------------------------------------------------------

WARM: dict[str, Any] = {"proxy": "synflow", "pool": 50, "count": 5}


def warm_of(name: str, **changes: Any) -> Story:
    spec = spec_of(name, **changes)
    return Story(replace(spec, settings={**spec.settings, "warm_start": dict(WARM)}), search.run)


def best_of_the_pool(count: int = 5) -> list[str]:
    """Codes of the best 50 drawn by the seed, by the fake executor's scores."""
    space = preset("cell")
    pool = space.sample(50, random.Random(3))
    return [space.code(one) for one in sorted(pool, key=lambda one: -value_of(one.to_json()))[:count]]


def codes(story: Story) -> list[str]:
    space = preset("cell")
    return [space.code(space.architecture(trial.architecture)) for trial in story.state.trials.values()]


@pytest.mark.parametrize("name", [name for name, entry in STRATEGIES.items() if entry.facts["warm"]])
def test_a_warm_start_begins_with_the_best_of_the_pool(name: str) -> None:
    story = warm_of(name, trials=20)
    assert story.spec.problems() == ()
    story.attempt(FakeExecutor(1, steps=4))
    assert story.state.status == "finished", story.state.reason
    starts = [trial for trial in story.state.trials.values() if not trial.parents]
    begun = [preset("cell").code(preset("cell").architecture(trial.architecture)) for trial in starts]
    assert begun[: min(5, len(begun))] == best_of_the_pool()[: len(begun)]
    assert codes(story)[0] == best_of_the_pool()[0]


@pytest.mark.parametrize(("name", "begin"), [("aging_evolution", warm_of), ("proxy", story_of)])
def test_a_search_that_was_lost_goes_on_without_scoring_its_pool_again(
    name: str, begin: Callable[..., Story]
) -> None:
    whole, broken = begin(name, trials=12), begin(name, trials=12)
    whole.attempt(FakeExecutor(1, steps=4))
    broken.attempt(FakeExecutor(1, steps=4), wishes={20: Control(cancel=True)})
    assert 0 < len(broken.state.trials) < 12

    class Unscoring(FakeExecutor):
        def submit(self, trial_id: int, target: str, payload: Any, judged: bool = False) -> None:
            assert target != "explorer.trials.proxies:score", "the ranking is in the run's story"
            super().submit(trial_id, target, payload, judged)

    broken.attempt(Unscoring(1, steps=4))
    assert broken.state.status == "finished", broken.state.reason
    assert codes(whole) == codes(broken)
    assert [each["name"] for each in broken.of("measurement")] == ["proxy_scores"]


def test_on_the_key_a_pool_is_scored_and_the_rest_looked_up(key: Any) -> None:
    story = warm_of("random", executor="key", epochs=20, trials=8)
    executor = story.attempt(FakeExecutor(1))
    assert story.state.status == "finished", story.state.reason
    assert codes(story)[:5] == best_of_the_pool() and not executor.submitted


@pytest.mark.parametrize(
    ("name", "given", "why"),
    [
        ("grid", {}, "Grid search draws nothing at random"),
        ("reinforce_controller", {}, "ENAS controller draws nothing at random"),
        ("proxy", {}, "only this app's own strategies do"),
        ("nni-tpe", {}, "NNI: TPE takes no warm start, only this app's own strategies do"),
        ("random", {"count": 60}, "proposes 60 of a pool of 50; give a pool of at least as many"),
        ("random", {"proxy": "beauty"}, "proxy is 'beauty'; pick 'parameters'"),
        ("random", {"proxy": None}, "warm_start has pool, count but no proxy"),
        ("aging_evolution", {"count": 7}, r"only its first 6 at random \(population_size\)"),
    ],
)
def test_a_warm_start_that_makes_no_sense_is_refused_in_one_sentence(
    name: str, given: Mapping[str, Any], why: str
) -> None:
    spec = spec_of(name)
    (problem,) = replace(spec, settings={**spec.settings, "warm_start": {**WARM, **given}}).problems()
    assert re.search(why, problem), problem


# -- answered from the key --------------------------------------------------------------------------------------------


def test_a_search_is_answered_from_the_key_with_one_recorded_seed_each(key: Any) -> None:
    story = story_of("aging_evolution", executor="key", epochs=20, trials=30)
    story.attempt(FakeExecutor(0))
    assert story.state.status == "finished", story.state.reason
    for trial in story.state.trials.values():
        place, seed = key.place(dict(trial.architecture or {})), (trial.seed or 0) % 3
        (row,) = key.rows([place], seed)
        assert trial.value == key.row_validation[row] / 400
        assert trial.metrics["test_accuracy"] == key.row_test[row] / 897
        assert [value for _, value, _ in trial.intermediate] == list(key.curves[row] / 400)


def test_shorter_trainings_are_the_curve_up_to_there(key: Any) -> None:
    story = story_of("successive_halving", executor="key", epochs=20, trials=40)
    story.attempt(FakeExecutor(0))
    short = [trial for trial in story.state.trials.values() if trial.budget and trial.budget < 20]
    assert short
    for trial in short:
        (row,) = key.rows([key.place(dict(trial.architecture or {}))], (trial.seed or 0) % 3)
        assert trial.value == key.curves[row][(trial.budget or 1) - 1] / 400


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"space": "notes-net"}, "another one"),
        ({"dataset": "digits"}, "digits"),
        ({"epochs": 21}, "knows 20"),
    ],
)
def test_what_the_key_cannot_answer_is_said(key: Any, changes: Mapping[str, Any], why: str) -> None:
    story = story_of("random", executor="key", **changes)
    story.attempt(FakeExecutor(0))
    assert story.state.status == "failed" and why in (story.state.reason or "")


def test_the_key_executor_takes_no_more_than_its_workers(key: Any) -> None:
    executor = KeyExecutor(key, preset("cell"), 2)
    assert executor.idle == 2
