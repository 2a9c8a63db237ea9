"""Random search over a fake executor: what is trained, in which order it is told, what survives an interruption."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from explorer.jobs.control import Control
from explorer.runs.spec import RunSpec, trial_seed
from explorer.space import preset
from tests.nas.rig import FakeExecutor, Story, request

CELLS = RunSpec(space="cell", dataset="digits", trials=6, epochs=2, seed=4)
NOTES = replace(CELLS, space="notes-net")
SKIPPING = {"conv1": "conv3x3", "mid_conv": "conv3x3", "skip": [0]}


def results(story: Story) -> dict[int, tuple[Any, ...]]:
    """Trial -> everything about it that must repeat."""
    return {
        number: (trial.architecture, trial.seed, trial.value, trial.status)
        for number, trial in sorted(story.state.trials.items())
    }


def test_a_run_trains_distinct_architectures_with_seeds_of_their_own() -> None:
    story = Story(CELLS)
    story.attempt()
    trials = story.state.trials
    assert story.state.status == "finished"
    assert sorted(trials) == list(range(6))
    assert len({tuple(trial.architecture.items()) for trial in trials.values() if trial.architecture}) == 6
    assert {number: trial.seed for number, trial in trials.items()} == {n: trial_seed(4, n) for n in range(6)}
    assert all(trial.status == "succeeded" and len(trial.intermediate) == 2 for trial in trials.values())


def test_the_number_of_workers_changes_no_result() -> None:
    stories = []
    for workers in (1, 2, 5):
        stories.append(Story(CELLS))
        executor = stories[-1].attempt(FakeExecutor(workers))
        assert executor.most == workers
    assert results(stories[0]) == results(stories[1]) == results(stories[2])


def test_one_worker_repeats_the_whole_sequence_and_another_seed_draws_others() -> None:
    first, second, other = Story(CELLS), Story(CELLS), Story(replace(CELLS, seed=5))
    for story in (first, second, other):
        story.attempt(FakeExecutor(1))
    assert [(event.kind, event.data) for event in first.events] == [
        (event.kind, event.data) for event in second.events
    ]
    assert results(first) != results(other)


def test_the_next_trial_is_submitted_before_the_ending_of_the_last_is_told() -> None:
    story, executor = Story(CELLS), FakeExecutor(1)
    told_at: list[int] = []
    original = executor.submit

    def submit(trial_id: int, target: str, payload: Any) -> None:
        told_at.append(len(story.of("trial_ended")))
        original(trial_id, target, payload)

    executor.submit = submit  # type: ignore[method-assign]
    story.attempt(executor)
    assert told_at == [0, 0, 1, 2, 3, 4]


def test_asking_for_more_than_the_space_holds_trains_all_with_one_warning() -> None:
    story = Story(replace(NOTES, trials=20))
    story.attempt(wishes={6: Control(cancel=True)})
    story.attempt()
    assert len(story.state.trials) == 8
    assert len(story.state.warnings) == 1
    assert "20 architectures were asked for, but notes-net holds 8" in story.state.warnings[0]


def test_a_pinned_architecture_is_trained_with_different_seeds() -> None:
    pinned = preset("notes-net").from_code("101").to_json()
    story = Story(replace(NOTES, architecture=pinned, trials=3))
    story.attempt()
    trials = story.state.trials
    assert [dict(trial.architecture or {}) for trial in trials.values()] == [pinned] * 3
    assert len({trial.seed for trial in trials.values()}) == 3
    assert [trials[number].repeat_of for number in range(3)] == [None, 0, 0]


def test_training_settings_and_epochs_reach_the_trial() -> None:
    story = Story(replace(CELLS, settings={"training": {"learning_rate": 0.2}}, epochs=7))
    executor = story.attempt()
    assert all(
        job["training"] == {"learning_rate": 0.2} and job["epochs"] == 7 for _, job in executor.submitted
    )


def test_cancelling_ends_the_run_and_resuming_trains_only_what_is_missing() -> None:
    story, whole = Story(CELLS), Story(CELLS)
    whole.attempt()
    story.attempt(wishes={4: Control(cancel=True)})
    assert story.state.status == "cancelled"
    done = {number for number, trial in story.state.trials.items() if trial.status == "succeeded"}
    assert 0 < len(done) < 6
    executor = story.attempt()
    assert {number for number, _ in executor.submitted} == set(range(6)) - done
    assert story.state.status == "finished"
    assert results(story) == results(whole)


def test_while_paused_no_trial_starts_and_those_in_flight_finish() -> None:
    story = Story(CELLS)
    pause = {call: Control(pause=True) for call in range(1, 20)}
    executor = story.attempt(FakeExecutor(2), wishes=pause | {20: Control(cancel=True)})
    assert [number for number, _ in executor.submitted] == [0, 1]
    assert [data["status"] for data in story.of("trial_ended")] == ["succeeded"] * 2


def test_a_killed_trial_is_cancelled_and_the_others_go_on() -> None:
    story = Story(CELLS)
    story.attempt(wishes={1: Control(requests=(request("kill_trial", trial_id=0),))})
    statuses = {number: trial.status for number, trial in story.state.trials.items()}
    assert statuses == {0: "cancelled"} | dict.fromkeys(range(1, 6), "succeeded")
    assert story.state.trials[0].reason == "Stopped on request."


def test_killing_what_does_not_run_changes_nothing() -> None:
    story = Story(CELLS)
    story.attempt(wishes={1: Control(requests=(request("kill_trial", trial_id=77), request("set", key="x")))})
    assert {trial.status for trial in story.state.trials.values()} == {"succeeded"}


def test_failed_trials_do_not_stop_the_run_and_are_tried_again_on_resume() -> None:
    story = Story(CELLS)
    story.attempt(FakeExecutor(2, failing=frozenset({1, 3})))
    assert story.state.status == "finished"
    assert story.state.trials[1].reason == "Trial 1 diverged."
    executor = story.attempt()
    assert [number for number, _ in executor.submitted] == [1, 3]
    assert {trial.status for trial in story.state.trials.values()} == {"succeeded"}


def test_when_every_trial_failed_the_run_fails_with_the_sentence_of_the_first() -> None:
    story = Story(CELLS)
    story.attempt(FakeExecutor(1, failing=frozenset(range(6))))
    assert (story.state.status, story.state.reason) == ("failed", "Trial 0 diverged.")


def test_retraining_adds_trials_with_new_seeds_that_name_the_original() -> None:
    story = Story(CELLS)
    story.attempt()
    executor = story.attempt(resumed={"retrain": {"trial_id": 2, "seeds": 3}})
    trials = story.state.trials
    assert [number for number, _ in executor.submitted] == [6, 7, 8]
    assert all(trials[number].repeat_of == 2 for number in (6, 7, 8))
    assert all(trials[number].architecture == trials[2].architecture for number in (6, 7, 8))
    assert len({trial.seed for trial in trials.values()}) == 9
    story.attempt(resumed={"retrain": {"trial_id": 7, "seeds": 1}})
    assert story.state.trials[9].repeat_of == 2


def test_an_interrupted_retraining_is_completed_by_a_plain_resume() -> None:
    story = Story(CELLS)
    story.attempt()
    story.attempt(
        FakeExecutor(1), wishes={4: Control(cancel=True)}, resumed={"retrain": {"trial_id": 2, "seeds": 3}}
    )
    assert max(n for n, trial in story.state.trials.items() if trial.status == "succeeded") < 7
    story.attempt()
    trials = story.state.trials
    assert sorted(trials) == list(range(9))
    assert {trial.status for trial in trials.values()} == {"succeeded"}
    assert all(trials[number].repeat_of == 2 for number in (6, 7, 8))


def test_a_retraining_lost_before_its_engine_began_is_trained_by_a_plain_resume() -> None:
    story = Story(CELLS)
    story.attempt()
    story.tell("run_resumed", {"retrain": {"trial_id": 2, "seeds": 3}})
    story.tell("run_lost", {"reason": "kill -9"})
    executor = story.attempt()
    assert [number for number, _ in executor.submitted] == [6, 7, 8]
    assert all(story.state.trials[number].repeat_of == 2 for number in (6, 7, 8))


def test_a_retraining_of_a_run_that_ended_early_trains_what_is_missing_first() -> None:
    story = Story(CELLS)
    story.attempt(FakeExecutor(1), wishes={7: Control(cancel=True)})
    done = {number for number, trial in story.state.trials.items() if trial.status == "succeeded"}
    assert 0 < len(done) < 5
    executor = story.attempt(FakeExecutor(1), resumed={"retrain": {"trial_id": 0, "seeds": 1}})
    assert [number for number, _ in executor.submitted] == [n for n in range(7) if n not in done]
    assert {trial.status for trial in story.state.trials.values()} == {"succeeded"}


def test_retraining_an_unknown_trial_is_refused() -> None:
    story = Story(CELLS)
    story.attempt()
    story.attempt(resumed={"retrain": {"trial_id": 40, "seeds": 1}})
    assert "no trial 40" in (story.state.reason or "")


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        (replace(NOTES, space="notes-net-as-written"), ("expects 400 features", "adds 8x16x16 to 16x12x12")),
        (
            replace(
                NOTES,
                space="notes-net-as-written",
                architecture={"conv1": "conv3x3", "mid_conv": "conv3x3", "skip": [0]},
            ),
            ("576",),
        ),
        (replace(NOTES, dataset="digit"), ("did you mean 'digits'",)),
        (replace(NOTES, architecture={"conv1": "conv3x3"}), ("mid_conv", "skip")),
    ],
)
def test_what_cannot_run_is_refused_in_one_message_before_any_trial(
    spec: RunSpec, words: tuple[str, ...]
) -> None:
    story = Story(spec)
    executor = story.attempt()
    assert story.state.status == "failed"
    assert executor.submitted == []
    assert all(word in (story.state.reason or "") for word in words)


def test_missing_data_fail_the_run_once_before_any_trial() -> None:
    story = Story(replace(CELLS, dataset="mnist"))
    executor = story.attempt()
    assert story.state.status == "failed" and "'mnist' is not here" in str(story.state.reason)
    assert executor.submitted == [] and not story.state.trials


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_real_run_gives_the_same_results_with_one_worker_and_with_two(tmp_path: Path) -> None:
    """Store, worker process, forked children, training: all real."""
    from explorer.jobs.foreground import run_here
    from explorer.runs.store import Store

    found = []
    for workers in (1, 2):
        store = Store(f"sqlite:///{os.fspath(tmp_path)}/{workers}.sqlite3")
        spec = RunSpec(space="cell", dataset="synthetic", trials=4, epochs=2, workers=workers, seed=3)
        summary = run_here(store, spec)
        state = store.state(summary.run_id)
        assert state.status == "finished"
        found.append(
            {
                number: (trial.architecture, trial.seed, trial.value, trial.metrics["test_accuracy"])
                for number, trial in sorted(state.trials.items())
            }
        )
    assert found[0] == found[1]
    assert max(value for _, _, value, _ in found[0].values()) > 0.4  # chance is 0.25
