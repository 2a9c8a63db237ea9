"""What the key says about itself, against scipy, against known variances and against a second key."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from explorer.errors import OutsideKey
from explorer.key.look import rank
from explorer.key.record import Key
from explorer.key.truth import ranked, reliability, spearman, split_half, transfer, truth
from tests.key import tables
from tests.key.tables import SIZE

FEW = st.lists(st.integers(0, 6), min_size=3, max_size=40)


@given(FEW)
def test_ties_share_their_mean_rank(values: list[int]) -> None:
    assert ranked(values).tolist() == stats.rankdata(values).tolist()


@given(FEW, st.randoms(use_true_random=False))
def test_spearman_is_scipys(values: list[int], shuffle: object) -> None:
    other = [value + shuffle.randint(0, 3) for value in values]  # type: ignore[attr-defined]
    if len(set(values)) == 1 or len(set(other)) == 1:
        assert np.isnan(spearman(values, other))
    else:
        assert spearman(values, other) == pytest.approx(stats.spearmanr(values, other).statistic)


def test_reliability_is_the_textbooks_analysis_of_variance() -> None:
    """Shrout & Fleiss 1979, table 2: six targets and four judges; ICC(1,1) is .17 and ICC(1,4) is .44."""
    ratings = [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]]
    one, mean_of = reliability(np.array(ratings, dtype=float))
    assert (round(one, 2), round(mean_of, 2)) == (0.17, 0.44)


def test_reliability_is_the_share_of_variance_that_is_the_cells_own(whole: Key) -> None:
    spread, luck = 0.07**2, 0.029**2
    found = truth(whole)
    assert found.seeds == 3
    assert found.icc == pytest.approx(spread / (spread + luck), abs=0.01)
    assert found.icc_of_mean == pytest.approx(spread / (spread + luck / 3), abs=0.01)


def test_two_single_seeds_agree_as_far_as_one_is_reliable(whole: Key) -> None:
    found = truth(whole)
    live = whole.alive
    seeds = [whole.row_test[whole.first_row + seed][live] for seed in range(3)]
    expected = [stats.spearmanr(seeds[a], seeds[b]).statistic for a, b in ((0, 1), (0, 2), (1, 2))]
    assert found.seed_to_seed == pytest.approx(np.mean(expected))
    pearson = found.icc
    assert found.seed_to_seed == pytest.approx(6 / np.pi * np.arcsin(pearson / 2), abs=0.01)  # two normals


def test_the_split_half_is_what_a_second_key_agrees_to() -> None:
    means = tables.truths(np.random.default_rng(8))
    one, other = (tables.key(means, 3, 0.05, seed=seed) for seed in (1, 2))
    expected = spearman(one.means[one.alive], other.means[one.alive])
    assert truth(one).split_half == pytest.approx(expected, abs=0.01)
    knows = spearman(one.means[one.alive], means[one.alive])
    assert truth(one).ceiling == pytest.approx(knows, abs=0.01)


def test_every_way_to_split_counts_once() -> None:
    scored = np.random.default_rng(0).standard_normal((30, 4)) + np.arange(30)[:, None] / 10
    halves = [((0, 1), (2, 3)), ((0, 2), (1, 3)), ((0, 3), (1, 2))]
    mean = np.mean(
        [
            stats.spearmanr(scored[:, list(a)].mean(axis=1), scored[:, list(b)].mean(axis=1)).statistic
            for a, b in halves
        ]
    )
    assert split_half(scored) == pytest.approx(2 * mean / (1 + mean))


def test_pure_luck_is_not_reliable() -> None:
    found = truth(tables.key(tables.equals(), 3, 0.03))
    assert abs(found.icc) < 0.02 and abs(found.seed_to_seed) < 0.02
    assert found.maybe_the_best > 0.99 * (SIZE - found.dead)
    assert found.like_the_best < SIZE / 4  # two at a time, the luckiest looks better than it is


def test_counts_and_spread_are_of_the_live_cells(whole: Key) -> None:
    found = truth(whole)
    dead = ~tables.connected()
    assert (found.cells, found.dead) == (SIZE, dead.sum())
    live = whole.means[~dead]
    assert (found.lowest, found.highest) == (live.min(), live.max())
    assert found.mean == pytest.approx(live.mean()) and found.spread == pytest.approx(live.std(ddof=1))
    assert found.like_the_best == rank(whole, int(whole.means.argmax())).high > 1
    assert found.like_the_best <= found.maybe_the_best < SIZE / 10
    assert found.resolution == pytest.approx(1.959964 * whole.sigma * (2 / 3) ** 0.5)


def test_one_seed_a_cell_cannot_say_how_reliable_it_is() -> None:
    with pytest.raises(OutsideKey, match="has 1 seed a cell"):
        truth(tables.key(np.full(SIZE, 0.5)))


def test_transfer_is_over_the_live_cells_that_both_hold() -> None:
    means = tables.truths(np.random.default_rng(3))
    seeds = np.zeros(SIZE, dtype=int)
    seeds[::5] = 1
    one = tables.key(means)
    other = tables.key(1 - means, seeds, dataset="shifted-digits")
    common = np.flatnonzero(tables.connected() & (seeds > 0))
    found = transfer(one, other)
    assert found.cells == len(common) and found.spearman == pytest.approx(-1.0)
    assert found.overlap == 0.0
    same = transfer(one, tables.key(means, seeds, dataset="shifted-digits"))
    assert (same.spearman, same.overlap) == (pytest.approx(1.0), 1.0)
    assert same.best == -(-len(common) // 10)


def test_unrelated_keys_share_a_tenth_of_their_best_by_chance() -> None:
    one, other = (tables.key(np.random.default_rng(seed).uniform(0.2, 0.8, SIZE)) for seed in (1, 2))
    assert transfer(one, other).overlap == pytest.approx(0.1, abs=0.03)


def test_keys_without_common_cells_are_refused() -> None:
    seeds = np.zeros(SIZE, dtype=int)
    seeds[:2] = 1
    with pytest.raises(OutsideKey, match="share fewer than three"):
        transfer(tables.key(np.full(SIZE, 0.5)), tables.key(np.full(SIZE, 0.5), seeds))
