"""axe-core over every page, in light and in dark, with everything open that opens: no violation has an excuse.

One server and one Chromium for all of them; the runs are told to the store, nothing is trained. Axe looks into open
shadow roots by itself, so a component's drawing counts like the page around it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from explorer.runs.places import store_url
from explorer.runs.store import Store
from tests.browser.conftest import new_page
from tests.pages import oneshot_stories, stories, tuning_stories
from tests.plots.nas.runs import EVOLUTION, lines, spec_of

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(120)]

THEMES = ("light", "dark")


def nas_finished(store: Store) -> str:
    """A search of architectures that has ended."""
    spec = spec_of()
    return stories.tell(
        store,
        store.create_run(spec),
        [("run_started", {}), *lines(spec, *EVOLUTION), ("run_finished", {})],
    )


STORIES: Mapping[str, Callable[[Store], str]] = {
    "random_finished": stories.finished,
    "random_running": stories.running,
    "random_failed": stories.failed,
    "random_queued": stories.queued,
    "tuning_paused": tuning_stories.paused,
    "tuning_running": tuning_stories.running,
    "nas_finished": nas_finished,
    "search_running": oneshot_stories.running,
    "search_retrained": oneshot_stories.retrained,
}


@dataclass(frozen=True)
class Visit:
    """A page to look at: its address, a heading that stands on it, and what is pressed there, one after the other."""

    address: str
    heading: str
    presses: tuple[str, ...] = ()


TABS = ("Layers", "NNI 3 code", "PyTorch code", "NNI 1 code", "JSON", "Compare", "Download")
VIEWS = ("Slices", "Parallel", "Scatter", "Importance", "Workers", "Trials")
VISITS: Mapping[str, Visit] = {
    "home": Visit("", "NNI Explorer"),
    "space": Visit("space", "Search space", TABS),
    "space of cells": Visit("space?space=cell", "Search space"),
    "space of DARTS cells": Visit("space?space=darts-cell", "Search space"),
    "random": Visit("random_architectures", "Random architectures"),
    "random, example": Visit("random_architectures?run=example-notes-net-on-digits", "Random architectures"),
    "random, running": Visit("random_architectures?run={random_running}", "Random architectures"),
    "random, failed": Visit("random_architectures?run={random_failed}", "Random architectures"),
    "tuning": Visit("tuning", "Hyper-parameters", ("Edit",)),
    "tuning, example": Visit("tuning?run=example-notes-net-tuned-on-digits", "Hyper-parameters", VIEWS),
    "tuning, running": Visit("tuning?run={tuning_running}", "Hyper-parameters", VIEWS),
    "tuning, paused": Visit("tuning?run={tuning_paused}", "Hyper-parameters"),
    "classical NAS": Visit("classical_nas", "Classical NAS"),
    "classical NAS, finished": Visit("classical_nas?run={nas_finished}", "Classical NAS"),
    "race": Visit("race", "Race"),
    "features": Visit("features", "Feature engineering"),
    "one-shot": Visit("one_shot", "One-shot search"),
    "one-shot, example": Visit("one_shot?run=example-darts-on-cell", "One-shot search"),
    "one-shot, ENAS example": Visit("one_shot?run=example-enas-macro-with-skips", "One-shot search"),
    "one-shot, running": Visit("one_shot?run={search_running}", "One-shot search"),
    "one-shot, retrained": Visit("one_shot?run={search_retrained}", "One-shot search"),
    "bilevel": Visit("bilevel", "Bilevel toy", ("Zoom and hover",)),
    "runs": Visit("runs", "Runs"),
}
# What no option of ours changes: (rule, selector of the element) -> where it is done.
EXCUSED: Mapping[tuple[str, str], str] = {
    ("presentation-role-conflict", 'section[data-testid="stFileUploaderDropzone"]'): (
        "static/js/FileUploader.*.js spreads react-dropzone's root properties (role, tabIndex -1) beside an aria-label"
    ),
    ("region", "[data-floating-ui-portal]:has(> [role=tooltip] > [data-testid=stTooltipContent])"): (
        "static/js/Tooltip.*.js puts what stands behind a help= under the body, outside of every landmark"
    ),
    ("label-content-name-mismatch", "svg g"): (
        "axe joins the texts of an SVG without the blanks between them; UNTRUE_NAMES looks instead"
    ),
}
# Off by default in axe, promised here: a name says what is seen, and everything to press is 24 pixels wide and high.
OPTIONS = {
    "resultTypes": ["violations"],
    "rules": {"label-content-name-mismatch": {"enabled": True}, "target-size": {"enabled": True}},
}
SETTLED = """() => {
  const app = document.querySelector('[data-testid="stApp"]');
  const waits = '[data-testid="stSkeleton"], [data-testid="stAppSkeleton"], [data-stale="true"]';
  const quiet = app && app.dataset.testScriptState === 'notRunning' && !document.querySelector(waits);
  window.quietSince = quiet ? (window.quietSince || performance.now()) : 0;
  return quiet && performance.now() - window.quietSince > 300;
}"""
# The app has its new colours, and no transition is still on its way to them.
IN_THEME = """theme => {
  const own = getComputedStyle(document.querySelector('[data-testid="stApp"]')).colorScheme;
  const fades = document.getAnimations().filter(each => each instanceof CSSTransition && each.playState == 'running');
  return own === theme && !fades.length;
}"""
# Whether the element that axe names, a list of selectors from shadow root to shadow root, is one of that selector.
MATCHES = """([target, selector]) => {
  const [path] = target;
  const inside = (root, part) => root && (root.shadowRoot || root).querySelector(part);
  return [path].flat().reduce(inside, document)?.matches(selector) === true;
}"""
# What has a name and words in a drawing, in every shadow root: those whose name lacks the words.
UNTRUE_NAMES = """() => {
  const plain = (words) => words.replace(/\\s+/g, ' ').trim();
  const named = (root) => [...root.querySelectorAll('*')].flatMap((one) => [
    ...(one.matches('svg g[aria-label]') ? [one] : []), ...(one.shadowRoot ? named(one.shadowRoot) : [])]);
  const lacks = (one) => !plain(one.ariaLabel).includes(plain(one.textContent));
  return named(document).filter(lacks).map((one) => one.outerHTML.slice(0, 300));
}"""
UNFOLD = """() => {
  const folded = document.querySelectorAll('details:not([open]) > summary');
  folded.forEach(summary => summary.click());
  return folded.length;
}"""
POPOVERS = '[data-testid="stPopover"] button:visible'
MOST_POPOVERS = 4  # the list of runs has one a row


@pytest.fixture(scope="module")
def told(shared_home: Path) -> Iterator[Mapping[str, str]]:
    """Runs in several states, in the store of `shared_url`: story -> the run's id."""
    store = Store(store_url({"EXPLORER_HOME": str(shared_home)}))
    yield {name: story(store) for name, story in STORIES.items()}
    store.close()


@pytest.mark.parametrize("name", VISITS)
def test_a_page_has_nothing_that_axe_objects_to_in_either_theme(
    name: str, told: Mapping[str, str], shared_url: str, shared_browser: Any
) -> None:
    visit = VISITS[name]
    with new_page(shared_browser) as page:
        page.goto(f"{shared_url}/{visit.address.format(**told)}")
        page.get_by_role("heading", name=visit.heading, exact=True).first.wait_for()
        said = looked_at(page, "as it opens, all unfolded")
        for words in visit.presses:
            press(page, words)
            said += looked_at(page, f"after pressing {words!r}")
        for at in range(min(page.locator(POPOVERS).count(), MOST_POPOVERS)):
            page.locator(POPOVERS).nth(at).click()
            said += looked_at(page, f"with popover {at + 1} open")
            page.keyboard.press("Escape")
    assert not said, "\n".join(said)


@pytest.mark.parametrize(
    ("body", "rule"),
    [
        ("<button></button>", "button-name"),
        ("<p style='color: #999; background: #fff'>pale</p>", "color-contrast"),
        ("<button aria-label='stop'>Go</button>", "label-content-name-mismatch"),
        ("<a href='#x' style='display: block; width: 9px; height: 9px'>x</a>" * 2, "target-size"),
    ],
)
def test_axe_sees_what_is_wrong_inside_a_shadow_root(body: str, rule: str, shared_browser: Any) -> None:
    with new_page(shared_browser) as page:
        page.set_content("<html lang='en'><title>x</title><main><h1>x</h1><div id='host'></div></main>")
        page.evaluate("text => host.attachShadow({mode: 'open'}).innerHTML = text", body)
        said = "\n".join(objections(violations(page)))
    assert said.startswith(rule) and "#host" in said


def test_a_name_in_a_drawing_that_lacks_its_words_is_found(shared_browser: Any) -> None:
    with new_page(shared_browser) as page:
        page.set_content("<div id='host'></div>")
        drawn = "<svg><g aria-label='{}: go on'><text>go </text><text>on </text></g></svg>"
        page.evaluate(
            "text => host.attachShadow({mode: 'open'}).innerHTML = text",
            drawn.format("edge 1") + drawn.replace("go on", "stop").format("edge 2"),
        )
        (found,) = page.evaluate(UNTRUE_NAMES)
    assert "edge 2: stop" in found


def press(page: Any, words: str) -> None:
    """Press the tab, the option or the switch with these words."""
    tab = page.get_by_role("tab", name=words, exact=True)
    option = page.get_by_role("radio", name=words, exact=True)
    switch = page.get_by_text(words, exact=True)
    next(each for each in (tab, option, switch) if each.count()).first.click()


def looked_at(page: Any, when: str) -> list[str]:
    """What axe says of the page, light and dark, once it is quiet and every fold on it is open."""
    page.wait_for_function(SETTLED)
    if page.evaluate(UNFOLD):
        page.wait_for_function(SETTLED)
    said: list[str] = []
    for theme in THEMES:
        page.emulate_media(color_scheme=theme)
        page.wait_for_function(IN_THEME, arg=theme)
        found = [
            *objections(violations(page)),
            *map("a name lacks its words: {}".format, page.evaluate(UNTRUE_NAMES)),
        ]
        said += [f"{when}, {theme}:", *found] if found else []
    return said


def violations(page: Any) -> list[dict[str, Any]]:
    """The violations that axe finds on the page."""
    from axe_playwright_python.sync_playwright import Axe

    found: list[dict[str, Any]] = Axe().run(page, options=OPTIONS).response["violations"]
    for violation in found:
        excused = [selector for rule, selector in EXCUSED if rule == violation["id"]]
        violation["nodes"] = [
            node
            for node in violation["nodes"]
            if not any(page.evaluate(MATCHES, [node["target"], selector]) for selector in excused)
        ]
    return [violation for violation in found if violation["nodes"]]


def objections(found: list[dict[str, Any]]) -> Iterator[str]:
    """Rule and impact, then each element: selector, text, and what axe says of it."""
    for violation in found:
        yield f"{violation['id']} ({violation['impact']}): {violation['help']}"
        for node in violation["nodes"]:
            why = "; ".join(check["message"] for check in (*node["any"], *node["all"], *node["none"]))
            yield f"  {node['target']}\n    {node['html'][:300]}\n    {why}"
