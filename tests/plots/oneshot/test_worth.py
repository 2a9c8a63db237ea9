"""What stopping was worth: told from the key's places, drawn as stretches, said with the luck that is in it."""

from __future__ import annotations

import json
import math
import random
import xml.etree.ElementTree as ElementTree
from typing import Any

import pytest
from scipy.stats import kendalltau, spearmanr

from explorer.plots.oneshot.gap import gap, gap_sentence
from explorer.plots.oneshot.orders import rank_correlations
from explorer.plots.oneshot.panels import PanelsInfo, panels_figure, panels_svg
from explorer.plots.oneshot.ranks import KEYED, ranks, ranks_figure, ranks_svg
from explorer.plots.oneshot.worth import at_steps, standing, stretches, worth, worth_sentence
from tests.plots.oneshot.known import BEST, MEDIAN, known, steps, worth_of
from tests.plots.oneshot.stories import measured

GOOD, FAIR, POOR = worth_of(0.66), worth_of(0.65), worth_of(0.45)
STORY = steps(0, 10, 20, 30, 40)
KNOWN = known([FAIR, GOOD, GOOD, POOR, POOR])


def line(info: PanelsInfo, words: str) -> tuple[tuple[float, float], ...]:
    return next(one.points for panel in info.panels for one in panel.lines if one.words == words)


# -- the course -------------------------------------------------------------------------------------------------------


def test_a_stretch_lasts_while_the_same_would_be_derived_and_has_its_own_epoch() -> None:
    found = stretches(KNOWN, STORY)
    assert [(one.first, one.last, one.epoch, one.worth) for one in found] == [
        (0, 0, 0, FAIR),
        (10, 20, 1, GOOD),
        (30, 40, 3, POOR),
    ]


def test_what_the_key_does_not_hold_parts_stretches() -> None:
    found = stretches(known([GOOD, None, GOOD]), steps(0, 10, 20))
    assert [(one.first, one.last) for one in found] == [(0, 0), (20, 20)]
    assert "it lacks" not in worth(known([GOOD, GOOD]), steps(0, 10)).basis
    assert "At 2 of the snapshots it lacks" in worth(known([GOOD, None, None]), steps(0, 10, 20)).basis


def test_of_a_step_that_came_twice_the_later_snapshot_holds() -> None:
    """The search went to step 30, was lost, and came back from step 10."""
    found = stretches(known([GOOD, GOOD, GOOD, GOOD, FAIR, FAIR]), steps(0, 10, 20, 30, 10, 20))
    assert [(one.first, one.last, one.worth.code) for one in found] == [
        (0, 0, GOOD.code),
        (10, 20, FAIR.code),
        (30, 30, GOOD.code),
    ]


def test_a_step_between_snapshots_is_known_only_where_both_agree() -> None:
    found = at_steps(KNOWN, STORY, [0, 5, 10, 15, 25, 40, 99])
    assert found == {0: FAIR, 10: GOOD, 15: GOOD, 40: POOR, 99: POOR}
    assert at_steps(KNOWN, STORY, [-1]) == {} and at_steps(known([]), [], [0]) == {}
    assert at_steps(known([None, GOOD]), steps(0, 10), [0, 5, 10]) == {10: GOOD}


# -- the chart --------------------------------------------------------------------------------------------------------


def test_accuracy_and_rank_are_drawn_with_their_bands_and_references() -> None:
    info = worth(KNOWN, STORY)
    accuracy, rank = info.panels
    assert line(info, "true test accuracy") == (
        (0, pytest.approx(65)),
        (10, pytest.approx(66)),
        (20, pytest.approx(66)),
        (30, pytest.approx(45)),
        (40, pytest.approx(45)),
    )
    assert [height for _, height in line(info, "95 %: at least")] == pytest.approx([64, 65, 65, 44, 44])
    assert [height for _, height in line(info, "95 %: at most")] == pytest.approx([66, 67, 67, 46, 46])
    assert [level.value for level in accuracy.levels] == pytest.approx([100 * BEST, 100 * MEDIAN])
    assert [height for _, height in line(info, "true rank")] == pytest.approx([5.1, 4.1, 4.1, 25.1, 25.1])
    assert [height for _, height in line(info, "95 %: to")] == pytest.approx([6.1, 5.1, 5.1, 26.1, 26.1])
    assert str(rank.y) == "true rank (% of 1,000) · lower is better"
    assert [level.value for level in rank.levels] == [50]
    low, high = accuracy.range
    assert low < 44 and high > 70


def test_a_dot_stands_at_every_change_and_only_there() -> None:
    dots = [one for panel in worth(KNOWN, STORY).panels for one in panel.lines if one.dots]
    assert [[step for step, _ in one.points] for one in dots] == [[10, 30], [10, 30]]
    assert "2 of them" in worth(KNOWN, STORY).basis
    still = worth(known([GOOD, GOOD]), steps(0, 10))
    assert not [one for panel in still.panels for one in panel.lines if one.dots]
    assert "it never changed" in still.basis


def test_without_an_interval_there_is_no_band_and_no_verdict_on_luck() -> None:
    info = worth(known([worth_of(0.6, half=math.nan, seeds=1), worth_of(0.5, half=math.nan)]), steps(0, 10))
    assert [one.words for one in info.panels[0].lines] == ["true test accuracy", "another architecture"]
    assert [one.words for one in info.panels[1].lines] == ["true rank", "another architecture"]
    assert "is not known" in info.basis and "1 to 3 seeds" in info.basis
    assert "the key cannot tell" in standing(worth_of(0.6, half=math.nan))


@pytest.mark.parametrize("count", [0, 1, 5])
def test_it_is_drawn_with_any_number_of_snapshots(count: int) -> None:
    info = worth(known(KNOWN.course[:count]), STORY[:count])
    assert info.is_empty is (count == 0) and info.question.endswith("?") and info.basis.endswith(".")
    assert ElementTree.fromstring(panels_svg(info)).get("aria-label") == info.alt
    drawn = json.loads(panels_figure(info).to_json())["data"]
    assert [trace["name"] for trace in drawn if trace["mode"] == "markers"] == ["another architecture"] * (
        2 if count == 5 else 0
    )


# -- in words ---------------------------------------------------------------------------------------------------------


def sentence(*tests: float, half: float = 0.01, live: bool = False) -> str:
    course = known([worth_of(test, half=half) for test in tests])
    return worth_sentence(course, stretches(course, steps(*range(0, 10 * len(tests), 10))), live)


def test_the_best_moment_is_named_with_what_was_lost_since() -> None:
    assert sentence(0.55, 0.66, 0.60) == (
        "The best moment was epoch 1 (rank 41); it ended at rank 101 of 1,000, 6.0 points less, "
        "more than the luck of the key's seeds."
    )
    assert "it is now at rank 101" in sentence(0.55, 0.66, 0.60, live=True)


def test_a_difference_within_two_intervals_may_be_luck() -> None:
    """Half intervals of 0.01 make a margin of sqrt(2) points."""
    assert "may be the luck" in sentence(0.614, 0.60) and "more than the luck" in sentence(0.6142, 0.60)


def test_an_end_that_nothing_beats_is_called_that_and_a_bad_end_bad() -> None:
    assert sentence(0.55, 0.66).startswith("No earlier moment was better: it ended at rank 41 of 1,000.")
    assert "half of the space is better" in sentence(0.6, 0.49)
    assert "half of the space" not in sentence(0.6, 0.50)
    assert worth_sentence(known([]), ()) == ""


def test_of_equally_good_moments_the_earliest_is_the_best() -> None:
    assert sentence(0.55, 0.66, 0.60, 0.66, 0.50).startswith("The best moment was epoch 1 ")


def test_the_standing_says_rank_band_accuracy_and_what_is_missing() -> None:
    told = standing(GOOD)
    assert "True rank **41** (with 95 % confidence 31 to 51) of 1,000, **66.0 %** test accuracy" in told
    assert "4.0 points below the best" in told and "needs 12 trials on average" in told
    assert "accuracy, the best of the space." in standing(worth_of(BEST))


# -- the third line ---------------------------------------------------------------------------------------------------

GAP = [measured("discretization_gap", step, supernet=0.5, derived=0.2, images=400) for step in (10, 40)]


def test_the_gap_has_a_third_line_of_the_same_images_by_the_key() -> None:
    true = at_steps(KNOWN, STORY, [10, 40])
    info = gap(GAP, true)
    assert line(info, "derived, trained alone (answer key)") == (
        (10, pytest.approx(61)),
        (40, pytest.approx(40)),
    )
    assert info.panels[0].y.title == "validation accuracy (%)" and "third is the answer key's" in info.basis
    told = gap_sentence(GAP, true)
    assert "a gap of 30.0 points" in told and "40.0 % of these images right and 45.0 % of the test" in told
    assert "20.0 points worse than it is" in told
    assert gap(GAP, {}) == gap(GAP) and "Trained alone" not in gap_sentence(GAP, {10: GOOD})


def probe(standalone: list[float | None], order: float | None = None) -> list[dict[str, Any]]:
    count = len(standalone)
    return [
        measured(
            "rank_probe",
            20,
            architectures=[f"c{at}" for at in range(count)],
            inherited=[0.1 * at for at in range(count)],
            standalone=standalone,
            kendall=order,
            spearman=order,
        )
    ]


def test_the_key_ranks_all_that_were_probed_though_none_was_retrained() -> None:
    probed = {"c0": 0.5, "c1": 0.4, "c2": 0.6, "c9": 0.9}
    info = ranks(probe([None] * 4), probed)
    assert [(dot.code, dot.standalone) for dot in info.keyed] == [
        ("c0", pytest.approx(50)),
        ("c1", pytest.approx(40)),
        ("c2", pytest.approx(60)),
    ]
    assert not info.dots and not info.is_empty and info.key_kendall == pytest.approx(1 / 3)
    assert info.answer.startswith("By the answer key the order") and "tau 0.33" in info.answer
    assert "known to the answer key: 3" in info.basis
    assert KEYED in ranks_svg(info) and [trace.name for trace in ranks_figure(info).data] == [KEYED]


def test_retrained_and_keyed_accuracies_are_told_apart() -> None:
    info = ranks(probe([0.5, 0.6, None], 1.0), {"c0": 0.5, "c2": 0.6})
    assert len(info.dots) == 2 and len(info.keyed) == 2 and "By what was retrained here" in info.answer
    assert "validation" in ranks_svg(info) and len(ranks_figure(info).data) == 2
    assert ranks(probe([0.5, None]), {}).keyed == () and "answer key" not in ranks(probe([0.5])).answer


def test_one_keyed_architecture_is_no_order() -> None:
    assert "not known" in ranks(probe([None, None]), {"c0": 0.5}).answer


@pytest.mark.parametrize("levels", [3, 1_000])
def test_rank_correlations_are_scipys_with_and_without_ties(levels: int) -> None:
    rng = random.Random(levels)
    one, other = ([rng.randrange(levels) for _ in range(60)] for _ in range(2))
    expected = kendalltau(one, other).statistic, spearmanr(one, other).statistic
    assert rank_correlations(one, other) == pytest.approx(expected)


def test_there_is_no_order_where_all_are_equal() -> None:
    assert rank_correlations([1, 2], [3, 3]) == rank_correlations([], []) == (None, None)
