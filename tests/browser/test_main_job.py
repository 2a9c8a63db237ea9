"""The main job in a real Chromium: choose, switch, run for real, watch, reload, find it again."""

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

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(240)]


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


def test_from_a_chosen_space_to_ranked_architectures_and_back_after_a_reload(app_url: str, page: Any) -> None:
    from playwright.sync_api import expect

    page.goto(f"{app_url}/space")  # the very first request of a fresh server: the router must be there
    expect(page.get_by_role("heading", name="Search space")).to_be_visible()
    expect(page.get_by_role("link", name="Random architectures")).to_be_visible()
    expect(page.locator(".drawing svg")).to_have_count(2)

    page.get_by_role("button", name="conv5x5").first.click()  # off in conv1
    expect(page.locator(".facts").first).to_contain_text("4")
    page.get_by_role("radio", name="Always on").or_(
        page.get_by_role("button", name="Always on")
    ).first.click()
    expect(page.locator(".facts dd").first).to_have_text("2")
    shoot(page, "space")

    page.get_by_role("radio", name="May be chosen").or_(
        page.get_by_role("button", name="May be chosen")
    ).first.click()
    expect(page.locator(".facts dd").first).to_have_text("4")
    page.get_by_role("button", name="Search this space").click()
    expect(page.get_by_role("heading", name="Random architectures")).to_be_visible()
    number(page, "Trials", 3)
    number(page, "Epochs", 1)
    expect(page.get_by_text("3 architectures, 1 epoch each")).to_be_visible()
    page.get_by_role("button", name="Run", exact=True).click()
    expect(page.get_by_text("Best validation accuracy")).to_be_visible(timeout=RUN_MILLISECONDS)
    expect(page.locator(".rows tbody tr")).to_have_count(3)
    expect(page.locator(".js-plotly-plot .plot-container")).to_have_count(2)
    shoot(page, "random-architectures")

    address = page.url
    assert "run=" in address
    leaderboard = page.locator(".rows").inner_text()
    page.reload()
    expect(page.locator(".rows tbody tr")).to_have_count(3)
    assert page.url == address and page.locator(".rows").inner_text() == leaderboard

    page.get_by_role("link", name="Runs").click()
    expect(page.get_by_text("3 / 3")).to_be_visible()
    shoot(page, "runs")
