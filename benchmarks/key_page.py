"""The answer key's page in Chromium: from the start of the navigation until its title, numbers and charts are painted.

    python -m benchmarks.key_page [--repeats 12]

In a browser that has seen the app, and a server that has served the page before; beside it the bilevel page's title, a
page with little on it: what Streamlit and the browser take here.
"""

from __future__ import annotations

import argparse
import statistics
from typing import Any

from benchmarks.drawn_network import WARM, chromium, served

TITLE, NUMBERS, CHART = "h1", "h2", "[data-testid='stMarkdown'] svg[role]"
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
    found: dict[str, float] = page.evaluate("painted")
    page.close()
    return found


def main() -> None:
    """A line each: the median, and the range."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--repeats", type=int, default=12)
    options = parser.parse_args()
    pages = {
        "answer_key": {"title": TITLE, "first section": NUMBERS, "first chart": CHART},
        "bilevel": {"title": TITLE},
    }
    with served() as app, chromium() as browser:
        context = browser.new_context()
        for name, wanted in pages.items():
            visits = [visit(context, f"{app.url}/{name}", wanted) for _ in range(WARM + options.repeats)][
                WARM:
            ]
            for what in wanted:
                times = sorted(each[what] for each in visits)
                print(
                    f"{name}, {what}: {statistics.median(times):.0f} ms ({times[0]:.0f} to {times[-1]:.0f})"
                )


if __name__ == "__main__":
    main()
