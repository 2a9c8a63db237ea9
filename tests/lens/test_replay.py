"""The replay is the run under its own settings, and says "unknown" where nothing was recorded under others."""

from __future__ import annotations

from typing import Any

import pytest

from explorer.adapters.assessors import build_assessor
from explorer.errors import UserError
from explorer.lens.ledger import ledger
from explorer.lens.replay import replay
from explorer.lens.trials import own_settings
from explorer.runs import RunState
from tests.lens.simulated import EPOCHS, TRIALS, Story, asynchronous_run, look, spec_of

CURVEFITTING = [{}, {"start_step": 4}, {"start_step": 2, "threshold": 0.9}, {"start_step": 4, "gap": 2}]
MEDIANSTOP = [{}, {"start_step": 3}]
RUNS = [
    *(("Curvefitting", "maximize", settings) for settings in CURVEFITTING),
    *(("Medianstop", mode, settings) for settings in MEDIANSTOP for mode in ("maximize", "minimize")),
]


def recorded(state: RunState) -> dict[tuple[int, int], tuple[str, bool]]:
    """(trial, step) -> (decision, acts), up to each trial's first stop that was obeyed."""
    found: dict[tuple[int, int], tuple[str, bool]] = {}
    over = set()
    for data in state.assessments:
        if data["trial_id"] in over:
            continue
        found[data["trial_id"], data["step"]] = (data["decision"], data["acts"])
        if data["decision"] == "bad" and state.trials[data["trial_id"]].status == "early_stopped":
            over.add(data["trial_id"])
    return found


@pytest.mark.slow
@pytest.mark.parametrize("late", [0.0, 0.5])
@pytest.mark.parametrize(("assessor", "mode", "settings"), RUNS, ids=str)
def test_with_its_own_settings_the_replay_is_the_run(
    assessor: str, mode: str, settings: dict[str, Any], late: float
) -> None:
    for seed in (1, 2):
        story, _ = asynchronous_run(assessor, seed, mode, late, **settings)
        state = story.state
        again = replay(state, assessor, settings)
        verdicts = {(said.trial_id, said.step): (said.decision, said.acts) for said in again.verdicts}
        assert verdicts == recorded(state)
        assert not any(outcome.changed for outcome in again.outcomes)
        stopped = {trial.trial_id for trial in state.trials.values() if trial.status == "early_stopped"}
        assert {outcome.trial_id for outcome in again.stopped} == stopped != set()
        assert again.unknown == ()
        assert again.best is not None
        assert again.best.trial_id == state.best.trial_id


LENIENT: dict[str, dict[str, Any]] = {
    "Curvefitting": {"threshold": 0.01, "start_step": 4},
    "Medianstop": {"start_step": EPOCHS - 1},
}
STRICT = [
    ("Curvefitting", {"threshold": 0.97, "start_step": 4}),
    ("Curvefitting", {"threshold": 1.0, "start_step": 6}),
    ("Curvefitting", {"threshold": 0.99, "start_step": 4, "gap": 2}),
    ("Medianstop", {"start_step": 1}),
    ("Medianstop", {"start_step": 4}),
]


@pytest.mark.slow
@pytest.mark.parametrize(("assessor", "settings"), STRICT, ids=str)
def test_other_settings_are_replayed_as_the_assessor_would_have_decided(
    assessor: str, settings: dict[str, Any]
) -> None:
    """The oracle is the assessor itself, told of the lenient run's events in their order under the strict settings."""
    story, _ = asynchronous_run(assessor, 3, **LENIENT[assessor])
    state = story.state
    judge = build_assessor(assessor, settings, optimize_mode="maximize", epochs=EPOCHS, seed=3)
    assert judge is not None
    stopped: dict[int, int] = {}
    expected = {}
    for event in story.events:
        trial_id = event.data.get("trial_id", -1)
        if event.kind == "intermediate_result" and trial_id not in stopped:
            step = event.data["step"]
            values = [value for _, value, _ in state.trials[trial_id].intermediate]
            said = judge.assess(trial_id, values[:step])
            expected[trial_id, step] = (said.decision, said.data["acts"])
            if said.decision == "bad" and not (
                step == EPOCHS and state.trials[trial_id].status == "succeeded"
            ):
                stopped[trial_id] = step
        if event.kind == "trial_ended":
            judge.end(trial_id, event.data["status"] == "succeeded" and trial_id not in stopped)
    again = replay(state, assessor, settings)
    verdicts = {(said.trial_id, said.step): (said.decision, said.acts) for said in again.verdicts}
    assert verdicts == expected
    assert {outcome.trial_id: outcome.stopped_at for outcome in again.stopped} == stopped
    assert any(outcome.changed for outcome in again.outcomes)
    assert again.epochs_saved == sum(EPOCHS - step for step in stopped.values())
    assert len(again.outcomes) == TRIALS


def by_hand() -> Story:
    """0 completes with 0.8; 1 is stopped at step 4 (predicted 0.7, line 0.76); 2 completes with 0.9 after that."""
    story = Story(spec_of("Curvefitting", trials=4, start_step=4))
    tops = {0: 0.8, 1: 0.7, 2: 0.9}
    for trial_id in tops:
        story.begin(trial_id)
    for step in range(1, EPOCHS + 1):
        story.step(0, step, tops[0])
        story.say("assessment", **look(0, step, prediction=tops[0] if step >= 4 else None))
    story.end(0, "succeeded", tops[0])
    seen = {"completed": 1, "best_completed": 0.8, "line": 0.8 * 0.95, "acts": True}
    for step in range(1, EPOCHS + 1):
        told = seen | {"prediction": 0.6, "decision": "bad"} if step == 4 else {"completed": 1, "models": {}}
        if step <= 4:
            story.step(1, step, tops[1])
            story.say("assessment", **look(1, step, **told))
        story.step(2, step, tops[2])
        good = seen | {"prediction": 0.9, "decision": "good"} if step >= 4 else {"completed": 1, "models": {}}
        story.say("assessment", **look(2, step, **good))
    story.end(1, "early_stopped")
    story.end(2, "succeeded", tops[2])
    return story


def test_a_trial_that_would_have_gone_on_is_unknown_beyond_its_stop() -> None:
    again = replay(by_hand().state, "Curvefitting", {"threshold": 0.7})
    (outcome,) = again.unknown
    assert (outcome.trial_id, outcome.known_to, outcome.stopped_in_run, outcome.value) == (1, 4, 4, None)
    assert str(outcome) == "Goes on: unknown beyond step 4; in the run it was stopped at step 4."
    assert "1 trial would go on, unknown beyond the step" in again.sentence()
    assert [value.stopped_in_run for value in replay(by_hand().state, "none", {}).unknown] == [4]


def test_a_trial_that_was_finished_later_is_known() -> None:
    story = by_hand()
    story.finish(1, 4, [0.7] * 6 + [0.95, 0.95], number=9)
    again = replay(story.state, "Curvefitting", {"threshold": 0.7})
    assert again.unknown == ()
    (outcome,) = [outcome for outcome in again.outcomes if outcome.fate == "finished later"]
    assert (outcome.trial_id, outcome.value, outcome.epochs) == (1, 0.95, EPOCHS)
    assert again.best == outcome
    assert len(again.outcomes) == 3  # the ghost is no trial of its own


def test_a_ghost_raises_nobodys_bar() -> None:
    """The ghost of 1 ends with 0.95 and begins before trial 3 is judged: 3 is measured against 0.9 all the same."""
    story = by_hand()
    story.finish(1, 4, [0.95] * EPOCHS, number=9)
    story.begin(3)
    for step in range(1, EPOCHS + 1):
        story.step(3, step, 0.88)
        told = {"prediction": 0.88, "decision": "good", "acts": True, "best_completed": 0.9, "line": 0.855}
        story.say("assessment", **look(3, step, completed=2, **(told if step >= 4 else {"models": {}})))
    story.end(3, "succeeded", 0.88)
    again = replay(story.state, "Curvefitting", {"threshold": 0.97})
    assert [verdict.line for verdict in again.verdicts if verdict.trial_id == 3][-1] == pytest.approx(
        0.97 * 0.9
    )
    assert 3 not in {outcome.trial_id for outcome in again.stopped}


def test_a_trial_stopped_earlier_no_longer_counts_as_completed() -> None:
    """With threshold 0.999 trial 1 is stopped (0.79 was predicted), so that later looks see 0.8 as the best."""
    story = Story(spec_of("Curvefitting", trials=4, start_step=4))
    for trial_id, (value, predicted, completed) in enumerate(
        [(0.8, 0.8, 0), (0.9, 0.79, 1), (0.85, 0.85, 2)]
    ):
        story.begin(trial_id)
        for step in range(1, EPOCHS + 1):
            story.step(trial_id, step, value)
            told = {"prediction": predicted, "decision": "good"} if step >= 4 else {"models": {}}
            story.say("assessment", **look(trial_id, step, completed=completed, **told))
        story.end(trial_id, "succeeded", value)
    again = replay(story.state, "Curvefitting", {"threshold": 0.999})
    assert [(outcome.trial_id, outcome.stopped_at) for outcome in again.stopped] == [(1, 4)]
    assert [verdict.line for verdict in again.verdicts if verdict.trial_id == 2][-1] == pytest.approx(
        0.999 * 0.8
    )
    assert again.best is not None
    assert again.best.trial_id == 2


def test_a_stop_at_the_last_result_of_a_completed_trial_is_too_late() -> None:
    story = Story(spec_of("Curvefitting", trials=2, start_step=4))
    for trial_id, value in enumerate([0.9, 0.5]):
        story.begin(trial_id)
        for step in range(1, EPOCHS + 1):
            story.step(trial_id, step, value)
            told = {"prediction": value, "completed": trial_id, "decision": "good"}
            story.say("assessment", **look(trial_id, step, **told))
        story.end(trial_id, "succeeded", value)
    again = replay(story.state, "Curvefitting", {"start_step": EPOCHS})
    assert again.verdicts[-1].decision == "bad"
    assert again.stopped == ()


def test_what_cannot_be_replayed_is_said() -> None:
    state = by_hand().state
    assert replay(state, "Curvefitting", {}).notes == ()
    notes = replay(state, "Curvefitting", {"start_step": 2, "epoch_num": 30}).notes
    assert "epoch_num" in notes[0]
    assert "from step 4 on" in notes[1]
    with pytest.raises(UserError, match="Curvefitting"):
        replay(state, "Medianstop", {})


def test_of_a_look_that_a_resumed_run_repeated_only_the_last_counts() -> None:
    story = Story(spec_of("Curvefitting", start_step=4))
    story.begin(0)
    for step in range(1, 7):
        story.step(0, step, 0.5)
        story.say("assessment", **look(0, step, prediction=0.1, decision="bad", acts=True))
    story.say("run_cancelled", reason="stop")
    story.say("run_resumed")
    story.begin(0)
    for step in range(1, EPOCHS + 1):
        story.step(0, step, 0.5)
        story.say("assessment", **look(0, step, prediction=0.5))
    story.end(0, "succeeded", 0.5)
    again = replay(story.state, "Curvefitting", {})
    assert [verdict.step for verdict in again.verdicts] == list(range(1, EPOCHS + 1))
    assert again.stopped == ()


def test_own_settings_have_their_defaults_filled_in() -> None:
    state = Story(spec_of("Curvefitting", threshold=0.9)).state
    assert own_settings(state) == {"epoch_num": EPOCHS, "start_step": 6, "threshold": 0.9, "gap": 1}
    assert replay(state, "Curvefitting", {}).sentence().startswith("These settings stop 0 of 0 trials")


def test_looks_of_an_assessor_that_the_run_did_not_have_are_left_out() -> None:
    story = Story(spec_of("Curvefitting"))
    story.begin(0)
    story.say("assessment", trial_id=0, step=0, decision="bad", assessor="Medianstop")
    story.step(0, 1, 0.5)
    story.say("assessment", trial_id=0, step=1, decision="bad")
    story.say("assessment", trial_id=0, step=1, decision="bad", assessor="Oracle")
    story.end(0, "early_stopped")
    assert replay(story.state, "Curvefitting", {}).verdicts == ()
    assert str(ledger(story.state).stopped[0]).startswith("Trial 0 was stopped at step 1 of 8;")
