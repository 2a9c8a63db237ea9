"""Generators of its own for one tuner: NNI draws from the process's global ones, which others use too.

A tuner that runs inside `Generators.own()` sees `random` and `numpy.random` as it left them, whatever happened in
between; afterwards both stand as they stood before. So equal calls in equal order give equal suggestions, and two
tuners in one process do not disturb each other.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

LARGEST_SEED = 2**32 - 1  # of numpy's RandomState
_RandomState = np.random.RandomState


@contextmanager
def swapped(owner: Any, **replacements: Any) -> Iterator[None]:
    """Attributes of a module or an object replaced while the block runs: how a fix reaches inside an NNI function."""
    kept = {name: getattr(owner, name) for name in replacements}
    try:
        for name, replacement in replacements.items():
            setattr(owner, name, replacement)
        yield
    finally:
        for name, original in kept.items():
            setattr(owner, name, original)


class Generators:
    """The state of `random` and `numpy.random` as one tuner knows them, begun from `seed`."""

    def __init__(self, seed: int) -> None:
        self._python = random.Random(seed).getstate()
        self._numpy = seeded(seed).get_state()

    @contextmanager
    def own(self) -> Iterator[None]:
        """Both global generators are this tuner's while the block runs."""
        outside = random.getstate(), np.random.get_state()
        random.setstate(self._python)
        np.random.set_state(self._numpy)
        try:
            yield
        finally:
            self._python, self._numpy = random.getstate(), np.random.get_state()
            random.setstate(outside[0])
            np.random.set_state(outside[1])


def seeded(seed: int) -> np.random.RandomState:
    """numpy's older generator, which NNI's tuners use, from any whole number."""
    return _RandomState(seed % (LARGEST_SEED + 1))


def derived(seed: int | None = None) -> np.random.RandomState:
    """What `numpy.random.RandomState` is replaced with where NNI calls it without a seed: seeded from the global one.

    Evolution and PBT begin unseeded generators of their own, PBT a new one at each generation.
    """
    return _RandomState(np.random.randint(LARGEST_SEED, dtype=np.uint32) if seed is None else seed)
