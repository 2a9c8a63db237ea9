"""The Random architectures page: settings, start, live, ended, retrained; and who may stop what."""

from __future__ import annotations

from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from explorer.runs.spec import RunSpec
from explorer.runs.store import Store
from explorer.space import preset
from explorer.space.restrict import Restriction, restrict
from tests.pages import stories
from tests.pages.conftest import Open, asked, mounted, press, say, texts

PAGE = "random_architectures"
pytestmark = pytest.mark.usefixtures("no_supervisor")


def listed(app: AppTest) -> dict[str, Any]:
    """The leaderboard of a run that has ended: its rows show their network when pointed at."""
    shelf: dict[str, Any] = mounted(app, "shelf")[0]["shelf"]
    return shelf


def heads(app: AppTest) -> list[str]:
    """The titles of its columns."""
    return [head[0] if isinstance(head, list) else head for head in listed(app)["head"]]


def test_without_a_run_the_page_says_what_to_do(open_page: Open) -> None:
    app = open_page(PAGE)
    assert "Press *Run*" in texts(app)
    assert any("about **" in sentence for sentence in say(app, "caption"))


def test_run_queues_exactly_what_the_form_says(open_page: Open, store: Store) -> None:
    app = open_page(PAGE)
    next(box for box in app.number_input if box.label == "Trials").set_value(3).run()
    next(box for box in app.number_input if box.label == "Epochs").set_value(1).run()
    press(app, "Run")
    (summary,) = store.summaries()
    spec = store.state(summary.run_id).spec
    assert (spec.space, spec.dataset, spec.trials, spec.epochs) == ("notes-net", "digits", 3, 1)
    assert asked(app, "run") == summary.run_id


def test_a_reload_shows_the_same_run(open_page: Open, store: Store) -> None:
    run_id = stories.finished(store)
    assert "finished" in texts(open_page(PAGE, run=run_id))


def test_a_running_run_shows_progress_stop_and_no_resume(open_page: Open, store: Store) -> None:
    app = open_page(PAGE, run=stories.running(store))
    labels = [button.label for button in app.button]
    assert "Stop" in labels and "Resume" not in labels and "Retrain the best" not in labels
    assert "2 of 6 trials" in str(app.get("progress")[0].proto)
    assert "<svg" in texts(app)  # curves while it lives, without plotly


def test_test_accuracy_stays_hidden_while_the_run_lives(open_page: Open, store: Store) -> None:
    assert ">Test<" not in texts(open_page(PAGE, run=stories.running(store)))
    assert "Test" in heads(open_page(PAGE, run=stories.finished(store)))


def test_a_failed_run_says_why_keeps_what_it_has_and_can_be_resumed(open_page: Open, store: Store) -> None:
    run_id = stories.failed(store)
    app = open_page(PAGE, run=run_id)
    assert "SIGKILL" in app.error[0].value and "2 finished trials are kept" in app.error[0].value
    assert "no finite number" in texts(app)
    press(app, "Resume")
    assert store.summary(run_id).status == "queued"


def test_retraining_asks_for_the_best_with_so_many_seeds(open_page: Open, store: Store) -> None:
    run_id = stories.finished(store)
    best = store.state(run_id).best
    app = open_page(PAGE, run=run_id)
    press(app, "Retrain the best")
    assert best is not None
    assert store.state(run_id).resumed == {"retrain": {"trial_id": best.trial_id, "seeds": 3}}


def test_seeds_appear_with_their_spread(open_page: Open, store: Store) -> None:
    run_id = stories.finished(store)
    state = store.state(run_id)
    assert state.best is not None
    store.append(run_id, "run_resumed", {"retrain": {"trial_id": state.best.trial_id, "seeds": 3}})
    store.append(run_id, "run_started", {})
    stories.tell(store, run_id, stories.retrainings(state.spec, state.best.trial_id, 3, first=50))
    store.append(run_id, "run_finished", {})
    assert any("81.0 ± 1.0 % (3 seeds)" in row for row in listed(open_page(PAGE, run=run_id))["rows"])


def test_stopping_a_waiting_run_ends_it(open_page: Open, store: Store) -> None:
    run_id = stories.queued(store)
    press(open_page(PAGE, run=run_id), "Stop")
    assert store.summary(run_id).status == "cancelled"


def test_on_a_shared_machine_a_strangers_run_cannot_be_stopped(
    open_page: Open, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EXPLORER_MODE", "cloud")
    run_id = store.create_run(RunSpec(space="notes-net", trials=2, epochs=1), "somebody else")
    app = open_page(PAGE, run=run_id)
    assert next(button for button in app.button if button.label == "Stop").disabled


def test_on_a_shared_machine_a_full_queue_is_one_sentence(
    open_page: Open, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EXPLORER_MODE", "cloud")
    app = open_page(PAGE)
    for _ in range(3):
        press(app, "Run")
    press(app, "Run")
    assert not app.exception
    assert "3 runs are waiting" in app.error[0].value and len(store.summaries()) == 3


def test_a_space_that_cannot_run_blocks_the_button_with_its_problems(open_page: Open) -> None:
    app = open_page(PAGE)
    next(box for box in app.selectbox if box.label == "Search space").set_value("notes-net-as-written").run()
    assert next(button for button in app.button if button.label == "Run").disabled
    assert len(app.error) == 2


def test_what_the_space_page_carried_over_is_what_is_run(open_page: Open, store: Store) -> None:
    smaller = restrict(preset("notes-net"), Restriction({"conv1": ("conv3x3",)}))
    app = open_page(PAGE)
    app.session_state["plan"] = {"space": smaller.to_json(), "architecture": smaller.default.to_json()}
    app.run()
    press(app, "Run")
    spec = store.state(store.summaries()[0].run_id).spec
    assert spec.space == smaller.to_json() and spec.architecture == smaller.default.to_json()
    assert spec.trials == 3  # seeds


def test_a_run_deleted_in_another_tab_is_one_sentence(open_page: Open, store: Store) -> None:
    run_id = stories.finished(store)
    app = open_page(PAGE, run=run_id)
    store.delete(run_id)
    app.run()
    assert not app.exception and "Pick another" in say(app, "warning")[0]
