"""Pages under Streamlit's AppTest: no browser, no supervisor, a store of the test's own."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from streamlit.components.v2 import manifest_scanner
from streamlit.testing.v1 import AppTest

from explorer.jobs import launch
from explorer.runs.store import Store

ROUTER = str(Path(__file__).resolve().parents[2] / "streamlit_app.py")
SECONDS = 60  # the first page of a session imports what all the others share
Open = Callable[..., AppTest]


@pytest.fixture(autouse=True, scope="session")
def one_look_at_installed_components() -> Iterator[None]:
    """Each AppTest looks through all installed distributions for components: 0.1 s, ten times what a page costs."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            manifest_scanner, "scan_component_manifests", cache(manifest_scanner.scan_component_manifests)
        )
        yield


@pytest.fixture(autouse=True)
def own_main_module() -> Iterator[None]:
    """AppTest puts the page's script in the place of the main module, which a spawned process would then run."""
    before = sys.modules["__main__"]
    yield
    sys.modules["__main__"] = before


@pytest.fixture
def store(explorer_home: Path) -> Iterator[Store]:
    """The store that the pages of this test read."""
    opened = Store()
    yield opened
    opened.close()


@pytest.fixture
def no_supervisor(monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs are queued and stay so: nobody is started to train them."""
    monkeypatch.setattr(
        launch, "ensure_supervisor", lambda store, arguments=(): launch.supervisor_status(store)
    )


@pytest.fixture
def open_page() -> Open:
    """open_page("space", architecture="cell:340213") -> the page, run once, as its link opens it."""

    def opened(name: str, **query: str) -> AppTest:
        app = AppTest.from_file(ROUTER, default_timeout=SECONDS)
        for key, value in query.items():
            app.query_params[key] = value
        return app.switch_page(f"pages/{name}.py").run()

    return opened


def texts(app: AppTest) -> str:
    """Everything that a page says, in one string."""
    kinds = (
        "title",
        "header",
        "markdown",
        "caption",
        "text",
        "error",
        "warning",
        "info",
        "success",
        "html",
    )
    parts = [str(element.proto) for kind in kinds for element in app.get(kind)]
    return "\n".join(parts)


def say(app: AppTest, kind: str) -> list[str]:
    """The sentences of one kind of element."""
    return [element.value for element in app.get(kind)]


def press(app: AppTest, label: str) -> AppTest:
    """Press the button with that label."""
    found = [button for button in app.button if button.label == label]
    assert len(found) == 1, f"{label!r} is {len(found)} times among {[b.label for b in app.button]}"
    return found[0].click().run()


def asked(app: AppTest, name: str) -> str:
    """A query parameter of the address, "" when it is not there."""
    value = app.query_params.get(name, "")
    return value if isinstance(value, str) else value[0]


def mounted(app: AppTest, kind: str) -> list[dict[str, Any]]:
    """The data of our components of one kind (`watch`, `edit`, `strips`, `save`), in order."""
    protos = [element.proto for element in app.get("bidi_component")]
    return [json.loads(proto.json) for proto in protos if proto.component_name.endswith(f"explorer_{kind}")]
