"""The main job in a real Chromium: choose, switch, run for real, watch, reload, find it again."""

from __future__ import annotations

from typing import Any

import pytest

from tests.browser.conftest import RUN_MILLISECONDS, number, shoot

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(240)]


def test_from_a_chosen_space_to_ranked_architectures_and_back_after_a_reload(app_url: str, page: Any) -> None:
    from playwright.sync_api import expect

    page.goto(f"{app_url}/space")  # the very first request of a fresh server: the router must be there
    expect(page.get_by_role("heading", name="Search space")).to_be_visible()
    expect(page.get_by_role("link", name="Random architectures")).to_be_visible()
    expect(page.locator(".net svg")).to_be_visible()

    page.get_by_role("tab", name="Controls").click()  # the plain-widget twins of the drawing
    expect(page.get_by_role("button", name="Another")).to_be_visible()  # they are all there
    expect(page.locator("[data-test-script-state=notRunning]")).to_be_visible()
    page.get_by_role("button", name="conv5x5").first.click()  # off in conv1
    expect(page.locator(".facts dd").first).to_have_text("4")
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
    expect(page.locator("table tbody tr")).to_have_count(3)
    expect(page.locator(".js-plotly-plot .plot-container")).to_have_count(2)
    shoot(page, "random-architectures")

    address = page.url
    assert "run=" in address
    leaderboard = page.locator("table").inner_text()
    page.reload()
    expect(page.locator("table tbody tr")).to_have_count(3)
    assert page.url == address and page.locator("table").inner_text() == leaderboard

    page.get_by_role("link", name="Runs").click()
    expect(page.get_by_text("3 / 3")).to_be_visible()
    shoot(page, "runs")
