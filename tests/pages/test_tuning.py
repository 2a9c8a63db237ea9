"""The hyper-parameter page: set-up, editor, pasted configurations, start; what is on the right has tests of its own."""

from __future__ import annotations

import json
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from explorer.catalogue import ASSESSORS, OBJECTIVES, TUNERS
from explorer.hyper import DEFAULT_SPACES, TYPES
from explorer.runs.spec import RunSpec
from explorer.runs.store import Store
from pages.widgets.search_space_editor import NESTED, split_options
from tests.pages import stories, tuning_stories
from tests.pages.conftest import Open, asked, press, say, texts

PAGE = "tuning"
pytestmark = pytest.mark.usefixtures("no_supervisor")


def field(app: AppTest, kind: str, label: str) -> Any:
    """The first widget of a kind with that label."""
    return next(widget for widget in app.get(kind) if widget.label == label)


def started(app: AppTest, store: Store) -> RunSpec:
    """Press Start; what was asked for."""
    press(app, "Start")
    assert not app.exception and not app.error, say(app, "error")
    (summary,) = store.summaries()
    assert asked(app, "run") == summary.run_id
    return store.state(summary.run_id).spec


def test_one_click_starts_a_good_run(open_page: Open, store: Store) -> None:
    spec = started(open_page(PAGE), store)
    assert (spec.kind, spec.objective, spec.space, spec.dataset) == ("hpo", "train", "notes-net", "digits")
    assert spec.method == {"tuner": "TPE", "assessor": "Curvefitting"} and spec.architecture is None
    assert spec.problems() == ()


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_every_objective_can_be_started_at_once(objective: str, open_page: Open, store: Store) -> None:
    app = open_page(PAGE)
    field(app, "selectbox", "Objective").set_value(objective).run()
    spec = started(app, store)
    assert spec.objective == objective and spec.search_space == DEFAULT_SPACES[objective]


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name, entry in TUNERS.items() if entry.facts["available"]])
def test_every_tuner_shows_its_settings_or_says_which_space_it_needs(name: str, open_page: Open) -> None:
    app = open_page(PAGE)
    field(app, "selectbox", "Tuner").set_value(name).run()
    assert not app.exception
    shown = {widget.key for kind in ("number_input", "selectbox", "checkbox") for widget in app.get(kind)}
    wanted = {f"hpo/tuner/{name}/{parameter.name}" for parameter in TUNERS[name].parameters}
    assert wanted <= shown


@pytest.mark.parametrize("name", ASSESSORS)
def test_every_assessor_shows_its_settings(name: str, open_page: Open, store: Store) -> None:
    app = open_page(PAGE)
    field(app, "selectbox", "Assessor").set_value(name).run()
    assert started(app, store).method["assessor"] == name


def test_a_pinned_architecture_is_trained_alone(open_page: Open, store: Store) -> None:
    app = open_page(PAGE)
    field(app, "checkbox", "Tune its layers and skips too").uncheck().run()
    field(app, "text_input", "Architecture").set_value("101").run()
    assert started(app, store).architecture == {"conv1": "conv5x5", "mid_conv": "conv3x3", "skip": [0]}


def test_a_wrong_architecture_code_is_one_sentence(open_page: Open) -> None:
    app = open_page(PAGE)
    field(app, "checkbox", "Tune its layers and skips too").uncheck().run()
    field(app, "text_input", "Architecture").set_value("x").run()
    assert not app.exception
    assert "is no architecture code" in say(app, "error")[0]


def test_what_keeps_a_run_from_starting_is_said_and_start_is_off(open_page: Open) -> None:
    app = open_page(PAGE)
    field(app, "number_input", "Epochs").set_value(3).run()
    assert any("start_step" in sentence for sentence in say(app, "error"))
    assert next(button for button in app.button if button.label == "Start").disabled


def test_the_traps_of_nni_are_told_with_their_switch(open_page: Open) -> None:
    app = open_page(PAGE)
    assert any("NNI's TPE minimises" in sentence for sentence in say(app, "caption"))
    assert any("learn nothing of early stopped" in sentence for sentence in say(app, "caption"))
    edited(app, '{"batch_size": {"_type": "choice", "_value": [16, 32]}}')
    assert any("next grid point" in sentence for sentence in say(app, "caption"))


def test_tuners_that_cannot_be_used_say_why(open_page: Open) -> None:
    captions = "\n".join(say(open_page(PAGE), "caption"))
    for name, entry in TUNERS.items():
        assert entry.facts["available"] or f"**{name}**: {entry.facts['reason']}" in captions


# -- the editor -------------------------------------------------------------------------------------------------------


def edited(app: AppTest, text: str) -> AppTest:
    """Open the editor and put this text in."""
    if not app.session_state["hpo/edit"]:
        field(app, "toggle", "Edit").set_value(True).run()
    return field(app, "text_area", "search_space.json").set_value(text).run()


def space_of(app: AppTest) -> dict[str, Any]:
    """The space in force."""
    form: dict[str, Any] = app.session_state["hpo/space_form"]
    return form


def test_the_text_fills_the_form(open_page: Open) -> None:
    app = edited(open_page(PAGE), '{"momentum": {"_type": "uniform", "_value": [0.5, 0.9]}}')
    assert [widget.value for widget in app.text_input if widget.label == "Name"] == ["momentum"]
    assert [widget.value for widget in app.text_input if widget.label in ("low", "high")] == ["0.5", "0.9"]


def test_the_form_writes_the_text(open_page: Open) -> None:
    app = edited(open_page(PAGE), '{"momentum": {"_type": "uniform", "_value": [0.5, 0.9]}}')
    field(app, "text_input", "high").set_value("0.95").run()
    assert json.loads(field(app, "text_area", "search_space.json").value) == {
        "momentum": {"_type": "uniform", "_value": [0.5, 0.95]}
    }


@pytest.mark.slow
@pytest.mark.parametrize("type_", [*TYPES, NESTED])
def test_every_type_can_be_picked_in_the_form_and_gives_a_space_that_reads(
    type_: str, open_page: Open
) -> None:
    app = edited(open_page(PAGE), '{"momentum": {"_type": "uniform", "_value": [0.5, 0.9]}}')
    field(app, "selectbox", "Type").set_value(type_).run()
    assert not app.exception
    domain = space_of(app)["momentum"]
    assert domain["_type"] == ("choice" if type_ == NESTED else type_)
    assert json.loads(field(app, "text_area", "search_space.json").value)["momentum"] == domain


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{\n "learning_rate": {"_type": "loguniform", "_value": [0, 1]}\n}', "Line 2"),
        ("{'a': 1}", "Line 1"),
        ("", "nothing here"),
        ("[]", "object"),
        ("{" * 5000, "Line 1"),
    ],
    ids=["loguniform from 0", "quotes", "nothing", "a list", "deep"],
)
def test_a_text_that_cannot_be_read_is_said_with_its_line_and_nothing_is_lost(
    text: str, said: str, open_page: Open
) -> None:
    app = open_page(PAGE)
    before = space_of(app)
    edited(app, text)
    assert not app.exception
    assert any(said in sentence for sentence in say(app, "error")), say(app, "error")
    assert space_of(app) == before
    assert field(app, "text_area", "search_space.json").value == text


def test_a_parameter_can_be_added_and_removed_but_not_the_last(open_page: Open) -> None:
    app = edited(open_page(PAGE), '{"momentum": {"_type": "uniform", "_value": [0.5, 0.9]}}')
    field(app, "selectbox", "Add a parameter").set_value("batch_size").run()
    press(app, "Add")
    assert list(space_of(app)) == ["momentum", "batch_size"]
    for _ in range(2):
        next(button for button in app.button if (button.key or "").endswith("/0/remove")).click().run()
    assert list(space_of(app)) == ["batch_size"]
    assert any("at least one parameter" in sentence for sentence in say(app, "error"))


def test_two_parameters_cannot_get_one_name(open_page: Open) -> None:
    app = open_page(PAGE)
    field(app, "toggle", "Edit").set_value(True).run()
    field(app, "text_input", "Name").set_value("optimizer").run()
    assert any("name of its own" in sentence for sentence in say(app, "error"))


def test_options_are_typed_as_people_write_them() -> None:
    assert split_options("16, 32,sgd , 0.5, true") == [16, 32, "sgd", 0.5, True]
    assert split_options('[0, 1], "a, b", {"_name": "x"}') == [[0, 1], "a, b", {"_name": "x"}]
    assert split_options(" , ") == []


# -- a pasted configuration -------------------------------------------------------------------------------------------


def pasted(app: AppTest, text: str) -> AppTest:
    """Open the popover and paste."""
    app.session_state["hpo/paste"] = True
    app.run()
    return field(app, "text_area", "A config.yml of NNI 1, 2 or 3, or a part of one").set_value(text).run()


SNIPPET = """```yaml
assessor:
  builtinAssessorName: Curvefitting
  classArgs:
    epoch_num: 10
    threshold: 0.9

```"""


def test_the_notes_snippet_is_explained_and_taken_over(open_page: Open, store: Store) -> None:
    app = pasted(open_page(PAGE), SNIPPET)
    assert "builtinAssessorName became name" in texts(app)
    press(app, "Take over")
    spec = started(app, store)
    assert spec.method["assessor"] == "Curvefitting" and spec.epochs == 10
    assert spec.settings["assessor"] == {"epoch_num": 10, "threshold": 0.9}


def test_a_whole_configuration_is_taken_over(open_page: Open, store: Store) -> None:
    text = """
searchSpace:
  learning_rate: {_type: loguniform, _value: [0.001, 0.1]}
trialCommand: python trial.py
trialConcurrency: 1
maxTrialNumber: 7
tuner: {name: Evolution, classArgs: {population_size: 9, optimize_mode: maximize}}
trainingService: {platform: local}
"""
    app = press(pasted(open_page(PAGE), text), "Take over")
    spec = started(app, store)
    assert (spec.method["tuner"], spec.trials, spec.workers) == ("Evolution", 7, 1)
    assert spec.settings["tuner"]["population_size"] == 9
    assert spec.search_space == {"learning_rate": {"_type": "loguniform", "_value": [0.001, 0.1]}}


@pytest.mark.parametrize(
    "text",
    ["a: &a [x]\nb: *a", "!!python/object/apply:os.system ['true']", "tuner: [", "tuner: 3", "\x00"],
    ids=["alias", "tag", "broken", "number", "zero byte"],
)
def test_what_is_no_configuration_is_said_and_nothing_is_taken(text: str, open_page: Open) -> None:
    app = pasted(open_page(PAGE), text)
    assert not app.exception
    assert say(app, "error")
    assert "Take over" not in [button.label for button in app.button]


# -- runs -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "story", ["queued", "running", "paused", "finished", "finished_later", "failed", "cancelled"]
)
def test_the_page_opens_with_a_run_in_any_state(story: str, open_page: Open, store: Store) -> None:
    run_id = getattr(tuning_stories, story)(store)
    app = open_page(PAGE, run=run_id)
    assert not app.exception
    assert bool(app.error) == (story == "failed")  # its reason
    assert asked(app, "run") == run_id


def test_a_run_of_another_kind_is_shown_by_its_own_page(open_page: Open, store: Store) -> None:
    random, tuned = stories.finished(store), tuning_stories.finished(store)
    assert "Random architectures" in texts(open_page(PAGE, run=random))
    assert "Hyper-parameters" in texts(open_page("random_architectures", run=tuned))


def test_the_list_of_runs_says_what_was_tuned_with_what(open_page: Open, store: Store) -> None:
    tuning_stories.finished(store)
    tuning_stories.function(store)
    shown = texts(open_page("runs"))
    assert "Simulated learning curves" in shown and "Curvefitting" in shown and "Branin" in shown


def test_a_run_is_started_again_with_its_own_settings(open_page: Open, store: Store) -> None:
    first = RunSpec(
        kind="hpo",
        objective="mlp",
        dataset="noisy-digits",
        trials=7,
        epochs=9,
        workers=1,
        seed=5,
        method={"tuner": "Evolution", "assessor": "Medianstop"},
        settings={"tuner": {"population_size": 9}, "assessor": {"start_step": 2}},
        search_space={"learning_rate": {"_type": "loguniform", "_value": [0.001, 0.1]}},
    )
    run_id = tuning_stories.finished(store, first)
    app = press(open_page(PAGE, run=run_id), "Use these settings")
    press(app, "Start")
    again = next(store.state(one.run_id).spec for one in store.summaries() if one.run_id != run_id)
    assert again == first


def test_numbers_that_cannot_be_are_left_out_with_a_word(open_page: Open) -> None:
    text = "trialConcurrency: 500\nmaxTrialNumber: 99999999\n"
    text += "assessor: {name: Curvefitting, classArgs: {epoch_num: 99999}}"
    app = press(pasted(open_page(PAGE), text), "Take over")
    assert not app.exception
    assert [field(app, "number_input", label).value for label in ("Trials", "Workers", "Epochs")] == [
        20,
        2,
        10,
    ]
    assert any("at most" in toast.value for toast in app.get("toast"))


def test_a_second_configuration_leaves_nothing_of_the_first(open_page: Open) -> None:
    first = "assessor: {name: Curvefitting, classArgs: {epoch_num: 10, threshold: 0.5, start_step: 7}}"
    app = press(pasted(open_page(PAGE), first), "Take over")
    app = press(pasted(app, SNIPPET), "Take over")
    assert field(app, "number_input", "Start step").value == 6
    app = press(app, "Back to the defaults")
    assert field(app, "number_input", "Threshold").value == 0.95


def test_a_space_that_cannot_be_read_does_not_start_another(open_page: Open) -> None:
    app = edited(open_page(PAGE), "{broken")
    assert next(button for button in app.button if button.label == "Start").disabled
    press(app, "Discard the change")
    assert not next(button for button in app.button if button.label == "Start").disabled


def test_a_pinned_cell_begins_connected(open_page: Open, store: Store) -> None:
    app = open_page(PAGE)
    field(app, "selectbox", "Network").set_value("cell").run()
    field(app, "checkbox", "Tune its layers and skips too").uncheck().run()
    architecture = started(app, store).architecture
    assert architecture is not None and set(architecture.values()) != {"none"}


def test_an_example_gives_its_settings_to_the_form(open_page: Open) -> None:
    app = open_page(PAGE, run="example-notes-net-tuned-on-digits")
    assert not app.exception and not app.error
    app = press(app, "Use these settings")
    assert [field(app, "number_input", label).value for label in ("Trials", "Epochs", "Seed")] == [30, 12, 1]
