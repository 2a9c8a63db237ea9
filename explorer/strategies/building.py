"""From a strategy's name to the strategy."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any

import numpy as np

from explorer.catalogue import OWN_STRATEGIES, STRATEGIES
from explorer.errors import UnknownName
from explorer.space import SearchSpace
from explorer.strategies.contract import Strategy


def strategy_class(name: str) -> type[Strategy]:
    """The class that the catalogue names; raises UnknownName, also for what is not ours."""
    entry = STRATEGIES.find(name)
    if name not in OWN_STRATEGIES:
        raise UnknownName("strategy of this app's own", name, OWN_STRATEGIES)
    module, _, attribute = entry.path.partition(":")
    found: type[Strategy] = getattr(importlib.import_module(module), attribute)
    return found


def build(
    name: str,
    counts: tuple[int, ...],
    parameters: Mapping[str, Any],
    rng: np.random.Generator,
    space: SearchSpace | None = None,
) -> Strategy:
    """A fresh strategy for a space with so many options a decision; the rest of `parameters` has its defaults.

    `space` is for a strategy that makes use of more than these numbers; without it such a one knows no more either.
    """
    made = strategy_class(name)
    if made.sees_space:
        return made(counts, parameters, rng, space)  # type: ignore[call-arg]
    return made(counts, parameters, rng)
