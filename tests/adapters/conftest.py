"""Which cases are slow: the contract is the same for all tuners, so the quick tests ask two of them."""

from __future__ import annotations

import pytest

QUICK = ("TPE", "Random")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the cases of the other tuners, and what compares with NNI's own slow curve fitting."""
    for item in items:
        name = getattr(getattr(item, "callspec", None), "params", {}).get("name")
        if "test_tuners" in item.nodeid and name is not None and name not in QUICK:
            item.add_marker(pytest.mark.slow)
        if "adapters/test_curvefitting" in item.nodeid:
            item.add_marker(pytest.mark.slow)
