"""A film's promises: what it holds, how large it gets, and that no stranger's file breaks it."""

from __future__ import annotations

import base64
import copy
import json
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from explorer.plots.drawn import film
from explorer.plots.drawn.film import LIVE_MARKS, MOST_FRAMES, TEXT_CHARACTERS
from explorer.plots.leaderboard import space_of
from explorer.runs.recorded import read_recorded
from explorer.runs.state import RunState, fold
from explorer.space import SearchSpace, decisions, path_of, preset
from explorer.space.derive import genotype_text
from tests.plots.drawn.stories import candidates, frames, one_shot_film, row_of, search, starts, state

ROOT = Path(__file__).parents[3]
CELL = preset("cell")


def size(drawn: dict[str, Any]) -> int:
    """Bytes as a component sends them."""
    return len(json.dumps(drawn, allow_nan=False).encode())


def rows_of(space: SearchSpace, step: int, **special: dict[str, float]) -> dict[str, Any]:
    """A snapshot that believes evenly except in what is given."""
    even = {one.label: dict.fromkeys(one.candidates, 1 / len(one.candidates)) for one in decisions(space)}
    return {"step": step, "epoch": step, "probabilities": even | special}


SURE = {"none": 1.0, "skip_connect": 0.0, "nor_conv_1x1": 0.0, "nor_conv_3x3": 0.0, "avg_pool_3x3": 0.0}

# -- what it holds ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("live", [True, False])
@pytest.mark.parametrize("name, method", [("cell", "darts"), ("darts-cell", "darts"), ("enas-macro", "enas")])
def test_the_last_frame_is_the_newest_snapshot_to_half_a_255th(name: str, method: str, live: bool) -> None:
    space = preset(name)
    run = search(space, 50, method)
    drawn = film(run, space, live)
    newest, last = run.snapshots[-1], frames(drawn)[-1]
    assert drawn["steps"][-1] == newest["step"] and drawn["ep"][-1] == newest["epoch"]
    for one, start in zip(decisions(space), starts(drawn), strict=True):
        for at, name in enumerate(one.candidates):
            assert abs(last[start + at] / 255 - newest["probabilities"][one.label][name]) <= 1 / 510 + 1e-9
    told = drawn["d"][-1]
    assert told[2] == space.code(newest["derived"])
    text = next(text for *_, code, text in drawn["d"] if code == told[2])
    assert text == genotype_text(space, newest["derived"])


@given(st.lists(st.floats(0, 1), min_size=5, max_size=5))
def test_a_probability_is_kept_to_half_a_255th(row: list[float]) -> None:
    told = dict(zip(CELL.mutables[0].names, row, strict=True))  # type: ignore[union-attr]
    held = row_of(one_shot_film(CELL, [rows_of(CELL, 0, edge_0_1=told)]), "edge_0_1", 0)
    assert all(abs(byte / 255 - value) <= 1 / 510 + 1e-9 for byte, value in zip(held, row, strict=True))


def test_a_live_film_holds_the_newest_32_snapshots_in_their_order() -> None:
    run = search(CELL, 50)
    drawn = film(run, CELL, live=True)
    assert drawn["live"] and drawn["n"] == 32
    assert drawn["steps"] == [one["step"] for one in run.snapshots[-32:]]
    assert frames(drawn) == frames(film(run, CELL, live=False))[-32:]


def test_nothing_has_happened_yet() -> None:
    drawn = one_shot_film(CELL, [], live=True)
    assert (drawn["n"], drawn["f"], drawn["steps"], drawn["d"], drawn["s"], drawn["ev"]) == (
        0,
        "",
        [],
        [],
        "",
        [],
    )
    assert len(drawn["rows"]) == 6


def test_what_would_be_derived_is_told_only_where_it_changes_and_its_genotype_once() -> None:
    first, second = CELL.default.to_json(), CELL.architecture_at(7).to_json()
    given = [
        rows_of(CELL, step) | {"derived": held}
        for step, held in enumerate([first, first, second, second, first])
    ]
    told = one_shot_film(CELL, given)["d"]
    assert [(frame, code) for frame, _, code, _ in told] == [
        (0, CELL.code(first)),
        (2, CELL.code(second)),
        (4, CELL.code(first)),
    ]
    assert [text for *_, text in told] == [genotype_text(CELL, first), genotype_text(CELL, second), ""]
    assert told[0][1] == [5 * edge for edge in range(6)]  # the first candidate of each


def test_a_live_film_tells_the_newest_genotype_alone() -> None:
    drawn = film(search(CELL, 50, noise=3.0), CELL, live=True)
    assert len(drawn["d"]) > 2
    assert len([text for *_, text in drawn["d"] if text]) == 1


def test_a_darts_cell_derives_two_inputs_a_node() -> None:
    space = preset("darts-cell", nodes=4)
    drawn = film(search(space, 3), space, live=False)
    for _, columns, _, _ in drawn["d"]:
        assert len(columns) == 2 * 4 * 2 and len({column // 8 for column in columns}) == len(columns)


def test_what_was_sampled_last_is_named_row_by_row() -> None:
    space = preset("enas-macro")
    run = search(space, 5, "enas")
    drawn = film(run, space, live=False)
    held = base64.b64decode(drawn["s"])
    assert len(held) == 5 * len(drawn["rows"])
    chosen = space.from_code(run.snapshots[-1]["sampled"][-1]["architecture"])
    names = [candidates(drawn)[at][byte][0] for at, byte in enumerate(held[-len(drawn["rows"]) :])]
    assert names[:6] == [chosen[f"layer_{number}"] for number in range(1, 7)]
    assert names[6] == ("on" if chosen["skip_2"] else "off")


def test_an_edge_that_was_not_sampled_names_nothing() -> None:
    space = preset("darts-cell")
    run = search(space, 1, "enas")
    drawn = film(run, space, live=False)
    path = path_of(space, space.from_code(run.snapshots[0]["sampled"][-1]["architecture"]))
    wanted = [255 if path[row["l"]] is None else path[row["l"]] for row in drawn["rows"]]
    assert list(base64.b64decode(drawn["s"])) == wanted and 255 in wanted


def test_a_method_that_samples_nothing_has_nothing_sampled() -> None:
    assert film(search(CELL, 5), CELL, live=False)["s"] == ""


@pytest.mark.parametrize("method", ["spos", "fairnas"])
def test_a_method_that_believes_nothing_shows_only_what_was_derived_at_its_end(method: str) -> None:
    run = search(CELL, 5, method)
    drawn = film(run, CELL, live=False)
    assert (drawn["n"], drawn["f"], drawn["d"]) == (0, "", []) and len(drawn["steps"]) == 5
    found = CELL.architecture_at(77)
    over = state(CELL, run.snapshots, method, [("derived", 4, {"architecture": found.to_json()})])
    assert [(at, code) for at, _, code, _ in film(over, CELL, live=False)["d"]] == [(4, CELL.code(found))]


def test_the_last_frame_shows_what_was_derived_and_not_what_is_most_probable() -> None:
    run, found = search(CELL, 3), CELL.architecture_at(77)
    over = state(CELL, run.snapshots, marks=[("derived", 2, {"architecture": found.to_json()})])
    told = film(over, CELL, live=False)["d"]
    assert told[-1][0] == 2 and told[-1][2] == CELL.code(found) != CELL.code(run.snapshots[-1]["derived"])
    assert told[0][2] == CELL.code(run.snapshots[0]["derived"])


@pytest.mark.parametrize("data", [None, 3, {}, {"architecture": 3}, {"architecture": {"edge_0_1": "x"}}])
def test_a_derived_that_cannot_be_read_ends_nothing(data: Any) -> None:
    over = state(CELL, search(CELL, 3, "spos").snapshots, "spos", [("derived", 2, data)])
    assert film(over, CELL, live=False)["d"] == []


# -- marks ------------------------------------------------------------------------------------------------------------


def test_marks_stand_at_the_first_frame_that_has_come_to_their_step() -> None:
    marks = [
        ("alarm", 15, {"sentence": "skips"}),
        ("checkpoint", 20, {"step": 20}),
        ("guard", 99, {"sentence": "up"}),
    ]
    run = state(CELL, [rows_of(CELL, step) for step in (0, 10, 20, 30)], marks=marks)
    assert film(run, CELL, live=False)["ev"] == [
        [2, "alarm", "skips"],
        [2, "checkpoint", "checkpoint of step 20"],
        [3, "guard", "up"],
    ]


def test_other_measurements_are_no_marks() -> None:
    run = state(CELL, [rows_of(CELL, 0)], marks=[("rank_probe", 0, {}), ("alarm", 0, "not a mapping")])
    assert film(run, CELL, live=False)["ev"] == []


def test_a_live_film_keeps_the_newest_marks_of_its_frames_and_sentences_before_checkpoints() -> None:
    checkpoints = [("checkpoint", step, {"step": step}) for step in range(100)]
    marks = [("alarm", 10, {"sentence": "old"}), ("alarm", 80, {"sentence": "new"}), *checkpoints]
    run = state(CELL, [rows_of(CELL, step) for step in range(100)], marks=marks)
    told = film(run, CELL, live=True)["ev"]
    assert len(told) == LIVE_MARKS and [mark[2] for mark in told if mark[1] == "alarm"] == ["new"]
    assert told[-1] == [31, "checkpoint", "checkpoint of step 99"]


def test_a_sentence_of_a_stranger_is_cut_and_cannot_reorder_the_page() -> None:
    run = state(CELL, [rows_of(CELL, 0)], marks=[("alarm", 0, {"sentence": "\u202e" + "x" * 10_000})])
    words = film(run, CELL, live=False)["ev"][0][2]
    assert len(words) <= 300 and words.startswith("\ufffdx")


# -- thinning ---------------------------------------------------------------------------------------------------------


def test_a_long_search_keeps_its_ends_its_changes_and_its_marks() -> None:
    changes, marked = {1_234: 1, 3_333: 2, 4_998: 3}, 2_777
    snapshots, number = [], 0
    for step in range(5_000):
        number = changes.get(step, number)
        snapshots.append(rows_of(CELL, step) | {"derived": CELL.architecture_at(number).to_json()})
    drawn = film(state(CELL, snapshots, marks=[("alarm", marked, {"sentence": "a"})]), CELL, live=False)
    steps = drawn["steps"]
    assert len(steps) == drawn["n"] == MOST_FRAMES and steps == sorted(set(steps))
    assert {0, 4_999, marked, *changes} <= set(steps)
    assert [steps[frame] for frame, *_ in drawn["d"]] == [0, *changes]
    assert steps[drawn["ev"][0][0]] == marked
    assert max(after - before for before, after in pairwise(steps)) <= 4


def test_more_changes_than_frames_are_thinned_too() -> None:
    snapshots = [
        rows_of(CELL, step) | {"derived": CELL.architecture_at(step % 2).to_json()} for step in range(5_000)
    ]
    drawn = one_shot_film(CELL, snapshots)
    assert drawn["n"] == MOST_FRAMES and drawn["steps"][0] == 0 and drawn["steps"][-1] == 4_999


def test_a_row_that_a_frame_lacks_is_that_of_the_last_snapshot_that_had_it_thinned_out_or_not() -> None:
    snapshots = [rows_of(CELL, step) for step in range(4_100)]
    snapshots[4_097]["probabilities"]["edge_0_1"] = SURE
    for later in snapshots[4_098:]:
        del later["probabilities"]["edge_0_1"]
    held = row_of(one_shot_film(CELL, snapshots), "edge_0_1", -1)
    assert list(held) == [255, 0, 0, 0, 0]


# -- sizes ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name, method, settings", [("darts-cell", "darts", {"nodes": 4}), ("enas-macro", "enas", {})]
)
def test_a_live_message_stays_below_20_000_bytes(name: str, method: str, settings: dict[str, int]) -> None:
    space = preset(name, **settings)
    # shaken so much that nearly every frame derives something else
    snapshots = search(space, 60, method, noise=1.0).snapshots
    sentence = "50% of the derived operations are skips: the search may have collapsed. " + "x" * 60
    marks = [("alarm", step, {"sentence": sentence}) for step in range(52, 60)]
    run = state(space, snapshots, method, marks)
    drawn = film(run, space, live=True)
    assert len(drawn["ev"]) == LIVE_MARKS and drawn["n"] >= 12
    assert size(drawn) < 20_000


def test_a_whole_film_of_14_edges_8_candidates_and_1_000_frames_takes_about_300_000_bytes_for_two_cells() -> (
    None
):
    space = preset("darts-cell", nodes=4)
    drawn = film(search(space, 1_000, noise=0.02), space, live=False)
    assert drawn["n"] == 1_000 and len(drawn["f"]) == pytest.approx(2 * 14 * 8 * 1_000 * 4 / 3, abs=4)
    assert size(drawn) - len(drawn["f"]) < 60_000


def test_genotypes_never_take_more_than_their_room() -> None:
    space = preset("darts-cell", nodes=7)
    drawn = film(search(space, 200, noise=2.0), space, live=False)
    texts = [text for *_, text in drawn["d"]]
    assert sum(map(len, texts)) <= TEXT_CHARACTERS
    assert texts[-1] and "" in texts  # the newest have theirs


# -- strangers --------------------------------------------------------------------------------------------------------


def broken(change: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
    """A film of two snapshots: one that is sure of the first edge, and one that `change` spoilt."""
    good, bad = rows_of(CELL, 0, edge_0_1=dict(SURE)), rows_of(CELL, 1, edge_0_1=dict(SURE))
    change(bad)
    return one_shot_film(CELL, [good, bad])


@pytest.mark.parametrize(
    "row",
    [
        None,
        {},
        "none",
        5,
        [1, 0, 0, 0, 0],
        {**SURE, "none": "much"},
        {**SURE, "none": None},
        {**SURE, "none": float("nan")},
        {**SURE, "none": float("inf")},
        {**SURE, "none": 1e300},
        {**SURE, "none": 2.0},
        {**SURE, "none": -1.0},
        {name: value for name, value in SURE.items() if name != "none"},
        {**SURE, "none": 0.5, "another": 0.5},
    ],
    ids=repr,
)
def test_a_row_that_does_not_fit_repeats_the_one_before(row: Any) -> None:
    drawn = broken(lambda bad: bad["probabilities"].update(edge_0_1=row))
    assert list(row_of(drawn, "edge_0_1", 1)) == [255, 0, 0, 0, 0]


def test_a_row_that_never_fitted_is_even() -> None:
    snapshot = rows_of(CELL, 0)
    snapshot["probabilities"] = {"elsewhere": {"a": 1.0}}
    assert list(row_of(one_shot_film(CELL, [snapshot]), "edge_0_1", 0)) == [51] * 5


@pytest.mark.parametrize("live", [True, False])
def test_rows_before_the_window_count(live: bool) -> None:
    snapshots = [rows_of(CELL, step, edge_0_1=dict(SURE)) for step in range(10)]
    snapshots += [rows_of(CELL, step) for step in range(10, 100)]
    for later in snapshots[10:]:
        del later["probabilities"]["edge_0_1"]
    assert list(row_of(one_shot_film(CELL, snapshots, live), "edge_0_1", 0)) == [255, 0, 0, 0, 0]


@pytest.mark.parametrize(
    "derived",
    [None, {}, {"edge_0_1": "none"}, {"a": 1}, "x", 5, {"edge_0_1": [[1]]}, {"edge_0_1": {}}],
    ids=repr,
)
def test_a_derived_that_is_none_of_the_space_changes_nothing(derived: Any) -> None:
    good = rows_of(CELL, 0) | {"derived": CELL.default.to_json()}
    drawn = one_shot_film(CELL, [good, rows_of(CELL, 1) | {"derived": derived}])
    assert len(drawn["d"]) == 1


@pytest.mark.parametrize(
    "code", ["", "zzz", "999999", "0" * 10_000, 5, None, ["a"]], ids=lambda code: repr(code)[:12]
)
def test_a_sampled_code_that_is_none_of_the_space_names_nothing(code: Any) -> None:
    good = rows_of(CELL, 0) | {"sampled": [{"architecture": "000000"}]}
    bad = rows_of(CELL, 1) | {"sampled": [{"architecture": code}]}
    held = base64.b64decode(one_shot_film(CELL, [good, bad])["s"])
    assert held == bytes([0] * 6 + [255] * 6)


@pytest.mark.parametrize("epoch", [None, "x", float("nan"), 1e300])
def test_an_epoch_that_is_no_number_is_0_or_itself(epoch: Any) -> None:
    json.dumps(one_shot_film(CELL, [rows_of(CELL, 0) | {"epoch": epoch}]), allow_nan=False)


def test_a_run_over_another_space_is_drawn_without_raising() -> None:
    run = search(preset("enas-macro"), 5, "enas")
    drawn = film(run, CELL, live=False)
    assert drawn["n"] == 5 and drawn["d"] == [] and set(base64.b64decode(drawn["s"])) == {255}


def recorded() -> list[RunState]:
    """The one-shot runs that come with the app."""
    found = []
    for path in sorted((ROOT / "assets" / "examples").glob("*.jsonl.gz")):
        spec, events = read_recorded(path)
        if spec.kind == "oneshot":
            found.append(fold(events))
    return found


@pytest.mark.parametrize("live", [True, False])
@pytest.mark.parametrize(
    "run", recorded(), ids=lambda run: f"{run.spec.space_name}-{run.spec.method['method']}"
)
def test_every_recorded_search_can_be_drawn(run: RunState, live: bool) -> None:
    space = space_of(run.spec)
    assert space is not None
    drawn = film(run, space, live)
    assert drawn["steps"][-1] == run.snapshots[-1]["step"]
    found = next(mark["data"]["architecture"] for mark in run.measurements if mark["name"] == "derived")
    assert drawn["d"][-1][2] == space.code(found)
    assert size(drawn) < (20_000 if live else 60_000)


@settings(max_examples=50, deadline=None)
@given(st.data())
def test_a_recorded_search_with_anything_replaced_is_drawn_without_raising(data: st.DataObject) -> None:
    snapshot = copy.deepcopy(dict(search(CELL, 2).snapshots[1]))
    anything = st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
        lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=5), inner, max_size=2),
        max_leaves=4,
    )
    for name in ("probabilities", "derived", "sampled", "epoch"):
        if data.draw(st.booleans()):
            snapshot[name] = data.draw(anything)
    json.dumps(one_shot_film(CELL, [rows_of(CELL, 0), snapshot]), allow_nan=False)


def test_what_is_shared_between_films_is_not_changed_by_making_one() -> None:
    run = search(CELL, 5)
    before = json.dumps(film(run, CELL, live=False))
    film(search(CELL, 9), CELL, live=True)
    assert json.dumps(film(run, CELL, live=False)) == before
