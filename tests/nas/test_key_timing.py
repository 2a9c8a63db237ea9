"""Seconds of a training are a sum over its edges; the fit finds them, and says how far off it is on cells left out."""

from __future__ import annotations

import random

import numpy as np
import pytest

from explorer.key.recipe import space
from explorer.nas.key_timing import counts_of, fitted

AN_EDGE = np.array([0.05, 0.1, 0.2, 0.3, 0.25])


def test_it_finds_what_each_edge_takes() -> None:
    counts = counts_of(space().sample(20, random.Random(0)))
    assert counts.shape == (20, 5) and (counts.sum(1) == 6).all()
    found, error = fitted(counts, counts @ AN_EDGE)
    assert found == pytest.approx(AN_EDGE)
    assert error == pytest.approx(0.0, abs=1e-9)


def test_what_is_no_sum_over_edges_shows_as_error() -> None:
    counts = counts_of(space().sample(20, random.Random(0)))
    doubtful = counts @ AN_EDGE * np.random.default_rng(0).choice([0.5, 1.5], 20)
    assert fitted(counts, doubtful)[1] > 0.2
