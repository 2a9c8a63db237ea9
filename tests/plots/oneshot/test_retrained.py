"""Better than random? Trainings of different lengths are never compared."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest

from explorer.plots.oneshot.retrained import RetrainedInfo, retrained, retrained_svg
from explorer.runs.state import Trial
from explorer.space import preset
from tests.plots.oneshot.stories import measured

CELL = preset("cell")
DERIVED = CELL.from_code("340213")
FOUND = [measured("derived", 100, architecture=DERIVED.to_json(), rule="argmax")]


def wish(epochs: int | None, ours: Sequence[float], *theirs: Sequence[float]) -> list[Trial]:
    """The trainings that one wish comes to: the derived one's seeds, then each rival's; accuracies as shares."""
    architectures = [DERIVED, *(CELL.architecture_at(1 + at) for at in range(len(theirs)))]
    return [
        Trial(0, "succeeded", architecture=dict(architecture), value=value, budget=epochs)
        for architecture, values in zip(architectures, (ours, *theirs), strict=True)
        for value in values
    ]


def numbered(*wishes: Sequence[Trial]) -> list[Trial]:
    trials = [trial for each in wishes for trial in each]
    return [replace(trial, trial_id=at) for at, trial in enumerate(trials)]


def told(*wishes: Sequence[Trial]) -> RetrainedInfo:
    return retrained(numbered(*wishes), FOUND, CELL)


SHORT = wish(1, [0.50, 0.51, 0.49], [0.50, 0.51], [0.52, 0.48], [0.49, 0.51])  # no better than random
LONG_ALONE = wish(50, [0.90, 0.91, 0.92])  # the derived one later, trained for longer


def check_only_equal_epochs(answer_of: Callable[[Sequence[Trial]], RetrainedInfo]) -> None:
    """Longer trainings of the derived one alone must not make it better than random."""
    info = answer_of(numbered(SHORT, LONG_ALONE))
    assert info.answer.startswith("Not shown:"), info.answer
    assert max(value for row in info.rows for value in row.values) < 60


def test_a_longer_training_of_the_derived_one_alone_makes_it_no_better_than_random() -> None:
    check_only_equal_epochs(lambda trials: retrained(trials, FOUND, CELL))
    info = told(SHORT, LONG_ALONE)
    assert (info.epochs, info.left_out) == (1, 3)
    assert "after 1 epoch (3 seeds)" in info.answer and "for 1 epoch," in info.basis
    assert "3 trainings of other lengths are left out" in info.basis
    assert info.answer in retrained_svg(info)


def test_the_check_rejects_a_verdict_that_mixes_the_lengths() -> None:
    def mixing(trials: Sequence[Trial]) -> RetrainedInfo:
        return retrained([replace(trial, budget=7) for trial in trials], FOUND, CELL)

    def longest(trials: Sequence[Trial]) -> RetrainedInfo:
        return retrained([trial for trial in trials if trial.budget == 50], FOUND, CELL)

    for mutant in (mixing, longest):
        with pytest.raises(AssertionError):
            check_only_equal_epochs(mutant)


def test_of_two_wishes_with_rivals_the_longer_one_is_the_answer() -> None:
    long = wish(50, [0.90, 0.91, 0.92], [0.80, 0.81], [0.82, 0.80])
    for wishes in ((SHORT, long), (long, SHORT)):
        info = told(*wishes)
        assert info.answer.startswith("Yes:") and "after 50 epochs" in info.answer
        assert (info.epochs, info.left_out, len(info.rows)) == (50, len(SHORT), 3)
        assert "7 trainings from scratch for 50 epochs, of 3 architectures" in info.basis


def test_without_a_common_length_the_longest_is_shown_and_nothing_is_claimed() -> None:
    info = told(wish(1, [], [0.5], [0.6]), LONG_ALONE)
    assert info.epochs == 50 and info.left_out == 2
    assert info.answer.startswith("Not known:") and "no random one was trained as long" in info.answer
    info = told(wish(1, [0.5]), wish(50, [], [0.9], [0.8]))
    assert info.answer == (
        "Not known yet: the derived architecture has not been trained from scratch for 50 epochs."
    )
    assert "1 training of other lengths is left out" in info.basis


def test_trainings_of_one_length_leave_nothing_out() -> None:
    info = told(SHORT)
    assert info.left_out == 0 and "left out" not in info.basis
    assert told(wish(None, [0.5, 0.6], [0.4])).epochs is None
