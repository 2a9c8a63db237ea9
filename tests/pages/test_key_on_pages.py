"""Where the answer key knows the space and the data, the pages that search it say so; elsewhere nothing is said."""

from __future__ import annotations

import hashlib
import io
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from explorer.export.key_says import interval
from explorer.key import Estimate, Key, load, margin, neighbours, trials_to_match
from explorer.key.recipe import EPOCHS, SETTINGS, fingerprint, of_three
from explorer.runs.spec import RunSpec
from explorer.runs.store import Store
from explorer.space import preset
from pages.widgets.space_key import change
from tests.key import tables
from tests.pages.conftest import Open, asked, mounted, press, say, texts
from tests.pages.test_space import group, tab

NOISY, SHIFTED = "noisy-digits", "shifted-digits"
CODE = "340213"
pytestmark = pytest.mark.usefixtures("no_supervisor", "folder")


@pytest.fixture(scope="module")
def packed() -> dict[str, bytes]:
    """Two keys: a whole one with three seeds a cell, and one of the 729 cells of three operations."""
    rng = np.random.default_rng(1)
    truth = tables.truths(rng)
    three = 3 * np.array([of_three(cell) for cell in tables.SPACE])
    made = {}
    for name, seeds in ((NOISY, 3), (SHIFTED, three)):
        file = io.BytesIO()
        np.savez(file, **tables.columns(truth, seeds, 0.012, rng))
        made[name] = file.getvalue()
    return made


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where keys are looked for; there is none yet."""
    monkeypatch.setattr("explorer.key.table.FOLDER", tmp_path)
    return tmp_path


def put(folder: Path, packed: dict[str, bytes], *names: str) -> Key:
    """Lay these keys into the folder; gives the first."""
    index = {}
    for name in names:
        (folder / f"{name}.npz").write_bytes(packed[name])
        index[name] = {
            "sha256": hashlib.sha256(packed[name]).hexdigest(),
            "fingerprint": fingerprint(),
        }
    (folder / "key.json").write_text(json.dumps(index))
    return load(names[0])


# -- Search space ---------------------------------------------------------------------------------


def test_the_pinned_cell_is_told_how_good_it_really_is(
    open_page: Open, folder: Path, packed: dict[str, bytes]
) -> None:
    key = put(folder, packed, NOISY)
    said = texts(open_page("space", architecture=f"cell:{CODE}"))
    place = key.place(f"cell:{CODE}")
    mean = key.means[key.position[place]]
    assert f"<dd>{100 * mean:.1f} ± " in said
    assert f"<dd>{100 * (key.means.max() - mean):.1f} points</dd>" in said
    assert f"<dd>{trials_to_match(key, place).expected:,.0f} trials</dd>" in said
    assert f"<dd>{int((key.means > mean).sum()) + 1:,} (" in said and "3 seeds, 20 epochs each" in said


def test_an_edit_says_at_once_what_it_changed_and_undo_what_that_changed(
    open_page: Open, folder: Path, packed: dict[str, bytes]
) -> None:
    key = put(folder, packed, NOISY)
    app = tab(open_page("space", architecture=f"cell:{CODE}"), "Controls")
    assert "became" not in texts(app)
    next(box for box in app.selectbox if box.label == "1 → 2").set_value("nor_conv_3x3").run()
    after = key.place(f"cell:{asked(app, 'architecture')}")
    one, two = (100 * key.means[key.position[place]] for place in (key.place(f"cell:{CODE}"), after))
    (told,) = [text for text in say(app, "markdown") if "became" in text]
    assert told.startswith("1 → 2: none became nor_conv_3x3. **")
    assert f"{two - one:+.1f} points ({one:.1f} → {two:.1f} %)".replace("-", "−") in told
    app.run()
    assert told in say(app, "markdown")  # until the next edit


def test_the_best_edit_is_applied_at_a_click(open_page: Open, folder: Path, packed: dict[str, bytes]) -> None:
    key = put(folder, packed, NOISY)
    app = open_page("space", architecture=f"cell:{CODE}")
    best = neighbours(key, f"cell:{CODE}")[0]
    (label,) = [button.label for button in app.button if button.label.startswith("Apply ")]
    assert label.endswith(f"{best.operation} ({100 * best.difference:+.1f})")
    press(app, label)
    assert not app.exception
    assert asked(app, "architecture") == key.text(best.place).split(":")[1]


def test_only_allowed_edits_are_offered(open_page: Open, folder: Path, packed: dict[str, bytes]) -> None:
    put(folder, packed, NOISY)
    app = tab(open_page("space", space="cell"), "Controls")
    operations = group(app, "Operations (shared by every edge)")
    operations.set_value(["none", "skip_connect"]).run()  # type: ignore[attr-defined]
    said = texts(app)
    assert "by each of 6 edits of one edge" in said and "Random search needs" not in said


def test_two_keys_can_be_chosen_between_and_a_cell_that_one_lacks_is_one_sentence(
    open_page: Open, folder: Path, packed: dict[str, bytes]
) -> None:
    put(folder, packed, NOISY, SHIFTED)
    app = open_page("space", architecture=f"cell:{CODE}")
    group(app, "Answer key").set_value(SHIFTED).run()  # type: ignore[attr-defined]
    assert not app.exception
    assert any("holds 729 of 15,625 cells, and not this one" in text for text in say(app, "caption"))
    assert "What would one more edit change" not in texts(app)


def test_without_a_key_or_about_another_space_nothing_is_said(
    open_page: Open, folder: Path, packed: dict[str, bytes]
) -> None:
    assert "True rank" not in texts(open_page("space", space="cell"))
    put(folder, packed, NOISY)
    assert "True rank" not in texts(open_page("space", space="notes-net"))


def test_a_damaged_key_is_one_sentence_and_the_board_stays(
    open_page: Open, folder: Path, packed: dict[str, bytes]
) -> None:
    put(folder, packed, NOISY)
    (folder / f"{NOISY}.npz").write_bytes(b"nothing of the kind")
    app = open_page("space", architecture=f"cell:{CODE}")
    assert not app.exception and asked(app, "architecture") == CODE
    assert sum("is damaged" in text for text in say(app, "caption")) == 1


def test_a_difference_of_one_seed_each_is_not_called_sure() -> None:
    key = tables.key(tables.truths(np.random.default_rng(0)))
    told = change(key, key.place(f"cell:{CODE}"), key.place("cell:340210"))
    assert "nobody can tell it from luck" in told
    assert not change(key, 7, 7)


def test_a_difference_below_the_luck_of_the_seeds_says_so() -> None:
    truth = tables.truths(np.random.default_rng(0))
    key = tables.key(truth, 3, 0.02)
    one, near, far = (key.place(f"cell:{code}") for code in (CODE, "340210", "340243"))
    for place in (near, far):
        points = abs(key.means[key.position[place]] - key.means[key.position[one]])
        assert ("more than luck" in change(key, one, place)) == (points > margin(key, 3, 3))
    assert change(key, one, 0).startswith("5 edges changed.")


# -- runs -----------------------------------------------------------------------------------------


def ran(store: Store, spec: RunSpec, *trials: dict[str, Any]) -> str:
    """A finished run; each trial is trained from `first` to `last`, 40 % right after each epoch and a little more."""
    run_id = store.create_run(spec)
    store.claim("test", 3600, run_id=run_id)
    store.append(run_id, "run_started", {})
    for number, trial in enumerate(trials):
        cell = preset("cell").from_code(trial["code"])
        begin = {"trial_id": number, "parameters": {}, "architecture": cell.to_json(), "seed": number}
        store.append(run_id, "trial_started", begin | trial.get("more", {}))
        for step in range(trial.get("first", 0) + 1, trial["last"] + 1):
            result = {"trial_id": number, "step": step, "value": 0.4 + step / 100, "metrics": {}}
            store.append(run_id, "intermediate_result", result)
        status = trial.get("status", "succeeded")
        if status == "succeeded":
            final = {"trial_id": number, "value": 0.4 + trial["last"] / 100, "metrics": {}}
            store.append(run_id, "final_result", final)
        store.append(run_id, "trial_ended", {"trial_id": number, "status": status, "reason": None})
    store.append(run_id, "run_finished", {})
    return run_id


def at_random(**more: Any) -> RunSpec:
    given: dict[str, Any] = {"space": "cell", "dataset": NOISY, "trials": 2, "epochs": EPOCHS}
    return RunSpec(kind="random", **given | {"settings": {"training": dict(SETTINGS)}} | more)


STOPPED = ({"code": "333333", "last": EPOCHS}, {"code": CODE, "last": 5, "status": "cancelled"})


def heads(shelf: dict[str, Any]) -> list[str]:
    return [head[0] if isinstance(head, list) else head for head in shelf["head"]]


def test_random_architectures_get_their_true_rank_and_test_accuracy(
    open_page: Open, store: Store, folder: Path, packed: dict[str, bytes]
) -> None:
    key = put(folder, packed, NOISY)
    app = open_page("random_architectures", run=ran(store, at_random(), *STOPPED))
    shelf = mounted(app, "shelf")[0]["shelf"]
    first = dict(zip(heads(shelf), shelf["rows"][0], strict=True))
    mean = key.means[key.position[key.place("cell:333333")]]
    assert first["True test"] == f"{100 * mean:.1f} %"
    assert first["True rank"].startswith(f"{int((key.means > mean).sum()) + 1:,} (")
    (told,) = [text for text in say(app, "markdown") if "true rank" in text]
    assert "Random search needs" in told and "recipe" not in told


def test_a_damaged_key_is_one_sentence_beside_random_architectures(
    open_page: Open, store: Store, folder: Path, packed: dict[str, bytes]
) -> None:
    put(folder, packed, NOISY)
    (folder / f"{NOISY}.npz").write_bytes(b"nothing of the kind")
    app = open_page("random_architectures", run=ran(store, at_random(), *STOPPED))
    assert not app.exception and sum("is damaged" in text for text in say(app, "caption")) == 1
    assert len(mounted(app, "shelf")[0]["shelf"]["rows"]) == 2


def test_another_key_is_seen_though_the_run_ended_before(
    open_page: Open, store: Store, folder: Path, packed: dict[str, bytes]
) -> None:
    spec = RunSpec(kind="nas", space="cell", dataset=NOISY, executor="key", trials=1, epochs=EPOCHS)
    run = ran(store, spec, {"code": "333333", "last": EPOCHS})
    assert "true rank" not in texts(open_page("classical_nas", run=run))
    put(folder, packed, NOISY)
    assert "The answer key knows it: true rank" in texts(open_page("classical_nas", run=run))
    (folder / f"{NOISY}.npz").unlink()
    assert "The answer key knows it" not in texts(open_page("classical_nas", run=run))


def test_the_luckiest_cell_takes_one_trial_not_trials(
    open_page: Open, folder: Path, packed: dict[str, bytes]
) -> None:
    key = put(folder, packed, NOISY)
    worst = key.text(int(key.cells[key.means.argmin()]))
    assert "<dd>1 trial</dd>" in texts(open_page("space", architecture=worst))


def test_half_an_interval_is_not_shortened_where_it_is_cut_at_a_hundred_percent() -> None:
    assert interval(Estimate(0.99, 0.97, 1.0, 3)) == "99.0 ± 2.0 %"
    assert interval(Estimate(0.5, math.nan, math.nan, 1)) == "50.0 %"


def test_without_a_known_neighbour_there_is_no_table_of_edits(open_page: Open, folder: Path) -> None:
    place = tables.SPACE.index_of(tables.SPACE.from_code(CODE))
    columns = tables.columns(
        tables.truths(np.random.default_rng(0)),
        np.where(np.arange(tables.SIZE) == place, 3, 0),
        0.012,
        np.random.default_rng(1),
    )
    file = io.BytesIO()
    np.savez(file, **columns)
    put(folder, {NOISY: file.getvalue()}, NOISY)
    app = open_page("space", architecture=f"cell:{CODE}")
    assert not app.exception and "What would one more edit change" not in texts(app)
    assert any("cells one edit away is in this key" in text for text in say(app, "caption"))


def test_a_trial_that_was_stopped_is_continued_as_the_key_has_it(
    open_page: Open, store: Store, folder: Path, packed: dict[str, bytes]
) -> None:
    put(folder, packed, NOISY)
    said = texts(open_page("random_architectures", run=ran(store, at_random(), *STOPPED)))
    assert "Dashed: a trial that ended early, had it finished" in said


@pytest.mark.parametrize("more", [{"epochs": 6}, {"settings": {}}])
def test_under_another_recipe_there_is_no_ghost_and_the_rank_says_whose_recipe_it_is(
    more: dict[str, Any], open_page: Open, store: Store, folder: Path, packed: dict[str, bytes]
) -> None:
    put(folder, packed, NOISY)
    said = texts(open_page("random_architectures", run=ran(store, at_random(**more), *STOPPED)))
    assert "Dashed" not in said and "were trained by its own recipe, 20 epochs each" in said


def test_without_a_key_the_leaderboard_is_as_it_was(open_page: Open, store: Store) -> None:
    app = open_page("random_architectures", run=ran(store, at_random(), *STOPPED))
    assert not {"True rank", "True test"} & set(heads(mounted(app, "shelf")[0]["shelf"]))


def test_a_halved_search_shows_ghosts_of_those_that_did_not_go_on(
    open_page: Open, store: Store, folder: Path, packed: dict[str, bytes]
) -> None:
    put(folder, packed, NOISY)
    spec = RunSpec(
        kind="nas",
        space="cell",
        dataset=NOISY,
        method={"strategy": "successive_halving"},
        executor="key",
        trials=3,
        epochs=EPOCHS,
    )
    short = {"last": 5, "more": {"budget": 5}}
    goes_on = {"code": "333333", "first": 5, "last": EPOCHS, "more": {"budget": EPOCHS, "parents": [0]}}
    app = open_page(
        "classical_nas", run=ran(store, spec, {"code": "333333", **short}, {"code": CODE, **short}, goes_on)
    )
    assert "How fast does each architecture learn?" in texts(app)
    (curves,) = [chart for chart in app.get("plotly_chart") if "had it finished" in str(chart.proto)]
    assert f"{CODE}, had it finished" in str(curves.proto)
    assert "333333, had it finished" not in str(curves.proto)


def test_where_every_trial_is_whole_there_is_no_chart_of_curves(open_page: Open, store: Store) -> None:
    spec = RunSpec(kind="nas", space="cell", dataset=NOISY, trials=1, epochs=3)
    app = open_page("classical_nas", run=ran(store, spec, {"code": "333333", "last": 3}))
    assert "How fast does each architecture learn?" not in texts(app)
