"""Which of NNI's search-space types each tuner takes here, fixes included."""

from __future__ import annotations

from dataclasses import dataclass

_EVERY_TYPE = (
    *("choice", "randint", "uniform", "quniform", "loguniform", "qloguniform"),
    *("normal", "qnormal", "lognormal", "qlognormal"),
)


@dataclass(frozen=True)
class Takes:
    """Types of parameters; whether choices may be nested; whether their options must be numbers."""

    types: tuple[str, ...] = _EVERY_TYPE
    nested: bool = True
    numeric_choices_only: bool = False


TAKES = {
    "TPE": Takes(),
    "Random": Takes(),
    "GridSearch": Takes(),
    "Batch": Takes(("choice",), nested=False),
    "Evolution": Takes(),
    "PBT": Takes(nested=False),
    "Anneal": Takes(),
    "GP": Takes(
        ("choice", "randint", "uniform", "quniform", "loguniform", "qloguniform"),
        nested=False,
        numeric_choices_only=True,
    ),
    "Metis": Takes(("choice", "randint", "uniform", "quniform"), nested=False, numeric_choices_only=True),
    "Hyperband": Takes(),
    "BOHB": Takes(("choice", "randint", "uniform", "loguniform"), nested=False),
}
