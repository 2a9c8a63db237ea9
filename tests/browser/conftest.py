"""The app behind a free port, and a headless Chromium before it."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
SHOTS = ROOT / "screenshots"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or "/usr/bin/chromium"
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


@pytest.fixture
def app_url(explorer_home: Path) -> Iterator[str]:
    """The app on a free port with a home of its own; its supervisor is ended with it."""
    url = f"http://127.0.0.1:{(port := free_port())}"
    command = [sys.executable, "-m", "streamlit", "run", str(ROOT / "streamlit_app.py")]
    options = ["--server.port", str(port), "--server.address", "127.0.0.1", "--server.headless", "true"]
    server = subprocess.Popen(
        [*command, *options],
        cwd=ROOT,
        env=dict(os.environ),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        assert healthy(url, server), "the app did not come up"
        yield url
    finally:
        server.terminate()
        server.wait(20)
        subprocess.run([sys.executable, "-m", "explorer", "stop"], cwd=ROOT, capture_output=True, timeout=30)


@pytest.fixture
def page() -> Iterator[Any]:
    """A page of a headless Chromium, 1280 x 800."""
    playwright = pytest.importorskip("playwright.sync_api", reason="the browser tests need Playwright")
    if not Path(CHROMIUM).exists():
        pytest.skip("the browser tests need Chromium: apt-get install chromium")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        opened = browser.new_page(viewport={"width": 1280, "height": 800})
        opened.set_default_timeout(20_000)
        yield opened
        browser.close()


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
