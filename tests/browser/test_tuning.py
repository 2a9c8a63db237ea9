"""From the learning notes' snippet to a stopped trial explained, in a real Chromium on real training."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.browser.conftest import RUN_MILLISECONDS, number, shoot

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(400)]

SNIPPET = """assessor:
  builtinAssessorName: Curvefitting
  classArgs:
    epoch_num: 10
    threshold: 0.9
"""
# Learning rates of which some cannot learn and some can, so that the assessor has something to stop.
SPACE = '{"learning_rate": {"_type": "choice", "_value": [0.1, 0.05, 0.02, 0.00001, 0.00002, 0.000001]}}'


def test_from_the_notes_snippet_to_a_stopped_trial_explained_in_the_lens(app_url: str, page: Any) -> None:
    from playwright.sync_api import expect

    page.goto(f"{app_url}/tuning")
    expect(page.get_by_role("heading", name="Hyper-parameters")).to_be_visible()
    page.get_by_role("button", name="Paste config.yml").click()
    page.get_by_label("A config.yml of NNI").fill(SNIPPET)
    page.get_by_label("A config.yml of NNI").press("Control+Enter")
    expect(page.get_by_text("builtinAssessorName became name")).to_be_visible()
    page.get_by_role("button", name="Take over").click()
    expect(page.get_by_text("Taken over: Curvefitting")).to_be_visible()
    page.keyboard.press("Escape")
    shoot(page, "tuning-pasted")

    page.get_by_text("Edit", exact=True).click()
    text = page.get_by_label("search_space.json", exact=True)
    text.fill(SPACE)
    text.press("Control+Enter")
    expect(page.get_by_label("Options, separated by commas").first).to_have_value(re.compile("0.1, 0.05"))
    shoot(page, "tuning-editor")
    page.get_by_text("Edit", exact=True).click()
    expect(page.get_by_label("search_space.json", exact=True)).to_have_count(
        0
    )  # as a person waits for the page

    number(page, "Trials", 8)
    expect(page.get_by_text("8 trials, 10 epochs each")).to_be_visible()
    page.get_by_role("button", name="Start", exact=True).click()
    expect(page.get_by_role("button", name="Pause")).to_be_visible(timeout=RUN_MILLISECONDS)
    expect(page.get_by_text("Finished: 8 trials")).to_be_visible(timeout=2 * RUN_MILLISECONDS)
    expect(page.get_by_text("so the trial was stopped")).to_be_visible()
    expect(page.get_by_text("0.9 times")).to_be_visible()
    shoot(page, "tuning-lens")

    page.get_by_role("button", name="Let it finish").click()
    expect(page.get_by_text("stopped trial was finished later")).to_be_visible(timeout=RUN_MILLISECONDS)
    shoot(page, "tuning-finished-later")

    address = page.url
    assert "run=" in address
    page.reload()
    expect(page.get_by_text("so the trial was stopped")).to_be_visible()
    assert page.url == address
