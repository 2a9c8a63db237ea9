"""Every test gets a home of its own and no network: no test reaches the person's own runs or data."""

from __future__ import annotations

from pathlib import Path

import pytest

FOREIGN_SETTINGS = ("EXPLORER_DATABASE_URL", "EXPLORER_MODE")


@pytest.fixture(autouse=True)
def explorer_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """$EXPLORER_HOME of this test; nothing is there yet, as on the first day."""
    home = tmp_path / "explorer-home"
    for name in FOREIGN_SETTINGS:
        monkeypatch.setenv(name, "")  # so that what the test leaves there is undone as well
        monkeypatch.delenv(name)
    monkeypatch.setenv("EXPLORER_HOME", str(home))
    monkeypatch.setenv("EXPLORER_OFFLINE", "1")
    return home
