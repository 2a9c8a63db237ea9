"""The ledger counts what was saved, and judges stops by how finished trials ended."""

from __future__ import annotations

import pytest

from explorer.lens.ledger import ledger
from tests.lens.simulated import EPOCHS, Story, asynchronous_run, look, spec_of


def two_stops() -> Story:
    """0 completes with 0.8; 1 is stopped at step 4 and 2 at step 5, both under the line 0.76; 3 fails."""
    story = Story(spec_of("Curvefitting", trials=4, start_step=4))
    story.begin(0)
    for step in range(1, EPOCHS + 1):
        story.step(0, step, 0.8)
    story.end(0, "succeeded", 0.8)
    for trial_id, last in ((1, 4), (2, 5)):
        story.begin(trial_id)
        for step in range(1, last + 1):
            story.step(trial_id, step, 0.5)
        told = {"prediction": 0.6, "decision": "bad", "acts": True, "best_completed": 0.8, "line": 0.76}
        story.say("assessment", **look(trial_id, last, completed=1, **told))
        story.end(trial_id, "early_stopped")
    story.begin(3)
    story.step(3, 1, 0.5)
    story.end(3, "failed")
    return story


def test_epochs_are_counted() -> None:
    account = ledger(two_stops().state)
    assert (account.trials, account.epochs_planned, account.epochs_used) == (4, 32, 8 + 4 + 5 + 1)
    assert account.epochs_saved == 4 + 3  # the failed trial's are not saved by stopping
    assert account.saving() == "Stopped 2 of 4 trials, saved 7 of 32 epochs (22 %)."


def test_a_budget_of_its_own_counts() -> None:
    story = Story(spec_of("Curvefitting", trials=1))
    story.begin(0, budget=3)
    story.step(0, 1, 0.5)
    story.end(0, "early_stopped")
    assert (ledger(story.state).epochs_planned, ledger(story.state).epochs_saved) == (3, 2)


def test_without_finished_trials_nothing_is_judged() -> None:
    account = ledger(two_stops().state)
    assert (account.true_stops, account.false_stops, account.unknown) == (0, 0, 2)
    assert (account.best_with, account.best_without) == ((0, 0.8), None)
    assert "let them finish" in account.justice()
    assert "not known while 2 stopped trials are unfinished" in account.price()
    assert "not known" in str(account.stopped[0])


def test_finished_trials_judge_the_stops() -> None:
    story = two_stops()
    story.finish(1, 4, [0.5] * 7 + [0.76], number=8)
    assert ledger(story.state).justice() == (
        "1 was finished later: 1 was stopped rightly, 0 wrongly; of 1 the end is not known."
    )
    story.finish(2, 5, [0.5] * 7 + [0.9], number=9)
    account = ledger(story.state)
    right, wrong = account.stopped
    assert (right.right, right.would_be_best, right.final) == (True, False, 0.76)  # on the line is right
    assert (wrong.right, wrong.would_be_best, wrong.final) == (False, True, 0.9)
    assert (account.true_stops, account.false_stops, account.unknown) == (1, 1, 0)
    assert (account.best_with, account.best_without) == ((0, 0.8), (2, 0.9))
    assert account.ghost_epochs == 4 + 3
    assert account.epochs_used == 18
    assert account.sentences() == (
        "Stopped 2 of 4 trials, saved 7 of 32 epochs (22 %).",
        "2 were finished later: 1 was stopped rightly, 1 wrongly; 1 would have beaten the run's best.",
        "Best with the assessor: 0.8 (trial 0); without it: 0.9 (trial 2), on these trials.",
    )
    assert "the stop was wrong, and it would have been the run's best" in str(wrong)


def test_a_ghost_that_failed_or_still_runs_tells_nothing() -> None:
    story = two_stops()
    story.begin(8, repeat_of=1, continues=True)
    story.step(8, 5, 0.6)
    assert ledger(story.state).unknown == 2
    story.end(8, "failed")
    assert ledger(story.state).unknown == 2


def test_a_retraining_is_no_ghost() -> None:
    story = two_stops()
    story.begin(8, repeat_of=1)
    story.step(8, 1, 0.9)
    story.end(8, "succeeded", 0.9)
    account = ledger(story.state)
    assert (account.trials, account.unknown, account.ghost_epochs) == (4, 2, 0)


def test_a_run_without_trials_or_stops_has_its_sentence() -> None:
    story = Story(spec_of("Curvefitting"))
    assert ledger(story.state).sentences() == ("No trial has started yet.",)
    story.begin(0)
    story.step(0, 1, 0.5)
    story.end(0, "succeeded", 0.5)
    assert ledger(story.state).sentences() == (
        "Stopped none of 1 trial, so no epoch was saved.",
        "Best with the assessor: 0.5 (trial 0); without it: the same, on these trials.",
    )


@pytest.mark.parametrize("mode", ["maximize", "minimize"])
def test_medianstop_is_judged_by_its_own_rule_at_the_end(mode: str) -> None:
    story, values = asynchronous_run("Medianstop", 1, mode, start_step=2)
    stopped = [trial for trial in story.state.trials.values() if trial.status == "early_stopped"]
    for number, trial in enumerate(stopped, 100):
        story.finish(trial.trial_id, len(trial.intermediate), values[trial.trial_id], number)
    account = ledger(story.state)
    assert account.unknown == 0
    assert account.true_stops + account.false_stops == len(stopped) > 2
    assert account.true_stops > 0
    pick = min if mode == "minimize" else max
    ends = [trial.value for trial in story.state.trials.values() if trial.status == "succeeded"]
    assert account.best_without is not None
    assert account.best_without[1] == pick(ends)
