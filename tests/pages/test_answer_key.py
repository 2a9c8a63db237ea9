"""The answer key page: whole, partial, damaged or missing keys; a cell looked up; links in and out."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from explorer.errors import ExplorerError
from explorer.key import LESSON, Key, answer, effects, load, truth
from explorer.key.recipe import fingerprint, lesson, of_three
from explorer.plots.nas.key_effects import shares
from pages.widgets.answer_key_lookup import ECHO_SECONDS, MOST_SIGNS, WRITTEN, read
from tests.key import tables
from tests.pages.conftest import Open, asked, mounted, press, say, texts

PAGE = "answer_key"
SMALL = np.array([lesson(cell) or of_three(cell) for cell in tables.SPACE])
Pack = Callable[..., Key]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Keys are here, whatever the repository holds."""
    found = tmp_path / "key"
    found.mkdir()
    monkeypatch.setattr("explorer.key.table.FOLDER", found)
    return found


@pytest.fixture
def pack(folder: Path) -> Pack:
    """pack(dataset, seeds) puts a key there; 0 seeds leave a cell out."""

    def packed(dataset: str = "noisy-digits", seeds: object = 3, luck: int = 5) -> Key:
        truths = tables.truths(np.random.default_rng(3))
        columns = tables.columns(truths, seeds, 0.02, np.random.default_rng(luck))
        file, index = folder / f"{dataset}.npz", folder / "key.json"
        np.savez(file, **columns)
        known = json.loads(index.read_text()) if index.exists() else {}
        entry = {"sha256": hashlib.sha256(file.read_bytes()).hexdigest(), "fingerprint": fingerprint()}
        index.write_text(json.dumps(known | {dataset: entry}))
        return load(dataset, folder)

    return packed


def test_without_a_key_the_page_says_what_to_do(open_page: Open) -> None:
    app = open_page(PAGE)
    assert not app.exception and not app.error
    assert "There is no answer key here" in say(app, "info")[0]


def test_a_whole_key_answers_every_section_and_says_what_it_is_no_answer_to(
    open_page: Open, pack: Pack
) -> None:
    key = pack()
    pack("shifted-digits", np.where(SMALL, 3, 0), luck=6)
    app = open_page(PAGE)
    assert not app.exception and not app.error and not app.warning
    said = texts(app)
    assert "say nothing about CIFAR-10" in said
    assert "15,625 of the 15,625 cells" in said and "500 images" in said and "20 epochs" in said
    told = truth(key)
    for number in (f"{told.icc:.2f}", f"{told.ceiling:.2f}", f"{100 * told.resolution:.1f} points"):
        assert number in said
    assert app.segmented_control(f"{PAGE}/table/noisy-digits").options[0] == "all cells"
    assert "Spearman correlation is" in said and "drawn blindly it would be 10 %" in said
    best = key.text(int(key.cells[key.means.argmax()]))
    assert mounted(app, "shelf")[0]["shelf"]["rows"][0][1] == best
    assert [head.value for head in app.header][-1] == "Look one up"


def test_the_other_key_shows_its_own_tables(open_page: Open, pack: Pack) -> None:
    pack()
    pack("shifted-digits", np.where(SMALL, 3, 0), luck=6)
    app = open_page(PAGE)
    app.segmented_control(f"{PAGE}/dataset").set_value("shifted-digits").run()
    assert not app.exception
    assert f"{SMALL.sum():,} of the 15,625 cells" in texts(app)
    assert app.segmented_control(f"{PAGE}/table/shifted-digits").options == [
        "729 of three operations",
        "125 of three nodes",
    ]


def test_a_partial_key_says_what_it_cannot_and_shows_the_rest(open_page: Open, pack: Pack) -> None:
    key = pack(seeds=np.where(np.arange(tables.SIZE) % 3 > 0, 1, 0))
    app = open_page(PAGE)
    assert not app.exception and not app.error
    said = texts(app)
    assert "5,209 cells are not in this key" in said
    assert said.count("has 1 seed a cell; two seeds of three live cells are needed") == 2
    assert "every rank may be any other" in said and "which differences are luck" in said
    assert "none of the three whole" in said
    assert "There is only the key of noisy-digits here" in said
    assert mounted(app, "shelf")[0]["shelf"]["rows"][0][1] == key.text(int(key.cells[key.means.argmax()]))


def test_a_damaged_key_is_one_sentence(open_page: Open, pack: Pack, folder: Path) -> None:
    pack()
    (folder / "noisy-digits.npz").write_bytes(b"no key at all")
    app = open_page(PAGE)
    assert not app.exception
    assert [error.value for error in app.error] == [
        "The answer key of noisy-digits is damaged (its checksum differs); get the file again."
    ]


def test_a_damaged_second_key_leaves_the_first_whole(open_page: Open, pack: Pack, folder: Path) -> None:
    pack()
    (folder / "shifted-digits.npz").write_bytes(b"no key at all")
    app = open_page(PAGE)
    assert not app.exception and not app.error
    assert "The answer key of shifted-digits is damaged" in texts(app)
    assert [head.value for head in app.header][-1] == "Look one up"


def test_a_link_brings_its_cell_to_the_top(open_page: Open, pack: Pack) -> None:
    key = pack()
    app = open_page(PAGE, architecture="cell:340213")
    assert app.header[0].value == "Look one up"
    known = answer(key, "cell:340213")
    said = texts(app)
    assert f"{known['rank']:,} of 15,625" in said
    assert f"{known['rank_low']:,} – {known['rank_high']:,}" in said
    assert f"{100 * known['regret']:.1f} points" in said


def test_what_is_typed_is_looked_up_and_stands_in_the_address(open_page: Open, pack: Pack) -> None:
    key = pack()
    app = open_page(PAGE)
    assert asked(app, "architecture") == ""
    app.text_input[0].set_value("340213").run()
    assert not app.exception
    assert f"{answer(key, 'cell:340213')['rank']:,} of 15,625" in texts(app)
    assert (asked(app, "architecture"), asked(app, "dataset")) == ("340213", "noisy-digits")
    assert app.header[0].value != "Look one up"  # it stays where it was
    press(app, "The best")
    assert asked(app, "architecture") == ""
    assert "1 of 15,625" in texts(app)


def test_a_step_to_a_better_cell_can_be_taken(open_page: Open, pack: Pack) -> None:
    key = pack()
    app = open_page(PAGE, architecture="cell:111111")
    before = answer(key, "cell:111111")["test"]
    app.button("answer_key/go/1").click().run()
    reached = str(app.text_input[0].value)
    assert reached != "cell:111111" and answer(key, reached)["test"] > before


def test_a_peak_among_its_neighbours_is_not_the_end(
    open_page: Open, pack: Pack, monkeypatch: pytest.MonkeyPatch
) -> None:
    truths = np.where(tables.connected(), 0.3, 0.1)
    peak, top = (tables.SPACE.index_of(tables.SPACE.from_code(code)) for code in ("333333", "331133"))
    truths[peak], truths[top] = 0.6, 0.7
    monkeypatch.setattr(tables, "truths", lambda _: truths)
    pack()
    app = open_page(PAGE, architecture="333333")
    said = texts(app)
    assert "1 edit: nothing better is that near." in said and "2 edits: `cell:331133`" in said
    app = open_page(PAGE)
    assert "No cell of this key has a better mean." in texts(app)


def test_a_key_that_is_not_the_first_stands_in_the_address(open_page: Open, pack: Pack) -> None:
    pack()
    pack("shifted-digits", np.where(SMALL, 3, 0), luck=6)
    app = open_page(PAGE, dataset="shifted-digits")
    assert app.segmented_control(f"{PAGE}/dataset").value == "shifted-digits"
    assert asked(app, "dataset") == "shifted-digits"
    app.segmented_control(f"{PAGE}/dataset").set_value("noisy-digits").run()
    assert asked(app, "dataset") == ""


def test_addresses_that_were_written_long_ago_are_forgotten(
    open_page: Open, pack: Pack, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [100.0]
    pack()
    app = open_page(PAGE)
    monkeypatch.setattr("pages.widgets.answer_key_lookup.time.monotonic", lambda: now[0])
    for digit in "012":
        now[0] += 2 * ECHO_SECONDS
        app.text_input[0].set_value(f"34021{digit}").run()
    assert [dict(link)["architecture"] for link in app.session_state[WRITTEN]] == ["340212"]


def test_in_a_table_of_luck_alone_nearly_all_is_told_to_be_luck() -> None:
    key = tables.key(np.full(tables.SIZE, 0.5), 3, 0.02)
    found = effects(key, LESSON)
    pairs = sum(found.pair_shares.values())
    counts = {label: len(names) for label, names in found.options.items()}
    bar = shares(found.main_shares, pairs, found.rest, found.noise, found.variance**0.5, counts)
    assert found.main_shares and pairs > 0.2  # though it looks as if pairs mattered
    assert bar.parts[-1].words == "luck of the seeds" and bar.parts[-1].share > 0.8


def test_what_is_much_too_long_is_not_repeated(open_page: Open, pack: Pack) -> None:
    pack()
    app = open_page(PAGE, architecture="9" * 5_000)
    assert not app.exception
    assert (
        "The best cell is shown instead." in app.warning[0].value and len(app.warning[0].value) < MOST_SIGNS
    )


@pytest.mark.parametrize(
    "text", ["/etc/passwd:000000", '{"space": "/etc/passwd", "choices": {}}', "z1.x", "9", "cell:99|"]
)
def test_what_cannot_be_read_is_one_sentence_and_the_best_is_shown(
    text: str, open_page: Open, pack: Pack
) -> None:
    pack()
    app = open_page(PAGE, architecture=text)
    assert not app.exception and not app.error
    assert len(app.warning) == 1 and "The best cell is shown instead." in app.warning[0].value


def test_a_link_to_a_key_that_is_not_there_says_which_are(open_page: Open, pack: Pack) -> None:
    pack()
    app = open_page(PAGE, dataset="mnist")
    assert [each.value for each in app.warning] == [
        "There is no answer key of 'mnist' here, but of noisy-digits."
    ]


def test_no_text_opens_a_file(monkeypatch: pytest.MonkeyPatch) -> None:
    def opened(*_: object) -> None:
        raise AssertionError("a file was asked for")

    monkeypatch.setattr("explorer.space.codec.load_space", opened)
    key = tables.key(np.full(tables.SIZE, 0.5))
    for text in ("/etc/passwd:0", '{"space": "/etc/passwd"}', "other:0", "x.json", "z1.abc"):
        with pytest.raises(ExplorerError):
            read(key, text)
    assert read(key, " cell:340213 ") == read(key, "340213")


def test_what_a_link_says_is_quoted_as_text(open_page: Open, pack: Pack) -> None:
    pack()
    for link in ({"dataset": "![x](http://example.org/x.png)"}, {"architecture": "![x](http://e.org)"}):
        told = say(open_page(PAGE, **link), "warning")[0]
        assert "x" in told and "![x](" not in told
