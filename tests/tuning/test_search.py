"""The engine of `run hpo`: proposes, judges, tells everything, goes on after a loss, and does what it is asked."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

import pytest

from explorer.hyper import DEFAULT_SPACES, read_search_space
from explorer.jobs.control import Control
from explorer.lens.replay import replay
from explorer.lens.trials import own_settings
from explorer.runs.events import Event
from explorer.runs.spec import RunSpec, trial_seed
from explorer.runs.state import RunState
from explorer.tuning.search import run
from tests.story import Story, request
from tests.tuning.rig import BRANIN, CURVES, Inline, told

THREE = {"x": {"_type": "choice", "_value": [1, 2, 3]}}


def tried(state: RunState) -> list[dict[str, Any]]:
    """Parameters of every trial of its own, by number."""
    own = sorted((t for t in state.trials.values() if t.repeat_of is None), key=lambda trial: trial.trial_id)
    return [dict(trial.parameters or {}) for trial in own]


def results(state: RunState) -> list[tuple[int, str, float | None, tuple[Any, ...]]]:
    """What came out, times aside."""
    return [(t.trial_id, t.status, t.value, t.intermediate) for t in state.trials.values()]


def asking(at: int, kind: str, **data: Any) -> dict[int, Control]:
    """Somebody asks at the n-th look."""
    return {at: Control(requests=(request(kind, **data),))}


def test_every_trial_is_suggested_inside_the_space_and_told_with_its_seed() -> None:
    story = told(BRANIN)
    space = read_search_space(DEFAULT_SPACES["branin"])
    assert story.state.status == "finished"
    assert len(story.of("trial_started")) == 12
    for number, data in enumerate(story.of("trial_started")):
        assert space.problem_with(data["parameters"]) is None
        assert (data["trial_id"], data["seed"], data["budget"]) == (number, trial_seed(0, number), 1)


@pytest.mark.parametrize("spec", [CURVES, BRANIN], ids=["curves", "branin"])
def test_with_one_worker_the_whole_sequence_repeats(spec: RunSpec) -> None:
    one = replace(spec, workers=1)
    first, second = told(one), told(one)

    def plain(event: Event) -> Any:
        return (event.kind, {name: value for name, value in event.data.items() if name != "milliseconds"})

    assert [plain(event) for event in first.events] == [plain(event) for event in second.events]


def test_a_tuner_that_does_not_learn_suggests_the_same_whatever_the_workers() -> None:
    assert tried(told(CURVES, Inline(1)).state) == tried(told(CURVES, Inline(4)).state)


def test_no_more_trials_run_at_once_than_there_are_workers() -> None:
    executor = Inline(3)
    told(BRANIN, executor)
    assert executor.most == 3


def test_the_assessor_stops_trials_and_every_look_is_an_event() -> None:
    story = told(replace(CURVES, trials=12))
    stopped = [trial for trial in story.state.trials.values() if trial.status == "early_stopped"]
    assert stopped
    looks = [(data["trial_id"], data["step"]) for data in story.of("assessment")]
    assert looks == [(data["trial_id"], data["step"]) for data in story.of("intermediate_result")]
    for trial in stopped:
        last = [data for data in story.of("assessment") if data["trial_id"] == trial.trial_id][-1]
        assert last["decision"] == "bad" and last["step"] == len(trial.intermediate) < 10
        assert "so the trial was stopped" in str(trial.reason)


def test_predictions_are_recorded_from_step_4_before_the_assessor_may_act() -> None:
    early = [data for data in told(CURVES).of("assessment") if data["step"] == 4]
    assert early and all(not data["acts"] and data["decision"] == "wait" for data in early)
    assert any(data["prediction"] is not None for data in early)


@pytest.mark.parametrize("assessor", ["Curvefitting", "Medianstop"])
def test_the_replay_with_the_runs_own_settings_decides_as_the_run_did(assessor: str) -> None:
    spec = replace(CURVES, trials=14, workers=3, method={"tuner": "Random", "assessor": assessor})
    state = told(spec).state
    again = replay(state, assessor, own_settings(state))
    live = {
        t.trial_id: (len(t.intermediate) if t.status == "early_stopped" else None)
        for t in state.trials.values()
    }
    assert {one.trial_id: one.stopped_at for one in again.outcomes} == live
    assert any(live.values())


def test_a_run_that_was_lost_ends_as_an_undisturbed_one_would_have() -> None:
    spec = replace(CURVES, trials=10, workers=1, method={"tuner": "TPE", "assessor": "Curvefitting"})
    spec = replace(spec, settings={"tuner": {"n_startup_jobs": 3}})
    undisturbed = told(spec).state
    lost = Story(spec, run)
    lost.attempt(Inline(1), wishes={40: Control(cancel=True)})
    assert lost.state.status == "cancelled" and 0 < len(lost.state.trials) < 10
    lost.attempt(Inline(1))
    assert lost.state.status == "finished"
    assert not [sentence for sentence in lost.state.warnings if "could not be led" in sentence]
    assert results(lost.state) == results(undisturbed)


def test_a_story_that_no_tuner_would_tell_is_taken_as_data_and_said() -> None:
    story = Story(replace(BRANIN, trials=4, workers=1), run)
    story.tell("run_started")
    story.tell(
        "trial_started",
        {"trial_id": 0, "parameters": {"x1": 1.0, "x2": 2.0}, "architecture": None, "seed": 1, "budget": 1},
    )
    story.tell("final_result", {"trial_id": 0, "value": 3.0, "metrics": {}})
    story.tell("trial_ended", {"trial_id": 0, "status": "succeeded", "reason": None})
    story.tell("run_lost", {"reason": "gone"})
    story.attempt(Inline(1))
    assert any("could not be led" in sentence for sentence in story.state.warnings)
    assert len(story.state.trials) == 4 and story.state.status == "finished"


def test_a_tuner_that_runs_out_ends_the_run_with_one_sentence() -> None:
    spec = replace(CURVES, method={"tuner": "GridSearch"}, search_space={"width": THREE["x"]}, trials=20)
    story = told(spec)
    assert story.state.status == "finished"
    assert [one["width"] for one in tried(story.state)] == [1, 2, 3]
    assert story.state.planned_trials == 3
    assert any("3 of the 20 trials asked for" in sentence for sentence in story.state.warnings)


# -- trials that go wrong ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("value", [float("nan"), float("inf"), None])
def test_a_result_that_is_no_number_fails_its_trial_and_the_run_goes_on(value: float | None) -> None:
    broken = {2: lambda n: {"final": True, "value": value, "metrics": {}}}
    story = Story(BRANIN, run)
    story.attempt(Inline(2, broken))
    assert story.state.status == "finished"
    assert story.state.trials[2].status == "failed"
    assert "needs a finite number" in str(story.state.trials[2].reason)
    assert len(story.state.trials) == 12


def test_a_trial_that_crashes_is_one_failed_trial() -> None:
    story = told(
        CURVES, Inline(2, {1: lambda n: ZeroDivisionError("the batch was empty") if n == 3 else None})
    )
    assert story.state.trials[1].status == "failed"
    assert story.state.trials[1].reason == "ZeroDivisionError: the batch was empty"
    assert story.state.status == "finished" and len(story.state.trials) == 8


def test_a_run_of_which_every_trial_fails_fails_with_the_first_reason() -> None:
    story = told(BRANIN, Inline(2, {n: lambda _: ValueError("no") for n in range(12)}))
    assert story.state.status == "failed" and "ValueError: no" in str(story.state.reason)


def test_an_intermediate_result_that_is_no_number_is_no_reason_to_stop() -> None:
    word = {"step": 3, "value": float("nan"), "metrics": {}}
    story = Story(CURVES, run)
    plain_tell = story.tell
    story.tell = lambda kind, data=None: plain_tell(  # type: ignore[method-assign]
        kind, {k: None if v != v else v for k, v in (data or {}).items()}
    )
    story.attempt(Inline(2, {0: lambda n: word if n == 3 else None}))
    assert story.state.trials[0].status in ("succeeded", "early_stopped")
    assert any("cannot be judged" in sentence for sentence in story.state.warnings)


# -- what a person asks for -------------------------------------------------------------------------------------------


def test_more_trials_may_be_asked_for_while_running() -> None:
    story = told(BRANIN, wishes=asking(3, "set", name="trials", value=15))
    assert len(story.state.trials) == story.state.planned_trials == 15


def test_fewer_trials_end_the_run_sooner_but_none_is_lost() -> None:
    story = told(BRANIN, wishes=asking(3, "set", name="trials", value=1))
    assert 1 <= len(story.state.trials) < 12
    assert all(trial.status == "succeeded" for trial in story.state.trials.values())


def test_the_number_of_workers_may_change() -> None:
    executor = Inline(1)
    story = told(replace(CURVES, workers=1), executor, wishes=asking(3, "set", name="workers", value=4))
    assert executor.most == story.state.workers == 4


@pytest.mark.parametrize(
    ("name", "value"), [("trials", 0), ("trials", "many"), ("speed", 3), ("workers", True)]
)
def test_a_change_that_cannot_be_is_one_sentence(name: str, value: Any) -> None:
    story = told(BRANIN, wishes=asking(2, "set", name=name, value=value))
    assert story.state.status == "finished" and len(story.state.trials) == 12
    assert len(story.state.warnings) == 1 and "whole number from 1" in story.state.warnings[0]


def test_a_trial_by_hand_runs_beside_the_plan_and_may_be_the_best() -> None:
    best = {"x1": 9.42478, "x2": 2.475}
    story = told(BRANIN, wishes=asking(2, "add_trial", parameters=best))
    by_hand = [trial for trial in story.state.trials.values() if trial.origin == "hand"]
    assert [dict(trial.parameters or {}) for trial in by_hand] == [best]
    assert len(story.state.trials) == 13 and story.state.best == by_hand[0]
    assert story.state.best.value == pytest.approx(0.397887, abs=1e-5)


def test_a_trial_by_hand_outside_the_space_is_refused_in_one_sentence() -> None:
    story = told(BRANIN, wishes=asking(2, "add_trial", parameters={"x1": 99.0, "x2": 1.0}))
    assert len(story.state.trials) == 12
    assert "x1" in story.state.warnings[0] and "not added" in story.state.warnings[0]


def test_one_trial_can_be_killed_and_the_others_go_on() -> None:
    story = told(CURVES, wishes=asking(4, "kill_trial", trial_id=1))
    assert story.state.trials[1].status == "cancelled"
    assert story.state.status == "finished" and len(story.state.trials) == 8


def test_while_paused_nothing_starts_and_what_runs_goes_on() -> None:
    story = told(CURVES, wishes={at: Control(pause=True) for at in range(1, 40)})
    starts = [event.seq for event in story.events if event.kind == "trial_started"]
    ends = [event.seq for event in story.events if event.kind == "trial_ended"]
    assert starts[2] > ends[1], "a third trial began before the pause was over"
    assert story.state.status == "finished" and len(story.state.trials) == 8


def test_a_trial_by_hand_that_had_not_begun_runs_after_a_loss_under_its_own_number() -> None:
    best = {"x1": 9.42478, "x2": 2.475}
    story = Story(replace(BRANIN, workers=1), run)
    wishes = {
        2: Control(pause=True, requests=(request("add_trial", parameters=best),)),
        **{at: Control(pause=True) for at in range(3, 9)},
        9: Control(cancel=True),
    }
    story.attempt(Inline(1), wishes=wishes)
    assert not [trial for trial in story.state.trials.values() if trial.origin == "hand"]
    (asked,) = story.state.by_hand
    story.attempt(Inline(1))
    by_hand = [trial for trial in story.state.trials.values() if trial.origin == "hand"]
    assert [(t.trial_id, dict(t.parameters or {})) for t in by_hand] == [(asked["trial_id"], best)]
    assert len(story.state.trials) == story.state.planned_trials == 13


def test_a_trial_by_hand_that_waits_can_be_taken_back() -> None:
    wishes = {
        2: Control(pause=True, requests=(request("add_trial", parameters={"x1": 1.0, "x2": 2.0}),)),
        3: Control(pause=True, requests=(request("kill_trial", trial_id=4),)),  # four had begun
    }
    story = told(BRANIN, wishes=wishes)
    assert story.state.by_hand == () and len(story.state.trials) == 12


@pytest.mark.parametrize("kind", ["kill_trial", "finish_trial"])
@pytest.mark.parametrize("number", [99, [1], None, "0"])
def test_a_trial_that_cannot_be_killed_or_finished_is_one_sentence(kind: str, number: Any) -> None:
    story = told(BRANIN, wishes=asking(2, kind, trial_id=number))
    assert story.state.status == "finished"
    assert len(story.state.warnings) == 1 and "cannot be" in story.state.warnings[0]


def test_what_is_asked_with_the_last_result_is_still_heard() -> None:
    calls = iter(range(10**6))
    plain = Story(replace(BRANIN, trials=2, workers=1), run)

    class Counting(Inline):
        def poll(self, timeout_seconds: float = 0.0) -> Any:
            self.polls = getattr(self, "polls", 0) + 1
            return super().poll(timeout_seconds)

    executor = Counting(1)
    plain.attempt(executor)
    looks = executor.polls  # the engine looks once before each poll, and once more at the end
    del calls
    story = told(
        replace(BRANIN, trials=2, workers=1), Inline(1), wishes=asking(looks, "set", name="trials", value=4)
    )
    assert len(story.state.trials) == 4


def test_a_slow_tuner_gives_signs_of_life_while_it_is_led_through_a_long_story() -> None:
    spec = replace(BRANIN, trials=30, workers=1)
    story = Story(spec, run)
    story.attempt(Inline(1), wishes={25: Control(cancel=True)})
    begun, heard = len(story.state.trials), []
    plain = story.engine

    def counting(*given: Any, control: Any, **more: Any) -> None:
        def listen() -> Any:
            heard.append(len(story.events))
            return control()

        plain(*given, control=listen, **more)

    story.engine = counting
    story.attempt(Inline(1))
    before_the_first_event = sum(count == heard[0] for count in heard)
    assert before_the_first_event >= begun


def test_members_of_a_population_hand_their_weights_on_inside_the_runs_own_folder(explorer_home: Any) -> None:
    spec = replace(
        CURVES,
        objective="mlp",
        dataset="synthetic",
        epochs=1,
        trials=8,
        method={"tuner": "PBT"},
        settings={"tuner": {"population_size": 4}},
    )
    executor = Inline(2)
    story = told(spec, executor)
    assert story.state.status == "finished", story.state.reason
    root = explorer_home / "checkpoints" / "r" / "pbt"
    assert {payload["load_from"] for payload in executor.payloads.values()} > {None}
    for payload in executor.payloads.values():
        assert payload["save_to"].startswith(str(root))
    assert len(list(root.rglob("weights.pt"))) == 8
    for trial in story.state.trials.values():
        folders = [str(value) for name, value in (trial.parameters or {}).items() if name.endswith("_dir")]
        assert len(folders) == 2 and not any(folder.startswith("/") for folder in folders)


def test_a_strangers_folder_is_no_folder(tmp_path: Any) -> None:
    spec = replace(CURVES, objective="mlp", dataset="synthetic", epochs=1, trials=2, method={"tuner": "PBT"})
    story = Story(replace(spec, settings={"tuner": {"population_size": 2}}), run)
    story.tell("run_started")
    own = read_search_space(DEFAULT_SPACES["mlp"]).sample(random.Random(0))
    hostile = own | {"save_checkpoint_dir": str(tmp_path / "evil"), "load_checkpoint_dir": "../../../evil"}
    story.tell(
        "trial_started", {"trial_id": 0, "parameters": hostile, "architecture": None, "seed": 1, "budget": 1}
    )
    story.tell("run_lost", {"reason": "gone"})
    executor = Inline(1)
    story.attempt(executor)
    assert executor.payloads[0]["save_to"] is None and executor.payloads[0]["load_from"] is None
    assert not (tmp_path / "evil").exists()


# -- let it finish ----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def finished() -> Story:
    """A run with stopped trials, all of them finished afterwards."""
    story = told(replace(CURVES, trials=12))
    stopped = [t.trial_id for t in story.state.trials.values() if t.status == "early_stopped"]
    story.attempt(Inline(2), resumed={"finish": stopped})
    return story


def test_a_stopped_trial_that_is_finished_goes_on_at_the_next_step_to_its_full_budget(
    finished: Story,
) -> None:
    state = finished.state
    stopped = [t for t in state.trials.values() if t.status == "early_stopped"]
    ghosts = {t.repeat_of: t for t in state.trials.values() if t.continues}
    assert set(ghosts) == {trial.trial_id for trial in stopped} and stopped
    for trial in stopped:
        ghost = ghosts[trial.trial_id]
        steps = [step for step, *_ in (*trial.intermediate, *ghost.intermediate)]
        assert steps == list(range(1, 11))
        assert ghost.status == "succeeded" and ghost.seed == trial.seed


def test_finishing_adds_nothing_to_the_contest_and_no_new_trials(finished: Story) -> None:
    state = finished.state
    assert sum(trial.repeat_of is None for trial in state.trials.values()) == 12
    assert state.best is not None and not state.best.continues
    ghosts = {trial.trial_id for trial in state.trials.values() if trial.continues}
    assert not [data for data in finished.of("assessment") if data["trial_id"] in ghosts]


def test_finishing_twice_trains_nothing_again(finished: Story) -> None:
    story = Story(finished.spec, run, list(finished.events))
    before = len(story.state.trials)
    story.attempt(
        Inline(2), resumed={"finish": [t for t in story.state.trials if not story.state.trials[t].continues]}
    )
    assert len(story.state.trials) == before


def test_a_trial_can_be_finished_while_the_run_goes_on() -> None:
    plain = told(replace(CURVES, trials=12)).state
    first = next(t.trial_id for t in plain.trials.values() if t.status == "early_stopped")
    wishes = {at: Control(requests=(request("finish_trial", trial_id=first),)) for at in range(10, 80, 5)}
    story = told(replace(CURVES, trials=12), wishes=wishes)
    ghosts = [trial for trial in story.state.trials.values() if trial.continues]
    assert [ghost.repeat_of for ghost in ghosts] == [first]
    assert story.state.finishes == (first,)


# -- joint spaces, budgets --------------------------------------------------------------------------------------------


def test_in_a_joint_space_layers_and_skips_are_tuned_with_the_learning_rate() -> None:
    spec = RunSpec(
        kind="hpo",
        space="cell",
        dataset="synthetic",
        trials=4,
        epochs=1,
        method={"tuner": "Random"},
        search_space={"learning_rate": {"_type": "loguniform", "_value": [0.01, 0.1]}},
    )
    story = told(spec)
    assert story.state.status == "finished", story.state.reason
    for trial in story.state.trials.values():
        assert trial.architecture is not None and trial.parameters is not None
        assert set(trial.parameters) == {"learning_rate", *trial.architecture}
        assert trial.metrics["parameters"] > 0
    assert len({tuple(sorted((t.architecture or {}).items())) for t in story.state.trials.values()}) > 1


def test_a_pinned_architecture_is_the_same_in_every_trial() -> None:
    pinned = {"conv1": "conv3x3", "mid_conv": "conv5x5", "skip": [0]}
    spec = RunSpec(
        kind="hpo", space="notes-net", architecture=pinned, dataset="synthetic", trials=2, epochs=1
    )
    state = told(spec).state
    assert state.status == "finished", state.reason
    assert [dict(trial.architecture or {}) for trial in state.trials.values()] == [pinned, pinned]
    assert not {"conv1", "mid_conv", "skip"} & set(tried(state)[0])


@pytest.mark.slow
def test_an_advisor_gives_each_trial_its_own_number_of_epochs() -> None:
    spec = replace(CURVES, epochs=9, trials=24, method={"tuner": "Hyperband"})
    state = told(spec).state
    assert state.status == "finished", state.reason
    budgets = {trial.budget for trial in state.trials.values()}
    assert {1, 3, 9} <= budgets
    assert all(len(trial.intermediate) == trial.budget for trial in state.trials.values())


@pytest.mark.slow
def test_what_an_early_stopped_trial_reached_is_told_to_the_tuner_unless_nnis_way_is_asked_for() -> None:
    def after(policy: str) -> list[dict[str, Any]]:
        spec = replace(
            CURVES,
            workers=1,
            trials=16,
            method={"tuner": "TPE", "assessor": "Curvefitting"},
            settings={"tuner": {"n_startup_jobs": 3, "early_stopped": policy}},
        )
        return tried(told(spec).state)

    assert after("last")[:3] == after("ignore")[:3], "until the first ending they are alike"
    assert after("last") != after("ignore")
