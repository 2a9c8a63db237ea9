"""The entry point in cloud/ is the same app: every page of it opens, with the limits of a shared machine."""

from __future__ import annotations

import os

import pytest
from streamlit.testing.v1 import AppTest

from tests.house.modules import ROOT

PAGES = sorted(f"pages/{path.name}" for path in (ROOT / "pages").glob("[!_]*.py"))


def test_the_app_opens_in_cloud_mode() -> None:
    app = AppTest.from_file(str(ROOT / "cloud/streamlit_app.py"), default_timeout=30).run()
    assert not app.exception
    assert os.environ["EXPLORER_MODE"] == "cloud"


@pytest.mark.parametrize("page", PAGES)
def test_every_page_is_found_from_the_clouds_folder(page: str) -> None:
    app = AppTest.from_file(str(ROOT / "cloud/streamlit_app.py"), default_timeout=30).run()
    app.switch_page(page).run()
    assert not app.exception


def test_a_mode_that_was_set_already_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EXPLORER_MODE", "local")
    AppTest.from_file(str(ROOT / "cloud/streamlit_app.py"), default_timeout=30).run()
    assert os.environ["EXPLORER_MODE"] == "local"
