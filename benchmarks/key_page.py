"""The answer key's page in Chromium: from the start of the navigation until its title, numbers and charts are painted.

    python -m benchmarks.key_page [--repeats 12]

In a browser that has seen the app, and a server that has served the page before. Beside it the title of the bilevel
page, which has little on it, and that of a page of another app that has nothing but a title: what Streamlit and the
browser take here. The browser's own *first contentful paint* is whatever it first draws: the frame around the page.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from benchmarks.drawn_network import ROOT, WARM, chromium, served

TITLE, NUMBERS, CHART = "h1", "h2", "[data-testid='stMarkdown'] svg[role]"
FIRST = "first contentful paint"
BROWSERS_OWN = "performance.getEntriesByName('first-contentful-paint')[0].startTime"
BARE = """import streamlit as st

def nothing():
    st.title("Nothing")

def home():
    st.title("Home")

st.navigation([st.Page(home, default=True), st.Page(nothing)]).run()
"""
# The frame after the one in which something first stands on the page.
WATCH = """
window.painted = {};
const wanted = %s;
const look = () => {
  for (const [name, selector] of Object.entries(wanted))
    if (!(name in painted) && document.querySelector(selector)) {
      painted[name] = 0;
      requestAnimationFrame(() => setTimeout(() => { painted[name] = performance.now(); }));
    }
  requestAnimationFrame(look);
};
requestAnimationFrame(look);
"""


def visit(context: Any, url: str, wanted: dict[str, str]) -> dict[str, float]:
    """Milliseconds until each of the selectors is painted."""
    page = context.new_page()
    page.set_viewport_size({"width": 1280, "height": 900})
    page.add_init_script(WATCH % wanted)
    page.goto(url)
    page.wait_for_function(
        f"Object.values(painted).filter((one) => one > 0).length == {len(wanted)}", timeout=60_000
    )
    found: dict[str, float] = page.evaluate(f"({{...painted, '{FIRST}': {BROWSERS_OWN}}})")
    page.close()
    return found


@contextmanager
def bare() -> Iterator[Path]:
    """The folder of an app with two pages of a title each."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "streamlit_app.py").write_text(BARE)
        yield Path(folder)


def timed(browser: Any, root: Path, pages: Mapping[str, dict[str, str]], repeats: int) -> None:
    """A line for each thing of each page: the median, and the range."""
    with served(root) as app:
        context = browser.new_context()
        for name, wanted in pages.items():
            visits = [visit(context, f"{app.url}/{name}", wanted) for _ in range(WARM + repeats)][WARM:]
            for what in visits[0]:
                times = sorted(each[what] for each in visits)
                print(
                    f"{name}, {what}: {statistics.median(times):.0f} ms ({times[0]:.0f} to {times[-1]:.0f})"
                )
        context.close()


def main() -> None:
    """What was measured, a line each."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--repeats", type=int, default=12)
    options = parser.parse_args()
    pages = {
        "answer_key": {"title": TITLE, "first section": NUMBERS, "first chart": CHART},
        "bilevel": {"title": TITLE},
    }
    with chromium() as browser, bare() as nothing:
        timed(browser, ROOT, pages, options.repeats)
        timed(browser, nothing, {"nothing": {"title": TITLE}}, options.repeats)


if __name__ == "__main__":
    main()
