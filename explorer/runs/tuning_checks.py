"""What keeps a run of hyper-parameter optimisation from being started, every problem at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from explorer.catalogue import ASSESSORS, DATASETS, MLP, OBJECTIVES, SPACES, TRAINING, TUNERS, Entry
from explorer.errors import ExplorerError, SpaceError

if TYPE_CHECKING:
    from explorer.hyper import HyperSpace
    from explorer.runs.spec import RunSpec


def tuning_problems(spec: RunSpec) -> Iterator[str]:
    """Sentences about objective, search space, tuner and assessor."""
    try:
        objective = OBJECTIVES.find(spec.objective)
    except ExplorerError as error:
        yield str(error)
        return
    yield from _assessor_problems(spec, objective)
    hyper, problems = hyper_of(spec)
    yield from problems
    if hyper is not None:
        yield from _tuner_problems(spec, hyper)
    yield from _budget_problems(spec, objective)


def setting_entries(spec: RunSpec, group: str) -> tuple[Entry, ...]:
    """The catalogue's entries whose parameters the group `group` of this run's settings may hold."""
    method = spec.method if isinstance(spec.method, Mapping) else {}
    if group == "training":
        objective = OBJECTIVES.get(spec.objective) if isinstance(spec.objective, str) else None
        if objective is None or not objective.facts["trains"]:
            return ()
        return (TRAINING, MLP) if spec.objective == "mlp" else (TRAINING,)
    registry, default = {"tuner": (TUNERS, "TPE"), "assessor": (ASSESSORS, "none")}[group]
    name = method.get(group, default)
    return (registry[name],) if isinstance(name, str) and name in registry else ()


def read_space(given: Any) -> Any:
    """The search space that a spec names or holds; raises SpaceError or UnknownName."""
    from explorer.space import load_space

    if isinstance(given, str):
        SPACES.find(given)  # a name only: a link must never make us open a file
    elif not isinstance(given, Mapping):
        raise SpaceError(f"space is {given!r:.60}; give a preset's name or a search space as JSON.")
    elif not isinstance(given.get("family", ""), str):
        raise SpaceError(f"The space's family is {given['family']!r:.60}; pick 'macro', 'cell' or 'darts'.")
    return load_space(given)


def hyper_of(spec: RunSpec) -> tuple[HyperSpace | None, list[str]]:
    """Everything that would be tuned, or what is wrong with it."""
    from explorer.hyper import DEFAULT_SPACES, joint, parameter_names, read_search_space, unknown_names

    try:
        given = spec.search_space if spec.search_space is not None else DEFAULT_SPACES[spec.objective]
        hyper = read_search_space(given)
        space = _network_space(spec)
        labels = () if space is None else tuple(parameter_names(space).values())
        strange = unknown_names(spec.objective, hyper, labels)
        if strange:
            return None, list(strange)
        return (hyper if space is None else joint(space, hyper)), []
    except ExplorerError as error:
        return None, list(getattr(error, "problems", ())) or [str(error)]


def _network_space(spec: RunSpec) -> Any:
    """The space whose choices are tuned along; None when there is none, or it is said elsewhere to be unreadable."""
    if spec.objective != "train" or spec.architecture is not None:
        return None
    try:
        facts = DATASETS.find(spec.dataset).facts
        return read_space(spec.space).bound_to(facts["channels"], facts["side"], facts["classes"])
    except ExplorerError:
        return None


def _tuner_problems(spec: RunSpec, hyper: HyperSpace) -> Iterator[str]:
    from explorer.hyper.tuner_rules import tuner_problems

    name = spec.method.get("tuner", "TPE") if isinstance(spec.method, Mapping) else None
    if not isinstance(name, str) or name not in TUNERS:
        return  # said with the method
    yield from tuner_problems(name, hyper)
    if TUNERS[name].facts["advisor"] and spec.method.get("assessor", "none") != "none":
        yield (
            f"{name} decides itself how long each trial runs, so no assessor can stand beside it; "
            "take the assessor none, or another tuner."
        )


def _budget_problems(spec: RunSpec, objective: Entry) -> Iterator[str]:
    """Hyperband and BOHB share epochs out: there must be some, and no trial can have more than the run's."""
    name = spec.method.get("tuner", "TPE") if isinstance(spec.method, Mapping) else None
    if not isinstance(name, str) or name not in _BUDGETS:
        return
    if not objective.facts["intermediate"]:
        yield (
            f"{name} gives its trials different numbers of epochs, and a trial of the objective {objective.name} has "
            "none; take another tuner, such as TPE, or an objective with epochs."
        )
        return
    given = spec.settings.get("tuner", {}) if isinstance(spec.settings, Mapping) else {}
    if not isinstance(given, Mapping) or TUNERS[name].problems(given):
        return  # said with the settings
    if isinstance(spec.epochs, bool) or not isinstance(spec.epochs, int):
        return
    settings, largest = TUNERS[name].defaults() | dict(given), spec.epochs
    for key in _BUDGETS[name]:
        if settings[key] is None:
            continue
        if settings[key] > largest:
            yield (
                f"{name}'s {key} is {settings[key]}, and a trial has at most {largest} epochs; give {key} at most "
                f"{largest}, or more epochs."
            )
            return
        largest = settings[key]


# tuner -> its settings that are budgets in epochs, none larger than those before it or than the run's epochs
_BUDGETS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {"Hyperband": ("R",), "BOHB": ("max_budget", "min_budget")}
)


def _assessor_problems(spec: RunSpec, objective: Entry) -> Iterator[str]:
    from explorer.hyper.assessor_rules import assessor_problems

    name = spec.method.get("assessor", "none") if isinstance(spec.method, Mapping) else None
    settings = spec.settings.get("assessor", {}) if isinstance(spec.settings, Mapping) else {}
    if not isinstance(name, str) or name not in ASSESSORS or not isinstance(settings, Mapping):
        return
    if isinstance(spec.epochs, bool) or not isinstance(spec.epochs, int):
        return
    yield from assessor_problems(
        name,
        settings,
        epochs=spec.epochs,
        optimize_mode=spec.optimize_mode,
        reports_intermediate=objective.facts["intermediate"],
    )
