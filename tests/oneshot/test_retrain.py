"""Retraining: the derived architecture and random ones, several seeds each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from explorer.jobs.asking import missing_of_search, retrainings_planned
from explorer.jobs.control import Control
from tests.nas.rig import FakeExecutor
from tests.oneshot.rig import Story, spec, tiny_cell
from tests.story import request

SPACE = tiny_cell().bound_to(1, 8, 4)
DERIVED = SPACE.architecture_at(13)
WISH = {"trial_id": 0, "seeds": 2, "rivals": 3, "epochs": 4}


def searched() -> Story:
    """A run whose search came to DERIVED."""
    story = Story(spec())
    story.tell("run_started")
    story.tell("architecture_snapshot", {"step": 12, "probabilities": {}})
    data = {"architecture": DERIVED.to_json(), "rule": "argmax"}
    story.tell("measurement", {"name": "derived", "step": 12, "data": data})
    story.tell("run_finished")
    return story


def retrained(wish: Mapping[str, Any] = WISH, **more: Any) -> tuple[Story, FakeExecutor]:
    story = searched()
    executor = story.attempt(resumed={"retrain": wish}, **more)
    return story, executor


def test_the_derived_architecture_and_its_rivals_are_trained_with_every_seed() -> None:
    story, executor = retrained()
    assert story.state.status == "finished"
    trials = story.state.trials
    assert sorted(trials) == list(range(8))
    by_pair = [tuple(trials[2 * at + n].architecture.values() for n in (0, 1)) for at in range(4)]
    assert [tuple(one) == tuple(other) for one, other in by_pair] == [True] * 4
    assert dict(trials[0].architecture) == DERIVED.to_json()
    assert len({SPACE.code(trial.architecture) for trial in trials.values()}) == 4
    assert [trials[number].repeat_of for number in range(8)] == [None, 0, None, 2, None, 4, None, 6]
    assert {trial.budget for trial in trials.values()} == {4}
    assert {job["epochs"] for _, job in executor.submitted} == {4}
    assert len({trial.seed for trial in trials.values()}) == 8


def test_two_retrainings_of_one_run_repeat_the_derived_one_and_draw_new_rivals() -> None:
    story, _ = retrained()
    executor = story.attempt(resumed={"retrain": {"trial_id": 0, "seeds": 1, "rivals": 2, "epochs": 4}})
    assert [number for number, _ in executor.submitted] == [8, 9, 10]
    assert story.state.trials[8].repeat_of == 0
    story.attempt(resumed={"retrain": {"trial_id": 0, "seeds": 1, "rivals": 0, "epochs": 9}})
    assert story.state.trials[11].repeat_of is None, "a longer training is no repeat of a shorter one"


def test_an_interrupted_retraining_is_completed_by_a_plain_resume() -> None:
    story, _ = retrained(wishes={4: Control(cancel=True)})
    assert story.state.status == "cancelled"
    done = {number for number, trial in story.state.trials.items() if trial.status == "succeeded"}
    assert 0 < len(done) < 8
    executor = story.attempt()
    assert {number for number, _ in executor.submitted} == set(range(8)) - done
    whole, _ = retrained()
    assert [(trial.architecture, trial.seed, trial.value) for trial in story.state.trials.values()] == [
        (trial.architecture, trial.seed, trial.value) for trial in whole.state.trials.values()
    ]


def test_a_trial_can_be_stopped_and_the_others_go_on() -> None:
    story, _ = retrained(wishes={1: Control(requests=(request("kill_trial", trial_id=0),))})
    statuses = {number: trial.status for number, trial in story.state.trials.items()}
    assert statuses == {0: "cancelled"} | dict.fromkeys(range(1, 8), "succeeded")


def test_while_paused_nothing_starts() -> None:
    pause = {call: Control(pause=True) for call in range(1, 9)}
    _, executor = retrained(wishes=pause | {9: Control(cancel=True)})
    assert [number for number, _ in executor.submitted] == [0, 1]


def test_when_all_fail_the_run_fails_with_the_first_sentence() -> None:
    story = searched()
    story.attempt(FakeExecutor(1, failing=frozenset(range(8))), resumed={"retrain": WISH})
    assert (story.state.status, story.state.reason) == ("failed", "Trial 0 diverged.")


def test_a_space_without_enough_rivals_trains_those_there_are() -> None:
    story, _ = retrained({"trial_id": 0, "seeds": 1, "rivals": 100, "epochs": 1})
    assert len(story.state.trials) == SPACE.size
    assert len({SPACE.code(trial.architecture) for trial in story.state.trials.values()}) == SPACE.size


def warned(story: Story) -> list[str]:
    return [event.data["message"] for event in story.events if event.kind == "warning"]


def test_too_many_rivals_are_warned_of_once_and_not_again_by_a_resume() -> None:
    wish = {"trial_id": 0, "seeds": 1, "rivals": SPACE.size, "epochs": 1}
    story, _ = retrained(wish, wishes={4: Control(cancel=True)})
    assert story.state.status == "cancelled"
    others = SPACE.size - 1
    said = (
        f"The space has only {others} architectures beside the derived one, fewer than the rivals asked for."
    )
    assert warned(story) == [said]
    assert missing_of_search(story.state) > 0
    story.attempt()
    assert warned(story) == [said]
    assert len(story.state.trials) == retrainings_planned(story.state) == SPACE.size
    assert missing_of_search(story.state) == 0, "nothing is left to resume"


def test_as_many_rivals_as_there_are_is_nothing_to_warn_of() -> None:
    story, _ = retrained({"trial_id": 0, "seeds": 1, "rivals": SPACE.size - 1, "epochs": 1})
    assert warned(story) == [] and len(story.state.trials) == SPACE.size


def test_retraining_settings_reach_the_trial() -> None:
    story = searched()
    settings = {**story.spec.settings, "training": {"learning_rate": 0.2}}
    story.spec = replace(story.spec, settings=settings)
    executor = story.attempt(resumed={"retrain": WISH})
    assert all(job["training"] == {"learning_rate": 0.2} for _, job in executor.submitted)
