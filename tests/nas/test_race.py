"""Races of strategies on an answer key: what is told, how sure it is, and that the known winner wins."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from explorer.catalogue import STRATEGIES
from explorer.jobs.control import Control
from explorer.key.record import Key
from explorer.nas import race
from explorer.runs import race_checks
from explorer.runs.race_checks import LEAST_REPEATS, MOST_BUDGET, planned, time_problem
from explorer.runs.spec import RunSpec
from explorer.space import preset
from explorer.strategies.replay import replay
from explorer.strategies.table import Table
from tests.nas.rig import FakeExecutor, Story
from tests.strategies.closed_form import expected_random

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


def test_a_wish_to_cancel_is_heard_within_a_repeat(key: Key) -> None:
    """A repeat of a slow strategy takes longer than a worker may be silent."""
    spec = replace(RACE, method={"strategies": ["grid"]}, settings={"race": {"repeats": 2}}, trials=40)
    story = Story(spec, race.run)
    story.attempt(FakeExecutor(0), wishes={20: Control(cancel=True)})
    assert story.state.status == "cancelled" and not told(story)


def test_a_paused_race_waits(key: Key) -> None:
    spec = replace(RACE, method={"strategies": ["grid"]}, settings={"race": {"repeats": 2}}, trials=5)
    story = Story(spec, race.run)
    looks = dict.fromkeys(range(3, 400), Control(pause=True)) | {400: Control(cancel=True)}
    story.attempt(FakeExecutor(0), wishes=looks)
    assert story.state.status == "cancelled"  # ten trainings ask ten times, were it not for the pause


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
        ({"settings": {"race": {"seconds": 0}}}, "above 0"),
        ({"settings": {"race": {"seconds": "long"}}}, "above 0"),
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


# -- a budget in simulated seconds ----------------------------------------------------------------


def uneven(key: Key, monkeypatch: pytest.MonkeyPatch) -> Table:
    """The key's table whose trainings take from 0.1 to 0.4 seconds, for engine and test."""
    table = race.table_of(key, preset("cell"))  # type: ignore[arg-type]
    made = replace(table, seconds=np.random.default_rng(3).uniform(0.1, 0.4, table.size))
    monkeypatch.setattr(race, "table_of", lambda *_: made)
    return made


def by_seconds(seconds: float, *names: str, trials: int = 2_000, repeats: int = 20) -> RunSpec:
    return replace(
        RACE,
        method={"strategies": list(names)},
        settings={"race": {"repeats": repeats, "seconds": seconds}},
        trials=trials,
    )


def test_seconds_end_each_search_where_its_own_trainings_do(
    key: Key, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = uneven(key, monkeypatch)
    story = raced(by_seconds(10.0, "random", "hyperband"))
    assert story.state.status == "finished" and not story.state.warnings, story.state.reason
    for line in told(story):
        whole = replay(line["strategy"], table, 400, 20, RACE.seed)
        ends = np.sort(whole.truth_after([10.0], "seconds")[:, 0])
        assert line["final"] == pytest.approx(ends, abs=1e-5)
        assert line["seconds"][-1] == 10.0 and line["mean"][-1] == pytest.approx(ends.mean(), abs=1e-5)
        assert line["bands_by_seconds"][2][-1] == pytest.approx(np.median(ends), abs=1e-5)
    (pair,) = told(story, "race_pair")
    assert pair["points"][-1] == 10.0 and pair["points"][0] < 1.0
    means = [np.mean(line["final"]) for line in told(story)]
    assert pair["difference"][-1] == pytest.approx(means[0] - means[1], abs=1e-4)


def test_short_trainings_count_with_the_seconds_that_they_took(
    key: Key, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = uneven(key, monkeypatch)
    trace = race.cut(replay("hyperband", table, 200, 5, 1), 10.0)
    assert trace.seconds is not None and (trace.seconds[:, -1] <= 10.0).all()
    assert (trace.seconds[:, -1] > 10.0 - 0.4).all()  # the next training did not fit
    assert (np.unique(trace.places[0]).size) > 10.0 / 0.25  # more cells were looked at than trainings fit


def test_who_is_asked_step_by_step_ends_with_the_seconds_too(
    key: Key, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = uneven(key, monkeypatch)
    story = raced(by_seconds(5.0, "grid", repeats=2))
    (line,) = told(story)
    seen = race.Seen.draw(table, 2, np.random.default_rng([RACE.seed, 0]))
    within = np.flatnonzero(np.cumsum(table.seconds) <= 5.0)  # type: ignore[arg-type]
    best = [within[seen.look(np.array(repeat), within).argmax()] for repeat in range(2)]
    assert line["final"] == pytest.approx(np.sort(table.truth[best]), abs=1e-5)
    assert line["points"][-1] == len(within)


def test_whichever_budget_is_reached_first_ends_it_and_that_is_told(
    key: Key, monkeypatch: pytest.MonkeyPatch
) -> None:
    uneven(key, monkeypatch)
    story = raced(by_seconds(10.0, "random", trials=12))
    assert story.state.status == "finished"
    assert "through with their 12 trainings before 10 simulated seconds" in story.state.warnings[0]
    assert told(story)[0]["points"][-1] == 12


@pytest.mark.parametrize(("seconds", "why"), [(0.05, "shorter than one training"), (9e5, "give at most 500")])
def test_seconds_that_no_search_can_spend_are_refused(key: Key, seconds: float, why: str) -> None:
    story = raced(by_seconds(seconds, "random"))
    assert story.state.status == "failed" and why in (story.state.reason or "")


# -- how long it takes ----------------------------------------------------------------------------


def test_a_race_that_takes_too_long_is_refused_with_estimate_and_limit(key: Key) -> None:
    story = raced(replace(RACE, method={"strategies": ["random", "nni-tpe"]}, trials=MOST_BUDGET))
    assert story.state.status == "failed" and not told(story)
    assert "NNI: TPE alone take about 146 s, and a race has 45 s" in (story.state.reason or "")


def test_whatever_may_be_started_is_estimated_to_stay_under_a_minute() -> None:
    racing = [name for name, entry in STRATEGIES.items() if entry.facts["replay"] != "none"]
    for names in (racing, ["random", "nni-tpe"], ["grid"], list(race_checks.DEFAULT)):
        for trainings in (1, 100, 500, MOST_BUDGET):
            fitting, seconds = planned(names, trainings, 500)
            assert seconds < 60 or time_problem(names, trainings, 500)
            assert all(LEAST_REPEATS <= fitting[name] <= 500 for name in names)
            assert all(fitting[name] == 500 for name in names if STRATEGIES[name].facts["replay"] == "lanes")


def test_a_strategy_too_slow_for_two_repeats_is_named() -> None:
    problem = time_problem(["random", "grid", "nni-tpe"], MOST_BUDGET, 500)
    assert "NNI: TPE alone take about" in problem and "smaller budget" in problem
    assert not time_problem(["random", "grid", "nni-tpe"], 100, 500)


def test_what_the_first_leave_over_is_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(race_checks, "A_REPEAT", {"grid": (0.001, 0.0), "nni-tpe": (0.1, 0.0)})
    fitting, _ = planned(["grid", "nni-tpe", "random"], 10, 100)
    assert fitting == {"grid": 100, "nni-tpe": 44, "random": 100}  # 100 x 0.01 s, then 44 s of 1 s each
