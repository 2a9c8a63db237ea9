"""Small multiples of probabilities: every decision has its panel, every candidate a look, the derived one its mark."""

from __future__ import annotations

import dataclasses
import json
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from itertools import pairwise

import pytest

from explorer.plots.oneshot.candidates import Row, described, key_of
from explorer.plots.oneshot.probabilities import (
    ProbabilitiesInfo,
    apart,
    probabilities,
    probabilities_figure,
    probabilities_svg,
)
from explorer.space import InputChoice, SearchSpace, decisions, path_of, preset
from tests.plots.oneshot.stories import snapshots
from tests.plots.test_scenes import HOSTILE, hostile_space

SPACES: dict[str, Callable[[], SearchSpace]] = {
    "cell, 6 decisions": lambda: preset("cell"),
    "darts, 10": lambda: preset("darts-cell"),
    "darts, 28": lambda: preset("darts-cell", nodes=4),
    "enas, 6 layers and 15 switches": lambda: preset("enas-macro"),
    "notes-net, 3": lambda: preset("notes-net"),
    "two of three inputs": lambda: _with_inputs(),
}


def _with_inputs() -> SearchSpace:
    """An InputChoice that always takes two."""
    space = preset("enas-macro", layers=4)
    skips = (InputChoice("two", ("norm_1", "norm_2", "norm_3"), "layer_4", 2, "none"),)
    return dataclasses.replace(space, skips=skips)  # type: ignore[call-arg]


@pytest.fixture(params=SPACES)
def space(request: pytest.FixtureRequest) -> SearchSpace:
    """Each kind of decision, few and many of them."""
    return SPACES[request.param]()


def test_every_decision_has_a_panel_with_its_own_numbers(space: SearchSpace) -> None:
    story = snapshots(space)
    info = probabilities(story, space)
    assert [small.row.label for small in info.smalls] == [row.label for row in decisions(space)]
    for small in info.smalls:
        for course in small.courses:
            told = [one["probabilities"][small.row.label][course.candidate.name] for one in story]
            assert [value for _, value in course.points] == told
        if small.row.kind != "switch":
            last = sum(course.last for course in small.courses)
            assert last == pytest.approx(1)


def test_what_the_newest_snapshot_derives_is_marked(space: SearchSpace) -> None:
    story = snapshots(space)
    path = path_of(space, story[-1]["derived"])
    names = {row.label: row.candidates for row in decisions(space)}
    for small in probabilities(story, space).smalls:
        at = path[small.row.label]
        indices = at if isinstance(at, tuple) else () if at is None else (at,)
        expected = {names[small.row.label][index] for index in indices} - {"off"}
        assert {course.candidate.name for course in small.courses if course.chosen} == expected
        assert small.derived


def check_looks(rows: tuple[Row, ...]) -> None:
    """Inside a decision nothing looks alike, and the tag alone tells the candidates apart."""
    for row in rows:
        looks = [(candidate.color, candidate.dash) for candidate in row.candidates]
        tags = [candidate.tag for candidate in row.candidates]
        assert len(set(looks)) == len(looks) and len(set(tags)) == len(tags), row.label


def test_candidates_differ_in_look_and_in_tag(space: SearchSpace) -> None:
    check_looks(described(space))


def test_looks_without_dashes_would_be_rejected() -> None:
    rows = tuple(
        dataclasses.replace(
            row, candidates=tuple(dataclasses.replace(one, dash="") for one in row.candidates)
        )
        for row in described(preset("enas-macro"))
    )
    with pytest.raises(AssertionError, match="layer_1"):
        check_looks(rows)


def test_the_key_names_every_look_once() -> None:
    key = key_of(described(preset("darts-cell", nodes=4)))
    assert [candidate.name for candidate in key] == list(preset("darts-cell").operations)  # type: ignore[attr-defined]


@pytest.mark.parametrize("count", [0, 1, 7])
def test_pictures_are_well_formed_with_any_number_of_snapshots(space: SearchSpace, count: int) -> None:
    info = probabilities(snapshots(space, count), space)
    root = ElementTree.fromstring(probabilities_svg(info))
    assert root.get("role") == "img" and root.get("aria-label") == info.alt


@pytest.mark.slow
@pytest.mark.parametrize("count", [0, 1, 7])
def test_figures_are_made_with_any_number_of_snapshots(space: SearchSpace, count: int) -> None:
    info = probabilities(snapshots(space, count), space)
    figure = probabilities_figure(info)
    told = [note.text for note in figure.layout.annotations]
    assert len(told) == len(info.smalls)
    assert all(small.derived in words for small, words in zip(info.smalls, told, strict=True))
    drawn = json.loads(figure.to_json())["data"]
    assert len(drawn) == sum(len(small.courses) for small in info.smalls)
    shown = {trace["legendgroup"] for trace in drawn if trace["showlegend"]}
    assert len([trace for trace in drawn if trace["showlegend"]]) == len(shown)


@pytest.mark.slow
def test_a_long_search_of_many_decisions_stays_small_enough_to_be_sent_every_second() -> None:
    space = preset("darts-cell", nodes=4)
    story = snapshots(space, 60)
    long = [one | {"step": 10 * at} for at, one in enumerate(story * 20)]
    assert len(probabilities_svg(probabilities(long, space))) < 200_000


def test_what_does_not_fit_the_space_is_left_out() -> None:
    space = preset("cell")
    story = snapshots(space, 3)
    for one in story:
        one["probabilities"] = {
            "edge_0_1": {"none": 0.4, "stranger": 0.6, "skip_connect": None},
            "x": {"a": 1},
        }
        one["derived"] = {"nonsense": 1}
    info = probabilities(story, space)
    assert [len(small.courses) for small in info.smalls] == [1, 0, 0, 0, 0, 0]
    assert not any(small.derived for small in info.smalls)
    ElementTree.fromstring(probabilities_svg(info))
    assert probabilities(story, None).smalls == ()


def test_hostile_names_stay_text() -> None:
    space = hostile_space()
    info = probabilities(snapshots(space, 2), space)
    root = ElementTree.fromstring(probabilities_svg(info))
    assert not [element for element in root.iter() if element.tag.lower().endswith("script")]
    assert any(HOSTILE[:6] in (element.text or "") for element in root.iter())
    drawn = probabilities_figure(info).to_json()
    assert "<script" not in drawn


def test_a_young_search_can_be_seen_to_move_on_axes_that_say_where_they_end() -> None:
    space = preset("cell")
    story = snapshots(space, 30)[:3]
    near = probabilities(story, space, whole=False)
    highest = max(course.last for small in near.smalls for course in small.courses)
    assert highest < near.top < 0.5 and probabilities(story, space).top == 1
    assert f">{near.top:g}</text>" in probabilities_svg(near)
    assert probabilities_figure(near).layout.yaxis.tickvals[-1] == near.top
    assert probabilities([], space, whole=False).top == 1


def test_sections_follow_the_network() -> None:
    def names(info: ProbabilitiesInfo) -> list[str]:
        return [name for name, _ in info.sections]

    assert names(probabilities([], preset("darts-cell"))) == ["Normal cell", "Reduction cell"]
    assert names(probabilities([], preset("enas-macro"))) == ["Layers", "Skips"]
    assert names(probabilities([], preset("cell"))) == [""]


@pytest.mark.parametrize("places", [[], [5.0], [0.0, 0.0, 0.0, 0.0], [70.0, 71.0, 80.0], [0.0, 40.0, 80.0]])
def test_tags_keep_their_distance_and_their_order_inside_the_panel(places: list[float]) -> None:
    found = apart(places, 9.0, 1.0, 80.0)
    assert len(found) == len(places)
    assert all(1.0 <= place <= 80.0 for place in found)
    assert all(two - one >= 9.0 - 1e-9 for one, two in pairwise(found))
