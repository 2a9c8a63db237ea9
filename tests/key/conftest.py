"""One large key for all: every cell, three seeds, and sixteen for the first two hundred live ones."""

from __future__ import annotations

import numpy as np
import pytest

from explorer.key.record import Key
from tests.key import tables

SIGMA = 0.029


@pytest.fixture(scope="session")
def truth() -> np.ndarray:
    """(size,) what every cell would reach without luck."""
    return tables.truths(np.random.default_rng(5))


@pytest.fixture(scope="session")
def whole(truth: np.ndarray) -> Key:
    """All cells with luck of 0.029 a seed."""
    seeds = np.full(tables.SIZE, 3)
    seeds[np.flatnonzero(truth > 0.1)[:200]] = 16
    return tables.key(truth, seeds, SIGMA, seed=1, sizes=tables.SIZES)
