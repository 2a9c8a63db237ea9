"""Charts of a features run: the records say what is true, and the figures draw exactly the records."""

from __future__ import annotations

from typing import Any

import pytest

from explorer.catalogue import SELECTORS
from explorer.plots.features.agreement import agreement_figure, agreements
from explorer.plots.features.looks import look
from explorer.plots.features.scores import scores, scores_figure
from explorer.plots.features.times import times, times_figure
from explorer.plots.features.worth import worth, worth_figure
from explorer.runs.feature_story import FeaturePlan, SelectorStory

PLAN = FeaturePlan(
    "wine",
    "classification",
    "grower",
    "accuracy",
    178,
    2,
    ("a", "b", "c", "d"),
    ("anova", "l1", "all_features"),
    (1, 2, 4),
    (),
    0.4,
)


def told(
    name: str, *ranks: tuple[int, ...], tied: tuple[int, ...] = (), seconds: float = 1.0
) -> SelectorStory:
    """A selector whose k best columns are worth 0.5 + k / 10, and a little more in each later resample."""
    rows = dict(enumerate(ranks))
    counts = (4,) if name == "all_features" else (1, 2, 4)
    return SelectorStory(
        name,
        {at: tuple(1.0 / rank for rank in row) for at, row in rows.items()},
        rows,
        {(count, at): 0.5 + count / 10 + at / 50 for count in counts for at in rows},
        {at: seconds + at for at in rows},
        frozenset(tied),
    )


ANOVA = told("anova", (2, 1, 3, 4), (1, 2, 3, 4))
L1 = told("l1", (4, 3, 2, 1), (3, 4, 2, 1), tied=(1,), seconds=5.0)
ALL = told("all_features", (1, 2, 3, 4), (1, 2, 3, 4))


def test_columns_stand_by_mean_rank_with_their_spread() -> None:
    info = scores(PLAN, ANOVA, most=3)
    assert [bar.name for bar in info.bars] == ["a", "b", "c"] and info.hidden == 1
    assert info.bars[0].rank == (1.5, 1.0, 2.0) and info.bars[0].score == (0.75, 0.5, 1.0)
    assert info.caution is None and "ANOVA F" in info.question and "2 resamples" in info.basis
    assert info.rank_axis.better == "lower" and info.score_axis.better == "higher"


def test_ties_are_said_on_the_chart() -> None:
    assert "1 of 2 resamples" in (scores(PLAN, L1).caution or "")
    both = told("gradient", (1, 2, 3, 4), (1, 2, 3, 4), tied=(0, 1))
    assert "every resample" in (scores(PLAN, both).caution or "")


@pytest.mark.parametrize("by", ["rank", "score"])
def test_the_figure_of_scores_draws_each_bar_with_its_spread(by: str) -> None:
    info = scores(PLAN, ANOVA)
    figure = scores_figure(info, by)
    (trace,) = figure.data
    expected = [getattr(bar, by) for bar in info.bars]
    assert list(trace.x) == [mean for mean, _, _ in expected]
    assert list(trace.error_x.array) == pytest.approx([high - mean for mean, _, high in expected])
    assert list(trace.error_x.arrayminus) == pytest.approx([mean - low for mean, low, _ in expected])
    assert "better" in figure.layout.xaxis.title.text


def test_worth_is_in_percent_with_chance_and_advice() -> None:
    info = worth(PLAN, [ANOVA, ALL])
    curve, everything = info.curves
    assert curve.counts == (1, 2, 4) and curve.means == pytest.approx((61.0, 71.0, 91.0))
    assert curve.errors == pytest.approx((1.0, 1.0, 1.0)) and curve.advised == 4
    assert everything.counts == (4,) and info.chance == 40.0
    assert "the best is" in info.alt and "91" in info.alt
    figure = worth_figure(info)
    assert [list(trace.y) for trace in figure.data] == [list(each.means) for each in info.curves]
    assert len(figure.layout.shapes) == 1


def test_r2_is_not_in_percent() -> None:
    regression = FeaturePlan(**vars(PLAN) | {"metric": "R2", "task": "regression", "chance": 0.0})
    info = worth(regression, [ANOVA])
    assert info.curves[0].means == pytest.approx((0.61, 0.71, 0.91)) and "R2" in str(info.y)


def test_agreement_compares_resample_by_resample_and_each_with_itself() -> None:
    info = agreements(PLAN, [ANOVA, L1, ALL], 2)
    assert info.selectors == ("anova", "l1"), "all features choose nothing"
    assert info.cells == ((1.0, -1.0), (-1.0, 1.0))
    figure = agreement_figure(info)
    assert [list(row) for row in figure.data[0].z] == [list(row) for row in info.cells]
    assert agreements(PLAN, [ANOVA, L1], 4).cells == ((None, None), (None, None))
    assert agreements(PLAN, [], 2).cells == ()


def test_times_are_medians_the_slowest_first() -> None:
    info = times(PLAN, [ANOVA, L1])
    assert [(bar.selector, bar.median, bar.low, bar.high) for bar in info.bars] == [
        ("l1", 5.5, 5.0, 6.0),
        ("anova", 1.5, 1.0, 2.0),
    ]
    assert list(times_figure(info).data[0].x) == [5.5, 1.5]
    assert times(PLAN, []).bars == ()


def test_every_selector_has_a_look_of_its_own_and_colour_is_never_alone() -> None:
    looks: list[Any] = [(look(name).dash, look(name).symbol) for name in SELECTORS]
    assert len(set(looks)) == len(SELECTORS)
    assert look("another").color.startswith("#")
