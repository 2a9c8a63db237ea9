"""Neighbours, the best within k edits, and random search's luck, against enumeration and simulation."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import hypergeom

from explorer.errors import SpecError
from explorer.key.around import best_within, neighbours, trials_to_match
from explorer.key.look import margin
from explorer.key.record import Key
from tests.key import tables
from tests.key.tables import SIZE, SPACE


def test_neighbours_are_the_spaces_own_the_largest_gain_first(whole: Key) -> None:
    cell = SPACE.from_code("340213")
    found = neighbours(whole, cell)
    assert {each.place for each in found} == {SPACE.index_of(near) for near in SPACE.neighbours(cell)}
    assert len(found) == 24
    gains = [each.difference for each in found]
    assert gains == sorted(gains, reverse=True)


def test_a_neighbour_says_what_it_changes_and_what_that_brings(whole: Key) -> None:
    cell = SPACE.from_code("340213")
    here = whole.place(cell)
    for each in neighbours(whole, cell):
        assert each.place == SPACE.index_of(cell.with_choice(each.label, each.operation))
        assert each.mean == whole.means[each.place]
        assert each.difference == pytest.approx(each.mean - whole.means[here])
        needed = margin(whole, whole.seeds[here], whole.seeds[each.place])
        assert each.significant == (abs(each.difference) > needed)
    assert {each.significant for each in neighbours(whole, cell)} == {True, False}


def test_a_partial_key_names_only_the_neighbours_that_it_holds() -> None:
    seeds = np.ones(SIZE, dtype=int)
    seeds[5] = 0
    assert {each.place for each in neighbours(tables.key(np.full(SIZE, 0.5), seeds), 0)} == {
        digit * 5**edge for edge in range(6) for digit in range(1, 5)
    } - {5}


def test_the_best_within_k_edits_is_what_walking_finds(whole: Key) -> None:
    start = SPACE.from_code("340213")
    seen = {whole.place(start)}
    for edits in range(4):
        found = best_within(whole, start, edits)
        best = max(seen, key=lambda place: whole.means[place])
        assert found.mean == whole.means[best] and found.place in seen
        assert found.gain == pytest.approx(found.mean - whole.means[whole.place(start)])
        assert found.edits <= edits
        seen |= {
            SPACE.index_of(near) for place in seen for near in SPACE.neighbours(SPACE.architecture_at(place))
        }


def test_six_edits_reach_the_best_of_all(whole: Key) -> None:
    assert best_within(whole, 0, 6).mean == whole.means.max()


def test_of_equally_good_cells_the_one_with_fewest_edits_is_reached() -> None:
    truth = np.full(SIZE, 0.4)
    truth[[5, 6]] = 0.5  # one edit and two edits from cell 0
    found = best_within(tables.key(truth), 0, 3)
    assert (found.place, found.edits) == (5, 1)
    assert best_within(tables.key(np.full(SIZE, 0.4)), 9, 2).edits == 0


def test_fewer_than_no_edits_are_refused(whole: Key) -> None:
    with pytest.raises(SpecError, match="number of edits is -1"):
        best_within(whole, 0, -1)


def test_random_search_matches_a_cell_as_soon_as_a_simulation_does() -> None:
    truth = np.zeros(SIZE)
    truth[:40] = np.linspace(0.5, 0.6, 40)
    seeds = np.zeros(SIZE, dtype=int)
    seeds[:400] = 1  # a key of 400 cells
    small = tables.key(truth, seeds)
    luck = trials_to_match(small, 30)
    assert (luck.good, luck.of) == (10, 400)
    rng = np.random.default_rng(0)
    good = np.arange(400) >= 390
    first = np.array([np.argmax(rng.permutation(good)) + 1 for _ in range(20_000)])
    assert first.mean() == pytest.approx(luck.expected, rel=0.03)
    assert (first <= luck.enough).mean() >= 0.945
    assert (first <= luck.enough - 2).mean() < 0.95


@given(st.integers(1, 300), st.data(), st.sampled_from([0.5, 0.9, 0.95, 0.99]))
def test_enough_trials_are_the_fewest_that_suffice(cells: int, data: st.DataObject, sure: float) -> None:
    good = data.draw(st.integers(1, cells))
    truth = np.zeros(SIZE)
    truth[:good] = 0.5
    seeds = np.zeros(SIZE, dtype=int)
    seeds[:cells] = 1
    luck = trials_to_match(tables.key(truth, seeds), 0, sure)
    assert luck.expected == (cells + 1) / (good + 1)
    assert hypergeom.sf(0, cells, good, luck.enough) >= sure - 1e-9
    assert luck.enough == 1 or hypergeom.sf(0, cells, good, luck.enough - 1) < sure


def test_the_worst_cell_is_matched_at_once(whole: Key) -> None:
    luck = trials_to_match(whole, int(whole.means.argmin()))
    assert (luck.expected, luck.enough) == (1.0, 1)


def test_certainty_is_refused(whole: Key) -> None:
    with pytest.raises(SpecError, match=r"confidence is 1\.0"):
        trials_to_match(whole, 0, 1.0)
