"""The film in a real Chromium: it plays, is scrubbed, is questioned, follows a live search and lets nothing through."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.browser.conftest import ROOT, free_port, healthy, new_page

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(240)]

SCRIPT = Path(__file__).with_name("film_page.py")
MARK = "element => { element.marked = true; }"  # a property goes with its element when that is made anew
MARKED = "element => element.marked === true"


@pytest.fixture(scope="module")
def film_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """`film_page.py` behind a free port."""
    url = f"http://127.0.0.1:{(port := free_port())}"
    options = ["--server.port", str(port), "--server.address", "127.0.0.1", "--server.headless", "true"]
    options += ["--server.fileWatcherType", "none"]
    server = subprocess.Popen(
        [sys.executable, "-m", "streamlit", "run", str(SCRIPT), *options],
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        assert healthy(url, server), "the page did not come up"
        yield url
    finally:
        server.terminate()
        server.wait(20)


Visit = Callable[..., Any]


@pytest.fixture
def visit(film_url: str, shared_browser: Any) -> Iterator[Visit]:
    """Opens the page with some data; whatever it complained of in the console fails the test at its end."""
    problems: list[str] = []
    with ExitStack() as pages:

        def opened(show: str = "film", **options: Any) -> Any:
            page = pages.enter_context(new_page(shared_browser, **options))
            page.on("pageerror", lambda error: problems.append(str(error)))
            page.on("console", lambda said: problems.append(said.text) if said.type == "error" else None)
            page.goto(f"{film_url}/?show={show}")
            page.locator(".net svg").first.wait_for()
            page.wait_for_timeout(600)  # the easing of the first picture
            return page

        yield opened
    assert problems == []


def scrubber(page: Any) -> Any:
    return page.get_by_role("slider", name="Position")


def position(page: Any) -> float:
    return float(scrubber(page).input_value())


def widths(page: Any) -> list[str]:
    return list(
        page.locator("path.s").evaluate_all("found => found.map((one) => one.getAttribute('stroke-width'))")
    )


def test_play_moves_and_pause_stops_where_it_is(visit: Visit) -> None:
    page = visit()
    assert position(page) == 39
    before = widths(page)
    page.get_by_role("button", name="Play").click()
    page.wait_for_timeout(700)
    page.get_by_role("button", name="Pause").click()
    page.wait_for_timeout(100)
    stopped = position(page)
    assert 0 < stopped < 38
    assert widths(page) != before
    page.wait_for_timeout(300)
    assert position(page) == stopped
    assert page.get_by_text("stopped at step").is_visible()


def test_at_its_end_it_stops_unless_it_loops(visit: Visit) -> None:
    page = visit()
    page.get_by_label("Speed").select_option("8x")
    page.get_by_role("button", name="Play").click()
    page.get_by_role("button", name="Pause").wait_for()
    page.get_by_role("button", name="Play").wait_for(timeout=10_000)
    assert position(page) == 39
    page.get_by_role("button", name="Loop").click()
    page.get_by_role("button", name="Play").click()
    page.wait_for_timeout(2_500)
    assert page.get_by_role("button", name="Pause").is_visible()


def test_the_keyboard_scrubs_and_python_learns_of_it_once(visit: Visit) -> None:
    page = visit()
    scrubber(page).focus()
    for _ in range(3):
        page.keyboard.press("ArrowLeft")
    page.get_by_text("stopped at step 360, 1").wait_for()
    assert position(page) == 36
    assert scrubber(page).get_attribute("aria-valuetext").startswith("step 360 · epoch 36")
    page.keyboard.press("Home")
    page.get_by_text("stopped at step 0, 2").wait_for()
    page.keyboard.press("Space")
    page.wait_for_timeout(400)
    page.keyboard.press("Space")
    assert 0 < position(page) < 10


def test_what_would_be_derived_is_outlined_and_named(visit: Visit) -> None:
    page = visit()
    edges = page.locator("g.k-cell[role=button]")
    assert edges.locator(".s.on").count() == edges.count() == 6
    late = page.locator(".tag").all_text_contents()
    assert len(late) == 6
    scrubber(page).focus()
    page.keyboard.press("Home")
    page.wait_for_timeout(200)
    assert page.locator(".tag").all_text_contents() != late


def test_pointing_shows_the_history_and_a_click_keeps_it(visit: Visit) -> None:
    page = visit()
    panel, edge = page.locator(".past"), page.locator("g[role=button]").first
    tall = panel.bounding_box()["height"]
    page.locator(".tag").first.hover()
    assert panel.locator("path").count() == 5
    assert panel.inner_text().startswith("0 → 1")
    assert panel.locator("span").count() == 5
    page.mouse.move(5, 5)
    page.wait_for_timeout(100)
    assert panel.locator("path").count() == 0
    page.locator(".tag").first.click()
    page.mouse.move(5, 5)
    page.wait_for_timeout(100)
    assert edge.get_attribute("aria-pressed") == "true"
    assert panel.locator("path").count() == 5
    assert panel.bounding_box()["height"] == tall
    page.locator(".tag").first.click()
    page.mouse.move(5, 5)
    page.wait_for_timeout(100)
    assert edge.get_attribute("aria-pressed") == "false"
    assert panel.locator("path").count() == 0


def test_the_drawing_is_one_tab_stop_and_enter_pins(visit: Visit) -> None:
    page = visit()
    assert page.locator("g[tabindex='0']").count() == 1
    page.locator("g[tabindex='0']").focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    second = page.locator("g[role=button]").nth(1)
    assert second.get_attribute("aria-pressed") == "true"
    assert second.evaluate("element => element === element.getRootNode().activeElement")
    assert page.locator(".past b").inner_text() == "0 → 2"
    page.keyboard.press("Tab")
    assert page.get_by_role("button", name="Play").evaluate(
        "element => element === element.getRootNode().activeElement"
    )
    page.keyboard.press("Escape")
    assert second.get_attribute("aria-pressed") == "false"


def test_new_live_data_moves_the_film_and_nothing_else(visit: Visit) -> None:
    page = visit("live")
    edge = page.locator("g[role=button]").nth(2)
    for kept in (edge, scrubber(page), page.locator("path.s").first):
        kept.evaluate(MARK)
    edge.focus()
    before = widths(page)
    page.get_by_role("button", name="More").evaluate(
        "button => button.click()"
    )  # the focus stays where it is
    page.locator(".bar span", has_text="step 430").wait_for()
    page.wait_for_timeout(500)
    assert widths(page) != before
    assert position(page) == 31
    for kept in (edge, scrubber(page), page.locator("path.s").first):
        assert kept.evaluate(MARKED)
    assert edge.evaluate("element => element === element.getRootNode().activeElement")
    assert page.get_by_text("never stopped").is_visible()


def test_a_visitor_who_looks_back_is_left_there(visit: Visit) -> None:
    page = visit("live")
    scrubber(page).focus()
    page.keyboard.press("ArrowLeft")
    shown = page.locator(".bar span")
    page.locator(".bar span", has_text="step 380").wait_for()
    page.get_by_role("button", name="More").click()
    page.wait_for_timeout(800)
    assert shown.inner_text().startswith("step 380")
    page.get_by_role("button", name="End").click()
    page.wait_for_timeout(800)
    assert shown.inner_text().startswith("step 380")
    assert position(page) == 38


def test_with_reduced_motion_pictures_stay_for_half_a_second(visit: Visit) -> None:
    page = visit(reduced_motion="reduce")
    page.get_by_role("button", name="Play").click()
    seen = page.evaluate(
        """async () => {
          const host = [...document.querySelectorAll('*')].find((one) => one.shadowRoot?.querySelector('.bar'));
          const scrub = host.shadowRoot.querySelector('input');
          const seen = [];
          const end = performance.now() + 2200;
          while (performance.now() < end) {
            if (seen.at(-1) !== scrub.value) seen.push(scrub.value);
            await new Promise(requestAnimationFrame);
          }
          return seen;
        }"""
    )
    assert 3 <= len(seen) <= 6
    assert all(float(value) == int(float(value)) for value in seen)


def test_films_of_one_name_move_together(visit: Visit) -> None:
    page = visit()
    page.evaluate(
        "() => { window.heard = []; document.addEventListener('explorer-cursor', (e) => heard.push(e.detail)); }"
    )
    say = "detail => document.dispatchEvent(new CustomEvent('explorer-cursor', {detail}))"
    page.evaluate(say, {"film": "another", "step": 100, "frame": 10, "from": "strips"})
    page.wait_for_timeout(100)
    assert position(page) == 39
    page.evaluate(say, {"film": "made-up", "step": 100, "frame": 10, "from": "strips"})
    page.wait_for_timeout(100)
    assert position(page) == 10
    assert [one["from"] for one in page.evaluate("heard")] == ["strips", "strips"]  # no echo
    scrubber(page).focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_timeout(100)
    last = page.evaluate("heard")[-1]
    assert (last["film"], last["step"], last["frame"]) == ("made-up", 110, 11)


def test_hostile_names_are_text(visit: Visit) -> None:
    page = visit("hostile")
    page.locator(".tag").first.hover()
    page.wait_for_timeout(200)
    assert page.locator(".net img, .past img, .bar img").count() == 0
    assert "<img" in page.locator(".past").inner_text()
    assert page.title() != "1"


@pytest.mark.parametrize("show", ["empty", "strange", "compare", "darts"])
def test_whatever_it_is_given_it_does_not_throw(visit: Visit, show: str) -> None:
    page = visit(show)
    assert page.locator(".net svg").first.is_visible()


def test_a_comparison_marks_what_differs_and_has_no_controls(visit: Visit) -> None:
    page = visit("compare")
    assert not page.get_by_role("button", name="Play").is_visible()
    marks = page.locator(".tag").all_text_contents()
    assert marks and {mark[0] for mark in marks} == {"A", "B"}
    assert page.locator(".s.on").count() == len(marks)


def test_a_reel_opens_at_its_first_architecture_and_has_no_history(visit: Visit) -> None:
    page = visit("reel")
    assert position(page) == 0
    assert page.locator(".bar span").inner_text() == "trial 0"
    assert scrubber(page).get_attribute("aria-valuetext") == "trial 0"
    assert not page.locator(".past").is_visible() and page.locator("g[role=button]").count() == 0
    page.get_by_role("button", name="Step forward").click()
    page.get_by_text("stopped at step 1, 1").wait_for()
    assert page.locator(".bar span").inner_text() == "trial 1"


def test_what_a_position_says_ends_with_words(visit: Visit) -> None:
    page = visit("no-code")
    assert page.locator(".bar span").inner_text() == "step 390 · epoch 39"


def test_the_marks_of_a_comparison_do_not_cover_one_another(visit: Visit) -> None:
    page = visit("darts")
    assert {mark[0] for mark in page.locator(".tag").all_text_contents()} == {"A", "B"}
    boxes = [mark.bounding_box() for mark in page.locator(".tag rect").all()]
    assert len(boxes) >= 12
    for at, one in enumerate(boxes):
        for other in boxes[at + 1 :]:
            beside = abs(one["x"] - other["x"]) >= min(one["width"], other["width"]) - 1
            below = abs(one["y"] - other["y"]) >= min(one["height"], other["height"]) - 1
            assert beside or below


def test_a_phone_sees_all_of_it_without_scrolling_sideways(visit: Visit) -> None:
    page = visit()
    page.set_viewport_size({"width": 390, "height": 844})
    page.wait_for_timeout(300)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    boxes = page.locator(".net svg").evaluate_all(
        "found => found.map((one) => one.getBoundingClientRect().right)"
    )
    assert max(boxes) <= 390
    for control in page.locator(".bar button, .bar select, .bar input").all():
        box = control.bounding_box()
        assert box["height"] >= 24 and box["width"] >= 24
