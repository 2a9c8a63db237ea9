"""What keeps a run of feature engineering from being started, every problem at once; the table itself is read later."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from explorer.catalogue import FEATURES, SELECTORS, TABLES, TUNERS, UPLOADED
from explorer.errors import UnknownName

if TYPE_CHECKING:
    from explorer.runs.spec import RunSpec

OWN_LOOPS = ("Hyperband", "BOHB", "PBT")  # they share out epochs or weights, and a set of columns has neither
# what every search for new columns holds: names of columns, and a number of bins
_SHAPE = {
    "column": {"_type": "choice", "_value": ["(none)", "a"]},
    "bins": {"_type": "randint", "_value": [2, 13]},
}


def feature_problems(spec: RunSpec) -> Iterator[str]:
    """Sentences about table, selectors and tuner."""
    if not isinstance(spec.dataset, str) or not (spec.dataset in TABLES or UPLOADED.fullmatch(spec.dataset)):
        yield str(UnknownName("table", spec.dataset, TABLES))
    if spec.architecture is not None:
        yield "A features run trains no architecture; leave architecture out."
    if spec.search_space is not None:
        yield "A features run makes its search space from the table's columns; leave search_space out."
    method: Any = spec.method
    if isinstance(method, Mapping):  # else it is said with the method
        yield from _selector_problems(method.get("selectors", []))
        yield from _tuner_problems(spec)


def selectors_of(spec: RunSpec) -> tuple[str, ...]:
    """The selectors that the run compares, in the catalogue's order; all where it names none."""
    named = spec.method.get("selectors") or list(SELECTORS)
    return tuple(name for name in SELECTORS if name in named)


def selector_settings(spec: RunSpec, name: str) -> dict[str, Any]:
    """The parameters of the selector `name`: its defaults overlaid with those of the run."""
    given = spec.settings.get("selector", {})
    own = {key.partition(".")[2]: value for key, value in given.items() if key.partition(".")[0] == name}
    return SELECTORS.find(name).settings(own)


def feature_settings(spec: RunSpec) -> dict[str, Any]:
    """How the run compares: the defaults of FEATURES overlaid with its own."""
    return FEATURES.settings(spec.settings.get("features", {}))


def feature_setting_problems(spec: RunSpec, group: str, values: Mapping[str, Any]) -> Iterator[str]:
    """Sentences about one group of settings."""
    if group == "features":
        yield from FEATURES.problems(values)
    elif group == "tuner":
        yield from _tuner_settings(spec, values)
    else:
        for key, value in values.items():
            yield from _selector_setting(str(key), value)


def _tuner_settings(spec: RunSpec, values: Mapping[str, Any]) -> Iterator[str]:
    method: Any = spec.method
    name = method.get("tuner") if isinstance(method, Mapping) else None
    if isinstance(name, str) and name in TUNERS:
        yield from TUNERS[name].problems(values)
    elif values and name is None:
        yield "Settings of a tuner need a tuner; name one, or leave them out."


def _selector_setting(key: str, value: Any) -> Iterator[str]:
    name, dot, parameter = key.partition(".")
    if not dot:
        yield (
            f"The selector's setting {key!r:.60} names no selector; write it as NAME.PARAMETER, such as "
            "gradient.n_epochs."
        )
    elif name not in SELECTORS:
        yield str(UnknownName("selector", name, SELECTORS))
    else:
        yield from SELECTORS[name].problems({parameter: value})


def _selector_problems(named: Any) -> Iterator[str]:
    if not isinstance(named, list | tuple):
        yield f"selectors is {named!r:.60}; give a list such as ['gradient', 'anova']."
        return
    for name in named:
        if not isinstance(name, str) or name not in SELECTORS:
            yield str(UnknownName("selector", name, SELECTORS))


def _tuner_problems(spec: RunSpec) -> Iterator[str]:
    from explorer.hyper import read_search_space
    from explorer.hyper.tuner_rules import tuner_problems

    name = spec.method.get("tuner")
    if not isinstance(name, str) or name not in TUNERS:
        return  # none, or said with the method
    if name in OWN_LOOPS:
        yield (
            f"{name} gives its trials epochs or weights, and a set of new columns has neither; take TPE, Random or "
            "Evolution."
        )
        return
    yield from tuner_problems(name, read_search_space(_SHAPE))
    if spec.optimize_mode != "maximize":
        yield "A search for new columns maximises accuracy or R2; leave the tuner's optimize_mode out."
