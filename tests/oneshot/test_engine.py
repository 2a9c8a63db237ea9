"""A one-shot run as people meet it: its story, what may be asked of it, and that no interruption changes it."""

from __future__ import annotations

import time
from contextlib import closing
from dataclasses import replace
from typing import Any

import pytest
import torch

from explorer.catalogue import SELECTION_RULES
from explorer.jobs.control import Control
from explorer.oneshot import checkpoints
from explorer.oneshot.conversation import PACE_SECONDS, Conversation, Interrupted
from explorer.oneshot.feed import Feed
from explorer.runs.spec import RunSpec
from tests.oneshot.rig import (
    PAUSE_SECONDS,
    SMALL,
    Story,
    kept_weights,
    request,
    same,
    spec,
    tiny_cell,
    tiny_macro,
)

PAUSE = Control(pause=True)


def whole(wanted: RunSpec | None = None) -> Story:
    story = Story(wanted or spec())
    story.attempt()
    return story


def asked(kind: str, **data: Any) -> Control:
    return Control(requests=(request(kind, **data),))


def paused(kind: str, **data: Any) -> Control:
    return Control(pause=True, requests=(request(kind, **data),))


def equals(one: Story, other: Story) -> bool:
    """The same snapshots, the same end and the same weights."""
    ends = [[data["architecture"] for data in story.measured("derived")] for story in (one, other)]
    return one.snapshots == other.snapshots and ends[0] == ends[1] and same(one.weights, other.weights)


# -- the story --------------------------------------------------------------------------------------------------------


def test_a_search_tells_snapshots_from_step_0_to_the_last_and_derives_once() -> None:
    story = whole()
    assert story.state.status == "finished"
    assert [snapshot["step"] for snapshot in story.snapshots] == [0, 3, 6, 9, 12]
    (derived,) = story.measured("derived")
    assert derived["architecture"] == story.snapshots[-1]["derived"] and derived["rule"] == "argmax"
    network = tiny_cell().bound_to(1, 8, 4)
    lowered = network.lower(network.architecture(derived["architecture"]))
    assert (derived["parameters"], derived["macs"]) == (lowered.parameters, lowered.macs)
    (gap,) = story.measured("discretization_gap")
    assert gap["images"] == 128 and gap["supernet"] == derived["supernet_accuracy"]
    assert gap["statistics"] == "running" and gap["derived"] == gap["derived_running"]
    assert {"derived_batch", "supernet_batch", "seconds"} <= gap.keys()
    assert [data["step"] for data in story.measured("checkpoint")] == [8, 12]
    assert checkpoints.kept(story.run_id) == (8, 12)


@pytest.mark.slow
def test_the_last_step_is_shown_also_when_it_is_not_its_turn() -> None:
    assert [snapshot["step"] for snapshot in whole(spec(snapshot_every=5)).snapshots] == [0, 5, 10, 12]


@pytest.mark.slow
def test_seconds_grow_and_a_pause_does_not_count() -> None:
    story = Story(spec())
    story.attempt(wishes=dict.fromkeys(range(2, 200), PAUSE))
    seconds = [data["seconds"] for data in story.of("architecture_snapshot")]
    undisturbed = [data["seconds"] for data in whole().of("architecture_snapshot")]
    assert seconds == sorted(seconds) and seconds[-1] < undisturbed[-1] + 10 * PAUSE_SECONDS


# -- interruptions ----------------------------------------------------------------------------------------------------


def test_a_killed_search_goes_on_and_ends_the_same() -> None:
    story = Story(spec())
    story.attempt(kill_at=8)  # after a checkpoint, between two snapshots
    assert story.state.status == "lost" and not story.measured("derived")
    story.attempt()
    assert story.state.status == "finished" and equals(story, whole())


@pytest.mark.slow
@pytest.mark.parametrize("at", [2, 9])
def test_a_cancelled_search_keeps_a_checkpoint_and_goes_on_the_same(at: int) -> None:
    story = Story(spec())
    story.attempt(wishes={at: Control(cancel=True)})
    assert story.state.status == "cancelled"
    assert checkpoints.kept(story.run_id)[-1] == story.measured("checkpoint")[-1]["step"] == at
    story.attempt()
    assert equals(story, whole())


@pytest.mark.slow
def test_a_paused_search_keeps_a_checkpoint_and_goes_on_the_same() -> None:
    story = Story(spec())
    story.attempt(wishes={5: PAUSE, 6: PAUSE})
    assert 5 in checkpoints.kept(story.run_id) and equals(story, whole())


def everywhere(wanted: RunSpec) -> bool:
    """Killed at any word to control() (at 8 of them), and once more while it goes on, it ends as undisturbed."""
    undisturbed = whole(wanted)
    assert undisturbed.state.status == "finished"
    for at in range(0, undisturbed.calls, max(1, undisturbed.calls // 8)):
        story = Story(wanted)
        story.attempt(kill_at=at)
        story.attempt(kill_at=3)
        story.attempt()
        if not equals(story, undisturbed):
            return False
    return True


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("method", ["darts", "enas", "spos"])
def test_killed_anywhere_a_search_ends_the_same(method: str) -> None:
    assert everywhere(spec(method=method, epochs=2, gap_every=1, **SMALL.get(method, {})))


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("guard", ["stop", "adapt"])
def test_killed_anywhere_under_a_guard_a_search_ends_the_same(guard: str) -> None:
    wanted = spec(epochs=6, guard=guard, guard_window=1, guard_ratio=1.0, checkpoint_every=1)
    assert whole(wanted).measured("guard"), "the guard is to step in, or nothing is tested"
    assert everywhere(wanted)


@pytest.mark.slow
def test_a_damaged_checkpoint_costs_only_time() -> None:
    story = Story(spec())
    story.attempt(kill_at=11)
    checkpoints.file_of(story.run_id, 8).write_bytes(b"damaged")
    story.attempt()
    assert equals(story, whole())
    warning = story.state.warnings[0]
    assert f"step 8 of run {story.run_id} is damaged" in warning


@pytest.mark.slow
def test_a_search_without_room_for_checkpoints_goes_on_and_says_so_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(checkpoints, "write", lambda *_: False)
    story = whole()
    assert story.state.status == "finished"
    assert len(story.state.warnings) == 1 and "could not be written" in story.state.warnings[0]


def test_a_loss_that_is_no_number_fails_the_run_and_keeps_its_snapshots() -> None:
    story = whole(spec(epochs=50, weight_learning_rate=10.0, weight_decay=1.0, checkpoint_every=50))
    assert story.state.status == "failed"
    reason = str(story.state.reason)
    assert "no finite number any more at step" in reason and "weight_learning_rate 10" in reason
    named = int(reason.split("at step ")[1].split()[0])
    assert 3 < named < 200 and story.snapshots[-1]["step"] in range(named - 3, named)
    assert not checkpoints.kept(story.run_id)


@pytest.mark.slow
def test_a_cancel_that_meets_a_loss_that_is_no_number_ends_as_cancelled() -> None:
    wanted = spec(epochs=50, weight_learning_rate=10.0, weight_decay=1.0, checkpoint_every=50)
    failing = whole(wanted)
    assert failing.state.status == "failed"
    for before_the_end in (1, 2, 3):  # asked when it fails, and just before
        story = Story(wanted)
        story.attempt(wishes={failing.calls - before_the_end: Control(cancel=True)})
        assert story.state.status == "cancelled", before_the_end


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_worker_killed_by_signal_9_goes_on_in_another_process_bit_for_bit() -> None:
    """Store, worker processes, files and fused supernet: all real."""
    from explorer.jobs.foreground import resume_here, run_here
    from explorer.jobs.processes import start_worker
    from explorer.runs.store import Store

    with closing(Store()) as store:
        wanted = spec(epochs=60, checkpoint_every=1)
        run_id = store.create_run(wanted, owner="me")
        worker = start_worker(store, run_id, "me")
        deadline = time.monotonic() + 120
        while len(store.state(run_id).snapshots) < 20 and time.monotonic() < deadline:
            time.sleep(0.01)
        worker.kill()
        worker.wait()
        assert worker.stdin is not None
        worker.stdin.close()
        store.append(run_id, "run_lost", {"reason": "kill -9"}, owner="me")
        told = len(store.state(run_id).snapshots)
        assert 20 <= told < 80, "it was to be killed in the middle"
        resume_here(store, run_id)
        undisturbed = run_here(store, wanted).run_id
        one, other = store.state(run_id), store.state(undisturbed)
        assert one.status == other.status == "finished"
        assert _without_seconds(one.snapshots) == _without_seconds(other.snapshots)
        assert same(kept_weights(run_id), kept_weights(undisturbed))


def _without_seconds(snapshots: Any) -> list[dict[str, Any]]:
    return [{name: value for name, value in each.items() if name != "seconds"} for each in snapshots]


# -- people -----------------------------------------------------------------------------------------------------------


def test_stopping_derives_what_is_there() -> None:
    story = Story(spec(epochs=500))
    story.attempt(wishes={7: asked("stop")})
    assert story.state.status == "finished"
    assert story.snapshots[-1]["step"] == 7 and len(story.measured("derived")) == 1


@pytest.mark.slow
def test_stopping_while_paused_ends_the_pause_too() -> None:
    story = Story(spec(epochs=500))
    story.attempt(wishes={4: PAUSE, 5: paused("stop")} | dict.fromkeys(range(6, 99), PAUSE))
    assert story.state.status == "finished" and story.snapshots[-1]["step"] == 4


@pytest.mark.slow
def test_a_stopped_search_that_was_killed_is_not_gone_on_with() -> None:
    story = Story(spec(epochs=500))
    story.attempt(wishes={7: asked("stop")}, kill_at=8)
    if not story.measured("derived"):
        story.attempt()
    assert story.snapshots[-1]["step"] == 7 and len(story.measured("derived")) == 1


def test_single_steps_while_paused_move_what_they_name() -> None:
    story = Story(spec())
    wishes = {
        4: PAUSE,
        5: paused("step", phase="weights", count=1),
        6: paused("step", phase="architecture", count=1),
        7: paused("step", phase="both", count=2),
        8: Control(pause=True, cancel=True),
    }
    story.attempt(wishes=wishes | dict.fromkeys(range(8, 12), Control(cancel=True, pause=True)))
    steps = {snapshot["step"]: snapshot for snapshot in story.snapshots}
    assert list(steps) == [0, 3, 5, 6, 7], "the cancel comes in the middle of the two"
    assert steps[5]["alpha_gradient"] is not None, "the steps since the last snapshot include one of both"
    assert steps[6]["train_loss"] is None and steps[6]["alpha_gradient"] is not None


@pytest.mark.slow
def test_steps_by_hand_survive_a_kill() -> None:
    wishes = {4: PAUSE, 5: paused("step", phase="weights", count=3), 6: PAUSE, 7: PAUSE, 8: PAUSE, 9: PAUSE}
    one, other = Story(spec()), Story(spec())
    one.attempt(wishes=wishes)
    other.attempt(wishes=wishes, kill_at=9)
    assert other.state.status == "lost"
    other.attempt()
    assert equals(one, other) and one.snapshots != whole().snapshots


@pytest.mark.slow
def test_a_step_while_running_is_refused_in_words() -> None:
    story = Story(spec())
    story.attempt(wishes={4: asked("step", phase="both", count=1)})
    assert "pause it first" in story.state.warnings[0] and equals(story, whole())


def test_steps_by_hand_of_one_phase_do_not_use_up_the_search() -> None:
    story = Story(spec(epochs=1))
    story.attempt(wishes={2: PAUSE, 3: paused("step", phase="architecture", count=30)})
    assert story.state.status == "finished"
    assert story.snapshots[-1]["step"] == 4 + 30 and story.snapshots[-2]["epoch"] == 0


@pytest.mark.slow
def test_steps_by_hand_at_an_epochs_end_do_not_end_it_again() -> None:
    wanted = spec(epochs=2, guard="stop", guard_window=1, guard_ratio=99.0)
    for at in range(0, whole(wanted).calls, 2):
        story = Story(wanted)
        story.attempt(wishes={at: PAUSE, at + 1: paused("step", phase="weights", count=2)})
        assert len(story.measured("hessian_eigenvalue")) == 2 and story.state.status == "finished"


def test_steps_that_come_with_the_end_of_the_pause_are_all_made() -> None:
    """The worker tells `step` and `resume` in one breath when they were asked for in a hurry."""
    story = Story(spec(epochs=1))
    story.attempt(wishes={2: PAUSE, 3: asked("step", phase="weights", count=5)})
    assert story.snapshots[-1]["step"] == 4 + 5 and not story.state.warnings


@pytest.mark.slow
def test_what_is_asked_during_the_selection_is_answered_after_it() -> None:
    wanted = replace(spec(epochs=1), method={"method": "darts", "selection": "random"})
    selecting = whole(wanted).calls // 2
    story = Story(wanted)
    story.attempt(
        wishes={
            selecting: asked("measure", name="perturbation"),
            selecting + 1: asked("stop"),
            selecting + 2: asked("step", phase="both", count=1),
        }
    )
    assert story.state.status == "finished" and len(story.measured("derived")) == 1
    assert len(story.measured("perturbation")) == 1
    assert ["asked to stop" in each or "asked to step" in each for each in story.state.warnings] == [True] * 2


@pytest.mark.slow
def test_nothing_that_is_asked_is_dropped_whenever_it_comes() -> None:
    wanted = replace(spec(epochs=1), method={"method": "darts", "selection": "random"})
    calls = whole(wanted).calls
    for at in range(1, calls, max(1, calls // 12)):
        story = Story(wanted)
        story.attempt(wishes={at: asked("measure", name="perturbation")})
        assert len(story.measured("perturbation")) == 1, at
    story = Story(wanted)
    story.attempt(wishes={calls - 1: asked("measure", name="perturbation")})
    assert len(story.measured("perturbation")) == 1


@pytest.mark.slow
def test_an_attempt_that_measures_answers_further_measures() -> None:
    story = whole(spec(epochs=1))
    story.attempt(
        resumed={"measure": ["discretization_gap"]},
        wishes={
            0: asked("measure", name="perturbation"),
            2: asked("measure", name="hessian_eigenvalue"),
            3: asked("stop"),
        },
    )
    assert story.state.status == "finished"
    assert len(story.measured("perturbation")) == len(story.measured("hessian_eigenvalue")) == 1
    assert "asked to stop" in story.state.warnings[0]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["discretization_gap", "hessian_eigenvalue", "rank_probe", "perturbation"])
def test_a_measure_while_running_disturbs_nothing(name: str) -> None:
    story = Story(spec(epochs=1))
    story.attempt(wishes={2: asked("measure", name=name)})
    found = story.measured(name)[0]
    assert found["seconds"] > 0 and equals(story, whole(spec(epochs=1)))


@pytest.mark.slow
def test_a_measure_while_paused_and_after_the_end() -> None:
    story = Story(spec(epochs=1))
    story.attempt(wishes={2: paused("measure", name="perturbation"), 3: PAUSE})
    assert len(story.measured("perturbation")) == 1
    before = story.weights
    story.attempt(resumed={"measure": ["perturbation", "discretization_gap"]})
    assert story.state.status == "finished"
    assert len(story.measured("perturbation")) == 2 and len(story.measured("derived")) == 1
    first, again = story.measured("discretization_gap")
    assert {**first, "seconds": 0} == {**again, "seconds": 0} and same(before, story.weights)


@pytest.mark.slow
def test_measuring_a_cancelled_search_leaves_it_to_be_resumed() -> None:
    story = Story(spec())
    story.attempt(wishes={5: Control(cancel=True)})
    story.attempt(resumed={"measure": ["discretization_gap"]})
    assert story.state.status == "cancelled" and len(story.measured("discretization_gap")) == 1
    story.attempt()
    assert equals(story, whole())


@pytest.mark.slow
def test_what_cannot_be_measured_is_said_and_the_search_goes_on() -> None:
    story = Story(spec(method="spos", epochs=1))
    story.attempt(wishes={1: asked("measure", name="hessian_eigenvalue"), 2: asked("measure", name="mood")})
    assert story.state.status == "finished"
    assert "no alphas" in story.state.warnings[0] and "'mood'" in story.state.warnings[1]


@pytest.mark.slow
def test_measures_come_as_often_as_asked_for() -> None:
    story = whole(spec(epochs=4, gap_every=2, hessian_every=1))
    steps = {
        name: [data["step"] for data in story.of("measurement") if data["name"] == name]
        for name in ("discretization_gap", "hessian_eigenvalue")
    }
    assert steps == {"discretization_gap": [8, 16, 16], "hessian_eigenvalue": [4, 8, 12, 16]}


# -- guards and alarms ------------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_guard_that_stops_takes_the_alphas_of_before() -> None:
    story = whole(spec(epochs=8, snapshot_every=4, guard="stop", guard_window=1, guard_ratio=1.0))
    (verdict,) = story.measured("guard")
    assert "are taken" in verdict["sentence"]
    before = next(s for s in story.snapshots if s["step"] == 4 * verdict["back_to"])
    assert story.snapshots[-1]["probabilities"] == before["probabilities"]
    assert story.measured("derived")[0]["architecture"] == before["derived"]


@pytest.mark.slow
def test_a_guard_that_adapts_goes_back_and_decays_more() -> None:
    story = whole(spec(epochs=5, snapshot_every=4, guard="adapt", guard_window=1, guard_ratio=1.0))
    adapted = [verdict for verdict in story.measured("guard") if verdict["action"] == "adapt"]
    assert adapted and adapted[0]["weight_decay"] == pytest.approx(9e-4)
    steps = [snapshot["step"] for snapshot in story.snapshots]
    epochs = [snapshot["epoch"] for snapshot in story.snapshots]
    assert steps == sorted(set(steps)) and len(steps) == len(epochs) > len(set(epochs))


@pytest.mark.slow
def test_an_alarm_is_told_when_it_begins_and_not_at_every_snapshot() -> None:
    story = whole(spec(none_alarm=0.1))
    (alarm,) = (alarm for alarm in story.measured("alarm") if alarm["name"] == "none")
    assert alarm["share"] > 0.1


# -- branches ---------------------------------------------------------------------------------------------------------


def branched(parent: Story, step: int, epochs: int = 4, **settings: Any) -> Story:
    given = {**parent.spec.settings["method"], **settings}
    wanted = replace(
        parent.spec, parent=parent.run_id, from_step=step, epochs=epochs, settings={"method": given}
    )
    return Story(wanted)


@pytest.mark.slow
def test_a_branch_begins_where_its_parent_was_and_changes_take_effect() -> None:
    parent = whole(spec(epochs=4))
    same_again, changed = branched(parent, 8), branched(parent, 8, alpha_learning_rate=0.3)
    same_again.attempt()
    assert same_again.snapshots[0]["step"] == 8
    assert same_again.snapshots[-1]["probabilities"] == parent.snapshots[-1]["probabilities"]
    assert same(same_again.weights, parent.weights)
    changed.attempt()
    assert changed.state.status == "finished"
    assert changed.snapshots[0]["probabilities"] == same_again.snapshots[0]["probabilities"]
    assert changed.snapshots[-1]["probabilities"] != parent.snapshots[-1]["probabilities"]


@pytest.mark.slow
def test_a_branch_may_be_longer_than_its_parent() -> None:
    parent = whole(spec(epochs=2))
    longer = branched(parent, 8, epochs=4)
    longer.attempt()
    assert [snapshot["step"] for snapshot in longer.snapshots] == [8, 9, 12, 15, 16]


@pytest.mark.slow
def test_a_branch_of_a_stopped_search_goes_on() -> None:
    parent = Story(spec())
    parent.attempt(wishes={5: asked("stop")})
    branch = branched(parent, 5)
    branch.attempt()
    assert branch.snapshots[-1]["step"] == 16


@pytest.mark.slow
def test_a_killed_branch_goes_on_the_same() -> None:
    parent = whole(spec(epochs=4))
    one, other = branched(parent, 8), branched(parent, 8)
    one.attempt()
    other.attempt(kill_at=3)
    other.attempt()
    assert equals(one, other)


@pytest.mark.slow
def test_a_branch_whose_checkpoint_is_gone_fails_in_one_sentence() -> None:
    parent = whole()
    branch = branched(parent, 5)
    branch.attempt()
    assert branch.state.status == "failed"
    assert f"step 5 of run {parent.run_id} is not on this machine; there are 8, 12" in str(
        branch.state.reason
    )


# -- the end ----------------------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("rule", SELECTION_RULES)
def test_every_rule_comes_to_an_architecture_and_a_kill_on_the_way_changes_nothing(rule: str) -> None:
    if tiny_cell().family not in SELECTION_RULES[rule].facts["families"]:
        pytest.skip("not for cells")
    settings = {
        "evolution": {"generations": 2, "population": 6, "parents": 2},
        "perturbation": {"tune_epochs": 1},
    }
    wanted = replace(spec(epochs=1), method={"method": "darts", "selection": rule})
    wanted = replace(wanted, settings={**wanted.settings, "selection": settings.get(rule, {})})
    story = whole(wanted)
    (derived,) = story.measured("derived")
    assert derived["rule"] == rule
    again = Story(wanted)
    again.attempt(kill_at=story.calls - 4)
    assert again.state.status == "lost"
    again.attempt()
    assert again.measured("derived")[0]["architecture"] == derived["architecture"]


@pytest.mark.slow
def test_enas_takes_the_best_of_its_samples_and_says_how_far_it_is() -> None:
    story = whole(spec(method="enas", epochs=1, **SMALL["enas"]))
    progress = story.measured("selection")
    assert progress and progress[-1]["rule"] == "sample"
    assert story.measured("derived")[0]["rule"] == "sample"


@pytest.mark.slow
def test_cancelling_during_selection_leaves_the_checkpoint_of_the_end() -> None:
    wanted = spec(method="spos", epochs=1)
    calls = whole(wanted).calls
    story = Story(wanted)
    story.attempt(wishes={calls - 9: Control(cancel=True)})
    assert story.state.status == "cancelled" and not story.measured("derived")
    story.attempt()
    assert equals(story, whole(wanted))


@pytest.mark.slow
def test_a_macro_space_is_searched_too() -> None:
    story = whole(spec(tiny_macro(), epochs=1))
    assert story.state.status == "finished" and story.measured("derived")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"space": "notes-net-as-written"}, "400 features"),
        ({"dataset": "mnist"}, "'mnist' is not here"),
        ({"method": {"method": "pc-darts"}, "space": "notes-net"}, "can search notes-net"),
    ],
)
def test_what_cannot_run_is_said_before_any_step(changes: dict[str, Any], words: str) -> None:
    story = Story(replace(spec(), **changes))
    story.attempt()
    assert story.state.status == "failed" and words in str(story.state.reason)
    assert not story.snapshots


# -- the conversation -------------------------------------------------------------------------------------------------


def test_questions_are_paced_by_the_clock_even_when_it_is_set_back() -> None:
    now, asked_at = [100.0], []

    def control() -> Control:
        asked_at.append(now[0])
        return Control()

    talk = Conversation(control, lambda: now[0])
    for _ in range(100):
        talk.listen()
        now[0] += 0.004
    assert len(asked_at) == pytest.approx(100 * 0.004 / PACE_SECONDS, abs=2)
    now[0] = 5.0
    talk.listen()
    assert asked_at[-1] == 5.0


def test_a_beat_gives_up_when_cancelled_and_keeps_requests_for_later() -> None:
    wishes = iter([asked("stop"), Control(cancel=True)])
    ticks = iter(range(100))
    talk = Conversation(lambda: next(wishes), lambda: float(next(ticks)))
    talk.beat()
    assert [each.kind for each in talk.requests] == ["stop"]
    with pytest.raises(Interrupted):
        talk.beat()


@pytest.mark.slow
def test_torch_has_one_thread_in_a_search() -> None:
    whole(spec(epochs=1))
    assert torch.get_num_threads() == 1


@pytest.mark.slow
def test_a_checkpoint_that_forgot_the_images_order_would_be_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    story = Story(spec())
    story.attempt(kill_at=10)
    with monkeypatch.context() as mutant:
        mutant.setattr(Feed, "load", lambda *_: None)
        story.attempt()
    assert story.state.status == "finished" and not equals(story, whole())
