"""Races of strategies on an answer key: what is told, how sure it is, and that the known winner wins."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from explorer.key.record import Key
from explorer.nas import race
from explorer.runs.spec import RunSpec
from explorer.space import preset
from explorer.strategies.comparing import expected_random
from tests.nas.rig import FakeExecutor, Story

RACE = RunSpec(
    kind="race",
    space="cell",
    dataset="noisy-digits",
    method={"strategies": ["random", "local_search", "hyperband"]},
    settings={"race": {"repeats": 60}},
    trials=50,
    seed=1,
)


def raced(spec: RunSpec) -> Story:
    story = Story(spec, race.run)
    story.attempt(FakeExecutor(0))
    return story


def told(story: Story, name: str = "race") -> list[Mapping[str, Any]]:
    return [each["data"] for each in story.of("measurement") if each["name"] == name]


def test_the_default_race_can_be_started() -> None:
    assert RunSpec(kind="race", space="cell", dataset="noisy-digits").problems() == ()
    assert RACE.problems() == () and RACE.planned_trials == 0


def test_the_table_is_the_keys_in_the_order_of_the_space(key: Key) -> None:
    space = preset("cell")
    table = race.table_of(key, space)  # type: ignore[arg-type]
    for place in (0, 1, 777, 15_624):
        at = key.place(dict(space.architecture_at(place)))
        assert table.truth[place] == key.means[key.position[at]]
        rows = [key.rows([at], seed)[0] for seed in range(3)]
        assert table.values[:, place].tolist() == [key.row_validation[row] / 400 for row in rows]
    assert table.curves is not None and table.curves.shape == (3, 15_625, 20)


def test_every_strategy_has_a_line_and_every_pair_a_verdict(key: Key) -> None:
    story = raced(RACE)
    assert story.state.status == "finished", story.state.reason
    lines, pairs = told(story), told(story, "race_pair")
    assert [line["strategy"] for line in lines] == ["random", "local_search", "hyperband"]
    assert [(pair["one"], pair["other"]) for pair in pairs] == [
        ("random", "local_search"),
        ("random", "hyperband"),
        ("local_search", "hyperband"),
    ]
    for line in lines:
        assert line["repeats"] == 60 and line["points"][-1] == 50
        assert len(line["bands"]) == 5 and len(line["final"]) == len(line["ranks"]) == 60
        known = [value for value in line["mean"] if value is not None]
        assert max(known) <= line["best"] and line["ranks"][0] >= 1


def test_random_search_comes_to_what_the_closed_form_says(key: Key) -> None:
    story = raced(replace(RACE, method={"strategies": ["random"]}, settings={"race": {"repeats": 400}}))
    (line,) = told(story)
    table = race.table_of(key, preset("cell"))  # type: ignore[arg-type]
    # each repeat sees one seed of each cell: the expectation over seeds is that over rows
    exact = np.mean([expected_random(row, table.truth, line["points"])[1] for row in table.values], axis=0)
    apart = np.abs(np.array(line["mean"]) - exact)
    assert apart.max() < 0.01


def test_who_cheats_is_ahead_with_confidence(key: Key, monkeypatch: pytest.MonkeyPatch) -> None:
    """A strategy that begins at the best cells must be found ahead of random search, and at every point."""
    table = race.table_of(key, preset("cell"))  # type: ignore[arg-type]
    best = np.argsort(-table.truth)[:50]

    class Cheat:
        def __init__(self) -> None:
            self.number = 0

        def ask(self) -> Any:
            self.number += 1
            architecture = preset("cell").architecture_at(int(best[self.number - 1]))
            return race_asked(self.number - 1, architecture)

        def tell(self, *_: Any) -> None: ...
        def close(self) -> None: ...

    from explorer.nas.asking import Asked

    def race_asked(number: int, architecture: Any) -> Asked:
        return Asked(number, architecture, first=number)

    monkeypatch.setattr(race, "build", lambda spec, space: Cheat())
    story = raced(replace(RACE, method={"strategies": ["random", "grid"]}))
    (pair,) = told(story, "race_pair")
    assert set(pair["verdict"]) == {"grid"}
    cheat = told(story)[1]
    assert cheat["ranks"][-1] <= 50


def test_a_strategy_that_is_asked_says_how_many_repeats_fitted(
    key: Key, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(race, "SLOW_SECONDS", 0.0)
    story = raced(replace(RACE, method={"strategies": ["random", "nni-evolution"]}, trials=20))
    assert story.state.status == "finished", story.state.reason
    assert [line["repeats"] for line in told(story)] == [60, 2]


def test_the_same_seed_is_the_same_race(key: Key) -> None:
    lines = [told(raced(spec)) for spec in (RACE, RACE, replace(RACE, seed=2))]
    without = [[{**line, "took": 0} for line in each] for each in lines]
    assert without[0] == without[1] != without[2]


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"method": {"strategies": []}}, "none"),
        ({"method": {"strategies": ["random", "random"]}}, "twice"),
        ({"method": {"strategies": ["tpe-ish"]}}, "tpe-ish"),
        ({"settings": {"race": {"repeats": 501}}}, "from 1 to 500"),
        ({"settings": {"race": {"laps": 3}}}, "laps"),
        ({"settings": {"strategies": {"random": {"speed": 1}}}}, "speed"),
        ({"trials": 2_001}, "at most 2,000"),
    ],
)
def test_bad_settings_are_one_sentence_each(changes: Mapping[str, Any], why: str) -> None:
    problems = replace(RACE, **changes).problems()
    assert len(problems) == 1 and why in problems[0]


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"space": "notes-net", "dataset": "digits"}, "There is no answer key|another one"),
        ({"dataset": "digits"}, "digits"),
    ],
)
def test_what_the_key_does_not_cover_is_said(key: Key, changes: Mapping[str, Any], why: str) -> None:
    story = raced(replace(RACE, **changes))
    assert story.state.status == "failed"
    assert any(word in (story.state.reason or "") for word in why.split("|"))
