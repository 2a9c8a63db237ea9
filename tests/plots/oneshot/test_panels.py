"""Losses, uncertainty, policy, gap: what they state from snapshots told in numbers, and that they are drawn."""

from __future__ import annotations

import json
import math
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable

import pytest

from explorer.plots.oneshot.gap import gap, gap_sentence
from explorer.plots.oneshot.losses import losses
from explorer.plots.oneshot.panels import MOST_POINTS, PanelsInfo, panels_figure, panels_svg
from explorer.plots.oneshot.policy import policy
from explorer.plots.oneshot.uncertainty import uncertainty
from explorer.space import preset
from tests.plots.oneshot.stories import Snapshot, measured, snapshots

CELL = preset("cell")
POLICY = {
    "reward": 0.5,
    "baseline": 0.4,
    "policy_entropy": 3.0,
    "sampled": [
        {"architecture": "a", "advantage": 0.1, "skip_rate": 0.2},
        {"architecture": "b", "advantage": -0.2, "skip_rate": 0.4},
    ],
}
GAPS = [measured("discretization_gap", step, supernet=0.5, derived=0.2, images=400) for step in (10, 20)]


def line(info: PanelsInfo, words: str) -> tuple[tuple[float, float], ...]:
    """The points of the line with these words."""
    return next(one.points for panel in info.panels for one in panel.lines if one.words == words)


def test_losses_skip_what_is_not_known_and_accuracies_are_search_accuracies_in_percent() -> None:
    info = losses(snapshots(CELL, 3))
    assert line(info, "training batches") == ((0, 2.0), (10, 1.5), (20, 1.0))
    assert [panel.y.title for panel in info.panels] == ["loss (cross-entropy, nats)", "search accuracy (%)"]
    assert info.panels[1].lines[1].points == ((10, pytest.approx(30)), (20, pytest.approx(50)))
    assert "no derived architecture has these numbers" in info.basis


def test_uncertainty_is_in_nats_from_nothing_decided_to_nothing_open() -> None:
    story = snapshots(CELL, 4)
    info = uncertainty(story, CELL, 0.7)
    entropy, shares = info.panels
    assert entropy.levels[0].value == pytest.approx(math.log(5))
    mean = [sum(one["entropy"].values()) / 6 for one in story]
    assert [value for _, value in line(info, "mean")] == pytest.approx(mean)
    assert mean[0] == pytest.approx(math.log(5)) and mean[-1] < mean[0]
    assert len([one for one in entropy.lines if one.quiet]) == 6
    assert [level.value for level in shares.levels] == [70]


def test_temperature_is_drawn_where_there_is_one() -> None:
    assert len(uncertainty(snapshots(CELL), CELL).panels) == 2
    hot = uncertainty(snapshots(CELL, temperature=4.0), CELL)
    assert line(hot, "temperature")[0] == (0, 4.0)


def test_the_policy_shows_rewards_and_the_spread_of_advantages() -> None:
    info = policy(snapshots(CELL, 2, **POLICY))
    assert line(info, "mean reward")[0] == (0, 50) and line(info, "baseline")[0] == (0, 40)
    ends = [
        line(info, words)[0][1] for words in ("smallest advantage", "mean advantage", "largest advantage")
    ]
    assert ends == pytest.approx([-20, -5, 10])
    assert line(info, "skips, mean of the samples")[0][1] == pytest.approx(30)


def test_a_method_without_a_policy_has_nothing_to_show() -> None:
    assert policy(snapshots(CELL)).is_empty


def test_the_gap_is_said_in_points_on_the_same_images() -> None:
    info = gap([*GAPS, measured("hessian_eigenvalue", 20, value=0.3), measured("derived", 20)])
    assert line(info, "supernet") == ((10, 50), (20, 50))
    assert line(info, "of the Hessian") == ((20, 0.3),)
    assert "same 400 images" in info.basis and "2 times" in info.basis
    assert "a gap of 30.0 points" in gap_sentence(GAPS)


def test_a_single_measure_stands_on_an_axis_from_the_beginning() -> None:
    figure = panels_figure(gap(GAPS[1:]))
    low, high = figure.layout.xaxis.range
    assert low < 0.5 and 20 < high < 21


def test_before_any_measure_the_gap_says_so() -> None:
    assert gap([]).is_empty and gap_sentence([]) == ""
    assert "Not measured yet" in gap([]).basis
    broken = [measured("discretization_gap", 1, supernet=None, derived=None)]
    assert gap(broken).is_empty and gap_sentence(broken) == ""


INFOS: dict[str, Callable[[list[Snapshot]], PanelsInfo]] = {
    "losses": losses,
    "uncertainty": lambda story: uncertainty(story, CELL),
    "policy": policy,
    "gap": lambda story: gap(GAPS if story else []),
}


@pytest.mark.parametrize("name", INFOS)
@pytest.mark.parametrize("count", [0, 1, 9])
def test_panels_are_drawn_with_any_number_of_snapshots(name: str, count: int) -> None:
    info = INFOS[name](snapshots(CELL, count, **POLICY))
    root = ElementTree.fromstring(panels_svg(info))
    assert root.get("role") == "img" and root.get("aria-label") == info.alt
    assert info.question.endswith("?") and info.basis.endswith(".")
    drawn = json.loads(panels_figure(info).to_json())["data"]
    legend = [trace["name"] for trace in drawn if trace["showlegend"]]
    assert len(set(legend)) == len(legend)


def test_thousands_of_snapshots_stay_small_in_the_picture_and_whole_in_the_figure() -> None:
    story = [one | {"step": at} for at, one in enumerate(snapshots(CELL, 40) * 50)]
    info = losses(story)
    assert len(panels_svg(info)) < 40 * MOST_POINTS * 4
    assert len(panels_figure(info).data[0].x) == 2000
