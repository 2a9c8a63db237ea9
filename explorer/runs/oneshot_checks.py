"""What keeps a one-shot run from being started, every problem at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from explorer.catalogue import DATASETS, METHODS, SELECTION_RULES, TRAINING, Entry
from explorer.errors import ExplorerError
from explorer.runs.tuning_checks import read_space

if TYPE_CHECKING:
    from explorer.runs.spec import RunSpec


def oneshot_problems(spec: RunSpec) -> Iterator[str]:
    """Sentences about method, engine and rule on this space; what is unknown is said elsewhere."""
    if spec.architecture is not None:
        yield "A one-shot run searches the whole space; leave architecture out, or take the kind random."
    method = _named(spec, "method", METHODS)
    if method is None:
        return
    if isinstance(spec.method, Mapping) and spec.method.get("engine") == "nni":
        yield from _nni_problems(spec, method)
    space = _space(spec)
    if space is not None:
        yield from _fit_problems(spec, method, space)
    yield from _annealing_problems(spec, method)


def oneshot_entries(spec: RunSpec, group: str) -> tuple[Entry, ...]:
    """The catalogue's entries whose parameters the group `group` of this run's settings may hold."""
    if group == "training":
        return (TRAINING,)
    if group == "method":
        method = _named(spec, "method", METHODS)
        return () if method is None else (method,)
    rule = selection_of(spec)
    return () if rule is None else (SELECTION_RULES[rule],)


def selection_of(spec: RunSpec) -> str | None:
    """The rule that derives this run's architecture: the one asked for, else the method's own; None for unknown ones.

    `top2` keeps two inputs a node; where a space has no such choice (a cell keeps every edge) it is `argmax`.
    """
    method = _named(spec, "method", METHODS)
    if method is None:
        return None
    asked = spec.method.get("selection", method.facts["selection"])
    if not isinstance(asked, str) or asked not in SELECTION_RULES:
        return None
    space = _space(spec)
    given = "selection" in spec.method
    if not given and space is not None and space.family not in SELECTION_RULES[asked].facts["families"]:
        return "argmax"
    return asked


def serving(space: Any) -> tuple[str, ...]:
    """The methods that can search `space`, in the catalogue's order; none where no supernet can hold it."""
    from explorer.space import supernet_problems

    if supernet_problems(space):
        return ()
    return tuple(name for name, entry in METHODS.items() if not list(_serving_problems(entry, space)))


def _named(spec: RunSpec, part: str, registry: Mapping[str, Entry]) -> Entry | None:
    name = spec.method.get(part) if isinstance(spec.method, Mapping) else None
    return registry[name] if isinstance(name, str) and name in registry else None


def _space(spec: RunSpec) -> Any:
    try:
        facts = DATASETS.find(spec.dataset).facts
        return read_space(spec.space).bound_to(facts["channels"], facts["side"], facts["classes"])
    except ExplorerError:
        return None  # said elsewhere


def _fit_problems(spec: RunSpec, method: Entry, space: Any) -> Iterator[str]:
    from explorer.space import supernet_problems

    problems = supernet_problems(space)
    if problems:
        yield from problems
        return
    found = list(_serving_problems(method, space))
    if found:
        able = ", ".join(serving(space))
        yield f"{found[0]} {able} can search {space.name}."
    asked = spec.method.get("selection")
    if isinstance(asked, str) and asked in SELECTION_RULES:
        if SELECTION_RULES[asked].facts["needs"] == "mixture" and not method.facts["alphas"]:
            yield (
                f"The selection rule {asked} takes candidates out of a mixture, and {method.label} trains single "
                "paths; take sample, evolution or random."
            )
        families = SELECTION_RULES[asked].facts["families"]
        if space.family not in families:
            made_for = " or ".join(families)
            yield (
                f"The selection rule {asked} is made for spaces of the family {made_for}, and {space.name} is of the "
                f"family {space.family}; take argmax."
            )


def _serving_problems(method: Entry, space: Any) -> Iterator[str]:
    from explorer.space import decisions

    if space.family not in method.facts["families"]:
        yield f"{method.label} serves spaces of the family {' and '.join(method.facts['families'])} only."
        return
    made = decisions(space)
    several = next((decision.label for decision in made if decision.chosen > 1), None)
    if method.name == "fairnas" and several is not None:
        yield f"FairNAS runs one candidate of a choice at a time, and {several} keeps several inputs."
        return
    counts = {len(decision.candidates) for decision in made}
    if method.name == "fairnas" and len(counts) > 1:
        yield (
            "FairNAS trains every candidate equally often, so all choices need the same number of candidates, "
            f"and here they have {' and '.join(map(str, sorted(counts)))}."
        )


def _nni_problems(spec: RunSpec, method: Entry) -> Iterator[str]:
    """What NNI's own strategies cannot do; `oneshot.nni_search` refuses it as well."""
    if not method.facts["nni"]:
        able = ", ".join(name for name, entry in METHODS.items() if entry.facts["nni"])
        yield f"NNI has no {method.label} of its own; take the engine own, or one of {able}."
        return
    given = spec.settings.get("method", {}) if isinstance(spec.settings, Mapping) else {}
    given = given if isinstance(given, Mapping) else {}
    if given.get("order") == "second":
        yield "NNI's DARTS is first order only; take order first, or engine own."
    if given.get("mode") == "two":
        yield "NNI's Proxyless runs every candidate for its alphas; take mode full, or engine own."
    if spec.from_step is not None:
        yield "NNI's searches keep no checkpoints, so nothing can branch from one; take engine own."
    space = _space(spec)
    if method.name == "proxyless" and space is not None and space.family == "darts":
        yield "NNI's Proxyless does not know cells of the DARTS kind; take the engine own, or NNI's DARTS."


def _annealing_problems(spec: RunSpec, method: Entry) -> Iterator[str]:
    """Epochs that would never come."""
    given = spec.settings.get("method", {}) if isinstance(spec.settings, Mapping) else {}
    if not isinstance(given, Mapping) or method.problems(given) or not isinstance(spec.epochs, int):
        return
    if spec.epochs < 1:
        return  # said with the epochs
    warmup = (method.defaults() | dict(given)).get("warmup_epochs", 0)
    if warmup >= spec.epochs:
        yield (
            f"warmup_epochs is {warmup} and the search has {spec.epochs} epochs, so the alphas would never move; "
            f"give fewer, or more epochs."
        )
