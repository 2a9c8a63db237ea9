"""The charts beside a film: the numbers of the info records, packed small, whatever the file says."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest

from explorer.plots.drawn.strips import DIGITS, DOTS, PLAIN, QUIET, THICK, strips
from explorer.plots.leaderboard import space_of
from explorer.plots.oneshot.losses import losses
from explorer.plots.oneshot.probabilities import probabilities
from explorer.runs.recorded import read_recorded
from explorer.runs.spec import RunSpec
from explorer.runs.state import RunState, fold
from explorer.space import preset
from tests.pages.oneshot_stories import spec
from tests.plots.oneshot.known import known, worth_of
from tests.plots.oneshot.stories import Snapshot, measured, snapshots

EXAMPLES = sorted((Path(__file__).resolve().parents[3] / "assets" / "examples").glob("*.jsonl.gz"))
LIVE_BYTES = 20_000
POLICY = {
    "reward": 0.5,
    "baseline": 0.4,
    "policy_entropy": 3.0,
    "sampled": [{"architecture": str(one), "advantage": 0.1, "skip_rate": 0.2} for one in range(4)],
}


def state(given: RunSpec, story: list[Snapshot], *measurements: dict[str, Any]) -> RunState:
    return RunState("run-1", given, snapshots=tuple(story), measurements=measurements)


def points(data: dict[str, Any], panel: dict[str, Any], words: str) -> list[tuple[int, float]]:
    """What the browser makes of a packed line."""
    _, steps, packed, _ = next(line for line in panel["lines"] if data["looks"][line[0]][0] == words)
    low, high = panel.get("z", (0, 1))
    signs = [DIGITS.index(sign) for sign in packed]
    heights = [64 * first + second for first, second in zip(signs[::2], signs[1::2], strict=True)]
    values = [low + height / 4095 * (high - low) for height in heights]
    return list(zip(data["s"][steps], values, strict=True))


def asked(data: dict[str, Any], words: str) -> dict[str, Any]:
    """The first section whose question has these words."""
    return next(section for section in data["sections"] if words in section.get("q", ""))


def compact(data: Any) -> str:
    return json.dumps(data, separators=(",", ":"), allow_nan=False)


def test_a_packed_line_is_the_line_of_the_info_record() -> None:
    given = spec("cell")
    story = snapshots(preset("cell"), 12)
    data = strips(state(given, story), space_of(given), live=False)
    panel = asked(data, "learning")["panels"][0]
    assert panel["y"] == "loss (cross-entropy, nats) · lower is better"
    told = losses(story).panels[0].lines
    for line in told:
        assert points(data, panel, line.words) == [
            (step, pytest.approx(value, abs=0.001)) for step, value in line.points
        ]
    assert data["x"] == [0, 110] and data["s"][0] == [10 * at for at in range(12)]


def test_probabilities_are_small_panels_in_sections_with_what_is_derived() -> None:
    given = spec("darts-cell")
    space = space_of(given)
    assert space is not None
    story = snapshots(space, 12)
    data = strips(state(given, story), space, live=True)
    sections = [section for section in data["sections"] if section.get("small")]
    assert [section["h"] for section in sections] == ["Normal cell", "Reduction cell"]
    assert "basis" in sections[-1] and "q" not in sections[-1]
    info = probabilities(story, space)
    panels = [panel for section in sections for panel in section["panels"]]
    for panel, small in zip(panels, info.smalls, strict=True):
        assert panel["y"] == f"{small.row.title}: {small.derived}"
        assert [line[3] == THICK for line in panel["lines"]] == [course.chosen for course in small.courses]
        for course in small.courses:
            found = points(data, panel, course.candidate.words)
            assert found == [(step, pytest.approx(value, abs=0.001)) for step, value in course.points]
    looks = {line[0] for panel in panels for line in panel["lines"]}
    assert looks == set(sections[0]["key"])


def test_lines_tell_themselves_apart_by_words_and_dash_and_the_quiet_ones_have_no_words() -> None:
    given = spec("cell")
    data = strips(state(given, snapshots(preset("cell"), 4)), space_of(given), live=False)
    for section in data["sections"]:
        for panel in section["panels"]:
            looks = [tuple(data["looks"][line[0]]) for line in panel["lines"] if line[3] != QUIET]
            assert len({look[0] for look in looks}) == len(looks) and all(look[0] for look in looks)
    entropy = asked(data, "making up its mind")["panels"][0]
    assert [line[3] for line in entropy["lines"]].count(QUIET) == 6
    assert {data["looks"][line[0]][0] for line in entropy["lines"] if line[3] == QUIET} == {""}
    assert [line[3] for line in entropy["lines"]].count(PLAIN) == 1


def test_the_alarm_for_skips_stands_at_the_share_that_the_run_was_given() -> None:
    given = spec("cell", settings={"method": {"skip_alarm": 0.75}})
    data = strips(state(given, snapshots(preset("cell"), 3)), space_of(given), live=True)
    shares = asked(data, "skips only")["panels"][1]
    assert shares["levels"] == [["alarm for skips", 25.0, "#e5484d"]]


def test_rewards_and_the_gap_are_asked_for_only_where_they_were_measured() -> None:
    given = spec("cell", method="enas")
    story = snapshots(preset("cell"), 4, **POLICY)
    gap = measured("discretization_gap", 30, supernet=0.5, derived=0.2)
    with_both = strips(state(given, story, gap), space_of(given), live=False)
    assert [panel.get("dots") for panel in asked(with_both, "cut out of the supernet")["panels"]] == [1]
    assert len(asked(with_both, "controller")["panels"]) == 4
    without = strips(state(spec("cell"), snapshots(preset("cell"), 4)), space_of(given), live=False)
    questions = [section.get("q", "") for section in without["sections"]]
    assert not any("controller" in words or "cut out" in words for words in questions)


@pytest.mark.parametrize("live", [True, False])
def test_what_the_answer_key_says_is_asked_first_with_a_dot_at_each_change(live: bool) -> None:
    given = spec("cell")
    story = snapshots(preset("cell"), 4)
    gap = measured("discretization_gap", 30, supernet=0.5, derived=0.2)
    told = known([worth_of(0.6), worth_of(0.6), worth_of(0.64), worth_of(0.5)])
    data = strips(state(given, story, gap), space_of(given), live, told)
    assert "worth to stop now" in data["sections"][0]["q"]
    for panel, heights in zip(
        data["sections"][0]["panels"], ([60, 60, 64, 50], [10.1, 10.1, 6.1, 20.1]), strict=True
    ):
        name = "true test accuracy" if heights[0] == 60 else "true rank"
        assert points(data, panel, name) == [
            (10 * at, pytest.approx(height, abs=0.02)) for at, height in enumerate(heights)
        ]
        dots = next(line for line in panel["lines"] if line[3] == DOTS)
        assert data["looks"][dots[0]][0] == "" and data["s"][dots[1]] == [20, 30]
    third = asked(data, "cut out of the supernet")["panels"][0]
    assert points(data, third, "derived, trained alone (answer key)") == [(30, pytest.approx(45, abs=0.02))]
    given = spec("cell", method="spos")
    data = strips(state(given, story), space_of(given), live, told)
    assert not any("stop now" in section.get("q", "") for section in data["sections"])


def test_the_small_print_counts_all_snapshots_though_few_are_drawn() -> None:
    given = spec("cell")
    data = strips(state(given, snapshots(preset("cell"), 500)), space_of(given), live=True)
    for section in data["sections"]:
        assert "500 snapshots of one search (one seed), up to step 4,990." in section["basis"]
        for panel in section["panels"]:
            for _, steps, packed, _ in panel["lines"]:
                assert data["s"][steps][0] in (0, 10) and data["s"][steps][-1] == 4_990
                assert len(packed) <= 2 * 160


@pytest.mark.parametrize(
    ("name", "method", "more"), [("darts-cell", "darts", {}), ("enas-macro", "enas", POLICY)]
)
def test_a_live_message_is_small(name: str, method: str, more: dict[str, Any]) -> None:
    """14 edges of 8 operations, twice; and ENAS's macro space."""
    space = preset(name, nodes=4) if name == "darts-cell" else preset(name)
    given = spec(space.to_json(), method=method)
    story = [one | {"step": 1_000 * at} for at, one in enumerate(snapshots(space, 400, **more))]
    gap = measured("discretization_gap", 30, supernet=0.5, derived=0.2)
    data = strips(state(given, story, gap), space_of(given), live=True)
    assert sum(len(section["panels"]) for section in data["sections"] if section.get("small")) in (28, 21)
    assert len(compact(data)) < LIVE_BYTES


def test_a_search_that_was_resumed_has_each_step_once_and_the_later_value() -> None:
    story = [*snapshots(preset("cell"), 4), *snapshots(preset("cell"), 6)[2:]]
    story[4] = story[4] | {"train_loss": 9.0}  # step 20 again
    given = spec("cell")
    data = strips(state(given, story), space_of(given), live=False)
    found = dict(points(data, asked(data, "learning")["panels"][0], "training batches"))
    assert found[20] == pytest.approx(9.0, abs=0.01)
    for steps in data["s"][1:]:
        assert steps == sorted(set(steps))


def test_the_steps_of_the_arrow_keys_rise_also_after_a_resume() -> None:
    story = [*snapshots(preset("cell"), 4), *snapshots(preset("cell"), 6)[2:]]
    data = strips(state(spec("cell"), story), space_of(spec("cell")), live=False)
    assert data["s"][0] == [0, 10, 20, 30, 40, 50]


def test_a_method_that_believes_nothing_has_losses_alone() -> None:
    given = spec("cell", method="spos")
    data = strips(state(given, snapshots(preset("cell"), 3)), space_of(given), live=False)
    assert [section["q"][:23] for section in data["sections"]] == ["Is the supernet learnin"]


def test_nothing_to_draw_is_drawn_as_nothing() -> None:
    given = spec("cell")
    data = strips(state(given, []), space_of(given), live=True)
    assert data["sections"] == [] and data["x"] == [0, 1] and data["film"] == "run-1"
    assert compact(strips(state(given, snapshots(preset("cell"), 1)), None, live=True))


@pytest.mark.parametrize("value", [1e100, -1e100, 5e-324, 0.0])
def test_numbers_at_the_end_of_the_range_can_be_drawn(value: float) -> None:
    story = snapshots(preset("cell"), 3)
    story[1] = story[1] | {"train_loss": value, "validation_loss": 0.0, "temperature": value, "reward": value}
    story[2] = story[2] | {"train_loss": 0.0, "validation_loss": 0.0}
    given = spec("cell")
    data = strips(state(given, story), space_of(given), live=True)
    found = points(data, asked(data, "learning")["panels"][0], "training batches")
    assert all(math.isfinite(height) for _, height in found)
    assert "NaN" not in compact(data)


def test_a_strangers_names_are_cut() -> None:
    text = json.dumps(preset("notes-net").to_json()).replace("mid_conv", "<img onerror=1>" + "x" * 180)
    given = spec(json.loads(text))
    space = space_of(given)
    assert space is not None
    written = json.dumps(strips(state(given, snapshots(space, 2)), space, live=False))
    assert "<img onerror=1>x" in written and "x" * 60 not in written


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
@pytest.mark.parametrize("live", [True, False])
def test_every_recorded_search_has_charts(path: Path, live: bool) -> None:
    given, events = read_recorded(path)
    if given.kind != "oneshot":
        return
    data = strips(fold(events), space_of(given), live)
    assert data["sections"]
    assert len(compact(data)) < (LIVE_BYTES if live else 60_000)
