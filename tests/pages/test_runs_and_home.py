"""The Runs page and Home: lists, actions, imports, the example."""

from __future__ import annotations

import gzip
import io
from pathlib import Path

import pytest

from explorer.runs.checks import KINDS
from explorer.runs.recorded import write_recorded
from explorer.runs.spec import RunSpec
from explorer.runs.store import Store
from pages.widgets import examples
from tests.pages import stories
from tests.pages.conftest import Open, asked, mounted, press, say, texts

pytestmark = pytest.mark.usefixtures("no_supervisor")


def test_with_no_runs_the_page_says_what_to_do(open_page: Open) -> None:
    assert "No runs yet" in texts(open_page("runs"))


def test_every_run_is_listed_newest_first_with_state_best_and_progress(open_page: Open, store: Store) -> None:
    stories.finished(store)
    stories.failed(store)
    said = texts(open_page("runs"))
    assert "finished" in said and "failed" in said and "6 / 6" in said and "3 / 6" in said


def test_a_long_list_is_turned_page_by_page(open_page: Open, store: Store) -> None:
    for seed in range(17):
        store.create_run(RunSpec(space="notes-net", trials=1, epochs=1, seed=seed))
    app = open_page("runs")
    assert sum(button.label == "Open" for button in app.button) == 15
    press(app, "Older")
    assert sum(button.label == "Open" for button in app.button) == 2


def test_a_filter_without_matches_says_so(open_page: Open, store: Store) -> None:
    stories.finished(store)
    app = open_page("runs")
    next(iter(app.get("button_group"))).set_value("lost").run()
    assert "No run is in this state" in texts(app)


def test_names_are_text_whatever_they_say(open_page: Open, store: Store) -> None:
    run_id = stories.finished(store)
    store.rename(run_id, "<img src=x onerror=alert(1)> **bold**")
    said = texts(open_page("runs"))
    assert "&lt;img" in said and "<img" not in said


def test_home_without_an_example_offers_a_run(
    open_page: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(examples, "FOLDER", tmp_path)
    app = open_page("home")
    assert "No recorded example" in texts(app) and "<svg" in texts(app)


@pytest.fixture
def recorded_example(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with one recorded run, called `first`."""
    run_id = stories.finished(store)
    monkeypatch.setattr(examples, "FOLDER", tmp_path)
    path = tmp_path / "first.jsonl.gz"
    write_recorded(path, store.state(run_id).spec, store.events(run_id))
    store.delete(run_id)
    return path


def test_home_shows_a_finished_run_at_once(open_page: Open, recorded_example: Path) -> None:
    said = texts(open_page("home"))
    assert "Best of 6" in said and "<table" in said


def test_home_shows_a_finished_search_that_can_be_played(open_page: Open) -> None:
    app = open_page("home")
    film = mounted(app, "watch")[0]
    assert film["n"] > 20 and not film["live"] and len(film["d"]) > 1
    group = next(iter(app.get("button_group")))
    group.set_value("enas-macro-with-skips").run()
    assert not app.exception
    assert mounted(app, "watch")[0]["s"]  # ENAS's sampled paths


def test_the_runs_page_shows_a_small_picture_of_what_was_found(open_page: Open, store: Store) -> None:
    stories.queued(store)
    assert 'class="still"' not in texts(open_page("runs")).replace("\\", "")
    stories.finished(store)
    assert 'class="still"' in texts(open_page("runs")).replace("\\", "")


@pytest.mark.usefixtures("recorded_example")
def test_an_example_opens_like_a_run_but_cannot_be_changed(open_page: Open) -> None:
    app = open_page("random_architectures", run="example-first")
    assert "recorded example" in texts(app)
    assert not {"Stop", "Resume", "Retrain the best"} & {button.label for button in app.button}


@pytest.mark.parametrize(
    "content", [b"", b"not gzip", gzip.compress(b"{}", mtime=0), gzip.compress(b"\xff\xfe", mtime=0)]
)
def test_a_damaged_example_never_blanks_the_page(
    content: bytes, open_page: Open, recorded_example: Path
) -> None:
    recorded_example.write_bytes(content)
    app = open_page("home")
    assert not app.exception
    assert "cannot be shown" in app.warning[0].value


def test_run_it_yourself_now_queues_a_quick_run(open_page: Open, store: Store) -> None:
    press(open_page("home"), "Run it yourself now")
    (summary,) = store.summaries()
    assert (summary.space, summary.dataset, summary.status) == ("notes-net", "digits", "queued")


def test_what_the_download_gives_can_be_imported(store: Store) -> None:
    from explorer.runs.recorded import import_recorded

    run_id = stories.finished(store)
    file = io.BytesIO()
    write_recorded(file, store.state(run_id).spec, store.events(run_id))
    assert (
        store.summary(import_recorded(store, file.getvalue())).best_value == store.summary(run_id).best_value
    )


def test_problems_of_an_action_are_one_sentence(open_page: Open, store: Store) -> None:
    run_id = stories.queued(store)
    app = open_page("random_architectures", run=run_id)
    store.append(run_id, "run_cancelled", {"reason": "elsewhere"})
    press(app, "Stop")
    assert not app.exception
    assert len(say(app, "error")) <= 1


def test_deleting_asks_first_and_then_forgets_the_run(open_page: Open, store: Store) -> None:
    run_id = stories.finished(store)
    app = open_page("runs")
    app.session_state[f"menu/{run_id}"] = True
    app.run()
    assert next(button for button in app.button if button.label == "Delete").disabled
    app.checkbox[0].check().run()
    press(app, "Delete")
    assert store.summaries() == [] and "No runs yet" in texts(app)


def test_a_note_and_a_name_are_kept(open_page: Open, store: Store) -> None:
    run_id = stories.finished(store)
    app = open_page("runs")
    app.session_state[f"menu/{run_id}"] = True
    app.run()
    app.text_input[0].set_value("the good one").run()
    app.text_area[0].set_value("look again").run()
    summary = store.summary(run_id)
    assert (summary.name, summary.note) == ("the good one", "look again")


def test_on_a_shared_machine_a_strangers_run_cannot_be_deleted(
    open_page: Open, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EXPLORER_MODE", "cloud")
    run_id = stories.finished(store)
    app = open_page("runs")
    app.session_state[f"menu/{run_id}"] = True
    app.run()
    assert app.checkbox[0].disabled and app.text_input[0].disabled


def test_examples_are_called_as_their_methods_are(open_page: Open) -> None:
    titles = [link.proto.label for link in open_page("home").get("page_link")]
    assert {"SPOS stale batch norm", "ENAS rich get richer", "Cells on noisy digits"} <= set(titles)


def test_every_kind_of_run_has_a_page_that_opens_it(open_page: Open, store: Store) -> None:
    assert set(examples.PAGES) == set(KINDS)
    for kind in KINDS:
        table = {"dataset": "breast-cancer"} if kind == "features" else {}
        run_id = store.create_run(RunSpec(kind=kind, space="cell", **table))
        app = open_page("one_shot", run=run_id)  # of another kind: the page that is made for it opens
        assert not app.exception and not say(app, "warning")
        assert asked(app, "run") == run_id
