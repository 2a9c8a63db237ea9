"""The functional ANOVA finds the effects that a table was built from."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer.errors import OutsideKey
from explorer.key.effects import LESSON, OF_THREE, effects
from explorer.key.recipe import lesson, of_three
from explorer.key.record import Key
from tests.key import tables
from tests.key.tables import SIZE, SPACE

LABELS = [mutable.label for mutable in SPACE.mutables]
DIGITS = np.arange(SIZE)[:, None] // 5 ** np.arange(6) % 5
FIRST = np.array([-0.08, -0.02, 0.0, 0.04, 0.06])  # of edge_0_1
LAST = np.array([0.02, -0.01, -0.01, 0.0, 0.0])  # of edge_2_3


def table(interaction: float = 0.0) -> np.ndarray:
    """0.5 and the effects of two edges; the third and fourth edge matter only together."""
    together = np.where(DIGITS[:, 2] % 2 == 0, 2.0, -3.0) * np.where(DIGITS[:, 3] % 2 == 0, 2.0, -3.0)
    return 0.5 + FIRST[DIGITS[:, 0]] + LAST[DIGITS[:, 5]] + interaction * together


def test_known_effects_are_found() -> None:
    found = effects(tables.key(table(interaction=0.005)))
    assert found.grand == pytest.approx(0.5)
    assert found.main["edge_0_1"] == pytest.approx(FIRST)
    assert found.main["edge_2_3"] == pytest.approx(LAST)
    assert found.options["edge_0_1"] == SPACE.operations
    third, fourth = LABELS[2], LABELS[3]
    signs = np.where(np.arange(5) % 2 == 0, 2.0, -3.0)
    assert found.pairs[third, fourth] == pytest.approx(0.005 * np.outer(signs, signs))
    for label in LABELS[1:5]:
        assert found.main[label] == pytest.approx(0, abs=1e-12)


def test_known_effects_have_their_shares_of_the_variance() -> None:
    found = effects(tables.key(table(interaction=0.005)))
    parts = {"edge_0_1": (FIRST**2).mean(), "edge_2_3": (LAST**2).mean(), "pair": (0.005 * 6.0) ** 2}
    total = sum(parts.values())
    assert found.variance == pytest.approx(total)
    assert found.main_shares["edge_0_1"] == pytest.approx(parts["edge_0_1"] / total)
    assert found.main_shares["edge_2_3"] == pytest.approx(parts["edge_2_3"] / total)
    assert found.pair_shares[LABELS[2], LABELS[3]] == pytest.approx(parts["pair"] / total)
    assert found.rest == pytest.approx(0, abs=1e-9)


def test_what_three_edges_do_only_together_is_the_rest() -> None:
    signs = np.where(DIGITS[:, :3] % 2 == 0, 2.0, -3.0).prod(axis=1)
    found = effects(tables.key(0.5 + 0.005 * signs))
    assert found.rest == pytest.approx(1.0)
    assert max(found.main_shares.values()) < 1e-9 and max(found.pair_shares.values()) < 1e-9


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_shares_sum_to_one_and_effects_to_nothing(seed: int) -> None:
    rng = np.random.default_rng(seed)
    found = effects(tables.key(rng.uniform(0, 1, SIZE), 3, 0.02, seed), OF_THREE)
    shares = [*found.main_shares.values(), *found.pair_shares.values(), found.rest]
    assert len(shares) == 6 + 15 + 1 and min(shares) >= 0
    assert sum(shares) == pytest.approx(1.0)
    assert all(abs(effect.sum()) < 1e-9 for effect in found.main.values())
    assert all(abs(effect.sum(axis=axis)).max() < 1e-9 for effect in found.pairs.values() for axis in (0, 1))


def test_luck_alone_has_the_share_that_is_expected_of_it(whole: Key) -> None:
    found = effects(tables.key(table(), 3, 0.03))
    true = (FIRST**2).mean() + (LAST**2).mean()
    assert found.noise == pytest.approx(0.03**2 / 3 / (true + 0.03**2 / 3), rel=0.05)
    assert found.rest == pytest.approx(found.noise, rel=0.06)  # nearly all of luck is in the rest


@pytest.mark.parametrize(("within", "chosen"), [(LESSON, lesson), (OF_THREE, of_three)])
def test_the_two_sub_tables_are_the_recipes(whole: Key, within: dict, chosen: object) -> None:
    expected = {at for at, cell in enumerate(SPACE) if chosen(cell)}  # type: ignore[operator]
    assert set(whole.grid(within).ravel().tolist()) == expected


def test_a_fixed_edge_has_no_effect_and_is_not_named(whole: Key) -> None:
    found = effects(whole, LESSON)
    assert list(found.main) == ["edge_0_1", "edge_0_2", "edge_1_2"]
    assert found.variance == pytest.approx(whole.means[whole.grid(LESSON)].var())


def test_a_table_with_holes_is_refused_and_its_complete_part_is_not() -> None:
    seeds = np.zeros(SIZE, dtype=int)
    seeds[[at for at, cell in enumerate(SPACE) if of_three(cell)]] = 1
    partial = tables.key(table(), seeds)
    with pytest.raises(OutsideKey, match=r"14,896 of these 15,625 cells are not in the answer key"):
        effects(partial)
    assert effects(partial, OF_THREE).main["edge_0_1"] == pytest.approx(
        FIRST[[0, 1, 3]] - FIRST[[0, 1, 3]].mean()
    )


def test_a_table_without_variance_shares_nothing() -> None:
    found = effects(tables.key(np.full(SIZE, 0.5)))
    assert (found.variance, found.rest, sum(found.main_shares.values())) == (0, 0, 0)


def test_a_choice_that_is_none_of_the_cells_is_refused(whole: Key) -> None:
    with pytest.raises(OutsideKey, match="no choice 'edge_9_9'; it has edge_0_1"):
        effects(whole, {"edge_9_9": ("none",)})
