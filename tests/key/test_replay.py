"""Curves and scores are the recorded rows, for one cell or for many."""

from __future__ import annotations

import numpy as np
import pytest

from explorer.errors import OutsideKey, SpecError
from explorer.key.record import Key
from explorer.key.replay import at_epoch, curve, scores


def rows_of(key: Key, place: int) -> np.ndarray:
    return np.flatnonzero(key.row_cell == place)


def test_a_cells_curves_are_its_rows(whole: Key) -> None:
    for place in (0, 4, 15_624):
        found, rows = curve(whole, place), rows_of(whole, place)
        assert found.seeds == tuple(range(len(rows)))
        assert np.array_equal(found.values, whole.curves[rows] / 400)
        assert found.mean == pytest.approx(found.values.mean(axis=0))
        assert found.values.shape == (len(rows), 20)


def test_a_look_at_an_epoch_is_that_column_of_that_seed(whole: Key) -> None:
    places = np.array([15_624, 0, 77, 0])
    for epoch in (1, 7, 20):
        expected = [whole.curves[rows_of(whole, place)[2], epoch - 1] / 400 for place in places]
        assert at_epoch(whole, places, epoch, 2).tolist() == expected
        means = [whole.curves[rows_of(whole, place), epoch - 1].mean() / 400 for place in places]
        assert at_epoch(whole, places, epoch) == pytest.approx(means)


def test_every_place_may_have_its_own_seed(whole: Key) -> None:
    places, seeds = np.array([5, 5, 9]), np.array([0, 2, 1])
    expected = [
        whole.row_validation[rows_of(whole, place)[seed]] / 400
        for place, seed in zip(places, seeds, strict=True)
    ]
    assert scores(whole, places, seeds).tolist() == expected
    assert scores(whole, places).tolist() == whole.validation_means[places].tolist()


def test_a_seed_that_was_not_trained_is_refused(whole: Key) -> None:
    with pytest.raises(OutsideKey, match="has no seed 3 of cell:000000; it has 3 of that cell"):
        scores(whole, np.array([0]), 3)
    with pytest.raises(OutsideKey, match="no seed 200"):
        at_epoch(whole, np.array([15_624]), 1, 200)


@pytest.mark.parametrize("epoch", [0, 21, -1])
def test_an_epoch_outside_the_training_is_refused(whole: Key, epoch: int) -> None:
    with pytest.raises(SpecError, match=f"The epoch is {epoch}; the answer key has 1 to 20"):
        at_epoch(whole, np.array([0]), epoch)
