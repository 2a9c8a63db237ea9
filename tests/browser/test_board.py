"""The board in a real Chromium: fast clicks, tampered messages, keys alone, a chain built from blank, hostile names."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.browser.board_page import HOSTILE
from tests.browser.conftest import ROOT, free_port, healthy, new_page

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(120)]

Open = Callable[..., Any]
# In the page: everything that a selector finds in its shadow roots, and a mouse that goes down without waiting.
TOOLS = """
window.found = (selector, root = document) => [...root.querySelectorAll('*')].flatMap(
  (one) => [...(one.matches(selector) ? [one] : []), ...(one.shadowRoot ? found(selector, one.shadowRoot) : [])]);
window.down = (one) => one.dispatchEvent(
  new PointerEvent('pointerdown', {bubbles: true, composed: true, pointerType: 'mouse', button: 0}));
window.chips = (layer) => [...window.found(`[id="${layer}"]`)[0].querySelectorAll('.c')];
"""
# What the component gets is changed on its way, so that its next candidate edit carries a field that no edit has.
TAMPER = """
const parse = JSON.parse;
JSON.parse = (...given) => {
  const found = parse(...given);
  for (const menu of Object.values((found && found.menus) || {}))
    for (const group of menu.groups) for (const item of group.items || []) if (item.e.kind == 'keep') item.e.sneaky = 1;
  return found;
};
"""


@pytest.fixture(scope="module")
def board_url(shared_home: Path) -> Iterator[str]:
    """The board alone, served on a free port."""
    url = f"http://127.0.0.1:{(port := free_port())}"
    script = ROOT / "tests" / "browser" / "board_page.py"
    options = ["--server.port", str(port), "--server.address", "127.0.0.1", "--server.headless", "true"]
    options += ["--server.fileWatcherType", "none"]
    server = subprocess.Popen(
        [sys.executable, "-m", "streamlit", "run", str(script), *options],
        cwd=ROOT,
        env={**os.environ, "EXPLORER_HOME": str(shared_home), "PYTHONPATH": str(ROOT)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        assert healthy(url, server), "the board's page did not come up"
        yield url
    finally:
        server.terminate()
        server.wait(20)


@pytest.fixture
def opened(board_url: str, shared_browser: Any) -> Iterator[Open]:
    """Opens the page with a space and waits for the drawing; errors in the browser fail the test."""
    errors: list[str] = []
    with ExitStack() as pages:

        def at(space: str, script: str = "", **options: Any) -> Any:
            page = pages.enter_context(new_page(shared_browser, **options))
            page.on("pageerror", lambda error: errors.append(str(error)))
            page.add_init_script(TOOLS + script)
            page.goto(f"{board_url}/?space={space}")
            page.locator(".board svg [role=button]").first.wait_for()
            return page

        yield at
    assert not errors


def python(page: Any) -> dict[str, Any]:
    """What Python holds, as the page shows it."""
    shown: dict[str, Any] = json.loads(page.locator("code").inner_text())
    return shown


def waits(page: Any, **wanted: Any) -> dict[str, Any]:
    """What Python holds as soon as it holds what is wanted."""
    for _ in range(100):
        held = python(page)
        if all(held[name] == value for name, value in wanted.items()):
            return held
        page.wait_for_timeout(50)
    pytest.fail(f"Python never held {wanted}; it holds {held}")


def element(page: Any, name: str) -> Any:
    """The element of the drawing with that id."""
    return page.locator(f".board [id='{name}']")


def focused(page: Any) -> str:
    """The id of the element that has the focus inside of the component."""
    found: str = page.evaluate(
        """() => {
          let one = document.activeElement;
          while (one.shadowRoot) one = one.shadowRoot.activeElement;
          return one.id;
        }"""
    )
    return found


def choose(page: Any, name: str, *items: str) -> None:
    """Open the menu of an element by its name and click through items."""
    element(page, name).locator(".name, .pill").first.click()
    for item in items:
        page.locator(".menu").get_by_text(item, exact=True).first.click()


def test_ten_clicks_at_once_all_arrive_and_the_drawing_never_goes_back(opened: Open) -> None:
    page = opened("enas-macro")
    page.evaluate(
        """() => {
          window.seen = [];
          const look = () => {
            const on = window.found('[id=layer_1] .c.chosen')[0].textContent.trim();
            if (window.seen.at(-1) != on) window.seen.push(on);
          };
          const drawing = window.found('.net')[0];
          new MutationObserver(look).observe(drawing, {subtree: true, childList: true, attributes: true});
          for (const at of [1, 2])
            for (let layer = 1; layer <= 5; layer++) window.down(window.chips('layer_' + layer)[at]);
          window.drawn = window.found('.k-choice .c.chosen').map((one) => one.textContent.trim());
        }"""
    )
    assert page.evaluate("window.drawn") == ["sep3x3"] * 5 + ["conv3x3"], "drawn before Python heard of it"
    held = waits(page, ack=10)
    assert held["steps"] == 10 and held["epoch"] == 0
    assert [held["pinned"][f"layer_{number}"] for number in range(1, 7)] == ["sep3x3"] * 5 + ["conv3x3"]
    page.wait_for_timeout(300)
    assert page.evaluate("window.seen") in (["sep3x3"], ["conv5x5", "sep3x3"])


def test_two_arcs_of_one_skip_that_are_switched_at_once_are_both_on(opened: Open) -> None:
    page = opened("enas-macro")
    page.evaluate(
        """() => {
          for (const arc of ['skip_4/0', 'skip_4/2']) {
            window.down(window.found(`[id="${arc}"] .pill rect`)[0]);
            window.down(window.found('.menu button.check')[0]);
            window.down(window.found('.net')[0]);
          }
        }"""
    )
    assert waits(page, ack=2)["pinned"]["skip_4"] == [0, 2]


def test_a_tampered_message_is_refused_and_the_drawing_returns(opened: Open) -> None:
    from playwright.sync_api import expect

    page = opened("notes-net", TAMPER)
    element(page, "conv1").locator(".c").nth(1).click()
    waits(page, ack=1)
    choose(page, "conv1")
    page.evaluate(
        """() => {
          window.down(window.found('.menu button.check')[0]);  // carries `sneaky`
          setTimeout(() => window.down(window.chips('mid_conv')[1]), 10);
        }"""
    )
    expect(page.get_by_text("No field of the edit 'keep' is called 'sneaky'")).to_be_visible()
    held = waits(page, epoch=1)
    page.wait_for_timeout(500)  # whatever else was under way has arrived
    assert held["pinned"]["conv1"] == "conv5x5" and held["kept"] == {} and python(page)["steps"] == 1
    expect(element(page, "conv1").locator(".c.off")).to_have_count(0)
    expect(element(page, "mid_conv").locator(".c.chosen")).to_have_text("conv3x3")
    element(page, "conv1").locator(".c").nth(0).click()  # and it still listens
    assert waits(page, steps=2)["pinned"]["conv1"] == "conv3x3"


def test_keys_alone_open_a_menu_choose_and_undo_and_the_focus_stays(opened: Open) -> None:
    from playwright.sync_api import expect

    page = opened("notes-net")
    expect(page.locator(".board [tabindex='0']")).to_have_count(1)
    page.locator(".bar button").last.focus()
    page.keyboard.press("Tab")
    assert focused(page) == "input"
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.get_by_role("menuitemradio", name="conv3x3")).to_be_focused()
    page.keyboard.press("ArrowDown")
    page.keyboard.press(" ")
    expect(page.get_by_role("menu")).to_have_count(0)
    assert waits(page, ack=1)["pinned"]["conv1"] == "conv5x5"
    waits(page, selected="conv1")
    assert focused(page) == "conv1"
    page.keyboard.press("Control+z")
    assert waits(page, ack=2)["pinned"]["conv1"] == "conv3x3"
    page.keyboard.press("Control+Shift+Z")
    assert waits(page, ack=3)["pinned"]["conv1"] == "conv5x5"
    page.keyboard.press("End")
    page.keyboard.press("Enter")
    expect(page.get_by_role("menu", name="mid_conv → conv2")).to_be_visible()
    page.keyboard.press("End")
    page.keyboard.press("ArrowDown")  # around
    page.keyboard.press("Escape")
    assert focused(page) == "skip"
    page.keyboard.press("Tab")
    expect(page.locator(".menu")).to_be_empty()
    page.keyboard.press("Shift+Tab")
    assert focused(page) == "skip", "the one tab stop is where one left"


def test_a_menu_stays_open_while_candidates_are_forbidden_and_the_last_one_says_why_not(opened: Open) -> None:
    from playwright.sync_api import expect

    page = opened("enas-macro")
    choose(page, "layer_1")
    for name in ("conv3x3", "conv5x5", "sep3x3", "sep5x5", "avg3x3"):
        page.locator(".menu button.check", has_text=name).click()
    expect(element(page, "layer_1").locator(".c.off")).to_have_count(5)
    held = waits(page, ack=5)
    assert held["kept"] == {"kept": {"layer_1": ["max3x3"]}} and held["pinned"]["layer_1"] == "max3x3"
    last = page.locator(".menu button.check", has_text="max3x3")
    expect(last).to_have_attribute("aria-disabled", "true")
    expect(last).to_contain_text("offer another one first")
    last.click(force=True)
    page.wait_for_timeout(200)
    assert python(page)["ack"] == 5


def test_a_skip_says_off_free_and_always_on_the_drawing(opened: Open) -> None:
    from playwright.sync_api import expect

    page = opened("notes-net")
    skip = element(page, "skip")
    for item, words, count in (
        ("Always on", "always on", 0),
        ("Off", "forbidden", 0),
        ("Let the search decide", "free, off", 1),
    ):
        choose(page, "skip", item)
        expect(skip).to_have_accessible_name(f"skip mid_conv → conv2, {words}")
        expect(skip.locator(".dot")).to_have_count(count)
    waits(page, ack=3)
    page.get_by_role("button", name="Allow everything").click()
    waits(page, epoch=1)
    choose(page, "skip", "On")
    assert waits(page, ack=4)["pinned"]["skip"] == [0]


def test_an_impossible_skip_is_marked_and_aligned_from_its_menu(opened: Open) -> None:
    from playwright.sync_api import expect

    page = opened("notes-net-as-written")
    expect(element(page, "skip").locator(".bad")).to_have_count(1)
    expect(element(page, "skip")).to_have_accessible_name(
        re.compile("Problem: skip: adds 8x16x16 to 16x12x12")
    )
    choose(page, "skip")
    expect(page.locator(".menu header")).to_contain_text(
        "8x16x16 meets 16x12x12 and cannot be added as it is"
    )
    page.locator(".menu").get_by_text("Align: a 1x1 convolution and a centre crop").click()
    expect(element(page, "skip").locator(".bad")).to_have_count(0)


def test_a_chain_is_built_from_blank_with_a_candidate_and_a_skip(opened: Open) -> None:
    from playwright.sync_api import expect

    page = opened("blank")
    choose(page, "input", "Add the first layer", "Convolution 3x3")
    expect(page.locator(".board .k-layer")).to_have_count(3)
    first = waits(page, ack=1)["layers"][0]
    choose(page, first, "Add a layer after this", "ReLU")
    expect(page.locator(".board .k-layer")).to_have_count(4)
    second = waits(page, ack=2)["layers"][1]
    choose(page, first, "Make it a choice: add a candidate", "Convolution 5x5")
    expect(element(page, first).locator(".c")).to_have_count(2)
    choose(page, first, "Add a skip from here into", second)
    expect(page.locator(".board .k-skip")).to_have_count(1)
    held = waits(page, ack=4)
    assert held["steps"] == 4 and held["skips"] == ["skip"] and len(held["pinned"]) == 2
    expect(page.locator(".board .bad")).to_have_count(0)
    choose(page, second, "Remove")
    expect(page.locator(".board .k-skip")).to_have_count(0)
    assert focused(page) == "flatten", "its neighbour takes the focus"
    page.get_by_role("button", name="Undo").click()
    expect(page.locator(".board .k-skip")).to_have_count(1)


def test_the_drawing_answers_who_wants_to_save_it(opened: Open) -> None:
    page = opened("notes-net")
    counted = page.evaluate(
        """() => {
          const found = [];
          for (const film of ['board', 'another']) document.dispatchEvent(new CustomEvent(
            'explorer-save', {detail: {film, take: (root) => found.push(root.querySelectorAll('svg').length)}}));
          return found;
        }"""
    )
    assert counted == [1]


def test_hostile_names_are_text_and_can_still_be_clicked(opened: Open) -> None:
    from playwright.sync_api import expect

    page = opened("hostile")
    page.on("dialog", lambda _: pytest.fail("a name was run as a script"))
    expect(page.locator(".board img, .board script")).to_have_count(0)
    expect(page.locator(".board .k-choice")).to_have_accessible_name(re.compile(re.escape(HOSTILE[:10])))
    assert page.title() != "taken"
    names = page.locator(".board text:not(.says)").all_text_contents()
    assert not any(len(name.strip()) > 60 for name in names)
    assert "\u202e" not in (page.locator(".board").text_content() or "")
    page.locator(".board .k-choice .c").nth(1).click()
    assert waits(page, ack=1)["pinned"][HOSTILE] == "A" * 300
    page.locator(".board .k-choice .name").click()
    expect(page.locator(".menu img")).to_have_count(0)
    box, window = page.locator(".menu").bounding_box(), page.viewport_size
    assert box and box["x"] >= 0 and box["x"] + box["width"] <= window["width"]


def test_a_click_on_the_candidate_that_is_pinned_already_opens_the_menu(opened: Open) -> None:
    page = opened("notes-net")
    element(page, "conv1").locator(".c.chosen").click()
    assert page.locator(".menu header b").inner_text() == "conv1"
    page.keyboard.press("Escape")
    element(page, "conv1").locator(".c.unchosen").click()
    waits(page, steps=1)
    assert python(page)["pinned"]["conv1"] == "conv5x5"
    assert not page.locator(".menu").is_visible()


@pytest.mark.parametrize("space", ["notes-net", "darts-cell", "enas-macro"])
def test_on_a_phone_the_menu_is_a_sheet_at_the_lower_edge(opened: Open, space: str) -> None:
    page = opened(space, has_touch=True)
    page.set_viewport_size({"width": 390, "height": 800})
    page.wait_for_function(
        "document.documentElement.scrollWidth <= innerWidth"
    )  # columns go below one another
    page.wait_for_timeout(300)
    page.locator(".board .n[role=button] .name").first.tap()
    page.locator(".menu").wait_for()
    for _ in range(40):  # on a busy machine the page may still be moving
        box = page.locator(".menu").bounding_box()
        if box and box["y"] + box["height"] == 800:
            break
        page.wait_for_timeout(50)
    assert box and box["width"] == 390 and box["y"] + box["height"] == 800 and box["y"] > 200


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("space", ["notes-net", "cell", "darts-cell"])
def test_axe_finds_nothing_with_a_menu_open(opened: Open, space: str, theme: str) -> None:
    from axe_playwright_python.sync_playwright import Axe

    page = opened(space, color_scheme=theme)
    page.locator(".board [role=button]").nth(1).click(force=True)
    page.locator(".menu button").first.wait_for()
    rules = {"label-content-name-mismatch": {"enabled": True}, "target-size": {"enabled": True}}
    found = (
        Axe()
        .run(page, ".stBidiComponent, [data-testid=stBidiComponentRegular]", {"rules": rules})
        .response["violations"]
    )
    assert not [(one["id"], [node["html"][:200] for node in one["nodes"]]) for one in found]
