"""From a strategy's name to the strategy."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any

import numpy as np

from explorer.catalogue import OWN_STRATEGIES, STRATEGIES
from explorer.errors import UnknownName
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
    name: str, counts: tuple[int, ...], parameters: Mapping[str, Any], rng: np.random.Generator
) -> Strategy:
    """A fresh strategy for a space with so many options a decision; the rest of `parameters` has its defaults."""
    return strategy_class(name)(counts, parameters, rng)
