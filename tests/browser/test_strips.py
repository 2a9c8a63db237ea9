"""What stands around a film, in a real Chromium: charts with its cursor, a list that moves it, files of the drawing."""

from __future__ import annotations

import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.browser.conftest import ROOT, free_port, healthy, new_page

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(240)]

SCRIPT = Path(__file__).with_name("strips_page.py")
LAST = 1_200  # the last step of the recorded search
LISTEN = "heard = []; document.addEventListener('explorer-cursor', (event) => heard.push(event.detail));"
SAY = "detail => document.dispatchEvent(new CustomEvent('explorer-cursor', { detail }))"
MARK = (
    "found => found.forEach((one) => { one.marked = true; })"  # a property goes when an element is made anew
)
MARKED = "found => found.filter((one) => one.marked).length"
ACROSS = "found => found.map((one) => Number(one.style.transform.slice(11, -2)))"


@pytest.fixture(scope="module")
def strips_url() -> Iterator[str]:
    """`strips_page.py` behind a free port."""
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
def visit(strips_url: str, shared_browser: Any) -> Iterator[Visit]:
    """Opens the page with some of it; whatever it complained of in the console fails the test at its end."""
    problems: list[str] = []
    with ExitStack() as pages:

        def opened(show: str = "search", width: int = 1280, **options: Any) -> Any:
            page = pages.enter_context(new_page(shared_browser, **options))
            page.on("pageerror", lambda error: problems.append(str(error)))
            page.on("console", lambda said: problems.append(said.text) if said.type == "error" else None)
            page.set_viewport_size({"width": width, "height": 900})
            page.goto(f"{strips_url}/?show={show}")
            page.locator(".save button").first.wait_for()
            first = {"search": ".panel", "live": ".panel", "early": ".panel", "reel": ".shelf tbody tr"}.get(
                show, ".save"
            )
            page.locator(first).first.wait_for()
            page.wait_for_timeout(500)  # the first picture of the film
            page.evaluate(LISTEN)
            return page

        yield opened
    assert problems == []


def cursors(page: Any) -> set[float]:
    """Where the cursors of all panels are, in percent; one number when they agree."""
    return {round(one, 2) for one in page.locator(".plot > i").evaluate_all(ACROSS)}


def slider(page: Any) -> Any:
    return page.get_by_role("slider", name="Step", exact=True)


def film_says(page: Any) -> str:
    return str(page.get_by_role("slider", name="Position").get_attribute("aria-valuetext"))


def click_at(page: Any, share: float) -> None:
    plot = page.locator(".plot").first
    plot.click(position={"x": share * plot.bounding_box()["width"], "y": 60})


def test_the_cursor_of_all_charts_is_the_films(visit: Visit) -> None:
    from playwright.sync_api import expect

    page = visit()
    assert cursors(page) == {100}
    page.evaluate(SAY, {"film": "told", "step": 300, "frame": 30, "from": "film"})
    assert cursors(page) == {25}
    expect(slider(page)).to_have_attribute("aria-valuenow", "300")
    page.evaluate(SAY, {"film": "another", "step": 600, "frame": 60, "from": "film"})
    assert cursors(page) == {25}


def test_the_values_are_those_at_the_cursor(visit: Visit) -> None:
    from playwright.sync_api import expect

    page = visit()
    loss = page.locator(".panel").first.locator(".key b").first
    expect(loss).to_have_text("0.24")  # the last snapshot's train_loss of the recorded search
    page.evaluate(SAY, {"film": "told", "step": 0, "frame": 0, "from": "film"})
    expect(loss).to_have_text("–")  # none at step 0
    page.evaluate(SAY, {"film": "told", "step": 10, "frame": 1, "from": "film"})
    expect(loss).to_have_text("2.34")
    probable = page.locator(".small .panel").first.locator(".top b")
    page.evaluate(SAY, {"film": "told", "step": LAST, "frame": 120, "from": "film"})
    expect(probable).to_contain_text("skip 0.68")


def test_a_click_and_a_drag_in_a_chart_move_the_film(visit: Visit) -> None:
    page = visit()
    click_at(page, 0.5)
    page.wait_for_function("heard.length > 0")
    told = page.evaluate("heard[heard.length - 1]")
    assert told["film"] == "told" and told["step"] == pytest.approx(600, abs=3)
    page.wait_for_timeout(300)
    assert "step 600" in film_says(page) or "step 590" in film_says(page)
    assert list(cursors(page)) == [pytest.approx(50, abs=0.5)]
    box = page.locator(".plot").nth(1).bounding_box()
    page.mouse.move(box["x"] + 0.2 * box["width"], box["y"] + 20)
    page.mouse.down()
    page.mouse.move(box["x"] + 0.75 * box["width"], box["y"] + 20, steps=4)
    page.mouse.up()
    page.mouse.move(box["x"] + 0.1 * box["width"], box["y"] + 20)  # a pointer that is up moves nothing
    page.wait_for_timeout(300)
    assert list(cursors(page)) == [pytest.approx(75, abs=0.5)]
    assert "step 900" in film_says(page) or "step 890" in film_says(page)


def test_one_tab_stop_and_the_arrow_keys_move_the_film(visit: Visit) -> None:
    from playwright.sync_api import expect

    page = visit()
    assert page.locator(".strips [tabindex], .strips button, .strips a").count() == 1
    slider(page).focus()
    page.keyboard.press("Home")
    expect(slider(page)).to_have_attribute("aria-valuenow", "0")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowLeft")
    expect(slider(page)).to_have_attribute("aria-valuenow", "10")
    assert str(slider(page).get_attribute("aria-valuetext")).startswith("step 10: training batches 2.34")
    assert "step 10 " in film_says(page)
    page.keyboard.press("End")
    expect(slider(page)).to_have_attribute("aria-valuenow", str(LAST))
    click_at(page, 0.5)
    page.keyboard.press("ArrowLeft")  # a click gives the charts the focus
    page.wait_for_timeout(200)
    assert 570 < int(slider(page).get_attribute("aria-valuenow")) < 600


def test_new_snapshots_are_filled_into_the_charts_that_stand_there(visit: Visit) -> None:
    from playwright.sync_api import expect

    page = visit("live")
    things = page.locator(".panel, .plot path, .key li, .at")
    things.evaluate_all(MARK)
    before = things.evaluate_all(MARKED)
    assert page.locator(".ends").first.inner_text().split("\n")[-1] == "step 390"
    page.get_by_role("button", name="More").click()
    expect(page.locator(".ends").first).to_contain_text("step 490")
    assert things.evaluate_all(MARKED) == before == things.count()
    assert cursors(page) == {100}  # who looks at the end goes on to look at the end
    click_at(page, 0.8)  # in what a live film holds before and after
    page.wait_for_timeout(200)
    at = int(slider(page).get_attribute("aria-valuenow"))
    page.get_by_role("button", name="More").click()
    expect(page.locator(".ends").first).to_contain_text("step 590")
    page.wait_for_timeout(200)
    assert abs(int(slider(page).get_attribute("aria-valuenow")) - at) <= 10  # the film's nearest snapshot


def test_a_chart_that_takes_the_place_of_another_keeps_none_of_its_words(visit: Visit) -> None:
    page = visit("early")
    small = page.locator("section.small .top b")
    large = page.locator("section:not(.small) .top b")
    before = page.locator(".panel").count()
    assert all(small.all_text_contents())
    page.get_by_role("button", name="More").click()
    page.wait_for_function(
        "before => [...document.querySelectorAll('*')].some((one) =>"
        " one.shadowRoot?.querySelectorAll('.panel').length > before)",
        arg=before,
    )
    page.wait_for_timeout(300)
    assert all(small.all_text_contents()) and set(large.all_text_contents()) == {""}


def test_a_list_shows_the_architecture_of_the_row_under_the_pointer(visit: Visit) -> None:
    from playwright.sync_api import expect

    page = visit("reel")
    rows = page.locator(".shelf tbody tr")
    marked = page.locator(".shelf [aria-selected=true]")
    rows.nth(3).hover()
    expect(marked).to_have_text("3" + rows.nth(3).locator("td").nth(1).inner_text())
    page.wait_for_timeout(200)
    assert film_says(page).startswith("trial 3")
    page.evaluate(SAY, {"film": "told", "frame": 1, "step": 1, "from": "film"})
    expect(marked.locator("td").first).to_have_text("1")
    assert rows.nth(4).inner_text().split("\t")[1].startswith("<img src=x")  # a stranger's words are words


def test_a_list_has_one_tab_stop_and_the_arrow_keys_walk_through_it(visit: Visit) -> None:
    from playwright.sync_api import expect

    page = visit("reel")
    rows = page.locator(".shelf tbody tr")
    assert page.locator(".shelf [tabindex='0']").count() == 1
    rows.nth(1).focus()
    page.keyboard.press("ArrowDown")
    expect(rows.nth(2)).to_be_focused()
    expect(rows.nth(2)).to_have_attribute("aria-selected", "true")
    page.wait_for_timeout(200)
    assert film_says(page).startswith("trial 2")
    page.keyboard.press("End")
    expect(rows.nth(4)).to_be_focused()
    assert page.locator(".shelf [tabindex='0']").count() == 1


def kept(page: Any, kind: str, folder: Path) -> Path:
    """The file that a button gives."""
    with page.expect_download() as waiting:
        page.get_by_role("button", name=kind, exact=True).click()
    assert waiting.value.suggested_filename == f"a-b-of-it.{kind}"
    path = folder / f"kept.{kind}"
    waiting.value.save_as(path)
    return path


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_svg_stands_alone(visit: Visit, tmp_path: Path, theme: str) -> None:
    page = visit(color_scheme=theme)
    text = kept(page, "svg", tmp_path).read_text(encoding="utf-8")
    root = ElementTree.fromstring(text)
    names = {element.tag.rsplit("}", 1)[1] for element in root.iter()}
    assert {"path", "text", "circle", "rect"} <= names and not names & {
        "script",
        "image",
        "use",
        "a",
        "style",
    }
    attributes = {name for element in root.iter() for name in element.attrib}
    assert not attributes & {"class", "role", "tabindex"} and not [
        name for name in attributes if "href" in name
    ]
    assert "url(" not in text and "var(" not in text and "currentColor" not in text
    assert text.count("http") == text.count('xmlns="http://www.w3.org/2000/svg"')
    words = {"".join(element.itertext()).strip() for element in root.iter() if element.tag.endswith("text")}
    on_screen = {text.strip() for text in page.locator(".net svg text").all_text_contents()}
    assert words == on_screen and "1x1 conv" in words
    # side by side as on screen, not above one another
    blocks = [
        [float(element.get(name, "0")) for name in ("x", "y", "width", "height")] for element in root[1:]
    ]
    assert len(blocks) == 2 and blocks[0][0] + blocks[0][2] <= blocks[1][0]


def test_on_a_phone_the_blocks_of_the_svg_stand_below_one_another(visit: Visit, tmp_path: Path) -> None:
    page = visit(width=390)
    root = ElementTree.fromstring(kept(page, "svg", tmp_path).read_text(encoding="utf-8"))
    (_, top, _, height), (_, below, _, _) = (
        [float(element.get(name, "0")) for name in ("x", "y", "width", "height")] for element in root[1:]
    )
    assert top + height <= below


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_png_is_the_picture_with_twice_as_many_pixels(visit: Visit, tmp_path: Path, theme: str) -> None:
    from PIL import Image

    page = visit(color_scheme=theme)
    with Image.open(kept(page, "png", tmp_path)) as opened:
        picture = opened.convert("RGB")
    page_color = page.evaluate(
        "getComputedStyle(document.querySelector('[data-testid=stApp]')).backgroundColor"
    )
    assert page_color == "rgb({}, {}, {})".format(*picture.getpixel((2, 2)))
    colors = picture.getcolors(1 << 24)
    assert colors is not None and len(colors) > 200
    svg = ElementTree.fromstring(kept(page, "svg", tmp_path).read_text(encoding="utf-8"))
    assert picture.width == pytest.approx(2 * float(svg.get("width", "0")), abs=2)


def test_the_dot_text_is_pythons(visit: Visit, tmp_path: Path) -> None:
    text = kept(visit("lonely"), "dot", tmp_path).read_text(encoding="utf-8")
    assert "digraph {" in text and text.rstrip().endswith("}")


def test_without_a_drawing_the_buttons_say_so(visit: Visit) -> None:
    from playwright.sync_api import expect

    page = visit("lonely")
    page.get_by_role("button", name="png").click()
    expect(page.get_by_role("status")).to_have_text("No drawing here.")


def test_at_phone_width_the_charts_stand_in_one_column_and_nothing_overflows(visit: Visit) -> None:
    page = visit(width=390)
    boxes = page.locator("section:not(.small) .panel").evaluate_all(
        "found => found.map((one) => { const { left, right } = one.getBoundingClientRect(); return [left, right]; })"
    )
    assert len({round(left) for left, _ in boxes}) == 1
    assert max(right for _, right in boxes) <= 390
    main = page.get_by_test_id("stMain")
    assert main.evaluate("main => main.scrollWidth - main.clientWidth") == 0


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("show", ["search", "reel"])
def test_axe_has_nothing_to_object_to(visit: Visit, show: str, theme: str) -> None:
    from axe_playwright_python.sync_playwright import Axe

    page = visit(show, color_scheme=theme)
    rules = {"label-content-name-mismatch": {"enabled": True}, "target-size": {"enabled": True}}
    options = {"resultTypes": ["violations"], "rules": rules}
    found = Axe().run(page, options=options).response["violations"]
    ours = [
        (violation["id"], node["html"][:200])
        for violation in found
        for node in violation["nodes"]
        if any(word in node["html"] for word in ("strips", "shelf", "save", "plot", "panel", "slider"))
        or "target" in violation["id"]
    ]
    assert not ours, ours
