"""What keeps a RunSpec from being started, every problem at once.

Reads the catalogue and the spaces, runs nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

from explorer.catalogue import (
    ASSESSORS,
    DATASETS,
    METHODS,
    OBJECTIVES,
    ONESHOT_ENGINES,
    SELECTION_RULES,
    SELECTORS,
    STRATEGIES,
    TRAINING,
    TUNERS,
    Entry,
    Registry,
)
from explorer.errors import ExplorerError, SpaceError, UnknownName
from explorer.runs import spec as limits
from explorer.runs.feature_checks import feature_problems, feature_setting_problems
from explorer.runs.nas_checks import warm_start_problems
from explorer.runs.oneshot_checks import oneshot_entries, oneshot_problems
from explorer.runs.race_checks import race_problems, race_strategy_problems
from explorer.runs.spec import RunSpec, size_problem
from explorer.runs.tuning_checks import read_space, setting_entries, tuning_problems

KINDS = ("random", "nas", "race", "hpo", "oneshot", "features")
# kind -> where its trials may run
EXECUTORS: Mapping[str, tuple[str, ...]] = {
    "random": ("local",),
    "nas": ("local", "key"),
    "race": ("local",),
    "hpo": ("local", "nni"),
    "oneshot": ("local",),
    "features": ("local",),
}
GROUPS = (
    *("tuner", "assessor", "training", "strategy", "method", "selection", "space"),
    *("features", "selector", "race", "strategies", "warm_start"),
)
# kind -> what `method` may name (and from which registry), and which groups of settings are read
_METHODS: Mapping[str, Mapping[str, Registry]] = {
    "random": {"strategy": Registry("strategy", STRATEGIES["random"])},
    "nas": {"strategy": STRATEGIES},
    "race": {"strategies": STRATEGIES},
    "hpo": {"tuner": TUNERS, "assessor": ASSESSORS},
    "oneshot": {"method": METHODS, "engine": ONESHOT_ENGINES, "selection": SELECTION_RULES},
    "features": {"selectors": SELECTORS, "tuner": TUNERS},
}
_GROUPS: Mapping[str, tuple[str, ...]] = {
    "random": ("training", "strategy"),
    "nas": ("training", "strategy", "warm_start"),
    "race": ("race", "strategies"),
    "hpo": ("tuner", "assessor", "training"),
    "oneshot": ("method", "selection", "training"),
    "features": ("features", "selector", "tuner"),
}
_RUN_ID = re.compile(r"[0-9a-z-]{1,40}")


def spec_problems(spec: RunSpec) -> Iterator[str]:
    """Sentences, in the order of the fields."""
    too_large = size_problem(spec)
    if too_large:
        yield too_large
        return
    if spec.kind not in KINDS:
        yield str(UnknownName("kind of run", spec.kind, KINDS))
    if spec.kind == "hpo":
        yield from _hpo_problems(spec)
    elif spec.kind == "features":
        yield from _found(lambda: read_space(spec.space))[1]
        yield from _unread_problems(spec)
        yield from feature_problems(spec)
    else:
        yield from _space_problems(spec)
        yield from _unread_problems(spec)
    if spec.kind == "oneshot":
        yield from oneshot_problems(spec)
    if spec.kind == "race":
        yield from race_problems(spec)
    yield from _method_problems(spec)
    yield from _settings_problems(spec)
    yield from _whole_number("trials", spec.trials, 1, limits.MAX_TRIALS)
    yield from _whole_number("epochs", spec.epochs, 1, limits.MAX_EPOCHS)
    yield from _whole_number("workers", spec.workers, 1, limits.MAX_WORKERS)
    yield from _whole_number("seed", spec.seed, 0, limits.MAX_SEED)
    places = EXECUTORS.get(spec.kind, ("local",)) if isinstance(spec.kind, str) else ("local",)
    if spec.executor not in places:
        yield str(UnknownName("executor", spec.executor, places))
    if spec.from_step is not None:
        yield from _whole_number("from_step", spec.from_step, 0, limits.MAX_STEPS)
        if spec.kind != "oneshot" or spec.parent is None:
            yield "from_step belongs to a one-shot run with a parent; give both, or leave it out."
    if spec.parent is not None and not (isinstance(spec.parent, str) and _RUN_ID.fullmatch(spec.parent)):
        yield f"parent is {spec.parent!r}; give the id of the run that this branches from, or leave it out."


def _whole_number(name: str, value: Any, low: int, high: int) -> Iterator[str]:
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        yield f"{name} is {value!r}; give a whole number from {low} to {high:,}."


def _hpo_problems(spec: RunSpec) -> Iterator[str]:
    """Whether the network's space fits the dataset counts only where the objective trains it; readable both must be."""
    if spec.objective == "train":
        yield from _space_problems(spec)
    else:
        yield from _found(lambda: DATASETS.find(spec.dataset))[1]
        yield from _found(lambda: read_space(spec.space))[1]
        if spec.architecture is not None:
            yield (
                f"The objective {spec.objective!r:.60} trains no architecture; leave architecture out, or take train."
            )
    yield from tuning_problems(spec)


def _unread_problems(spec: RunSpec) -> Iterator[str]:
    """What only a run of the kind hpo reads must still be of its type."""
    if not isinstance(spec.objective, str) or spec.objective not in OBJECTIVES:
        yield str(UnknownName("objective", spec.objective, OBJECTIVES))
    if spec.search_space is not None and not _is_mapping(spec.search_space):
        yield f"search_space is {spec.search_space!r:.60}; give an object name -> domain, or leave it out."


def _space_problems(spec: RunSpec) -> Iterator[str]:
    dataset, unknown = _found(lambda: DATASETS.find(spec.dataset))
    yield from unknown
    space, unreadable = _found(lambda: read_space(spec.space))
    yield from unreadable
    if space is None:
        return
    if spec.architecture is not None and not _is_mapping(spec.architecture):
        yield f"architecture is {spec.architecture!r}; give an object label -> choice, or leave it out."
        return
    if dataset is not None:
        yield from _found(lambda: _runnable(space, spec.architecture, dataset))[1]


def _runnable(space: Any, architecture: Mapping[str, Any] | None, dataset: Entry) -> None:
    """Raises SpaceError when the space, or the one architecture asked for, cannot run on this dataset."""
    from explorer.space import check, check_network

    facts = dataset.facts
    bound = space.bound_to(facts["channels"], facts["side"], facts["classes"])
    if architecture is None:
        found = check(bound, facts["classes"])
    else:
        found = check_network(bound.lower(bound.architecture(architecture)), facts["classes"])
    if found:
        raise SpaceError(*(str(problem) for problem in found))


def _method_problems(spec: RunSpec) -> Iterator[str]:
    if not _is_mapping(spec.method):
        yield f"method is {spec.method!r}; give an object such as {{'strategy': 'random'}}."
        return
    if spec.kind not in KINDS:
        return  # said already; what its method may name cannot be known
    known = _METHODS[spec.kind]
    for name, value in spec.method.items():
        if name not in known:
            yield str(UnknownName(f"part of a {spec.kind} run's method", name, known))
        elif name not in ("selectors", "strategies"):  # lists, which the checks of their kind look into
            yield from _found(partial(known[name].find, value))[1]


def _settings_problems(spec: RunSpec) -> Iterator[str]:
    if not _is_mapping(spec.settings):
        yield f"settings is {spec.settings!r}; give an object group -> parameter -> value."
        return
    read = _GROUPS.get(spec.kind, GROUPS) if isinstance(spec.kind, str) else GROUPS
    for group, values in spec.settings.items():
        if group not in GROUPS:
            yield str(UnknownName("group of settings", group, GROUPS))
        elif not _is_mapping(values):
            yield f"The settings of {group} are {values!r}; give an object parameter -> value."
        elif group not in read:
            if values:
                yield f"A {spec.kind} run has no settings of the group {group!r}; it reads {', '.join(read)}."
        else:
            yield from _group_problems(spec, group, values)


def _group_problems(spec: RunSpec, group: str, values: Mapping[str, Any]) -> Iterator[str]:
    if spec.kind == "hpo":
        yield from _known_to(setting_entries(spec, group), spec, values)
        return
    if spec.kind == "features":
        yield from feature_setting_problems(spec, group, values)
        return
    if spec.kind == "race":
        yield from race_strategy_problems(values) if group == "strategies" else ()
        return
    if spec.kind == "oneshot":
        for entry in oneshot_entries(spec, group):
            yield from entry.problems(values)
        return
    if group == "training":
        yield from TRAINING.problems(values)
    name = spec.method.get("strategy", "random") if isinstance(spec.method, Mapping) else None
    if group == "strategy" and isinstance(name, str) and name in STRATEGIES:
        yield from STRATEGIES[name].problems(values)
    if group == "warm_start":
        yield from warm_start_problems(spec, values)


def _known_to(entries: tuple[Entry, ...], spec: RunSpec, values: Mapping[str, Any]) -> Iterator[str]:
    """Problems of `values` as parameters of any of these entries."""
    if not entries:
        if values:
            yield f"The objective {spec.objective} trains nothing, so it has no training settings; leave them out."
        return
    last = entries[-1]
    for name, value in values.items():
        owner = next((one for one in entries if name in one.defaults()), last)
        yield from owner.problems({name: value})


def _is_mapping(value: Any) -> bool:
    """A plain question: the declared types are what a stranger's JSON has yet to prove."""
    return isinstance(value, Mapping)


def _found(find: Callable[[], Any]) -> tuple[Any, tuple[str, ...]]:
    """What `find` returns, and the sentences of the error that it raised instead."""
    try:
        return find(), ()
    except ExplorerError as error:
        return None, tuple(getattr(error, "problems", ())) or (str(error),)
