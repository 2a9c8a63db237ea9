"""The app behind a free port, and a headless Chromium before it."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import FOREIGN_SETTINGS

ROOT = Path(__file__).resolve().parents[2]
SHOTS = ROOT / "screenshots"
CHROMIUM = os.environ.get("EXPLORER_CHROMIUM") or shutil.which("chromium") or "/usr/bin/chromium"
START_SECONDS = 40
RUN_MILLISECONDS = 90_000  # a cold supervisor on a busy machine; a warm one needs five seconds


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def healthy(url: str, server: subprocess.Popen[bytes]) -> bool:
    """Whether the server answers; waits for it."""
    import time

    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and server.poll() is None:
        try:
            with urllib.request.urlopen(f"{url}/_stcore/health", timeout=2) as answer:
                return bool(answer.status == 200)
        except OSError:
            time.sleep(0.1)
    return False


@contextmanager
def serving(home: Path) -> Iterator[str]:
    """The app on a free port with that home; its supervisor is ended with it."""
    url = f"http://127.0.0.1:{(port := free_port())}"
    command = [sys.executable, "-m", "streamlit", "run", str(ROOT / "streamlit_app.py")]
    options = ["--server.port", str(port), "--server.address", "127.0.0.1", "--server.headless", "true"]
    options += [
        "--server.fileWatcherType",
        "none",
    ]  # nobody edits it, and a watcher takes a core where others do
    kept = {name: value for name, value in os.environ.items() if name not in FOREIGN_SETTINGS}
    environment = {**kept, "EXPLORER_HOME": str(home), "EXPLORER_OFFLINE": "1"}
    server = subprocess.Popen(
        [*command, *options],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        assert healthy(url, server), "the app did not come up"
        yield url
    finally:
        server.terminate()
        server.wait(20)
        stop = [sys.executable, "-m", "explorer", "stop"]
        subprocess.run(stop, cwd=ROOT, env=environment, capture_output=True, timeout=30)


@contextmanager
def chromium() -> Iterator[Any]:
    """A headless Chromium; the test is skipped where there is none."""
    playwright = pytest.importorskip("playwright.sync_api", reason="the browser tests need Playwright")
    if not Path(CHROMIUM).exists():
        pytest.skip("the browser tests need Chromium: apt-get install chromium")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def app_url(explorer_home: Path) -> Iterator[str]:
    """The app with a home of this test's own."""
    with serving(explorer_home) as url:
        yield url


@pytest.fixture
def page() -> Iterator[Any]:
    """A page of a headless Chromium, 1280 x 800."""
    with chromium() as browser, new_page(browser) as opened:
        yield opened


@pytest.fixture(scope="module")
def shared_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The home of `shared_url`: one for all tests of a module that only look."""
    return tmp_path_factory.mktemp("shared") / "explorer-home"


@pytest.fixture(scope="module")
def shared_url(shared_home: Path) -> Iterator[str]:
    """The app for all tests of a module that only look."""
    with serving(shared_home) as url:
        yield url


@pytest.fixture(scope="module")
def shared_browser() -> Iterator[Any]:
    """A headless Chromium for all tests of a module; each opens a page of its own with `new_page`."""
    with chromium() as browser:
        yield browser


@contextmanager
def new_page(browser: Any, **options: Any) -> Iterator[Any]:
    """A page in a context of its own, 1280 x 800; `options` are the context's, such as color_scheme."""
    context = browser.new_context(viewport={"width": 1280, "height": 800}, **options)
    opened = context.new_page()
    opened.set_default_timeout(20_000)
    try:
        yield opened
    finally:
        context.close()  # a page left open would go on asking the server


def shoot(page: Any, name: str) -> None:
    """Keep a picture of the page, for people to look at."""
    SHOTS.mkdir(exist_ok=True)
    page.set_viewport_size({"width": 1280, "height": 1100})
    page.screenshot(path=SHOTS / f"{name}.png")
    page.set_viewport_size({"width": 1280, "height": 800})


def number(page: Any, label: str, value: int) -> None:
    """Type a number into the field with that label."""
    field = page.get_by_label(label, exact=True)
    field.fill(str(value))
    field.press("Enter")
