"""Recorded examples of searches of architectures: they read, their page offers them, and it shows them whole."""

from __future__ import annotations

from pathlib import Path

import pytest

from explorer.key.record import Key
from explorer.nas import race as engine
from explorer.runs.recorded import read_recorded, write_recorded
from explorer.runs.spec import RunSpec
from pages.widgets import examples
from tests.key import tables
from tests.nas.rig import FakeExecutor, Story
from tests.pages.conftest import Open, say, texts

EVOLUTION = "aging-evolution-on-noisy-digits"
pytestmark = pytest.mark.usefixtures("no_supervisor")


@pytest.fixture(autouse=True)
def no_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No answer key: an example is shown without one."""
    monkeypatch.setattr("explorer.key.table.FOLDER", tmp_path / "key")


@pytest.mark.parametrize("name", examples.names())
def test_every_example_reads_and_has_a_page(name: str) -> None:
    state = examples.example(f"{examples.PREFIX}{name}")
    assert state.status == "finished"
    assert examples.page_of(name) == examples.PAGES[state.spec.kind]


def test_the_empty_page_of_classical_nas_offers_its_example_and_shows_it(open_page: Open) -> None:
    links = [link.proto.label for link in open_page("classical_nas").get("page_link")]
    assert "See a finished example: Aging evolution on noisy digits" in links
    app = open_page("classical_nas", run=f"{examples.PREFIX}{EVOLUTION}")
    assert not app.exception and "recorded example" in texts(app)
    state = examples.example(f"{examples.PREFIX}{EVOLUTION}")
    assert len(state.trials) == state.spec.trials and any(trial.parents for trial in state.trials.values())


def test_the_empty_race_page_offers_an_example_and_shows_it_without_a_key(
    open_page: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = tables.np.random.default_rng(0)
    key: Key = tables.key(tables.truths(rng), 3, 0.02, sizes=tables.SIZES)
    monkeypatch.setattr("explorer.nas.key_executor.load", lambda dataset: key)
    story = Story(
        RunSpec(
            kind="race",
            space="cell",
            dataset="noisy-digits",
            method={"strategies": ["random", "local_search"]},
            settings={"race": {"repeats": 10}},
            trials=20,
        ),
        engine.run,
    )
    story.attempt(FakeExecutor(0))
    monkeypatch.setattr(examples, "FOLDER", tmp_path)
    file = tmp_path / "race-on-noisy-digits.jsonl.gz"
    write_recorded(file, story.spec, story.events)
    assert read_recorded(file)[0] == story.spec
    links = [link.proto.label for link in open_page("race").get("page_link")]
    assert "See a finished example: Race on noisy digits" in links
    app = open_page("race", run=f"{examples.PREFIX}race-on-noisy-digits")
    assert not app.exception and "recorded example" in texts(app)
    assert any("random search with 95 % confidence" in sentence for sentence in say(app, "markdown"))
