"""Tuners that think for long are tested with the slow tests; the contract is the same for all."""

from __future__ import annotations

import pytest

THINKING = ("GP", "Metis", "BOHB", "Anneal", "Hyperband", "GridSearch")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the cases of those tuners."""
    for item in items:
        parameters = getattr(getattr(item, "callspec", None), "params", {})
        if "test_tuners" in item.nodeid and parameters.get("name") in THINKING:
            item.add_marker(pytest.mark.slow)
