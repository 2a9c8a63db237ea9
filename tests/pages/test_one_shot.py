"""The one-shot page: any search in any state, what can be done with it, and settings that say what is wrong."""

from __future__ import annotations

import hashlib
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from explorer.catalogue import METHODS
from explorer.key.recipe import fingerprint
from explorer.runs.store import Store
from explorer.space import load_space
from tests.key import tables
from tests.pages import oneshot_stories, stories
from tests.pages.conftest import Open, mounted, press, say, texts

STATES = ("queued", "running", "paused", "failed", "finished", "retrained")
STOPPING = "What would it have been worth to stop now?"


@pytest.fixture(autouse=True)
def no_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No answer key, whatever the repository holds; the folder where one would be."""
    folder = tmp_path / "key"
    monkeypatch.setattr("explorer.key.table.FOLDER", folder)
    return folder


@pytest.fixture(scope="module")
def truth() -> np.ndarray:
    """(size,) what every cell reaches, without luck."""
    return tables.truths(np.random.default_rng(3))


def pack(folder: Path, truth: np.ndarray, seeds: Any = 2) -> None:
    """An answer key of noisy digits in this folder."""
    packed = io.BytesIO()
    np.savez(packed, **tables.columns(truth, seeds, 0.0, np.random.default_rng(4), tables.FINE))
    folder.mkdir()
    (folder / "noisy-digits.npz").write_bytes(packed.getvalue())
    entry = {"sha256": hashlib.sha256(packed.getvalue()).hexdigest(), "fingerprint": fingerprint()}
    (folder / "key.json").write_text(json.dumps({"noisy-digits": entry}))


def place(architecture: Any) -> int:
    """An architecture's number in the key's space: its operations are the digits, the first edge's the lowest."""
    digits = [tables.SPACE.operations.index(architecture[one.label]) for one in tables.SPACE.mutables]
    return sum(digit * len(tables.SPACE.operations) ** at for at, digit in enumerate(digits))


def true_rank(truth: np.ndarray, at: int) -> str:
    """As the page says it."""
    return f"True rank **{int((truth > truth[at] + 1e-9).sum()) + 1:,}**"


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


def test_an_alarm_says_when_it_was_raised(open_page: Open, store: Store) -> None:
    run_id = oneshot_stories.running(store)
    raised = {"alarm": "skip", "share": 0.5, "sentence": "50 % of the derived operations are skips."}
    stories.tell(store, run_id, [oneshot_stories.measured("alarm", raised, step=70)])
    assert "At step 70: 50 % of the derived operations are skips." in texts(open_page("one_shot", run=run_id))


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


# -- the answer key ---------------------------------------------------------------------------------------------------


def questions(app: AppTest) -> list[str]:
    """What the charts over the steps ask."""
    return [section.get("q", "") for section in mounted(app, "strips")[0]["sections"]]


def test_without_a_key_nothing_is_said_of_truth(open_page: Open, store: Store) -> None:
    app = open_page("one_shot", run=oneshot_stories.finished(store))
    assert "True rank" not in texts(app) and STOPPING not in questions(app)
    assert "answer key" not in "".join(say(app, "caption"))


def test_a_damaged_key_is_one_sentence_and_the_search_is_shown(
    open_page: Open, store: Store, no_key: Path
) -> None:
    no_key.mkdir()
    (no_key / "noisy-digits.npz").write_bytes(b"nothing of the kind")
    app = open_page("one_shot", run=oneshot_stories.finished(store))
    assert not app.exception and sum("is damaged" in sentence for sentence in say(app, "caption")) == 1
    assert "What was derived?" in texts(app) and STOPPING not in questions(app)


def test_the_true_rank_follows_the_film(
    open_page: Open, store: Store, no_key: Path, truth: np.ndarray
) -> None:
    pack(no_key, truth)
    run_id = oneshot_stories.retrained(store)
    app = open_page("one_shot", run=run_id)
    end = place(tables.SPACE.default)
    assert not app.exception and true_rank(truth, end) in texts(app)
    assert f"{100 * (truth.max() - truth[end]):.1f} points below the best" in texts(app)
    early = store.state(run_id).snapshots[3]
    app.session_state[f"film/{run_id}/"] = {"moment": {"step": early["step"], "n": 1}}
    assert true_rank(truth, place(early["derived"])) in texts(app.run())
    assert "has the derived architecture at" in texts(app)


def test_the_third_lines_are_the_keys(open_page: Open, store: Store, no_key: Path, truth: np.ndarray) -> None:
    pack(no_key, truth)
    app = open_page("one_shot", run=oneshot_stories.finished(store))
    assert questions(app)[0] == STOPPING
    strips = mounted(app, "strips")[0]
    levels = strips["sections"][0]["panels"][0]["levels"]
    assert [level[0].split(":")[0] for level in levels] == ["best of the space", "median"]
    assert "derived, trained alone (answer key)" in [look[0] for look in strips["looks"]]
    told = " ".join(say(app, "caption"))
    assert f"Trained alone it gets {100 * truth[place(tables.SPACE.default)]:.1f} %" in told
    assert "By the answer key this is not known" in told  # the story probes one architecture three times


def test_a_running_search_is_told_where_it_stands_now(
    open_page: Open, store: Store, no_key: Path, truth: np.ndarray
) -> None:
    pack(no_key, truth)
    run_id = oneshot_stories.running(store)
    app = open_page("one_shot", run=run_id)
    newest = place(store.state(run_id).snapshots[-1]["derived"])
    assert true_rank(truth, newest) in texts(app)
    assert "it is now at rank" in mounted(app, "strips")[0]["sections"][0]["basis"]


def test_two_moments_are_compared_by_their_true_ranks(
    open_page: Open, store: Store, no_key: Path, truth: np.ndarray
) -> None:
    pack(no_key, truth)
    app = press(open_page("one_shot", run=oneshot_stories.finished(store)), "Compare")
    assert not app.exception and ">true rank<" in texts(app)


def test_a_method_without_an_opinion_has_a_true_rank_at_its_end_only(
    open_page: Open, store: Store, no_key: Path, truth: np.ndarray
) -> None:
    pack(no_key, truth)
    given = oneshot_stories.spec("cell", "spos")
    assert "True rank" not in texts(open_page("one_shot", run=oneshot_stories.running(store, given)))
    app = open_page("one_shot", run=oneshot_stories.finished(store, given))
    assert true_rank(truth, place(tables.SPACE.default)) in texts(app) and STOPPING not in questions(app)


def test_a_cell_that_the_key_lacks_and_a_space_that_it_is_not_about(
    open_page: Open, store: Store, no_key: Path, truth: np.ndarray
) -> None:
    seeds = np.full(tables.SIZE, 2)
    seeds[place(tables.SPACE.default)] = 0
    pack(no_key, truth, seeds)
    app = open_page("one_shot", run=oneshot_stories.finished(store))
    assert "does not hold this architecture" in texts(app) and not app.exception
    other = open_page("one_shot", run=oneshot_stories.finished(store, oneshot_stories.spec("notes-net")))
    assert "answer key" not in texts(other) and not other.exception


def test_a_smaller_space_is_measured_by_its_own_best(
    open_page: Open, store: Store, no_key: Path, truth: np.ndarray
) -> None:
    pack(no_key, truth)
    small = load_space(tables.SPACE.to_json() | {"operations": ["none", "skip_connect"]})
    best = max(truth[place(small.architecture_at(number))] for number in range(small.size))
    assert best < truth.max() - 0.01
    app = open_page("one_shot", run=oneshot_stories.finished(store, oneshot_stories.spec(small.to_json())))
    end = place(small.default)
    assert true_rank(truth, end) in texts(app) and "Random search needs" not in texts(app)
    assert f"{100 * (best - truth[end]):.1f} points below the best" in texts(app)
