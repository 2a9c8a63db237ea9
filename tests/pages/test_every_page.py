"""What every page promises: it opens, whatever the store holds, without a traceback and without torch."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from explorer.errors import StoreUnavailable
from explorer.runs.store import Store
from tests.pages import stories
from tests.pages.conftest import Open, say, texts

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted(path.stem for path in (ROOT / "pages").glob("*.py") if path.stem != "__init__")
STORED = ("random_architectures", "runs")


@pytest.mark.parametrize("name", PAGES)
def test_a_page_opens_on_the_first_day(name: str, open_page: Open) -> None:
    app = open_page(name)
    assert not app.exception and not app.error
    assert app.title


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("story", ["queued", "running", "finished", "failed"])
def test_a_page_opens_with_a_run_in_any_state(name: str, story: str, open_page: Open, store: Store) -> None:
    run_id = getattr(stories, story)(store)
    app = open_page(name, run=run_id)
    assert not app.exception
    if name in STORED:
        assert story in texts(app)


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize(
    "query",
    [
        {"run": "nobody"},
        {"run": "example-nobody"},
        {"run": "../../etc/passwd"},
        {"space": "nothing-like-it"},
        {"space": "/etc/passwd"},
        {"space": "z9.newer"},
        {"space": "z1.damaged"},
        {"space": "cell", "architecture": "xyz"},
        {"architecture": "/tmp/space.json:000"},
        {"space": "notes-net", "keep": "z1.damaged"},
    ],
    ids=str,
)
def test_a_bad_link_is_at_most_one_sentence_and_the_page_stands(
    name: str, query: dict[str, str], open_page: Open
) -> None:
    app = open_page(name, **query)
    assert not app.exception
    assert app.title
    assert len(app.warning) <= 1 and not app.error
    if name == "space" and "run" not in query:
        assert "default space is shown" in say(app, "warning")[0]
    if name == "random_architectures" and "run" in query:
        assert "Pick another" in say(app, "warning")[0]


def test_what_a_link_says_is_quoted_as_text(open_page: Open) -> None:
    told = say(open_page("space", space="![x](http://example.org/x.png)"), "warning")[0]
    assert "example" in told and "![x](" not in told


def test_a_link_from_a_newer_version_says_so(open_page: Open) -> None:
    assert "newer version" in say(open_page("space", space="z9.newer"), "warning")[0]


@pytest.mark.parametrize("name", STORED)
def test_a_store_that_cannot_be_opened_is_one_sentence(
    name: str, open_page: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    blocked = tmp_path / "a-file"
    blocked.write_text("in the way")
    monkeypatch.setenv("EXPLORER_HOME", str(blocked / "home"))
    with pytest.raises(StoreUnavailable):
        Store()
    app = open_page(name, run="some")
    assert not app.exception
    assert len(app.error) == 1 and "store" in app.error[0].value


def test_a_wrong_mode_is_one_sentence(open_page: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EXPLORER_MODE", "cluod")
    app = open_page("home")
    assert not app.exception
    assert "EXPLORER_MODE is 'cluod'" in app.error[0].value


@pytest.mark.parametrize("name", ["home", "random_architectures", "runs"])
def test_a_shared_machine_says_its_limits(
    name: str, open_page: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EXPLORER_MODE", "cloud")
    assert any(
        "1 worker" in sentence and "3 runs waiting" in sentence
        for sentence in say(open_page(name), "caption")
    )


@pytest.mark.slow
def test_no_page_brings_torch_or_nni_into_the_server() -> None:
    script = f"""
import sys
from streamlit.testing.v1 import AppTest
app = AppTest.from_file({str(ROOT / "streamlit_app.py")!r}, default_timeout=60).run()
for name in {PAGES!r}:
    app.switch_page(f"pages/{{name}}.py").run()
    assert not app.exception, app.exception
print(sorted({{"torch", "nni", "torchvision", "sklearn"}} & set(sys.modules)))
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, cwd=ROOT, timeout=100
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.strip().endswith("[]")
