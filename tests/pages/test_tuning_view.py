"""A tuned run on screen: every state, the lens and its replay, brushing, the controls, and very many trials."""

from __future__ import annotations

import re

import pytest
from streamlit.testing.v1 import AppTest

from explorer.errors import StoreUnavailable
from explorer.jobs import launch
from explorer.plots.tuning.selection import EVERYTHING, Selection
from explorer.runs.spec import RunSpec
from explorer.runs.store import Store
from pages.widgets.tuning_brush import Brush, chained
from pages.widgets.tuning_control import nni_page
from tests.pages import tuning_stories as stories
from tests.pages.conftest import press, say, texts

VIEWS = ("Assessor lens", "Slices", "Parallel", "Scatter", "Importance", "Workers", "Trials")
STORIES = (
    *("queued", "started", "running", "paused", "finished", "finished_later", "failed", "failed_at_once"),
    *("cancelled", "median", "unassessed", "function"),
)
pytestmark = pytest.mark.usefixtures("no_supervisor")


def page(run_id: str) -> None:
    """What the page shows of a run."""
    from pages.widgets import runs_at_hand, tuning_control, tuning_view

    state = runs_at_hand.state(run_id)
    tuning_control.show(state, runs_at_hand.summary(run_id))
    tuning_view.show(state, not state.is_over)


def large_page(live: bool) -> None:
    """A run of 2,000 trials, which no store needs to hold."""
    from pages.widgets import tuning_view
    from tests.pages.tuning_stories import large

    tuning_view.show(large(live=live), live)


def opened(run_id: str, view: str | None = None) -> AppTest:
    """The page of this run, run once."""
    app = AppTest.from_function(page, default_timeout=60, kwargs={"run_id": run_id})
    if view:
        app.session_state[f"tuning/{run_id}/view"] = view
    app.run()
    assert not app.exception, app.exception
    return app


def slider(app: AppTest, word: str) -> object:
    """The slider whose label begins with the word."""
    return next(one for one in app.slider if one.label.startswith(word))


def tables(app: AppTest) -> str:
    """The page's HTML in one string."""
    return "\n".join(str(element.proto) for element in app.get("html"))


# -- every state --------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("story", STORIES)
def test_a_run_in_any_state_opens_in_every_view(story: str, store: Store) -> None:
    run_id = getattr(stories, story)(store)
    app = opened(run_id)
    for view in VIEWS if store.state(run_id).trials else ():
        app.session_state[f"tuning/{run_id}/view"] = view
        app.run()
        assert not app.exception, (story, view, app.exception)
        assert not app.error or story.startswith("failed")


def test_a_live_run_tells_progress_the_best_and_draws_without_plotly(store: Store) -> None:
    app = opened(stories.running(store))
    assert "10 of 20 trials" in str(app.get("progress")[0].proto)
    assert "Best so far: **" in texts(app) and "<svg" in texts(app)
    assert not app.get("plotly_chart")


def test_a_failed_run_says_why_and_what_to_do(store: Store) -> None:
    app = opened(stories.failed(store))
    assert "SIGKILL" in app.error[0].value and "Resume trains what is missing" in app.error[0].value


def test_a_function_has_no_learning_curves_and_the_lens_says_what_to_take_instead(store: Store) -> None:
    app = opened(stories.function(store), "Assessor lens")
    assert "where were they stopped" not in texts(app)
    assert "nothing for an assessor to judge" in texts(app)


def test_without_an_assessor_the_lens_says_how_to_use_one(store: Store) -> None:
    assert "Choose *Curve fitting*" in texts(opened(stories.unassessed(store), "Assessor lens"))


def test_names_of_a_persons_own_are_shown_as_they_are(store: Store) -> None:
    run = RunSpec(kind="hpo", objective="curves", method={"assessor": "none"}, trials=2, epochs=2)
    run_id = store.create_run(run)
    lines = [("run_started", {}), *stories.trials(run, 2), ("warning", {"message": "**bold** $x$ <b>"})]
    for kind, data in lines:
        store.append(run_id, kind, data)
    store.append(run_id, "run_finished", {})
    assert r"\*\*bold\*\* \$x\$ \<b\>" in "\n".join(say(opened(run_id), "caption"))


# -- the lens ---------------------------------------------------------------------------------------------


def test_the_lens_begins_with_a_stopped_trial_and_says_why(store: Store) -> None:
    run_id = stories.finished(store)
    app = opened(run_id)
    stopped = [t.trial_id for t in store.state(run_id).trials.values() if t.status == "early_stopped"]
    assert stopped
    assert app.selectbox[0].value == stopped[0]
    assert "so the trial was stopped" in texts(app)
    assert re.search(r"the last is [0-9.]+ %", texts(app)), "sentences and chart have one unit"
    assert "Let it finish" in [button.label for button in app.button]


def test_an_earlier_look_has_its_own_words(store: Store) -> None:
    app = opened(stories.finished(store))
    app.select_slider[0].set_value(4).run()
    assert "so the trial went on" in texts(app)


def test_the_replay_follows_the_slider_and_names_what_nobody_knows(store: Store) -> None:
    run_id = stories.finished(store)
    stops = sum(t.status == "early_stopped" for t in store.state(run_id).trials.values())
    app = opened(run_id)
    assert f"{stops} → {stops}" in tables(app)
    slider(app, "Threshold").set_value(0.5).run()  # type: ignore[attr-defined]
    slider(app, "First step").set_value(12).run()  # type: ignore[attr-defined]
    assert f"{stops} → 0" in tables(app)
    assert "unknown beyond step" in tables(app)


def test_medianstop_is_replayed_over_its_start_step(store: Store) -> None:
    app = opened(stories.median(store))
    assert "median" in texts(app)
    slider(app, "First step").set_value(11).run()  # type: ignore[attr-defined]
    assert not app.exception and "unknown beyond step" in tables(app)


def test_a_trial_that_was_finished_later_is_judged(store: Store) -> None:
    assert "finished later it ended with 50.0 %" in texts(opened(stories.finished_later(store)))


def test_let_it_finish_asks_for_this_trial_alone(store: Store) -> None:
    run_id = stories.finished(store)
    app = opened(run_id)
    trial_id = app.selectbox[0].value
    assert any("more epochs" in sentence for sentence in say(app, "caption"))
    press(app, "Let it finish")
    assert store.state(run_id).finishes == (trial_id,)


def test_let_all_finish_asks_for_every_stopped_trial(store: Store) -> None:
    run_id = stories.finished(store)
    stopped = [t.trial_id for t in store.state(run_id).trials.values() if t.status == "early_stopped"]
    press(opened(run_id), f"Let all {len(stopped)} finish")
    assert list(store.state(run_id).finishes) == stopped


def test_the_trial_that_was_picked_stays_while_the_run_goes_on_and_ends(store: Store) -> None:
    run_id = stories.running(store)
    app = opened(run_id)
    box = app.selectbox[0]
    picked = next(number for number in (4, 3, 1) if f"Trial {number}" in box.options)
    box.set_value(picked).run()
    before = app.selectbox[0].options
    stories.tell(store, run_id, [*stories.rest_of(10), ("run_finished", {})])
    app.run()
    box = app.selectbox[0]
    assert store.state(run_id).is_over and set(before) <= set(box.options)
    assert box.value == picked and f"Trial {picked}, step" in texts(app)


def test_before_a_trial_is_picked_the_first_stopped_one_is_shown(store: Store) -> None:
    run_id = stories.running(store)
    app = opened(run_id)
    shown = app.selectbox[0].value
    assert store.state(run_id).trials[shown].status == "early_stopped"
    stories.tell(store, run_id, [*stories.rest_of(10), ("run_finished", {})])
    app.run()
    assert app.selectbox[0].value == shown


def test_the_time_of_finishing_later_is_told_apart(store: Store) -> None:
    told = texts(opened(stories.finished_later(store)))
    assert "One stopped trial was finished later, in" in told


def test_while_stopped_trials_are_finished_the_page_says_how_many_are(store: Store) -> None:
    run_id = stories.finished(store)
    stopped = [t.trial_id for t in store.state(run_id).trials.values() if t.status == "early_stopped"]
    press(opened(run_id), f"Let all {len(stopped)} finish")
    store.claim("test", 3600, run_id=run_id)
    stories.tell(store, run_id, [("run_started", {"attempt": 2, "workers": 2})])
    told = [str(bar.proto) for bar in opened(run_id).get("progress")]
    assert any(f"0 of {len(stopped)} finished" in words for words in told)


# -- brushing ---------------------------------------------------------------------------------------------


def test_a_selection_narrows_what_another_left_over() -> None:
    first = chained((), "slices", Selection(frozenset({1, 2, 3})))
    second = chained(first, "trials", Selection(frozenset({2})))
    assert second == (Brush("slices", frozenset({1, 2, 3})), Brush("trials", frozenset({2})))
    assert chained(second, "slices", Selection(frozenset({5}))) == (Brush("slices", frozenset({5})),)
    assert chained(second, "trials", EVERYTHING) == first


def test_a_selection_narrows_the_other_views_and_can_be_cleared(store: Store) -> None:
    run_id = stories.finished(store)
    app = opened(run_id, "Trials")
    assert len(app.dataframe[0].value) == 12
    app.session_state[f"tuning/{run_id}/brushes"] = (Brush("slices", frozenset({2, 3})),)
    app.run()
    assert len(app.dataframe[0].value) == 2
    assert "2 of 12 trials selected" in texts(app)
    assert "2 trials, selected of 12" in texts(app)
    press(app, "Clear")
    assert len(app.dataframe[0].value) == 12 and "trials selected" not in texts(app)


def test_selected_trials_are_compared_and_copied(store: Store) -> None:
    run_id = stories.finished(store)
    app = opened(run_id, "Trials")
    app.session_state[f"tuning/{run_id}/brushes"] = (Brush("slices", frozenset({0, 1})),)
    app.run()
    assert "Comparing 2 trials" in texts(app) and "learning_rate" in tables(app)
    assert {block.language for block in app.code} == {"python", "json"}


def test_a_selection_of_nothing_is_not_everything(store: Store) -> None:
    run_id = stories.finished(store)
    app = opened(run_id)
    app.session_state[f"tuning/{run_id}/brushes"] = (Brush("slices", frozenset()),)
    for view in VIEWS:
        app.session_state[f"tuning/{run_id}/view"] = view
        app.run()
        assert not app.exception, (view, app.exception)
        assert "0 of 12 trials selected" in texts(app)


# -- control ----------------------------------------------------------------------------------------------


def asked(store: Store, run_id: str) -> list[tuple[str, dict[str, object]]]:
    """What was asked of the run's worker."""
    return [(request.kind, dict(request.data)) for request in store.requests(run_id, 0)]


def with_menu(app: AppTest, run_id: str, label: str) -> AppTest:
    """The page with this menu open."""
    app.session_state[f"control/{run_id}/{label}"] = True
    return app.run()


@pytest.mark.parametrize(("label", "kind"), [("Pause", "pause"), ("Stop", "cancel")])
def test_a_running_run_can_be_paused_and_stopped(label: str, kind: str, store: Store) -> None:
    run_id = stories.running(store)
    press(opened(run_id), label)
    assert asked(store, run_id) == [(kind, {})]


def test_a_paused_run_goes_on(store: Store) -> None:
    run_id = stories.paused(store)
    press(opened(run_id), "Resume")
    assert asked(store, run_id) == [("resume", {})]


def test_a_failed_run_can_be_resumed_and_a_finished_one_not(store: Store) -> None:
    run_id = stories.failed(store)
    press(opened(run_id), "Resume")
    assert store.summary(run_id).status == "queued"
    assert "Resume" not in [button.label for button in opened(stories.finished(store)).button]


def test_trials_and_workers_are_changed_while_it_runs(store: Store) -> None:
    run_id = stories.running(store)
    app = with_menu(opened(run_id), run_id, "Trials and workers")
    next(box for box in app.number_input if box.label == "Trials in all").set_value(30)
    next(box for box in app.number_input if box.label == "Workers").set_value(4)
    press(app, "Apply")
    assert asked(store, run_id) == [
        ("set", {"name": "trials", "value": 30}),
        ("set", {"name": "workers", "value": 4}),
    ]


def test_a_trial_by_hand_begins_with_the_best_and_takes_what_the_form_says(store: Store) -> None:
    run_id = stories.running(store, stories.spec(trials=20, search_space=stories.NESTED, objective="mlp"))
    best = store.state(run_id).best
    assert best is not None and best.parameters
    app = with_menu(opened(run_id), run_id, "Add a trial")
    box = next(box for box in app.number_input if box.label == "learning_rate")
    assert box.value == pytest.approx(best.parameters["learning_rate"])
    box.set_value(0.25)
    next(one for one in app.selectbox if one.label == "optimizer").set_value("sgd").run()
    next(box for box in app.number_input if box.label == "momentum").set_value(0.5)
    press(app, "Add it")
    (request,) = asked(store, run_id)
    assert request[0] == "add_trial"
    assert request[1]["parameters"] == {
        "learning_rate": 0.25,
        "optimizer": {"_name": "sgd", "momentum": 0.5},
        "batch_size": best.parameters["batch_size"],
    }


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "no JSON"),
        ("[1]", "JSON object"),
        ('{"learning_rate": 5, "width": 20, "regularisation": 0.01}', "learning_rate is 5"),
        ('{"lr": 5}', "lr"),
    ],
)
def test_a_trial_outside_the_space_is_one_sentence_and_is_not_sent(
    text: str, said: str, store: Store
) -> None:
    run_id = stories.running(store)
    app = with_menu(opened(run_id), run_id, "Add a trial")
    next(toggle for toggle in app.toggle if toggle.label == "As JSON").set_value(True).run()
    app.text_area[0].set_value(text)
    press(app, "Add it")
    assert len(app.error) == 1 and said in app.error[0].value
    assert asked(store, run_id) == []


def test_one_trial_can_be_run_again_or_ended(store: Store) -> None:
    run_id = stories.running(store)
    app = with_menu(opened(run_id), run_id, "One trial")
    press(app, "End trial 10")
    box = next(one for one in app.selectbox if one.label.startswith("Trial, running"))
    box.set_value(3).run()
    assert next(button for button in app.button if button.label == "End trial 3").disabled
    press(app, "Run trial 3 again")
    parameters = dict(store.state(run_id).trials[3].parameters or {})
    assert asked(store, run_id) == [
        ("kill_trial", {"trial_id": 10}),
        ("add_trial", {"parameters": parameters}),
    ]


def test_the_menu_of_one_trial_keeps_its_trial_while_the_trial_ends(store: Store) -> None:
    run_id = stories.running(store)
    app = with_menu(opened(run_id), run_id, "One trial")
    assert next(one for one in app.selectbox if one.label.startswith("Trial, running")).value == 10
    stories.tell(store, run_id, stories.rest_of(10))
    app.run()
    assert next(one for one in app.selectbox if one.label.startswith("Trial, newest")).value == 10
    assert next(button for button in app.button if button.label == "End trial 10").disabled


def test_a_problem_stays_until_the_next_edit(store: Store) -> None:
    run_id = stories.running(store)
    app = with_menu(opened(run_id), run_id, "Add a trial")
    next(toggle for toggle in app.toggle if toggle.label == "As JSON").set_value(True).run()
    app.text_area[0].set_value("{")
    press(app, "Add it")
    app.run()  # the timer
    assert len(app.error) == 1 and "no JSON" in app.error[0].value
    app.text_area[0].set_value("{}").run()
    assert not app.error


def test_a_problem_of_a_button_stays_until_the_next_press(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuses(*_: object) -> None:
        raise StoreUnavailable("The disk is full.")

    run_id = stories.running(store)
    app = opened(run_id)
    with monkeypatch.context() as broken:
        broken.setattr(launch, "pause", refuses)
        press(app, "Pause")
    app.run()
    assert [error.value for error in app.error] == ["The disk is full."]
    press(app, "Pause")
    assert not app.error and asked(store, run_id) == [("pause", {})]


@pytest.mark.parametrize("story", ["finished", "cancelled", "failed"])
def test_a_run_that_ended_goes_on_with_more_trials(
    story: str, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: list[tuple[str, int]] = []
    monkeypatch.setattr(launch, "more_trials", lambda _, run_id, trials: heard.append((run_id, trials)))
    run_id = getattr(stories, story)(store)
    planned = store.state(run_id).planned_trials
    app = with_menu(opened(run_id), run_id, "More trials")
    next(box for box in app.number_input if box.label == "How many more").set_value(5).run()
    press(app, "Train 5 more")
    assert heard == [(run_id, planned + 5)]


def test_a_trial_can_be_added_after_the_end(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[dict[str, object]] = []
    monkeypatch.setattr(launch, "add_after_end", lambda _, run_id, parameters: heard.append(dict(parameters)))
    run_id = stories.finished(store)
    best = store.state(run_id).best
    assert best is not None and best.parameters
    app = with_menu(opened(run_id), run_id, "Add a trial")
    press(app, "Add it")
    assert heard == [pytest.approx(dict(best.parameters))]


@pytest.mark.parametrize(
    ("url", "is_shown"),
    [
        ("http://127.0.0.1:8080", True),
        ("http://127.0.0.1:8080/", True),
        ("https://example.org", False),
        ("http://127.0.0.1:80@example.org", False),
        ("http://127.0.0.1:99999", False),
        ("javascript:alert(1)//http://127.0.0.1:8080", False),
        (7, False),
    ],
)
def test_nnis_own_page_is_linked_on_this_machine_only(url: object, is_shown: bool, store: Store) -> None:
    run_id = stories.running(store)
    data = {"id": "x", "url": url, "pid": 1}
    store.append(run_id, "measurement", {"name": "nni_experiment", "step": 0, "data": data})
    assert bool(nni_page(store.state(run_id))) is is_shown
    app = opened(run_id)
    assert ("own page" in str([entry.proto for entry in app.get("link_button")])) is is_shown
    store.append(run_id, "run_cancelled", {"reason": "Stopped."})
    assert nni_page(store.state(run_id)) is None


def test_on_a_shared_machine_a_strangers_run_cannot_be_changed(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EXPLORER_MODE", "cloud")
    app = opened(stories.running(store, owner="somebody else"))
    labels = ("Pause", "Stop", "Let it finish")
    assert all(button.disabled for button in app.button if button.label in labels)


# -- very many --------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("live", [True, False])
def test_two_thousand_trials_open_in_every_view(live: bool) -> None:
    app = AppTest.from_function(large_page, default_timeout=60, kwargs={"live": live})
    for view in VIEWS:
        app.session_state["tuning/example-large/view"] = view
        app.run()
        assert not app.exception, (view, app.exception)
    assert len(app.dataframe[0].value) == 2000
