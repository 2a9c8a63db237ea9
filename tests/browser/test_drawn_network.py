"""The drawn network in the app: built from nothing and trained, a skip switched, a search watched over a reload."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.browser.conftest import RUN_MILLISECONDS, shoot

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(300)]


def element(page: Any, name: str) -> Any:
    """The element of the board with that id."""
    return page.locator(f".board [id='{name}']")


def choose(page: Any, name: str, *items: str) -> None:
    """Open the menu of an element and click through items."""
    element(page, name).locator(".name, .pill").first.click()
    for item in items:
        page.locator(".menu").get_by_text(item, exact=True).first.click()
    page.keyboard.press("Escape")


def fact(page: Any, name: str, which: int = 0) -> Any:
    """The value beside a name among the facts."""
    return page.locator(".facts div", has=page.get_by_text(name, exact=True)).nth(which).locator("dd")


def test_a_space_is_built_from_blank_by_clicking_and_trained(app_url: str, page: Any) -> None:
    from playwright.sync_api import expect

    page.goto(f"{app_url}/space?space=blank")
    expect(element(page, "flatten")).to_be_visible()
    expect(fact(page, "Architectures")).to_have_text("1")
    choose(page, "input", "Add the first layer", "Convolution 3x3")
    expect(element(page, "conv1")).to_be_visible()
    choose(page, "conv1", "Make it a choice: add a candidate", "Convolution 5x5")
    expect(fact(page, "Architectures")).to_have_text("2")
    choose(page, "conv1", "Add a layer after this", "ReLU")
    choose(page, "conv1", "Add a skip from here into", "relu1")
    expect(fact(page, "Architectures")).to_have_text("4")
    shoot(page, "built-from-blank")
    page.get_by_role("button", name="Evaluate this architecture").click()
    expect(page.get_by_text(re.compile(r"validation accuracy \(3 seeds"))).to_be_visible(
        timeout=RUN_MILLISECONDS
    )
    shoot(page, "built-from-blank-trained")

    page.reload()  # the address holds all of it
    expect(fact(page, "Architectures")).to_have_text("4")


def test_a_skip_switched_on_the_drawing_changes_the_parameter_count(app_url: str, page: Any) -> None:
    from playwright.sync_api import expect

    page.goto(f"{app_url}/space")
    before = fact(page, "Parameters", 1).inner_text()
    choose(page, "skip", "Always on")
    expect(fact(page, "Parameters", 1)).not_to_have_text(before)
    assert "keep=" in page.url
    page.get_by_role("button", name="Undo").click()
    expect(fact(page, "Parameters", 1)).to_have_text(before)


def test_a_search_is_watched_over_a_reload_and_played_at_its_end(app_url: str, page: Any) -> None:
    from playwright.sync_api import expect

    page.goto(f"{app_url}/one_shot")
    page.get_by_role("button", name="Search", exact=True).click()
    words = page.get_by_text(re.compile(r"step \d+ · epoch"))
    expect(words.first).to_be_visible(timeout=RUN_MILLISECONDS)
    page.get_by_role("button", name="Pause", exact=True).first.click()
    expect(page.get_by_text("paused").first).to_be_visible(timeout=RUN_MILLISECONDS)
    address = page.url
    page.reload()
    expect(words.first).to_be_visible(timeout=RUN_MILLISECONDS)
    assert page.url == address
    page.get_by_role("button", name="Derive now").click()
    expect(page.get_by_text("What was derived?")).to_be_visible(timeout=RUN_MILLISECONDS)
    shoot(page, "one-shot-search")

    scrub = page.get_by_role("slider", name="Position")
    expect(scrub).to_be_visible()
    scrub.focus()
    page.keyboard.press("Home")
    page.keyboard.press("ArrowLeft")
    expect(page.get_by_text(re.compile(r"What would be derived if it stopped at step"))).to_be_visible()
    page.get_by_role("button", name="Compare", exact=True).click()
    expect(page.get_by_text("What changed between two moments?")).to_be_visible()
    shoot(page, "one-shot-compared")
