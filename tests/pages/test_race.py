"""The Race page: without a key, the form, live, ended, and what can be taken along."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from explorer.catalogue import STRATEGIES
from explorer.commands.telling import print_leaderboard
from explorer.key import table
from explorer.key.oneshot import COLUMNS
from explorer.key.record import Key
from explorer.nas import race as engine
from explorer.runs.race_checks import DEFAULT, planned
from explorer.runs.spec import RunSpec
from explorer.runs.store import Store
from explorer.space import preset
from explorer.space.restrict import Restriction, restrict
from pages.widgets import race_points, race_setup, race_view
from tests.key import tables
from tests.nas.rig import FakeExecutor, Story
from tests.pages.conftest import Open, asked, press, say, texts

PAGE = "race"
SPEC = RunSpec(
    kind="race",
    space="cell",
    dataset="noisy-digits",
    method={"strategies": ["random", "local_search", "hyperband"]},
    settings={"race": {"repeats": 30}},
    trials=40,
    seed=1,
)
pytestmark = pytest.mark.usefixtures("no_supervisor", "no_key")


@pytest.fixture(autouse=True)
def no_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No answer key, whatever the repository holds."""
    monkeypatch.setattr("explorer.key.table.FOLDER", tmp_path / "key")
    monkeypatch.setattr("explorer.key.oneshot.FILE", tmp_path / "oneshot.csv")


@pytest.fixture(scope="module")
def made_key() -> Key:
    """Known truths with the luck of three seeds."""
    rng = tables.np.random.default_rng(0)
    return tables.key(tables.truths(rng), 3, 0.02, sizes=tables.SIZES)


@pytest.fixture
def key(no_key: None, made_key: Key, monkeypatch: pytest.MonkeyPatch) -> Key:
    """That key in the place of the real one, for page and engine."""
    monkeypatch.setattr("explorer.export.key_says.load", lambda dataset: made_key)
    monkeypatch.setattr("explorer.nas.key_executor.load", lambda dataset: made_key)
    return made_key


def raced(spec: RunSpec = SPEC) -> Story:
    """A race over the key, in memory."""
    story = Story(spec, engine.run)
    story.attempt(FakeExecutor(0))
    return story


def made(store: Store, spec: RunSpec, *measured: Any, end: str | None = "run_finished") -> str:
    """A run of these measurements; without an end it is still running."""
    run_id = store.create_run(spec)
    store.claim("test", 3600, run_id=run_id)
    store.append(run_id, "run_started", {})
    for data in measured:
        store.append(run_id, "measurement", dict(data))
    if end:
        store.append(run_id, end, {"reason": "It broke."} if end == "run_failed" else {})
    return run_id


def widget(app: AppTest, kind: str, label: str) -> Any:
    return next(one for one in getattr(app, kind) if one.label == label)


def forecast_of(app: AppTest) -> str:
    (told,) = [sentence for sentence in say(app, "caption") if sentence.startswith("Nothing is trained")]
    return told


def switch(app: AppTest, option: str) -> Any:
    """The result's switch that offers this."""
    return next(group for group in app.button_group if option in group.options)


def questions(app: AppTest) -> list[str]:
    return [
        text.strip("*") for text in say(app, "markdown") if text.startswith("**") and text.endswith("?**")
    ]


# -- the form -------------------------------------------------------------------------------------


def test_without_a_key_the_page_says_so_in_a_sentence_and_what_a_race_is(open_page: Open) -> None:
    app = open_page(PAGE)
    assert not app.exception and not app.error
    assert next(button for button in app.button if button.label == "Race").disabled
    (why,) = say(app, "info")
    assert "There is no answer key of 'noisy-digits' here" in why
    assert "One search proves nothing" in texts(app) and "Press *Race*" not in texts(app)
    links = [link.proto.label for link in app.get("page_link")]
    assert "Meanwhile: watch one search train live" in links


def test_race_queues_exactly_what_the_form_says(open_page: Open, store: Store, key: Key) -> None:
    app = open_page(PAGE)
    assert "Press *Race*" in texts(app) and not app.info
    widget(app, "multiselect", "Strategies").set_value(["random", "aging_evolution"]).run()
    widget(app, "number_input", "Trainings").set_value(60).run()
    widget(app, "number_input", "Repeats").set_value(20).run()
    widget(app, "number_input", "Seed").set_value(5).run()
    widget(app, "number_input", "Population size").set_value(12).run()
    press(app, "Race")
    (summary,) = store.summaries()
    spec = store.state(summary.run_id).spec
    assert (spec.kind, spec.space, spec.dataset, spec.trials, spec.seed) == (
        "race",
        "cell",
        "noisy-digits",
        60,
        5,
    )
    assert spec.method == {"strategies": ["random", "aging_evolution"]}
    assert spec.settings == {
        "race": {"repeats": 20},
        "strategies": {"aging_evolution": {"population_size": 12}},
    }
    assert asked(app, "run") == summary.run_id


def test_who_cannot_be_looked_up_is_not_offered_and_all_others_can_race(open_page: Open, key: Key) -> None:
    app = open_page(PAGE)
    offered = widget(app, "multiselect", "Strategies")
    assert offered.value == list(DEFAULT)
    assert set(offered.options) == {
        entry.label for entry in STRATEGIES.values() if entry.facts["replay"] != "none"
    }
    offered.set_value(list(race_setup.RACING)).run()
    assert not app.exception and not app.error
    assert not next(button for button in app.button if button.label == "Race").disabled


def test_the_forecast_says_who_shares_the_time_and_whom_they_are_compared_with(
    open_page: Open, key: Key
) -> None:
    app = open_page(PAGE)
    widget(app, "multiselect", "Strategies").set_value(["local_search", "reinforce", "grid"]).run()
    told = forecast_of(app)
    assert "about **" in told and "Local search runs all 100 repeats at once" in told
    assert "as many repeats as fit: REINFORCE 100 and Grid search 100" in told
    assert "Without Random nothing will say" in told


def test_the_form_limits_repeats_and_refuses_what_would_take_minutes(open_page: Open, key: Key) -> None:
    app = open_page(PAGE)
    widget(app, "multiselect", "Strategies").set_value(["random", "nni-tpe"]).run()
    widget(app, "number_input", "Trainings").set_value(400).run()
    fitting, seconds = planned(["random", "nni-tpe"], 400, 100)
    assert fitting["nni-tpe"] < 100 and seconds < 60
    assert f"NNI: TPE {fitting['nni-tpe']}, by estimate" in forecast_of(app)
    widget(app, "number_input", "Trainings").set_value(2_000).run()
    assert "NNI: TPE alone take about" in app.error[0].value
    assert next(button for button in app.button if button.label == "Race").disabled


def test_a_search_may_be_ended_by_simulated_seconds(open_page: Open, store: Store, key: Key) -> None:
    app = open_page(PAGE)
    unit = next(group for group in app.button_group if group.label == "Each search may spend")
    unit.set_value(race_setup.BY_SECONDS).run()
    assert not [one for one in app.number_input if one.label == "Trainings"]
    seconds = widget(app, "number_input", "Simulated seconds")
    assert seconds.value == pytest.approx(100 * key.seconds.mean())
    seconds.set_value(0.1).run()
    assert "shorter than one training" in app.error[0].value
    widget(app, "number_input", "Simulated seconds").set_value(30.0).run()
    assert "worth about 120 trainings" in forecast_of(app) and not app.error
    press(app, "Race")
    spec = store.state(store.summaries()[0].run_id).spec
    assert spec.settings["race"] == {"repeats": 100, "seconds": 30.0} and spec.trials == 2_000


def test_nobody_and_more_trainings_than_cells_block_the_button(open_page: Open, key: Key) -> None:
    app = open_page(PAGE)
    app.session_state["plan"] = {
        "space": restrict(preset("cell"), Restriction(operations=("none", "skip_connect"))).to_json(),
        "architecture": None,
    }
    app.run()
    assert "100 trainings are more than the 64 cells" in app.error[0].value
    assert next(button for button in app.button if button.label == "Race").disabled
    widget(app, "number_input", "Trainings").set_value(60).run()
    assert not app.error
    widget(app, "multiselect", "Strategies").set_value([]).run()
    assert "list of strategies" in app.error[0].value


# -- a race ---------------------------------------------------------------------------------------


def test_a_race_that_is_on_shows_who_has_raced_and_can_be_stopped(
    open_page: Open, store: Store, key: Key
) -> None:
    measured = raced().of("measurement")
    app = open_page(PAGE, run=made(store, SPEC, *measured[:2], end=None))
    assert "Stop" in [button.label for button in app.button]
    assert "2 of 3 strategies have raced" in str(app.get("progress")[0].proto)
    assert "Local search" in texts(app) and not app.get("plotly_chart")


def test_a_finished_race_answers_first_and_then_shows_why(open_page: Open, store: Store, key: Key) -> None:
    app = open_page(PAGE, run=made(store, SPEC, *raced().of("measurement")))
    assert not app.exception
    assert questions(app) == [
        "Is any of these better than random search here?",
        "How good is the best so far, really?",
        "From when on is it ahead of random search?",
        "At which rank does a search end?",
        "How did they end?",
    ]
    assert len(app.get("plotly_chart")) == 3
    said = say(app, "markdown")
    verdict = said[said.index("**Is any of these better than random search here?**") + 1]
    assert verdict.startswith(("**Yes**", "**No**")) and "95 % confidence after 40 trainings" in verdict
    said = say(app, "caption")
    assert any(sentence.startswith("90 searches") for sentence in said)
    assert any("30 repeats a strategy, seed 1" in sentence for sentence in said)


def test_the_lines_can_be_regret_and_go_by_seconds(open_page: Open, store: Store, key: Key) -> None:
    app = open_page(PAGE, run=made(store, SPEC, *raced().of("measurement")))
    switch(app, race_view.REGRET.capitalize()).set_value(race_view.REGRET).run()
    assert "How far from the best is the best so far?" in questions(app)
    spent = next(group for group in app.button_group if group.label == "Spent")
    spent.set_value(race_view.SECONDS).run()
    assert not app.exception and "simulated seconds of training" in str(app.get("plotly_chart")[0].proto)


def test_a_failed_race_says_why_and_can_be_raced_again(open_page: Open, store: Store, key: Key) -> None:
    run_id = made(store, SPEC, *raced().of("measurement")[:2], end="run_failed")
    app = open_page(PAGE, run=run_id)
    assert "It broke." in app.error[0].value and "2 of 3 strategies had raced" in app.error[0].value
    assert "Nothing is compared yet" in texts(app)
    press(app, "Resume")
    assert store.summary(run_id).status == "queued"


def test_a_race_is_shown_where_its_key_is_gone(
    open_page: Open, store: Store, key: Key, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id = made(store, SPEC, *raced().of("measurement"))
    monkeypatch.setattr("explorer.export.key_says.load", table.load)
    app = open_page(PAGE, run=run_id)
    assert not app.exception and "How did they end?" in questions(app)
    assert "There is no answer key" in say(app, "info")[0]


def test_the_csv_holds_the_tables_numbers(key: Key) -> None:
    story = raced()
    rows = list(csv.DictReader(io.StringIO(race_view.csv_of(story.state))))
    told = {
        each["data"]["strategy"]: each["data"] for each in story.of("measurement") if each["name"] == "race"
    }
    assert {row["strategy"] for row in rows} == {STRATEGIES[name].label for name in told}
    mine = next(row for row in rows if row["strategy"] == "Local search")
    assert float(mine["mean_percent"]) == pytest.approx(100 * told["local_search"]["mean"][-1], abs=2e-3)
    assert float(mine["mean_low_percent"]) < float(mine["mean_percent"]) < float(mine["mean_high_percent"])
    assert next(row for row in rows if row["strategy"] == "Random")["verdict"] == ""


def test_one_shot_searches_stand_beside_the_race_with_their_cost_and_number(
    open_page: Open, store: Store, key: Key, tmp_path: Path
) -> None:
    code = tables.SPACE.code(tables.SPACE.architecture_at(777))
    rows = [f"noisy-digits,darts,100,{seed},{code},6.0,2.0,abc" for seed in range(3)]
    (tmp_path / "oneshot.csv").write_text("\n".join([",".join(COLUMNS), *rows]))
    search = RunSpec(
        kind="oneshot",
        space="cell",
        dataset="noisy-digits",
        method={"method": "enas", "engine": "own"},
        epochs=50,
    )
    derived = {"architecture": dict(tables.SPACE.architecture_at(778)), "seconds": 10.0}
    made(store, search, {"name": "derived", "step": 1, "data": derived})
    story = raced()
    run_id = made(store, SPEC, *story.of("measurement"))
    app = open_page(PAGE, run=run_id)
    assert not app.exception and "And one-shot searches?" in questions(app)
    said = texts(app)
    reached = 100 * key.means[key.position[777]]
    assert f"DARTS, 100 epochs (3 runs), 3.0 trainings: {reached:.1f} %" in said
    assert "ENAS, 50 epochs, yours (1 run), 5.0 trainings" in said
    assert "DARTS, 100 epochs (3.0 trainings)" in said  # in the table
    found = race_points.points_beside(story.state, race_view.race_of(story.state))
    rows_read = list(csv.DictReader(io.StringIO(race_view.csv_of(story.state, found))))
    (mine,) = [row for row in rows_read if row["strategy"] == "DARTS, 100 epochs"]
    assert (mine["repeats"], mine["trainings"]) == ("3", "3.0")
    assert float(mine["mean_percent"]) == pytest.approx(reached, abs=2e-3)


def test_the_list_of_runs_counts_strategies_and_opens_the_race(
    open_page: Open, store: Store, key: Key
) -> None:
    run_id = made(store, SPEC, *raced().of("measurement"))
    app = open_page("runs")
    shown = texts(app)
    assert "Strategies</dt><dd>3</dd>" in shown and "<small>race · " in shown and "Trials</dt>" not in shown
    press(app, "Open")
    assert asked(app, "run") == run_id and app.title[0].value == "Race"


def test_the_command_line_ends_with_a_row_a_strategy_and_the_answer(
    key: Key, capsys: pytest.CaptureFixture[str]
) -> None:
    print_leaderboard(raced().state)
    printed = capsys.readouterr().out
    assert "No trial finished." not in printed
    for name in ("Random", "Local search", "Hyperband"):
        (row,) = [line for line in printed.splitlines() if line.startswith(name)]
        assert row.split()[len(name.split())] == "30"
    assert "random search with 95 % confidence" in printed and "**" not in printed
    print_leaderboard(Story(SPEC, engine.run).state)
    assert "No strategy came to a result." in capsys.readouterr().out
