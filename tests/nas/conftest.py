"""One torch thread, as in the workers; and an answer key that nobody trained."""

from __future__ import annotations

import numpy as np
import pytest

from explorer.key.record import Key
from explorer.key.table import key_of
from tests.key.tables import columns, truths
from tests.one_thread import one_thread

__all__ = ["one_thread"]


@pytest.fixture(scope="module")
def made_key() -> Key:
    """Known truths with the luck of three seeds."""
    rng = np.random.default_rng(0)
    return key_of("noisy-digits", columns(truths(rng), 3, 0.02, rng))


@pytest.fixture
def key(made_key: Key, monkeypatch: pytest.MonkeyPatch) -> Key:
    """That key in the place of the real one."""
    monkeypatch.setattr("explorer.nas.key_executor.load", lambda dataset: made_key)
    return made_key
