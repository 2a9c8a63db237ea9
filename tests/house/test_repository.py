"""The files that set the house up say what they must and nothing that only one machine would understand."""

from __future__ import annotations

import ast
import os
import re
import tomllib
from pathlib import Path

import pytest

from tests.house.modules import ROOT, module_name, python_files, repository_files

PIN = re.compile(r"^(?P<name>[A-Za-z0-9_.-]+)==(?P<version>[0-9][0-9A-Za-z.+]*) +# (?P<reason>\S.{10,})$")
REQUIREMENTS = ("requirements.txt", "requirements-dev.txt")


def _pins(file: str) -> dict[str, str]:
    """Requirement -> version of every line that is not a comment or an option."""
    lines = [
        line for line in (ROOT / file).read_text().splitlines() if line and not line.startswith(("#", "-"))
    ]
    matches = [PIN.match(line) for line in lines]
    unpinned = [line for line, match in zip(lines, matches, strict=True) if match is None]
    assert unpinned == [], f"{file}: a line is name==version  # who needs it and for what"
    return {match["name"]: match["version"] for match in matches if match}


@pytest.mark.parametrize("file", REQUIREMENTS)
def test_every_requirement_is_pinned_and_says_who_needs_it(file: str) -> None:
    assert _pins(file)


def test_nothing_is_required_twice() -> None:
    names = [name.lower() for file in REQUIREMENTS for name in _pins(file)]
    assert len(names) == len(set(names))


def test_the_cloud_gets_the_same_versions_as_cpu_builds() -> None:
    lines = (ROOT / "cloud/requirements.txt").read_text().splitlines()
    assert lines[0].startswith("--extra-index-url ")
    assert "-r ../requirements.txt" in lines
    here = _pins("requirements.txt")
    expected = {name: f"{here[name]}+cpu" for name in ("torch", "torchvision")}
    assert _pins("cloud/requirements.txt") == expected


def test_streamlits_settings_are_known_options_and_lock_nobody_out() -> None:
    from streamlit import config

    settings = tomllib.loads((ROOT / ".streamlit/config.toml").read_text())
    known = config.get_config_options()
    for section, options in settings.items():
        for name, value in options.items():
            assert isinstance(value, dict) or f"{section}.{name}" in known, f"{section}.{name}"
    assert "allowedHosts" not in settings["server"]
    assert "address" not in settings["server"]
    assert settings["runner"] == {"postScriptGC": False, "magicEnabled": False}


def test_pytest_treats_warnings_as_errors_and_ignores_only_named_messages() -> None:
    options = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["pytest"]["ini_options"]
    first, *ignored = options["filterwarnings"]
    assert first == "error"
    for line in ignored:
        action, message, *_rest = line.split(":")
        assert action == "ignore" and len(message) > 20, line


@pytest.mark.parametrize("script", [".ci/run", "scripts/environment", "scripts/serve", "scripts/chromium"])
def test_scripts_can_be_executed(script: str) -> None:
    assert os.access(ROOT / script, os.X_OK)


@pytest.mark.parametrize("path", python_files("explorer", "pages", "streamlit_app.py"), ids=module_name)
def test_every_module_opens_with_what_it_is_for(path: Path) -> None:
    assert ast.get_docstring(ast.parse(path.read_text())), f"{path} has no docstring"


def _forbidden() -> dict[str, re.Pattern[str]]:
    homes = "|".join(("root", "work", "Users", "home"))
    registries = "|".join(
        re.escape(".".join(host)) for host in (("pypi", "org"), ("pythonhosted", "org"), ("npmjs", "org"))
    )
    return {
        "a path of one machine": re.compile(rf"(?<![\w.~$}}/-])/(?:{homes})/\w"),
        "a package registry's host": re.compile(registries),
    }


def test_no_file_names_one_machine_or_a_registry() -> None:
    found = []
    for path in repository_files():
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue  # a picture, an archive
        for what, pattern in _forbidden().items():
            found += [
                f"{path.relative_to(ROOT)}: {what}: {match.group()}" for match in pattern.finditer(text)
            ]
    assert found == []
