"""What keeps a run of hyper-parameter optimisation from being started, every problem at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from explorer.catalogue import ASSESSORS, DATASETS, MLP, OBJECTIVES, TRAINING, TUNERS, Entry
from explorer.errors import ExplorerError

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
    from explorer.space import load_space

    if spec.objective != "train" or spec.architecture is not None:
        return None
    try:
        facts = DATASETS.find(spec.dataset).facts
        return load_space(spec.space).bound_to(facts["channels"], facts["side"], facts["classes"])
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
