"""The Feature engineering page: the form, an own table, live, ended, and what can be taken along."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from explorer.catalogue import SELECTORS, TABLES
from explorer.runs.spec import RunSpec
from explorer.runs.store import Store
from explorer.tables import find, read_table
from pages.widgets import features_view
from pages.widgets.features_setup import literal
from tests.pages.conftest import Open, asked, press, say, texts
from tests.plots.features.test_charts import ALL, ANOVA, L1, PLAN, told

PAGE = "features"
NASTY = "![x](http://evil.invalid/a.png)"
pytestmark = pytest.mark.usefixtures("no_supervisor")
COLUMNS = ("a", "b", "c", "d")
Line = tuple[str, dict[str, Any]]


def measured(name: str, **data: Any) -> Line:
    return "measurement", {"name": name, "step": 0, "data": data}


def plan(*selectors: str, columns: tuple[str, ...] = COLUMNS, resamples: int = 2) -> Line:
    """Four columns of wine, judged with 1, 2 and 4 of them."""
    return measured(
        "feature_plan",
        table="wine",
        task="classification",
        target="grower",
        metric="accuracy",
        rows=178,
        resamples=resamples,
        columns=list(columns),
        selectors=list(selectors),
        counts=[1, 2, 4],
        pipeline=["Judged by 2-fold cross-validation."],
        chance=0.4,
    )


def scored(
    name: str, resample: int, worth: dict[int, float], ranks: tuple[int, ...], tied: bool = False
) -> list[Line]:
    """What one selector found on one resample."""
    about = {"selector": name, "resample": resample}
    lines = [measured("feature_accuracy", **about, k=count, value=value) for count, value in worth.items()]
    scores = [1.0 if tied else 1.0 / rank for rank in ranks]
    return [
        *lines,
        measured("feature_scores", **about, scores=scores, ranks=list(ranks), seconds=0.5, tied=tied),
    ]


def compared(*, tied: bool = False) -> list[Line]:
    """ANOVA reaches with two columns what all reach; the gates tie where that is asked for."""
    lines = [plan("gradient", "anova", "all_features", "random_k")]
    for at in (0, 1):
        lines += scored("gradient", at, {1: 0.5, 2: 0.6, 4: 0.99}, (4, 3, 2, 1), tied)
        lines += scored("anova", at, {1: 0.7, 2: 0.9 + at / 50, 4: 0.91 + at / 50}, (1, 2, 3, 4))
        lines += scored("all_features", at, {4: 0.91 + at / 50}, (1, 2, 3, 4))
        lines += scored("random_k", at, {1: 0.4, 2: 0.55, 4: 0.91 + at / 50}, (2, 4, 1, 3))
    return [
        *lines,
        measured("feature_selection", selector="gradient", k=4, columns=["d", "c", "b", "a"], agreement=None),
        measured("feature_selection", selector="anova", k=2, columns=["a", "b"], agreement=1.0),
    ]


def made(store: Store, lines: list[Line], end: str | None = "run_finished", **form: Any) -> str:
    """A run that told these lines; without an end it is still running."""
    chosen = {"selectors": ["gradient", "anova", "all_features", "random_k"]}
    spec = RunSpec(
        kind="features",
        dataset="wine",
        method=chosen | form.pop("method", {}),
        settings={"features": {"resamples": 2}},
        **form,
    )
    run_id = store.create_run(spec)
    store.claim("test", 3600, run_id=run_id)
    store.append(run_id, "run_started", {})
    for kind, data in lines:
        store.append(run_id, kind, data)
    if end:
        store.append(run_id, end, {"reason": "It broke."} if end == "run_failed" else {})
    return run_id


def widget(app: AppTest, kind: str, label: str) -> Any:
    return next(one for one in getattr(app, kind) if one.label == label)


def questions(app: AppTest) -> list[str]:
    return [
        text.strip("*") for text in say(app, "markdown") if text.startswith("**") and text.endswith("?**")
    ]


def table_of(rows: int = 40, name: str = "size") -> bytes:
    """Two classes that `size` tells apart, a word, and a column of one value."""
    lines = [f"{at},{at % 3},{'xyz'[at % 3]},7,{'yes' if at > rows // 2 else 'no'}" for at in range(rows)]
    return "\n".join([f"{name},part,letter,seven,late", *lines]).encode()


def given(app: AppTest, content: bytes, name: str = "own.csv") -> AppTest:
    """The page with this file in its uploader."""
    widget(app, "selectbox", "Table").set_value("own").run()
    return app.file_uploader[0].set_value((name, content, "text/csv")).run()


# -- the form -------------------------------------------------------------------------------------


def test_without_a_run_the_page_says_what_to_do_and_who_is_compared(open_page: Open) -> None:
    app = open_page(PAGE)
    assert "Press *Compare*" in texts(app)
    assert all(f"**{entry.label}**" in texts(app) for entry in SELECTORS.values())
    assert any("10 selectors on 5 resamples: 50 selections" in sentence for sentence in say(app, "caption"))


def test_compare_queues_exactly_what_the_form_says(open_page: Open, store: Store) -> None:
    app = open_page(PAGE)
    widget(app, "selectbox", "Table").set_value("diabetes").run()
    widget(app, "multiselect", "Selectors").set_value(["gradient", "anova"]).run()
    widget(app, "number_input", "Resamples").set_value(3).run()
    widget(app, "number_input", "N epochs").set_value(4).run()
    widget(app, "number_input", "Seed").set_value(9).run()
    press(app, "Compare")
    (summary,) = store.summaries()
    spec = store.state(summary.run_id).spec
    assert (spec.kind, spec.dataset, spec.seed) == ("features", "diabetes", 9)
    assert spec.method == {"selectors": ["gradient", "anova"]}
    assert spec.settings == {"features": {"resamples": 3}, "selector": {"gradient.n_epochs": 4}}
    assert asked(app, "run") == summary.run_id


def test_all_defaults_ask_for_every_selector_and_no_search(open_page: Open, store: Store) -> None:
    press(open_page(PAGE), "Compare")
    spec = store.state(store.summaries()[0].run_id).spec
    assert (spec.method, spec.settings, spec.planned_trials) == ({}, {}, 0)


def test_a_search_for_new_columns_asks_for_its_tuner_and_trials(open_page: Open, store: Store) -> None:
    app = open_page(PAGE)
    widget(app, "toggle", "Search new columns first").set_value(True).run()
    tuners = widget(app, "selectbox", "Tuner").options
    assert "TPE" in tuners and not {"Hyperband", "BOHB", "PBT"} & set(tuners)
    widget(app, "selectbox", "Tuner").set_value("Random").run()
    widget(app, "number_input", "Trials").set_value(5).run()
    press(app, "Compare")
    spec = store.state(store.summaries()[0].run_id).spec
    assert spec.method == {"tuner": "Random"} and spec.planned_trials == 5


def test_without_a_selector_nothing_can_be_compared(open_page: Open) -> None:
    app = open_page(PAGE)
    widget(app, "multiselect", "Selectors").set_value([]).run()
    assert [error.value for error in app.error] == ["No selector is picked; pick at least one."]
    assert next(button for button in app.button if button.label == "Compare").disabled


@pytest.mark.parametrize("name", TABLES)
def test_every_table_of_the_catalogue_can_be_asked_for(name: str, open_page: Open) -> None:
    app = open_page(PAGE)
    widget(app, "selectbox", "Table").set_value(name).run()
    assert not app.exception and not app.error
    assert any(TABLES[name].facts["target"] in sentence for sentence in say(app, "caption"))


# -- an own table ---------------------------------------------------------------------------------


def test_an_own_table_is_asked_for_before_anything_can_start(open_page: Open) -> None:
    app = open_page(PAGE)
    widget(app, "selectbox", "Table").set_value("own").run()
    assert not app.error and any("Give a file" in sentence for sentence in say(app, "caption"))
    assert next(button for button in app.button if button.label == "Compare").disabled


def test_an_uploaded_table_is_previewed_with_what_its_columns_hold(open_page: Open) -> None:
    app = given(open_page(PAGE), table_of())
    assert list(app.dataframe[0].value.columns) == ["size", "part", "letter", "seven", "late"]
    assert len(app.dataframe[0].value) == 5
    assert "Left out because it is the same in every row" in texts(app)
    assert widget(app, "selectbox", "Target").value == "late" and not app.error


def test_an_uploaded_table_travels_to_the_engine_by_its_content(
    open_page: Open, store: Store, explorer_home: Path
) -> None:
    app = given(open_page(PAGE), table_of())
    assert not (explorer_home / "tables").exists(), "nothing is kept before it is used"
    widget(app, "selectbox", "Target").set_value("letter").run()
    press(app, "Compare")
    spec = store.state(store.summaries()[0].run_id).spec
    assert spec.settings == {"features": {"target": "letter"}}
    assert find(spec.dataset, explorer_home / "tables") == table_of()
    assert not app.dataframe, "the run takes the table's place"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty"),
        (b"\xff\xfe\x00", "no UTF-8"),
        (b"a,b\n1,2\n1,2,3\n", "no regular CSV"),
        (b"1,2,3\n" * 30, "only numbers"),
        (b"a,b\n1,2\n", "at least 20 are needed"),
    ],
    ids=["empty", "binary", "ragged", "no names", "short"],
)
def test_a_file_that_is_no_table_is_one_sentence(content: bytes, said: str, open_page: Open) -> None:
    app = given(open_page(PAGE), content)
    assert not app.exception and len(app.error) == 1
    assert said in app.error[0].value
    assert next(button for button in app.button if button.label == "Compare").disabled


def test_a_target_that_cannot_be_predicted_is_one_sentence(open_page: Open) -> None:
    app = given(open_page(PAGE), table_of())
    widget(app, "selectbox", "Target").set_value("seven").run()
    assert len(app.error) == 1 and "one class only" in app.error[0].value
    widget(app, "selectbox", "Target").set_value("size").run()
    assert not app.error


def test_what_stands_in_a_file_is_never_taken_for_markdown(open_page: Open) -> None:
    app = given(open_page(PAGE), table_of(name=NASTY), f"{NASTY}.csv")
    widget(app, "selectbox", "Target").set_value("seven").run()
    spoken = [text for kind in ("markdown", "caption", "error", "warning") for text in say(app, kind)]
    assert any("evil" in text for text in spoken) and not any(NASTY in text for text in spoken)
    assert literal("$x$ :red[a]\n\n# b") == r"\$x\$ \:red\[a\] \# b"


def test_a_file_that_was_taken_away_is_forgotten(open_page: Open) -> None:
    app = given(open_page(PAGE), table_of())
    app.file_uploader[0].set_value([]).run()
    assert not app.exception and not app.dataframe
    assert next(button for button in app.button if button.label == "Compare").disabled


def test_a_parquet_file_is_read_by_its_ending(open_page: Open, tmp_path: Path) -> None:
    path = tmp_path / "own.parquet"
    read_table(table_of(), "own.csv").frame.to_parquet(path)
    app = given(open_page(PAGE), path.read_bytes(), path.name)
    assert not app.error and len(app.dataframe[0].value) == 5


# -- a run ----------------------------------------------------------------------------------------


def test_a_running_comparison_says_what_is_known_and_can_be_stopped(open_page: Open, store: Store) -> None:
    lines = [
        plan("gradient", "anova", "all_features", "random_k"),
        *scored("anova", 0, {1: 0.7, 2: 0.9}, (1, 2, 3, 4)),
    ]
    app = open_page(PAGE, run=made(store, lines, end=None))
    assert "1 of 8 selections" in str(app.get("progress")[0].proto)
    assert questions(app) == ["What is known so far?"] and not app.get("plotly_chart")
    assert "Stop" in [button.label for button in app.button]
    assert any("1 of 2</td>" in html and "90.0 ± 0.0 %" in html for html in _html(app))


def _html(app: AppTest) -> list[str]:
    return [element.proto.body for element in app.get("html")]


def test_a_running_search_says_how_many_sets_were_tried(open_page: Open, store: Store) -> None:
    trial = {"trial_id": 0, "parameters": {"a": 1}, "architecture": None, "seed": 0}
    lines: list[Line] = [
        ("trial_started", trial),
        ("final_result", {"trial_id": 0, "value": 0.75, "metrics": {"columns": ["a*b"]}}),
        ("trial_ended", {"trial_id": 0, "status": "succeeded", "reason": None}),
    ]
    app = open_page(PAGE, run=made(store, lines, end=None, method={"tuner": "Random"}, trials=5))
    told = str(app.get("progress")[0].proto)
    assert "1 of 5 sets" in told and "0.7500" in told


def test_a_finished_comparison_answers_first_and_then_shows_every_chart_with_its_question(
    open_page: Open, store: Store
) -> None:
    app = open_page(PAGE, run=made(store, compared()))
    assert not app.exception
    assert questions(app) == [
        "How many features are enough, and whose?",
        "Which columns does FeatureGradientSelector \\(NNI\\) prefer, and how sure is it?",
        "How long does each selector take?",
        "Do selectors choose the same 2 of 4 columns?",
        "Which columns does each selector keep?",
    ]
    assert len(app.get("plotly_chart")) == 4
    assert "**All 4 columns are needed**" in texts(app)
    assert not app.warning


def test_the_columns_of_another_selector_can_be_looked_at(open_page: Open, store: Store) -> None:
    app = open_page(PAGE, run=made(store, compared()))
    widget(app, "selectbox", "Selector").set_value("anova").run()
    widget(app, "selectbox", "Number of columns").set_value(1).run()
    assert not app.exception
    assert "Which columns does ANOVA F prefer, and how sure is it?" in questions(app)
    assert "Do selectors choose the same 1 of 4 columns?" in questions(app)


def test_a_tie_is_a_warning_and_no_part_of_the_answer(open_page: Open, store: Store) -> None:
    app = open_page(PAGE, run=made(store, compared(tied=True)))
    assert len(app.warning) == 1 and "All scores tie in every resample" in app.warning[0].value
    assert "**2 of 4 columns are enough**: chosen by ANOVA F, they reach 91.0 ± 1.0 %" in texts(app)
    assert "as many drawn at random reach 55.0 ± 0.0 %" in texts(app)
    assert any("all scores tie: d, c, b, a" in html for html in _html(app))


def test_new_columns_are_said_with_what_they_are_worth(open_page: Open, store: Store) -> None:
    found = measured(
        "feature_generation",
        parameters={"a": 1},
        columns=[NASTY],
        search=0.9,
        search_without=0.8,
        kept=0.85,
        kept_without=0.84,
    )
    app = open_page(PAGE, run=made(store, [found, *compared()], method={"tuner": "Random"}, trials=5))
    assert "Do new columns help?" in questions(app) and "0.8500 with them, 0.8400 without" in texts(
        app
    ).replace("\\", "")
    assert NASTY not in texts(app)
    assert "made new ones" in texts(app), "the script knows the table's own columns only, and says so"


def test_a_failed_comparison_says_why_and_can_be_resumed(open_page: Open, store: Store) -> None:
    lines = [plan("anova"), *scored("anova", 0, {1: 0.7, 2: 0.9}, (1, 2, 3, 4))]
    run_id = made(store, lines, end="run_failed")
    app = open_page(PAGE, run=run_id)
    assert "It broke." in app.error[0].value and "1 finished selections are kept" in app.error[0].value
    press(app, "Resume")
    assert store.summary(run_id).status == "queued"


def test_a_comparison_that_ended_before_its_first_result_says_so(open_page: Open, store: Store) -> None:
    app = open_page(PAGE, run=made(store, [], end="run_failed"))
    assert not app.exception and "It ended before there was anything to draw." in texts(app)


def test_the_columns_the_script_and_the_run_can_be_taken_along(open_page: Open, store: Store) -> None:
    app = open_page(PAGE, run=made(store, compared()))
    assert [button.proto.label for button in app.get("download_button")] == [
        "Columns as CSV",
        "NNI's selectors as a script",
        "Recorded run",
    ]
    assert "def gradient(x, y):" in app.code[0].value


# -- the answer -----------------------------------------------------------------------------------


def test_enough_are_the_fewest_columns_within_one_error_of_the_best_of_all() -> None:
    found = features_view.enough([ANOVA, ALL])  # 4 columns: 0.91 with an error of 0.01, 2 columns: 0.71
    assert found is not None and (found[0].count, found[1].count) == (4, 4)
    flat = told("rfe", (1, 2, 3, 4), (1, 2, 3, 4))
    worth = {
        (count, at): value + at / 50 for count, value in ((1, 0.5), (2, 0.905), (4, 0.9)) for at in (0, 1)
    }
    flat = type(flat)(**vars(flat) | {"worth": worth})
    found = features_view.enough([ANOVA, flat])
    assert found is not None
    assert (found[0].story.name, found[0].count, found[1].story.name) == ("rfe", 2, "rfe")


def test_ties_and_baselines_are_never_the_answer() -> None:
    assert features_view.enough([L1, ALL]) is None
    assert "No selector" in features_view.answer(PLAN, [L1, ALL])
