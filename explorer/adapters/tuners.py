"""NNI's tuners and advisors by name, each behind the same small contract.

NNI's classes decide; an adapter around each seeds it, hands out plain values inside the space, and mends what today's
numpy, scipy and NNI's own slips break. NNI's files are never edited; each fix is explained where it is made.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

from explorer.adapters.base import Exhausted, Order, Suggestion, Tuner
from explorer.adapters.domains import check, plain
from explorer.errors import SpecError, UnknownName

__all__ = ["BUILDERS", "Exhausted", "Suggestion", "Tuner", "build_tuner"]

# Imported when asked for: each brings its own share of scipy, scikit-learn, hyperopt or statsmodels.
BUILDERS = {
    "TPE": "explorer.adapters.duplicates:tpe",
    "Random": "explorer.adapters.duplicates:random",
    "GridSearch": "explorer.adapters.lists:grid_search",
    "Batch": "explorer.adapters.lists:batch",
    "Evolution": "explorer.adapters.populations:evolution",
    "PBT": "explorer.adapters.populations:pbt",
    "Anneal": "explorer.adapters.anneal:build",
    "GP": "explorer.adapters.gaussian:gp",
    "Metis": "explorer.adapters.gaussian:metis",
    "Hyperband": "explorer.adapters.advisors:hyperband",
    "BOHB": "explorer.adapters.advisors:bohb",
}


def build_tuner(
    name: str,
    space: Mapping[str, Any],
    settings: Mapping[str, Any],
    *,
    optimize_mode: str,
    seed: int,
    folder: Path | None = None,
    epochs: int = 1,
) -> Tuner:
    """The tuner `name` on `space` (NNI's search_space.json form).

    `settings`: those of its catalogue entry, missing or None: NNI's default. `folder`: where PBT's trials leave their
    weights. `epochs`: the largest budget that an advisor gives. Raises SpecError for a space that it cannot take.
    """
    if name not in BUILDERS:
        raise UnknownName("tuner", name, BUILDERS)
    if optimize_mode not in ("maximize", "minimize"):
        raise SpecError(f"optimize_mode is {optimize_mode!r}; pick 'maximize' or 'minimize'.")
    check(name, space)
    _hush()
    module, function = BUILDERS[name].split(":")
    order = Order(plain(space), settings, optimize_mode, seed, folder, epochs)
    return getattr(import_module(module), function)(order)


def _hush() -> None:
    """NNI's algorithms log every trial, and choices that they take although their validator frowns; our events tell."""
    for name in (
        "nni.algorithms.hpo",
        "nni.tuner",
        "nni.common.hpo_utils",
        "BOHB_Advisor",
        "pbt_tuner_AutoML",
    ):
        logging.getLogger(name).setLevel(logging.CRITICAL)
