"""The Classical NAS page: the form, live, ended, and what the answer key adds where it knows the cells."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from explorer.catalogue import STRATEGIES
from explorer.key.recipe import fingerprint
from explorer.runs.spec import RunSpec
from explorer.runs.store import Store
from explorer.space import preset
from explorer.space.restrict import Restriction, restrict
from tests.key import tables
from tests.pages.conftest import Open, asked, mounted, press, say, texts
from tests.plots.nas.runs import EVOLUTION, HALVING, One, lines, spec_of

PAGE = "classical_nas"
LOOKED_UP = "looked up in the answer key"
pytestmark = pytest.mark.usefixtures("no_supervisor", "no_key")


@pytest.fixture(autouse=True)
def no_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No answer key, whatever the repository holds."""
    monkeypatch.setattr("explorer.key.table.FOLDER", tmp_path / "key")


@pytest.fixture
def key(no_key: None, tmp_path: Path) -> Iterator[np.ndarray]:
    """An answer key of noisy digits, three seeds without luck; gives the truth it was made from."""
    truth = tables.truths(np.random.default_rng(3))
    packed = io.BytesIO()
    np.savez_compressed(packed, **tables.columns(truth, 3, 0.0, np.random.default_rng(4), tables.FINE))
    folder = tmp_path / "key"
    folder.mkdir()
    (folder / "noisy-digits.npz").write_bytes(packed.getvalue())
    entry = {"sha256": hashlib.sha256(packed.getvalue()).hexdigest(), "fingerprint": fingerprint()}
    (folder / "key.json").write_text(json.dumps({"noisy-digits": entry}))
    yield truth


def made(store: Store, spec: RunSpec, *trials: One, end: str | None = "run_finished") -> str:
    """A run of these trials; without an end it is still running."""
    run_id = store.create_run(spec)
    store.claim("test", 3600, run_id=run_id)
    store.append(run_id, "run_started", {})
    for kind, data in lines(spec, *trials):
        store.append(run_id, kind, data)
    if end:
        store.append(run_id, end, {"reason": "It broke."} if end == "run_failed" else {})
    return run_id


def listed(app: AppTest) -> dict[str, Any]:
    """The list of trials of a run that has ended."""
    found: dict[str, Any] = mounted(app, "shelf")[0]["shelf"]
    return found


def heads(app: AppTest) -> list[str]:
    return [head[0] for head in listed(app)["head"]]


def questions(app: AppTest) -> list[str]:
    return [
        text.strip("*") for text in say(app, "markdown") if text.startswith("**") and text.endswith("?**")
    ]


def widget(app: AppTest, kind: str, label: str) -> Any:
    return next(one for one in getattr(app, kind) if one.label == label)


# -- the form -------------------------------------------------------------------------------------


def test_without_a_run_the_page_says_what_to_do(open_page: Open) -> None:
    app = open_page(PAGE)
    assert "Press *Search*" in texts(app)
    assert any("about **" in sentence for sentence in say(app, "caption"))


def test_search_queues_exactly_what_the_form_says(open_page: Open, store: Store) -> None:
    app = open_page(PAGE)
    widget(app, "number_input", "Trials").set_value(7).run()
    widget(app, "number_input", "Epochs").set_value(2).run()
    widget(app, "number_input", "Population size").set_value(4).run()
    press(app, "Search")
    (summary,) = store.summaries()
    spec = store.state(summary.run_id).spec
    assert (spec.kind, spec.space, spec.dataset, spec.trials, spec.epochs) == (
        "nas",
        "cell",
        "noisy-digits",
        7,
        2,
    )
    assert spec.method == {"strategy": "aging_evolution"} and spec.executor == "local"
    assert spec.settings == {"strategy": {"population_size": 4}}
    assert asked(app, "run") == summary.run_id


@pytest.mark.parametrize("name", list(STRATEGIES))
def test_every_strategy_of_the_catalogue_can_be_asked_for(name: str, open_page: Open) -> None:
    app = open_page(PAGE)
    widget(app, "selectbox", "Strategy").set_value(name).run()
    assert not app.exception and not app.error
    assert any(sentence.startswith(STRATEGIES[name].summary) for sentence in say(app, "caption"))


def test_too_few_trials_for_a_population_are_called_random_search(open_page: Open) -> None:
    app = open_page(PAGE)
    widget(app, "number_input", "Trials").set_value(30).run()
    assert any("this is random search" in sentence for sentence in say(app, "caption"))
    widget(app, "number_input", "Trials").set_value(31).run()
    assert not any("this is random search" in sentence for sentence in say(app, "caption"))


def test_a_strategy_that_may_try_again_is_not_bounded_by_the_space(open_page: Open) -> None:
    app = open_page(PAGE)
    widget(app, "selectbox", "Search space").set_value("notes-net").run()
    assert any("Up to 100 trials in a space of 8" in sentence for sentence in say(app, "caption"))
    widget(app, "selectbox", "Strategy").set_value("random").run()
    assert any("Up to 8 trials in a space of 8" in sentence for sentence in say(app, "caption"))


def test_a_space_that_does_not_fit_the_data_blocks_the_button_with_its_problem(open_page: Open) -> None:
    app = open_page(PAGE)
    app.session_state["plan"] = {"space": {"family": "cell"}, "architecture": None}
    app.run()
    assert not app.exception and app.error
    assert next(button for button in app.button if button.label == "Search").disabled


def test_the_space_that_was_carried_over_is_what_is_searched(open_page: Open, store: Store) -> None:
    smaller = restrict(preset("cell"), Restriction(operations=("none", "skip_connect", "nor_conv_3x3")))
    app = open_page(PAGE)
    app.session_state["plan"] = {"space": smaller.to_json(), "architecture": None}
    app.run()
    press(app, "Search")
    assert store.state(store.summaries()[0].run_id).spec.space == smaller.to_json()


# -- a run ----------------------------------------------------------------------------------------


def test_a_running_search_is_drawn_without_plotly_and_can_be_stopped(open_page: Open, store: Store) -> None:
    app = open_page(PAGE, run=made(store, spec_of(), *EVOLUTION[:4], end=None))
    labels = [button.label for button in app.button]
    assert "Stop" in labels and "Retrain the best" not in labels
    assert texts(app).count("<svg") >= 5 and not app.get("plotly_chart")
    assert "4 of 8 trials" in str(app.get("progress")[0].proto)


def test_a_finished_search_shows_every_chart_with_its_question(open_page: Open, store: Store) -> None:
    app = open_page(PAGE, run=made(store, spec_of(), *EVOLUTION))
    assert questions(app) == [
        "How good is the best so far?",
        "Do its proposals get better?",
        "Do more parameters buy accuracy?",
        "Where in the space did it look?",
        "How far from what it knows does it look?",
        "Where does the best come from?",
        "What are the best networks like?",
    ]
    assert len(app.get("plotly_chart")) == 6
    assert "made +10.0 points" in texts(app)


def test_a_strategy_without_parents_has_no_family_tree(open_page: Open, store: Store) -> None:
    trials = [One("000000", 0.5), One("111111", 0.6)]
    app = open_page(PAGE, run=made(store, spec_of("random"), *trials))
    assert "Where does the best come from?" not in questions(app)


def test_another_space_says_that_it_has_no_map(open_page: Open, store: Store) -> None:
    spec = spec_of("random", space="notes-net", dataset="digits")
    app = open_page(PAGE, run=made(store, spec, One("000", 0.5), One("111", 0.6)))
    assert not app.exception
    assert "Where in the space did it look?" not in questions(app)
    assert "There is no map of this space" in texts(app)


def test_the_list_says_where_a_trial_came_from_and_how_long_it_was_trained(
    open_page: Open, store: Store
) -> None:
    app = open_page(PAGE, run=made(store, spec_of("successive_halving"), *HALVING))
    assert {"Rung", "From", "Epochs"} <= set(heads(app)) and "True rank" not in heads(app)
    first = dict(zip(heads(app), listed(app)["rows"][0], strict=True))
    assert (first["Trial"], first["From"], first["Rung"], first["Epochs"]) == ("3", "1", "1", "4")
    assert "Epochs" not in heads(open_page(PAGE, run=made(store, spec_of(), *EVOLUTION)))


def test_a_failed_search_says_why_and_keeps_what_it_has(open_page: Open, store: Store) -> None:
    run_id = made(store, spec_of(), *EVOLUTION[:2], One("333333", None), end="run_failed")
    app = open_page(PAGE, run=run_id)
    assert "It broke." in app.error[0].value and "2 finished trials are kept" in app.error[0].value
    assert "no finite number" in texts(app)
    press(app, "Resume")
    assert store.summary(run_id).status == "queued"


def test_a_search_that_ended_before_its_first_result_says_so(open_page: Open, store: Store) -> None:
    app = open_page(PAGE, run=made(store, spec_of(), One("000000", None), end="run_failed"))
    assert not app.exception and "It ended before there was anything to draw." in texts(app)


def test_the_costs_can_be_multiply_accumulates(open_page: Open, store: Store) -> None:
    app = open_page(PAGE, run=made(store, spec_of(), *EVOLUTION))
    app.button_group[0].set_value("multiply-accumulates").run()
    assert not app.exception and "Does more work buy accuracy?" in questions(app)


# -- the answer key -------------------------------------------------------------------------------


def test_without_a_key_nothing_can_be_looked_up_and_the_page_says_why(open_page: Open) -> None:
    app = open_page(PAGE)
    assert app.radio[0].disabled and app.radio[0].value == "local"
    assert any(
        "There is no answer key of 'noisy-digits' here" in sentence for sentence in say(app, "caption")
    )


def test_a_damaged_key_is_one_sentence_and_live_training_stays(
    open_page: Open, key: np.ndarray, tmp_path: Path
) -> None:
    (tmp_path / "key" / "noisy-digits.npz").write_bytes(b"nothing of the kind")
    app = open_page(PAGE)
    assert not app.exception and app.radio[0].disabled
    assert any("is damaged" in sentence for sentence in say(app, "caption"))
    assert not next(button for button in app.button if button.label == "Search").disabled


def test_looking_up_asks_for_the_keys_epochs_and_for_no_training(
    open_page: Open, store: Store, key: np.ndarray
) -> None:
    app = open_page(PAGE)
    app.radio[0].set_value("key").run()
    assert widget(app, "number_input", "Epochs").disabled
    press(app, "Search")
    spec = store.state(store.summaries()[0].run_id).spec
    assert (spec.executor, spec.epochs) == ("key", 20) and "training" not in spec.settings


def test_another_space_or_other_data_cannot_be_looked_up(open_page: Open, key: np.ndarray) -> None:
    app = open_page(PAGE)
    assert not app.radio[0].disabled
    app.radio[0].set_value("key").run()
    widget(app, "selectbox", "Search space").set_value("notes-net").run()
    assert app.radio[0].disabled and app.radio[0].value == "local"
    assert any("it has no such cells" in sentence for sentence in say(app, "caption"))
    widget(app, "selectbox", "Search space").set_value("cell").run()
    widget(app, "selectbox", "Dataset").set_value("digits").run()
    assert any("no answer key of 'digits'" in sentence for sentence in say(app, "caption"))


def test_the_true_rank_and_regret_are_the_keys(open_page: Open, store: Store, key: np.ndarray) -> None:
    trials = [One(code, 0.5 + 0.01 * at) for at, code in enumerate(("333333", "131313", "313131"))]
    app = open_page(PAGE, run=made(store, spec_of("random"), *trials))
    assert "How far is it really from the best there is?" in questions(app)
    places = [tables.SPACE.index_of(tables.SPACE.from_code(trial.code)) for trial in trials]
    ranks = [int((key > key[place] + 1e-9).sum()) + 1 for place in places]
    rows = [dict(zip(heads(app), row, strict=True)) for row in listed(app)["rows"]]
    assert [row["Trial"] for row in rows] == ["2", "1", "0"]
    assert all(
        abs(int(row["True rank"].split(" ")[0].replace(",", "")) - ranks[2 - at]) <= 3
        for at, row in enumerate(rows)
    )
    told = next(text for text in say(app, "markdown") if "true rank" in text)
    assert f"{100 * (key.max() - key[places[2]]):.1f} points below the best" in told
    assert "Random search needs" in told


def test_in_a_restricted_space_regret_is_counted_from_its_own_best(
    open_page: Open, store: Store, key: np.ndarray
) -> None:
    smaller = restrict(preset("cell"), Restriction(operations=("none", "skip_connect")))
    spec = spec_of("random", space=smaller.to_json())
    inside = [at for at in range(tables.SIZE) if all(at // 5**edge % 5 <= 1 for edge in range(6))]
    best = tables.SPACE.architecture_at(max(inside, key=lambda at: key[at]))
    app = open_page(PAGE, run=made(store, spec, One(smaller.code(best), 0.5)))
    told = next(text for text in say(app, "markdown") if "true rank" in text)
    assert "accuracy, the best of the space." in told and "Random search needs" not in told


# -- a warm start ---------------------------------------------------------------------------------


def test_a_warm_start_is_asked_for_by_a_proxy_and_a_number(open_page: Open, store: Store) -> None:
    app = open_page(PAGE)
    widget(app, "selectbox", "Warm start").set_value("synflow").run()
    widget(app, "number_input", "Count").set_value(4).run()
    press(app, "Search")
    spec = store.state(store.summaries()[0].run_id).spec
    assert spec.settings == {"warm_start": {"proxy": "synflow", "count": 4}} and not spec.problems()
    assert "begun with the best 4 of 200 by synflow" in texts(app)


def test_what_draws_nothing_at_random_offers_no_warm_start(open_page: Open) -> None:
    app = open_page(PAGE)
    widget(app, "selectbox", "Strategy").set_value("reinforce_controller").run()
    assert not app.exception and not any(one.label == "Warm start" for one in app.selectbox)
