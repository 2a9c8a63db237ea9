"""What the charts of the answer key state, against tables made by hand; and that their drawings are well formed."""

from __future__ import annotations

import math
import re
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest

from explorer.plots.nas.key_curves import learned, learned_svg
from explorer.plots.nas.key_effects import effects_svg, main_effects, shares, shares_svg
from explorer.plots.nas.key_ranks import rank_bands, ranks_svg, sample
from explorer.plots.nas.key_seeds import BINS, seed_against_seed, seeds_svg
from explorer.plots.nas.key_transfer import carried_over, transfer_svg

MOST_BYTES = 60_000


def well_formed(text: str) -> ElementTree.Element:
    root = ElementTree.fromstring(text)
    assert root.get("role") == "img" and root.get("aria-label")
    assert len(text) < MOST_BYTES and not re.search(r"\bnan\b", text)
    return root


def test_every_cell_stands_in_one_square() -> None:
    scored = np.random.default_rng(0).normal(0.6, 0.05, (15_000, 3))
    info = seed_against_seed(scored)
    assert info.counts.shape == (BINS, BINS) and info.counts.sum() == 15_000
    well_formed(seeds_svg(info))


def test_the_second_seed_goes_up_and_the_first_across() -> None:
    info = seed_against_seed(np.array([[0.2, 0.8], [0.5, 0.5]]))
    assert info.counts[BINS - 2 :, :2].sum() == 1  # the highest rows, the first columns
    assert "more than 30.0 points" in info.answer


def test_seeds_that_never_differ_draw_a_line_of_squares() -> None:
    info = seed_against_seed(np.full((5, 2), 0.5))
    assert info.limits[0] < 50 < info.limits[1]
    assert "more than 0.0 points" in info.answer
    well_formed(seeds_svg(info))


@pytest.mark.parametrize("of", [1, 2, 99, 15_625])
def test_the_sample_of_ranks_has_both_ends_and_is_dense_at_the_top(of: int) -> None:
    places = sample(of)
    assert places[0] == 0 and places[-1] == of - 1 and (np.diff(places) > 0).all()
    assert len(places) <= 100
    assert set(range(min(of, 5))) <= set(places.tolist()) | {of}


def test_bands_are_told_of_the_first_and_the_middle() -> None:
    info = rank_bands([1, 50, 100], [1, 30, 80], [7, 70, 100], 100)
    assert "anywhere from 1 to 7" in info.answer and "rank 50, from 30 to 70" in info.answer
    well_formed(ranks_svg(info))
    well_formed(ranks_svg(rank_bands([1], [1], [1], 1)))


def test_effects_are_points_by_operation_and_edge() -> None:
    info = main_effects(
        {"edge_0_1": np.array([-0.03, 0.03]), "edge_0_3": np.array([0.0, 0.05, -0.05])},
        {"edge_0_1": ("none", "skip_connect"), "edge_0_3": ("none", "skip_connect", "nor_conv_3x3")},
        0.6,
        6,
    )
    assert info.edges == ("0 → 1", "0 → 3") and info.operations == ("none", "skip_connect", "nor_conv_3x3")
    assert info.points == (
        (pytest.approx(-3), pytest.approx(0)),
        (pytest.approx(3), pytest.approx(5)),
        (None, pytest.approx(-5)),
    )
    assert "on 0 → 3 adds most (+5.0 points)" in info.answer and "costs most (-5.0)" in info.answer
    well_formed(effects_svg(info))


def test_effects_of_nothing_are_drawn_without_a_colour_scale() -> None:
    info = main_effects({"edge_0_1": np.zeros(2)}, {"edge_0_1": ("none", "skip_connect")}, 0.5, 2)
    well_formed(effects_svg(info))


MAIN = {"edge_0_1": 0.4, "edge_0_2": 0.2, "edge_0_3": 0.1}
TWO = dict.fromkeys(MAIN, 2)  # of 8 cells' 7 degrees of freedom 3 are of edges, 3 of pairs, 1 of all three


def test_luck_is_taken_out_of_every_part_by_its_degrees_of_freedom() -> None:
    info = shares(MAIN, 0.2, 0.1, 0.07, 0.08, TWO)
    assert [part.share for part in info.parts] == pytest.approx([0.67, 0.17, 0.09, 0.07])
    assert "Edge 0 → 1 matters most: alone it explains 39 %" in info.answer and "8.0 points" in info.basis
    well_formed(shares_svg(info))


def test_an_edge_with_more_operations_holds_more_of_the_luck() -> None:
    info = shares({"edge_0_1": 0.5, "edge_0_2": 0.3}, 0.2, 0.0, 0.11, 0.08, {"edge_0_1": 3, "edge_0_2": 4})
    assert "Edge 0 → 1 matters most: alone it explains 48 %" in info.answer  # 2 of 11 degrees of freedom
    assert [part.share for part in info.parts] == pytest.approx([0.75, 0.14, 0.0, 0.11])


def test_no_part_is_negative_and_all_sum_to_one_whatever_the_luck() -> None:
    info = shares(MAIN, 0.2, 0.1, 5.0, 0.08, TWO)
    assert [part.share for part in info.parts] == pytest.approx([0, 0, 0, 1])
    assert "more than the luck" in info.answer
    some = shares(MAIN, 0.2, 0.1, 0.9, 0.08, TWO)
    assert sum(part.share for part in some.parts) == pytest.approx(1)
    assert min(part.share for part in some.parts) == 0


def test_unknown_luck_stays_in_the_rest() -> None:
    info = shares(MAIN, 0.2, 0.1, math.nan, 0.08, TWO)
    assert [part.share for part in info.parts] == pytest.approx([0.7, 0.2, 0.1])
    assert [part.words for part in info.parts][-1] == "three and more, and luck"
    well_formed(shares_svg(info))


def test_equal_cells_have_nothing_to_explain() -> None:
    info = shares({"edge_0_1": 0.0}, 0.0, 0.0, 0.0, 0.0, {"edge_0_1": 2})
    assert info.parts == () and "nothing to explain" in info.answer
    well_formed(shares_svg(info))


def test_only_cells_in_both_best_tenths_stand_out() -> None:
    here = np.linspace(0.2, 0.6, 20)
    there = here.copy()
    there[[19, 0]] = there[[0, 19]]  # the best here is the worst there
    info = carried_over(here, there, ("a", "b"), 2, 0.5, 0.5)
    assert info.both == ((pytest.approx(100 * here[18]), pytest.approx(100 * there[18])),)
    assert len(info.others) == 19
    assert "50 % are among the best 2 on b" in info.answer and "blindly it would be 10 %" in info.answer
    well_formed(transfer_svg(info))


def test_a_large_comparison_is_thinned() -> None:
    values = np.random.default_rng(1).random((2, 15_000))
    info = carried_over(values[0], values[1], ("a", "b"), 1500, 0.0, 0.1)
    assert len(info.others) + len(info.both) <= 1_200 and "15,000 live cells" in info.basis
    well_formed(transfer_svg(info))


def test_the_mean_of_curves_says_when_it_is_nearly_there() -> None:
    info = learned([[0.2, 0.5, 0.6, 0.605], [0.4, 0.5, 0.6, 0.605]])
    assert info.mean[0] == (1.0, pytest.approx(30.0)) and len(info.seeds) == 2
    assert info.answer.startswith("After epoch 3 of 4") and "60.5 %" in info.answer
    well_formed(learned_svg(info))
    assert learned([[0.5]]).basis.startswith("1 seed.")
    well_formed(learned_svg(learned([[0.5]])))
