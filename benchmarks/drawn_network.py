"""The drawn network in Chromium: clicks until they are painted and confirmed, frames of a film, ten watchers, Home.

    python -m benchmarks.drawn_network [edit] [beside] [film] [watchers] [home] [sizes] [--repeats 24] [--seconds 30]

Each part serves the app on a free port with a home of its own and drives Debian's Chromium by Playwright; without names
all of them run. Nothing is trained, except where `beside` says so.

- `edit`: on the space page a real mouse goes down on a candidate. *Painted* counts from the event's own time to the
  frame that follows the drawing's answer, *confirmed* to when the browser has read Python's acknowledgement. A page of
  one square is pressed in the same way: what the browser itself takes here.
- `beside`: the same while an architecture is really trained on the same page and told of twice a second.
- `film`: a search of 1,000 snapshots over one cell (15 edges, 8 operations), and over the two cells of a DARTS space
  (28 edges, 8 operations), is played from start to end and then scrubbed to its end and back. Frames by
  requestAnimationFrame, long tasks (over 50 ms) as the browser reports them.
- `watchers`: ten pages, and one, look at a live run to which a process of its own adds a snapshot twice a second: the
  server's processor time over `--seconds`, the supervisor's and the browser's left out.
- `home`: from the start of the navigation until the drawing stands on the page, in a browser that was just started and
  in one that has seen the app; the server has served the page before.
- `sizes`: bytes of each module's JavaScript and CSS as they are sent.
"""

from __future__ import annotations

import argparse
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
CHROMIUM = os.environ.get("EXPLORER_CHROMIUM") or shutil.which("chromium") or "/usr/bin/chromium"
BOARD, CHIP = (
    ".board svg",
    ".board [id='conv1'] .c",
)  # what is clicked: the two candidates of notes-net's conv1
FILM, SCRUBBER, PLAY = ".film svg", ".film input[type=range]", ".film button[title=Play]"
TRAINING = '[data-testid="stProgress"]'  # the space page shows one while an architecture is trained there
SNAPSHOTS, WATCHERS, HERTZ = 1_000, 10, 2.0
WARM = 4  # clicks and visits before those that count
MESSAGE_MILLISECONDS = 20_000

# In the page, before anything else: when a press is painted, what the browser reads, and what happens to the drawing.
TOOLS = """
window.drawn = {painted: [], read: [], films: 0};
document.addEventListener('pointerdown', (event) => requestAnimationFrame(() => {
  const channel = new MessageChannel();
  channel.port1.onmessage = () => window.drawn.painted.push(performance.now() - event.timeStamp);
  window.drawn.down = event.timeStamp;
  channel.port2.postMessage(0);
}), true);
const parse = JSON.parse;
JSON.parse = (...given) => {
  const found = parse(...given);
  if (found && typeof found.ack == 'number') window.drawn.read.push([performance.now(), found.ack]);
  if (found && found.scene && found.rows) window.drawn.films += 1;
  return found;
};
window.within = (selector, root = document) => {
  const found = root.querySelector(selector);
  if (found) return found;
  for (const one of root.querySelectorAll('*')) {
    const deeper = one.shadowRoot && window.within(selector, one.shadowRoot);
    if (deeper) return deeper;
  }
  return null;
};
const first = (selector) => {
  const look = () => {
    const found = document.body && window.within(selector);
    if (found && found.getBoundingClientRect().width > 0 && found.querySelector('g')) {
      const channel = new MessageChannel();
      channel.port1.onmessage = () => { window.drawn.first = performance.now(); };
      requestAnimationFrame(() => channel.port2.postMessage(0));
    } else requestAnimationFrame(look);
  };
  look();
};
first('.net svg');
window.record = (selector) => {
  const told = {frames: [], long: [], removed: 0, scroll: []};
  const host = window.within(selector).getRootNode().host;
  const main = document.querySelector('[data-testid="stMain"]');
  const seen = new MutationObserver((all) => all.forEach(({removedNodes}) => removedNodes.forEach((node) => {
    if (node == host || node.nodeName == 'svg' || (node.contains && node.contains(host))) told.removed += 1;
  })));
  seen.observe(host.getRootNode(), {childList: true, subtree: true});
  seen.observe(host.shadowRoot, {childList: true, subtree: true});
  const tasks = new PerformanceObserver((list) => list.getEntries().forEach((one) => told.long.push(one.duration)));
  tasks.observe({entryTypes: ['longtask']});
  let last = 0, over = false;
  const frame = (now) => {
    if (last) told.frames.push(now - last);
    last = now;
    told.scroll.push(main.scrollTop);
    if (!over) requestAnimationFrame(frame);
  };
  requestAnimationFrame(frame);
  window.recorded = () => { over = true; seen.disconnect(); tasks.disconnect(); return told; };
};
"""


@dataclass(frozen=True)
class Row:
    """One line of the table: what was measured, in which unit, and what was asked of its median (or of its p95)."""

    what: str
    values: Sequence[float]
    unit: str = "ms"
    asked: str = ""

    def __str__(self) -> str:
        known = sorted(self.values)
        middle = f"{statistics.median(known):.1f} {self.unit}" if known else "none"
        late = f"{known[max(0, -(-95 * len(known) // 100) - 1)]:.1f} {self.unit}" if len(known) > 1 else ""
        return f"| {self.what} | {len(known)} | {middle} | {late} | {self.asked} |"


def main() -> None:
    """Print the table, a part after the other."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("parts", nargs="*", help=f"of {', '.join(PARTS)}; all of them when none is named")
    parser.add_argument("--repeats", type=int, default=24, help="clicks and visits that count")
    parser.add_argument("--seconds", type=float, default=30.0, help="of watching")
    options = parser.parse_args()
    unknown = set(options.parts) - set(PARTS)
    if unknown:
        parser.error(f"there is no part {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
    print("| what | n | median | 95 % | asked |\n|---|---|---|---|---|")
    for name in options.parts or PARTS:
        for row in PARTS[name](options):
            print(row, flush=True)
        print(f"load {os.getloadavg()[0]:.1f}", file=sys.stderr)


# -- the server and the browser ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class App:
    """The app behind `url`, by the process `server`, with its home in `home`."""

    url: str
    home: Path
    server: subprocess.Popen[bytes]


@contextmanager
def served(root: Path = ROOT) -> Iterator[App]:
    """The app in a folder as `make run` serves it, without the watcher that reloads edited code."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        os.environ["EXPLORER_HOME"] = folder
        command = [sys.executable, "-m", "streamlit", "run", "streamlit_app.py", "--server.headless", "true"]
        command += ["--server.address", "127.0.0.1", "--server.port", str(port)]
        command += ["--server.fileWatcherType", "none"]
        server = subprocess.Popen(
            command, cwd=root, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=dict(os.environ)
        )
        try:
            yield App(_healthy(f"http://127.0.0.1:{port}", server), home, server)
        finally:
            server.terminate()
            server.wait(20)
            subprocess.run([sys.executable, "-m", "explorer", "stop"], cwd=ROOT, capture_output=True)


def _healthy(url: str, server: subprocess.Popen[bytes]) -> str:
    """`url` as soon as somebody answers there."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and server.poll() is None:
        try:
            urllib.request.urlopen(f"{url}/_stcore/health", timeout=2).close()
            return url
        except OSError:
            time.sleep(0.1)
    raise SystemExit("The app did not come up within a minute.")


@contextmanager
def chromium() -> Iterator[Any]:
    """A Chromium that was just started."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        try:
            yield browser
        finally:
            browser.close()


def opened(context: Any, url: str, drawing: str) -> Any:
    """A page of 1280 x 900 at that address, as soon as the drawing stands on it."""
    page = context.new_page()
    page.set_viewport_size({"width": 1280, "height": 900})
    page.add_init_script(TOOLS)
    page.goto(url)
    page.locator(drawing).first.wait_for(timeout=60_000)
    return page


# -- clicks -----------------------------------------------------------------------------------------------------------


def edit(options: argparse.Namespace) -> Iterator[Row]:
    """A click on the drawing of the space page and nothing else going on."""
    with served() as app, chromium() as browser:
        page = opened(browser.new_context(), f"{app.url}/space", BOARD)
        page.wait_for_timeout(1_500)
        pairs = [clicked(page, number) for number in range(WARM + options.repeats)][WARM:]
        bare = pressed(browser.new_context().new_page(), WARM + options.repeats)[WARM:]
    yield Row("a page of one square: pointer down to repaint", bare)
    yield Row("pointer down to repaint", [painted for painted, _ in pairs], asked="10")
    yield Row("pointer down to Python's confirmation", [confirmed for _, confirmed in pairs], asked="60")


def pressed(page: Any, count: int) -> list[float]:
    """Milliseconds until the press on a square that changes its colour is painted, in a page of nothing else."""
    page.add_init_script(TOOLS)
    square = "<div id=s style='width:90px;height:40px;background:#888'></div>"
    colours = "s.onpointerdown=()=>s.style.background=s.style.background=='red'?'blue':'red'"
    page.goto(f"data:text/html,{square}<script>{colours}</script>")
    page.mouse.move(40, 20)
    for number in range(count):
        page.mouse.down()
        page.mouse.up()
        page.wait_for_function("count => drawn.painted.length > count", arg=number)
        page.wait_for_timeout(150)
    return [float(one) for one in page.evaluate("drawn.painted")]


def beside(options: argparse.Namespace) -> Iterator[Row]:
    """The same beside a run that really trains; clicks made while none is on the page do not count."""
    pairs: list[tuple[float, float]] = []
    with served() as app, chromium() as browser:
        page = opened(browser.new_context(), f"{app.url}/space", BOARD)
        number = 0
        while len(pairs) < WARM + options.repeats:
            if not page.locator(TRAINING).count():
                page.get_by_role("button", name="Evaluate this architecture").click()
                page.locator(TRAINING).wait_for(timeout=60_000)
            pair, number = clicked(page, number), number + 1
            if page.locator(TRAINING).count():
                pairs.append(pair)
    kept = pairs[WARM:]
    yield Row("pointer down to repaint, a run beside it", [painted for painted, _ in kept], asked="10")
    yield Row("Python's confirmation, a run beside it", [confirmed for _, confirmed in kept], asked="100")


def clicked(page: Any, number: int) -> tuple[float, float]:
    """(milliseconds until painted, until confirmed) of one press on the candidate that is not chosen."""
    chip = page.locator(CHIP).nth((number + 1) % 2)
    chip.scroll_into_view_if_needed()
    box = chip.bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    before = page.evaluate("[drawn.painted.length, Math.max(0, ...drawn.read.map((one) => one[1]))]")
    page.mouse.down()
    page.mouse.up()
    page.wait_for_function(
        "([painted, ack]) => drawn.painted.length > painted && drawn.read.some((one) => one[1] > ack)",
        arg=before,
        timeout=MESSAGE_MILLISECONDS,
    )
    found = page.evaluate(
        "(ack) => [drawn.painted.at(-1), drawn.read.find((one) => one[1] > ack)[0] - drawn.down]", before[1]
    )
    page.wait_for_timeout(400)  # the rest of the page has followed
    return float(found[0]), float(found[1])


# -- a film -----------------------------------------------------------------------------------------------------------


def film(options: argparse.Namespace) -> Iterator[Row]:
    """A finished search of the store, on the page of one-shot search with its charts below."""
    for space in (one_cell(), two_cells()):
        with served() as app, chromium() as browser:
            run_id = searched(app, SNAPSHOTS, space)
            page = opened(browser.new_context(), f"{app.url}/one_shot?run={run_id}", FILM)
            page.locator(SCRUBBER).scroll_into_view_if_needed()
            page.wait_for_timeout(3_000)
            edges = f"{len(space.mutables)} edges" if space.family == "cell" else "28 edges"
            yield from _watched(page, f"{edges}, playing", _play)
            yield from _watched(page, f"{edges}, scrubbing", _scrub)


def _watched(page: Any, name: str, act: Callable[[Any], None]) -> Iterator[Row]:
    page.evaluate("selector => record(selector)", FILM)
    act(page)
    told = page.evaluate("recorded()")
    yield Row(f"{name}: a frame", told["frames"], asked="p95 20")
    yield Row(f"{name}: tasks over 50 ms", told["long"], asked="none")
    yield Row(f"{name}: drawings made anew", [told["removed"]], "", "0")
    yield Row(f"{name}: the page's jump", [max(told["scroll"]) - min(told["scroll"])], "px", "0")


def _play(page: Any) -> None:
    page.locator(SCRUBBER).fill("0")
    page.locator(PLAY).first.click()
    page.wait_for_timeout(13_000)  # at single speed a film takes 12 seconds


def _scrub(page: Any) -> None:
    box = page.locator(SCRUBBER).bounding_box()
    height, width = box["y"] + box["height"] / 2, box["width"] - 16
    page.mouse.move(box["x"] + 8, height)
    page.mouse.down()
    for step in range(301):
        page.mouse.move(box["x"] + 8 + width * (step if step <= 150 else 300 - step) / 150, height)
        page.wait_for_timeout(12)
    page.mouse.up()


def one_cell() -> Any:
    """One cell of 15 edges, each with the 8 operations of DARTS."""
    from dataclasses import replace

    from explorer.space import preset

    edges = tuple((source, target) for target in range(1, 6) for source in range(target))
    return replace(preset("cell"), name="one-cell", nodes=6, edges=edges, operations=two_cells().operations)


def two_cells() -> Any:
    """The DARTS space of 4 intermediate nodes: 14 edges in each of its two cells."""
    from explorer.space import preset

    return preset("darts-cell", nodes=4)


def searched(app: App, count: int, space: Any) -> str:
    """A finished run of so many snapshots over the space; nothing was trained."""
    from explorer.runs.places import store_url
    from explorer.runs.store import Store
    from tests.pages.oneshot_stories import snapshot

    spec, drift = _search(space)
    with closing(Store(store_url({"EXPLORER_HOME": str(app.home)}))) as store:
        run_id = store.create_run(spec)
        store.append(run_id, "run_started", {})
        for number in range(count):
            data = snapshot(space, number * 100 // count, drift, "darts") | {"step": number * 10}
            store.append(run_id, "architecture_snapshot", data)
        store.append(run_id, "run_finished", {})
    return run_id


def _search(space: Any) -> tuple[Any, dict[str, list[float]]]:
    """(the run's specification, where the logits of each decision drift to)."""
    import random

    from explorer.space import decisions
    from tests.pages.oneshot_stories import spec

    given, rng = spec(space.to_json()), random.Random(0)
    return given, {one.label: [rng.gauss(0, 1) for _ in one.candidates] for one in decisions(space)}


# -- watchers ---------------------------------------------------------------------------------------------------------


def watchers(options: argparse.Namespace) -> Iterator[Row]:
    """One page and ten at a live run; the server's share of a core."""
    import psutil

    for count in (1, WATCHERS):
        with served() as app, chromium() as browser, alive(app) as run_id:
            pages = [
                opened(browser.new_context(), f"{app.url}/one_shot?run={run_id}", FILM) for _ in range(count)
            ]
            pages[0].wait_for_timeout(5_000)
            process = psutil.Process(app.server.pid)
            before, seen, begun = process.cpu_times(), [_films(page) for page in pages], time.perf_counter()
            pages[0].wait_for_timeout(1_000 * options.seconds)
            after, wall = process.cpu_times(), time.perf_counter() - begun
            rates = [(_films(page) - films) / wall for page, films in zip(pages, seen, strict=True)]
            memory = process.memory_info().rss / 2**20
        used = after.user - before.user + after.system - before.system
        pages_watch = f"{count} pages watch" if count > 1 else "one page watches"
        yield Row(f"{pages_watch}: server", [100 * used / wall], "% of a core", "15" if count > 1 else "")
        yield Row(f"{pages_watch}: films a page gets a second", rates, "/s")
        yield Row(f"{pages_watch}: the server's memory", [memory], "MiB")


def _films(page: Any) -> int:
    return int(page.evaluate("drawn.films"))


@contextmanager
def alive(app: App) -> Iterator[str]:
    """A run under way; a process of its own appends a snapshot to it twice a second."""
    from explorer.runs.places import store_url
    from explorer.runs.store import Store

    given, _ = _search(two_cells())
    with closing(Store(store_url({"EXPLORER_HOME": str(app.home)}))) as store:
        run_id = store.create_run(given)
        store.claim("benchmark", 3_600, run_id=run_id)
        store.append(run_id, "run_started", {})
    code = f"from benchmarks.drawn_network import write; write({run_id!r})"
    writer = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT)
    try:
        yield run_id
    finally:
        writer.terminate()
        writer.wait(10)


def write(run_id: str) -> None:
    """Append a snapshot twice a second to a run of the store, until somebody ends this process."""
    from explorer.runs.store import Store
    from tests.pages.oneshot_stories import snapshot

    space = two_cells()
    _, drift = _search(space)
    with closing(Store()) as store:
        due = time.monotonic()
        for number in range(100_000):
            data = snapshot(space, number % 100, drift, "darts") | {"step": number * 10}
            store.append(run_id, "architecture_snapshot", data)
            due += 1 / HERTZ
            time.sleep(max(0.0, due - time.monotonic()))


# -- Home -------------------------------------------------------------------------------------------------------------


def home(options: argparse.Namespace) -> Iterator[Row]:
    """The first picture of the app's first page, cold and cached."""
    with served() as app:
        with chromium() as browser:  # the server has served the page before
            first_picture(browser.new_context(), app.url)
        cold = []
        for _ in range(options.repeats):
            with chromium() as browser:
                cold.append(first_picture(browser.new_context(), app.url))
        with chromium() as browser:
            context = browser.new_context()
            visits = [first_picture(context, app.url) for _ in range(WARM + options.repeats)]
    yield Row("Home, first picture, a browser just started", cold, asked="2000")
    yield Row("Home, first picture, a browser that knows the app", visits[WARM:], asked="600")


def first_picture(context: Any, url: str) -> float:
    """Milliseconds from the start of the navigation until the drawing has been painted."""
    page = opened(context, url, FILM)
    page.wait_for_function("drawn.first > 0", timeout=MESSAGE_MILLISECONDS)
    milliseconds = float(page.evaluate("drawn.first"))
    page.close()
    return milliseconds


# -- what is sent -----------------------------------------------------------------------------------------------------


def sizes(options: argparse.Namespace) -> Iterator[Row]:
    """Bytes of each module, as every update sends them."""
    from pages.widgets.component import MODULES, script, style

    asked = {"watch": "8000", "edit": "15000", "strips": "6000"}
    for kind in MODULES:
        yield Row(f"{kind}: JavaScript", [len(script(kind).encode())], "bytes", asked.get(kind, ""))
        yield Row(f"{kind}: CSS", [len(style(kind).encode())], "bytes")


PARTS: dict[str, Callable[[argparse.Namespace], Iterator[Row]]] = {
    "edit": edit,
    "beside": beside,
    "film": film,
    "watchers": watchers,
    "home": home,
    "sizes": sizes,
}

if __name__ == "__main__":
    main()
