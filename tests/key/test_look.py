"""Accuracy, rank and regret against counting and against truths that only the test knows."""

from __future__ import annotations

import json

import numpy as np
import pytest

from explorer.key.look import accuracies, accuracy, answer, bands, margin, posterior, rank, regret
from explorer.key.record import Key
from tests.key import tables
from tests.key.tables import SIZE


def test_the_interval_holds_the_truth_as_often_as_it_says(whole: Key, truth: np.ndarray) -> None:
    live = np.flatnonzero(whole.alive)[::7]
    estimates = [accuracy(whole, int(place)).test for place in live]
    held = [found.low <= truth[place] <= found.high for found, place in zip(estimates, live, strict=True)]
    assert np.mean(held) == pytest.approx(0.95, abs=0.015)
    held = [accuracy(whole, int(place)).validation.low <= truth[place] for place in live]
    assert np.mean(held) == pytest.approx(0.975, abs=0.01)


def test_more_seeds_make_a_narrower_interval(whole: Key) -> None:
    many, few = (int(whole.cells[np.flatnonzero(whole.alive & (whole.seeds == n))[0]]) for n in (16, 3))
    wide, narrow = accuracy(whole, few).test, accuracy(whole, many).test
    assert (wide.seeds, narrow.seeds) == (3, 16)
    assert (wide.high - wide.low) / (narrow.high - narrow.low) == pytest.approx((16 / 3) ** 0.5)
    assert wide.high - wide.mean == pytest.approx(1.959964 * whole.sigma / 3**0.5)


def test_bounds_stay_accuracies() -> None:
    perfect = tables.key(np.full(SIZE, 1.0), 3, 0.02)
    found = accuracy(perfect, 0).test
    assert found.high == 1.0 and found.low < found.mean


def test_rank_and_band_are_what_counting_says(whole: Key) -> None:
    places = np.random.default_rng(2).choice(SIZE, 120, replace=False)
    for place in (*places, int(whole.means.argmax()), int(whole.means.argmin())):
        beyond = whole.means - whole.means[place]
        needed = 1.959964 * whole.sigma * np.sqrt(1 / whole.seeds + 1 / whole.seeds[place])
        found = rank(whole, int(place))
        assert found.rank == 1 + (beyond > 0).sum()
        assert found.low == 1 + (beyond > needed).sum()
        assert found.high == (beyond >= -needed).sum()
        assert found.low <= found.rank <= found.high <= found.of == SIZE


def test_equal_means_share_the_better_rank() -> None:
    truth = np.full(SIZE, 0.4)
    truth[[3, 5]] = 0.6
    truth[9] = 0.5
    tied = tables.key(truth)
    assert [rank(tied, place).rank for place in (3, 5, 9, 0)] == [1, 1, 3, 4]
    assert rank(tied, 3).percentile == 100.0
    assert rank(tied, 9).percentile == pytest.approx(100 * (SIZE - 3) / (SIZE - 1))


def test_the_same_accuracy_from_other_numbers_of_seeds_is_a_tie() -> None:
    seeds = np.full(SIZE, 3)
    seeds[0] = 16
    tied = tables.key(np.full(SIZE, 0.7), seeds, sizes=(400, 900))
    assert rank(tied, 0).rank == rank(tied, 1).rank == 1


def test_without_a_second_seed_nothing_is_resolved(whole: Key, truth: np.ndarray) -> None:
    single = tables.key(truth, 1, 0.02)
    found = rank(single, int(single.means.argmax()))
    assert (found.rank, found.low, found.high) == (1, 1, SIZE)
    assert answer(single, 5)["interval"] is None


def test_bands_of_many_are_the_ranks_of_each(whole: Key) -> None:
    places = np.array([4, 4, 9000, 17])
    each = [rank(whole, int(place)) for place in places]
    found = bands(whole, places)
    assert [list(numbers) for numbers in found] == [
        [getattr(one, name) for one in each] for name in ("rank", "low", "high")
    ]


def test_two_cells_of_equal_truth_differ_with_confidence_one_time_in_twenty() -> None:
    equal = tables.key(np.full(SIZE, 0.5), 3, 0.03)
    half = SIZE // 2
    resolved = np.abs(equal.means[:half] - equal.means[half : 2 * half]) > margin(equal, 3, 3)
    assert resolved.mean() == pytest.approx(0.05, abs=0.006)


def test_regret_is_what_is_missing_to_the_best(whole: Key) -> None:
    best = int(whole.means.argmax())
    assert regret(whole, best).observed == 0.0
    assert regret(whole, 12).observed == pytest.approx(whole.means.max() - whole.means[12])


def test_the_best_of_equals_was_only_lucky_and_shrinking_says_so() -> None:
    equal = tables.key(tables.equals(), 3, 0.03)
    average = int(np.abs(equal.means - 0.5).argmin())
    found = regret(equal, average)
    assert found.observed > 0.05  # it would be 0 without luck
    assert found.shrunken < 0.01


def test_shrunken_means_are_nearer_to_the_truth(whole: Key, truth: np.ndarray) -> None:
    (drawn, doubt), live = posterior(whole), whole.alive
    assert ((drawn - truth)[live] ** 2).mean() < 0.95 * ((whole.means - truth)[live] ** 2).mean()
    within = np.abs(drawn - truth)[live] < 1.959964 * doubt[live]
    assert within.mean() == pytest.approx(0.95, abs=0.01)
    assert np.array_equal(drawn[~live], whole.means[~live])
    best = int(whole.means.argmax())
    assert drawn.max() < whole.means.max() and drawn[best] < whole.means[best]


def test_many_places_are_looked_up_at_once(whole: Key) -> None:
    places = np.random.default_rng(3).integers(0, SIZE, 1000)
    assert accuracies(whole, places).tolist() == [accuracy(whole, int(place)).test.mean for place in places]


def test_what_was_not_trained_is_nan_in_bulk() -> None:
    seeds = np.ones(SIZE, dtype=int)
    seeds[7] = 0
    found = accuracies(tables.key(np.linspace(0, 1, SIZE), seeds), np.array([6, 7, SIZE - 1]))
    assert np.isnan(found[1]) and found[2] == 1.0


def test_the_answer_is_the_command_lines_contract(whole: Key) -> None:
    said = answer(whole, "cell:340213")
    assert list(said) == (
        "architecture dataset seeds validation test interval rank rank_low rank_high of percentile regret".split()
    )
    assert json.loads(json.dumps(said, allow_nan=False)) == said
    assert said["architecture"] == "cell:340213" and said["dataset"] == "noisy-digits"
    assert said["interval"][0] < said["test"] < said["interval"][1]
    at = whole.place("340213")
    assert (said["test"], said["validation"]) == (whole.means[at], whole.validation_means[at])
