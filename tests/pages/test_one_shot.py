"""The one-shot page: any search in any state, what can be done with it, and settings that say what is wrong."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from explorer.catalogue import METHODS
from explorer.runs.store import Store
from tests.pages import oneshot_stories, stories
from tests.pages.conftest import Open, say, texts

STATES = ("queued", "running", "paused", "failed", "finished", "retrained")


def labels(app: AppTest) -> list[str]:
    """What the buttons say."""
    return [button.label for button in app.button]


@pytest.mark.parametrize("story", STATES)
def test_a_search_in_any_state_is_shown(story: str, open_page: Open, store: Store) -> None:
    app = open_page("one_shot", run=getattr(oneshot_stories, story)(store))
    assert not app.exception and len(app.error) == (story == "failed")
    assert ("finished" if story == "retrained" else story) in texts(app)


@pytest.mark.slow
@pytest.mark.parametrize("space", ["notes-net", "darts-cell", "enas-macro"])
@pytest.mark.parametrize("method", ["darts", "enas"])
def test_a_search_of_any_space_is_shown(space: str, method: str, open_page: Open, store: Store) -> None:
    for story in (oneshot_stories.running, oneshot_stories.retrained):
        app = open_page("one_shot", run=story(store, oneshot_stories.spec(space, method)))
        assert not app.exception and not app.error


def test_a_running_search_offers_to_pause_and_to_derive_now(open_page: Open, store: Store) -> None:
    run_id = oneshot_stories.running(store)
    app = open_page("one_shot", run=run_id)
    assert {"Pause", "Derive now", "Stop"} <= set(labels(app)) and "Resume" not in labels(app)
    next(button for button in app.button if button.label == "Derive now").click().run()
    next(button for button in app.button if button.label == "Pause").click().run()
    assert [request.kind for request in store.requests(run_id)] == ["stop", "pause"]


def test_the_answer_to_better_than_random_is_a_sentence(open_page: Open, store: Store) -> None:
    told = texts(open_page("one_shot", run=oneshot_stories.retrained(store)))
    assert "random" in told and "seed" in told


def test_a_run_of_another_kind_is_shown_by_its_own_page(open_page: Open, store: Store) -> None:
    app = open_page("one_shot", run=stories.finished(store))
    assert "Random architectures" in [title.value for title in app.title]


@pytest.mark.parametrize("story", ["running", "finished"])
def test_a_method_without_an_opinion_is_asked_for_none_while_it_trains(
    story: str, open_page: Open, store: Store
) -> None:
    given = oneshot_stories.spec("cell", "spos")
    run_id = getattr(oneshot_stories, story)(store, given)
    app = open_page("one_shot", run=run_id)
    told = texts(app)
    assert ("no opinion while it trains" in told) == (story == "running")
    assert ("What was derived?" in told) == (story == "finished")
    assert "Compare" not in labels(app)
    app.session_state[f"film/{run_id}/"] = {
        "moment": {"step": store.state(run_id).snapshots[0]["step"], "n": 1}
    }
    assert "no opinion while it trains" in texts(app.run()) and not app.exception


@pytest.mark.usefixtures("no_supervisor")
def test_search_starts_what_the_form_says(open_page: Open, store: Store) -> None:
    app = open_page("one_shot")
    next(button for button in app.button if button.label == "Search").click().run()
    assert not app.exception
    spec = store.state(store.summaries()[0].run_id).spec
    assert (spec.kind, spec.space, spec.method["method"], spec.epochs) == ("oneshot", "cell", "darts", 100)


@pytest.mark.parametrize("method", METHODS)
def test_every_method_has_its_form(method: str, open_page: Open) -> None:
    app = open_page("one_shot")
    app.selectbox(key="oneshot/method").set_value(method).run()
    assert not app.exception and not app.error


def test_a_method_that_cannot_serve_the_space_says_which_can(open_page: Open) -> None:
    app = open_page("one_shot")
    app.selectbox(key="oneshot/method").set_value("pc-darts")
    app.selectbox(key="oneshot/space/cell").set_value("notes-net").run()
    assert "can search notes-net" in say(app, "error")[0]
    assert next(button for button in app.button if button.label == "Search").disabled
