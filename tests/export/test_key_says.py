"""Reports and printed leaderboards tell what the answer key knows of a run, and nothing where it knows nothing."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from explorer.commands.telling import print_leaderboard
from explorer.errors import KeyDamaged
from explorer.export import key_says
from explorer.export.report import report
from explorer.key import Key, rank
from explorer.runs.events import Event
from explorer.runs.spec import RunSpec
from explorer.runs.state import RunState, fold
from explorer.space import preset
from tests.key import tables

CODES = ("340213", "444444")
SPEC = RunSpec(space="cell", dataset="noisy-digits", trials=2, epochs=20)


@pytest.fixture(scope="module")
def whole() -> Key:
    rng = np.random.default_rng(2)
    return tables.key(tables.truths(rng), 2, 0.02, sizes=tables.SIZES)


@pytest.fixture
def key(whole: Key, monkeypatch: pytest.MonkeyPatch) -> Key:
    """The key that is found."""
    monkeypatch.setattr(key_says, "load", lambda dataset: whole)
    return whole


def searched(spec: RunSpec = SPEC, codes: tuple[str, ...] = CODES) -> RunState:
    space = preset(str(spec.space))
    story: list[tuple[str, Any]] = [("run_queued", {"spec": spec.to_json()}), ("run_started", {})]
    for number, code in enumerate(codes):
        chosen = space.from_code(code).to_json()
        story += [
            ("trial_started", {"trial_id": number, "parameters": {}, "architecture": chosen, "seed": 1}),
            ("final_result", {"trial_id": number, "value": 0.6 - number / 10, "metrics": {}}),
            ("trial_ended", {"trial_id": number, "status": "succeeded", "reason": None}),
        ]
    story.append(("run_finished", {}))
    return fold(Event("r", at, 1000.0 + at, kind, data) for at, (kind, data) in enumerate(story, start=1))


def test_a_report_has_the_true_ranks(key: Key) -> None:
    text = report(searched())
    assert "<th>true rank</th>" in text
    for code in CODES:
        assert f"<td>{rank(key, key.place(f'cell:{code}')).rank:,}" in text
    assert "The answer key knows it: true rank" in text and "**" not in text


def test_a_printed_leaderboard_has_the_true_ranks(key: Key, capsys: pytest.CaptureFixture[str]) -> None:
    print_leaderboard(searched())
    told = capsys.readouterr().out
    assert "true rank" in told.splitlines()[1]
    assert f"true rank {rank(key, key.place('cell:340213')).rank:,}" in told and "**" not in told


@pytest.mark.parametrize("spec", [RunSpec(trials=2), RunSpec(space="cell", dataset="digits", trials=2)])
def test_elsewhere_nothing_is_told(key: Key, spec: RunSpec, capsys: pytest.CaptureFixture[str]) -> None:
    state = searched(spec, ("000", "111") if spec.space == "notes-net" else CODES)
    print_leaderboard(state)
    assert "true rank" not in report(state) + capsys.readouterr().out


def test_a_damaged_key_leaves_the_report_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    def damaged(dataset: str) -> Key:
        raise KeyDamaged("The file is damaged.")

    monkeypatch.setattr(key_says, "load", damaged)
    assert "60.0 %" in report(searched()) and "true rank" not in report(searched())


def test_a_derived_cell_is_told_in_one_sentence(key: Key) -> None:
    chosen = preset("cell").from_code(CODES[0])
    told = key_says.worth("cell", "noisy-digits", chosen)
    assert f"true rank {rank(key, key.place(chosen)).rank:,}" in told and told.count(".") == 3
    assert key_says.worth("notes-net", "noisy-digits", preset("notes-net").from_code("000")) == ""


def test_a_report_of_a_one_shot_search_says_how_good_its_cell_is(key: Key) -> None:
    chosen = preset("cell").from_code(CODES[0])
    spec = RunSpec(kind="oneshot", space="cell", dataset="noisy-digits", method={"method": "darts"}, epochs=3)
    story: list[tuple[str, Any]] = [
        ("run_queued", {"spec": spec.to_json()}),
        ("run_started", {}),
        (
            "measurement",
            {"name": "derived", "step": 1, "data": {"architecture": chosen.to_json(), "rule": "argmax"}},
        ),
        ("run_finished", {}),
    ]
    state = fold(Event("r", at, 1000.0 + at, kind, data) for at, (kind, data) in enumerate(story, start=1))
    assert "The answer key knows it: true rank" in report(state)
