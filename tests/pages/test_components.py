"""Our components' code: small, since it is sent again with every update, and unable to read data as markup."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pages.widgets.component import ASSETS, MODULES, script, style

MOST_BYTES = {"watch": 8_000, "edit": 15_000, "strips": 6_000, "shelf": 3_000, "save": 2_500}


@pytest.mark.parametrize("kind", MODULES)
def test_a_module_is_small_enough_to_be_sent_with_every_update(kind: str) -> None:
    assert len(script(kind).encode()) <= MOST_BYTES[kind]


@pytest.mark.parametrize("kind", MODULES)
def test_a_module_is_code_and_not_the_name_of_a_file(kind: str) -> None:
    assert "\n" in script(kind).strip() and "export default" in script(kind)
    assert "\n" in style(kind).strip()


@pytest.mark.parametrize("path", sorted(ASSETS.glob("*.js")), ids=lambda path: path.name)
def test_no_script_makes_markup_of_data_or_asks_anybody_else(path: Path) -> None:
    code = path.read_text(encoding="utf-8")
    for forbidden in (
        "innerHTML",
        "outerHTML",
        "insertAdjacentHTML",
        "document.write",
        "eval(",
        "new Function",
        "fetch(",
        "XMLHttpRequest",
        "import(",
        "localStorage",
    ):
        assert forbidden not in code, forbidden
    assert not re.search(r"https?://(?!www\.w3\.org/)", code)
