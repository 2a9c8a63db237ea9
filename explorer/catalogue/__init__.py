"""What can be chosen, as metadata: names, labels, sources, parameters with their ranges, capabilities.

Nothing here computes. Builders live elsewhere and are found through `Entry.path` ("module:attribute", a string, so that
reading the catalogue never imports torch); a contract test holds every entry against its builder.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from explorer.catalogue.entries import Entry, Parameter, Registry, shown
from explorer.catalogue.features import FEATURES, SELECTORS, TABLES, UPLOADED
from explorer.catalogue.nets import DATASETS, OPERATIONS, SPACES, TRAINING
from explorer.catalogue.oneshot import METHODS, ONESHOT_ENGINES, SELECTION_RULES
from explorer.catalogue.strategies import OWN_STRATEGIES, PROXIES, STRATEGIES, WARM_START
from explorer.catalogue.tuning import ASSESSORS, MLP, OBJECTIVES, TUNERS

REGISTRIES: Mapping[str, Registry] = MappingProxyType(
    {
        "spaces": SPACES,
        "datasets": DATASETS,
        "operations": OPERATIONS,
        "strategies": STRATEGIES,
        "objectives": OBJECTIVES,
        "tuners": TUNERS,
        "assessors": ASSESSORS,
        "methods": METHODS,
        "selection-rules": SELECTION_RULES,
        "selectors": SELECTORS,
        "tables": TABLES,
    }
)

__all__ = [
    "ASSESSORS",
    "DATASETS",
    "FEATURES",
    "METHODS",
    "MLP",
    "OBJECTIVES",
    "ONESHOT_ENGINES",
    "OPERATIONS",
    "OWN_STRATEGIES",
    "PROXIES",
    "REGISTRIES",
    "SELECTION_RULES",
    "SELECTORS",
    "SPACES",
    "STRATEGIES",
    "TABLES",
    "TRAINING",
    "TUNERS",
    "UPLOADED",
    "WARM_START",
    "Entry",
    "Parameter",
    "Registry",
    "shown",
]
