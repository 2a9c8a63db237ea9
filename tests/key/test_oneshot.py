"""One-shot searches beside a race: what they cost in the key's trainings, and which runs count."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from explorer.catalogue import METHODS
from explorer.key import Key
from explorer.key.oneshot import COLUMNS, FILE, found_by, recorded
from explorer.key.recipe import DATASETS
from explorer.key.table import key_of
from explorer.runs.spec import RunSpec
from explorer.runs.state import RunState
from explorer.space import preset
from explorer.space.restrict import Restriction, restrict
from tests.key import tables

SPEC = RunSpec(
    kind="oneshot",
    space="cell",
    dataset="noisy-digits",
    method={"method": "darts", "engine": "own"},
    epochs=50,
)
BEST = 777  # a cell's place


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Two searches of 6 and 9 seconds beside trainings of 1 and 3 seconds; one row of another dataset."""
    code = tables.SPACE.code(tables.SPACE.architecture_at(BEST))
    rows = [
        ("noisy-digits", "darts", 100, 0, code, 6.0, 1.0, "a" * 12),
        ("noisy-digits", "darts", 100, 1, "000000", 9.0, 3.0, "b" * 12),
        ("shifted-digits", "darts", 100, 0, code, 6.0, 5.0, "c" * 12),
    ]
    target = tmp_path / "oneshot.csv"
    with target.open("w", newline="") as lines:
        csv.writer(lines).writerows([COLUMNS, *rows])
    return target


def derived(place: int = BEST, seconds: Any = 10.0) -> Mapping[str, Any]:
    architecture = dict(tables.SPACE.architecture_at(place))
    return {"name": "derived", "step": 4, "data": {"architecture": architecture, "seconds": seconds}}


def state(spec: RunSpec = SPEC, *measured: Mapping[str, Any], status: str = "finished") -> RunState:
    return RunState("r", spec, status, measurements=measured or (derived(),))


def test_a_recorded_search_costs_its_seconds_over_those_of_one_training(whole: Key, file: Path) -> None:
    first, second = recorded(whole, tables.SPACE, file)
    assert (first.words, first.trainings, second.trainings) == (
        "DARTS, 100 epochs",
        3.0,
        4.5,
    )  # the median: 2 s
    assert first.seconds == pytest.approx(3.0 * whole.seconds.mean())
    assert first.test == whole.means[BEST] and second.test == whole.means[0]


def test_each_dataset_has_trainings_of_its_own_length(truth: tables.np.ndarray, file: Path) -> None:
    shifted = key_of("shifted-digits", tables.columns(truth, 3, 0.029, tables.np.random.default_rng(1)))
    (one,) = recorded(shifted, tables.SPACE, file)
    (mine,) = found_by([state(replace(SPEC, dataset="shifted-digits"))], shifted, tables.SPACE, file)
    assert (one.trainings, mine.trainings) == (6.0 / 5.0, 10.0 / 5.0)
    text = file.read_text().splitlines()
    file.write_text("\n".join(line for line in text if "shifted" not in line))
    assert found_by([state(replace(SPEC, dataset="shifted-digits"))], shifted, tables.SPACE, file) == ()


@pytest.mark.parametrize(
    "harm", ["", "no,header\n1,2\n", "noisy-digits,darts", "noisy-digits,darts,x,0,000000,1,1,a"]
)
def test_a_damaged_file_costs_its_damaged_lines_only(whole: Key, file: Path, harm: str) -> None:
    lines = file.read_text()
    expected = recorded(whole, tables.SPACE, file) if harm.startswith("noisy") else ()
    file.write_text(f"{lines}{harm}\n" if harm.startswith("noisy") else harm)
    assert recorded(whole, tables.SPACE, file) == expected
    file.write_bytes(b"\xff\x00" * 9)
    assert recorded(whole, tables.SPACE, file) == ()


def test_a_search_that_is_made_again_is_no_second_one(whole: Key, file: Path) -> None:
    again = [state(SPEC, derived(seconds=20.0)), state(), state(replace(SPEC, seed=1))]
    assert [one.trainings for one in found_by(again, whole, tables.SPACE, file)] == [10.0, 5.0]


def test_recorded_searches_stand_beside_the_whole_space_only(whole: Key, file: Path, tmp_path: Path) -> None:
    smaller = restrict(preset("cell"), Restriction(operations=("none", "skip_connect")))
    assert recorded(whole, smaller, file) == ()
    assert recorded(whole, tables.SPACE, tmp_path / "none.csv") == ()


def test_a_partial_key_leaves_out_what_it_does_not_hold(file: Path) -> None:
    seeds = tables.np.ones(tables.SIZE, dtype=int)
    seeds[0] = 0
    partial = tables.key(tables.equals(), seeds)
    assert len(recorded(partial, tables.SPACE, file)) == 1
    assert found_by([state(SPEC, derived(0))], partial, tables.SPACE, file) == ()


def test_a_finished_run_counts_with_the_speed_of_the_recorded_ones(whole: Key, file: Path) -> None:
    (one,) = found_by([state()], whole, tables.SPACE, file)
    assert (one.words, one.trainings, one.test) == ("DARTS, 50 epochs, yours", 5.0, whole.means[BEST])


@pytest.mark.parametrize(
    ("other", "words"),
    [
        (replace(SPEC, method={"method": "darts", "engine": "nni"}), "NNI: DARTS, 50 epochs, yours"),
        (replace(SPEC, settings={"method": {"split": 0.4}}), "DARTS, 50 epochs, changed settings, yours"),
        (replace(SPEC, epochs=1), "DARTS, 1 epoch, yours"),
    ],
)
def test_searches_of_another_kind_are_another_point(
    whole: Key, file: Path, other: RunSpec, words: str
) -> None:
    (one,) = found_by([state(other)], whole, tables.SPACE, file)
    assert one.words == words


def test_searches_of_different_settings_are_points_of_their_own(whole: Key, file: Path) -> None:
    specs = [
        replace(SPEC, settings={"method": {"split": split}}, seed=seed)
        for split, seed in ((0.4, 0), (0.3, 0), (0.4, 1))
    ]
    specs.append(replace(SPEC, settings={"method": {}}))
    words = [one.words for one in found_by(map(state, specs), whole, tables.SPACE, file)]
    assert words == [
        "DARTS, 50 epochs, changed settings, yours",
        "DARTS, 50 epochs, changed settings 2, yours",
        "DARTS, 50 epochs, changed settings, yours",
        "DARTS, 50 epochs, yours",
    ]


@pytest.mark.parametrize(
    "strange",
    [
        state(status="running"),
        state(SPEC, {"name": "checkpoint", "data": {"step": 1}}),
        state(replace(SPEC, dataset="digits")),
        state(replace(SPEC, kind="nas", method={"strategy": "random"})),
        state(replace(SPEC, parent="p", from_step=2)),
        state(replace(SPEC, space="notes-net")),
        state(SPEC, derived(seconds=None)),
        state(SPEC, derived(seconds=0)),
        state(SPEC, {"name": "derived", "data": {"architecture": {"x": "y"}, "seconds": 1.0}}),
    ],
)
def test_what_is_no_finished_search_of_this_space_is_left_out(
    whole: Key, file: Path, strange: RunState
) -> None:
    assert found_by([strange, state()], whole, tables.SPACE, file) == found_by(
        [state()], whole, tables.SPACE, file
    )


def test_the_file_that_comes_with_the_key_holds_real_searches() -> None:
    with FILE.open(newline="") as lines:
        rows = list(csv.DictReader(lines))
    assert rows and tuple(rows[0]) == COLUMNS
    for row in rows:
        assert row["dataset"] in DATASETS and row["method"] in METHODS
        tables.SPACE.from_code(row["architecture"])
        assert float(row["seconds"]) > float(row["training_seconds"]) > 0
        assert len(row["spec"]) == 12 and int(row["spec"], 16) >= 0
    assert len({(row["method"], row["epochs"], row["seed"]) for row in rows}) == len(rows)
