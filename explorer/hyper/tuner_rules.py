"""Which tuner takes which search space: refused before the run, with the reason and the tuners that can."""

from __future__ import annotations

from collections.abc import Iterator

from explorer.catalogue import TUNERS, Entry
from explorer.hyper.space import HyperSpace


def tuner_problems(name: str, space: HyperSpace) -> list[str]:
    """One sentence about why the tuner called `name` cannot search `space`, or nothing.

    Raises UnknownName when no tuner has this name.
    """
    entry = TUNERS.find(name)
    if not entry.facts["available"]:
        return [f"The tuner {name} is not available here: {entry.facts['reason']} {_advice(space)}"]
    found = next(_objections(entry, space), None)
    return [] if found is None else [f"{found} {_advice(space)}"]


def tuners_for(space: HyperSpace) -> tuple[str, ...]:
    """The tuners that can search `space`, in the catalogue's order."""
    return tuple(
        name
        for name, entry in TUNERS.items()
        if entry.facts["available"] and next(_objections(entry, space), None) is None
    )


def _advice(space: HyperSpace) -> str:
    able = tuners_for(space)
    return (
        f"Pick {', '.join(able[:-1])} or {able[-1]}." if len(able) > 1 else f"Pick {able[0]}." if able else ""
    )


def _objections(entry: Entry, space: HyperSpace) -> Iterator[str]:
    facts, listed = entry.facts, space.combinations is not None
    if facts.get("listed") and not listed:
        yield (
            f"The tuner {entry.name} runs a list of combinations: a search space with one choice called "
            "combine_params, whose values are objects."
        )
        return
    if listed and not facts.get("listed"):
        yield f"combine_params is a list of combinations, which the tuner {entry.name} does not read."
        return
    if space.nesting > facts["nesting"] > 0:
        yield f"The tuner {entry.name} takes nested choices one level deep, and this space has {space.nesting}."
        return
    for where, domain in space.walk():
        if domain.type not in facts["types"]:
            yield f"The tuner {entry.name} does not take the type {domain.type}, which {where!r} has."
        elif domain.is_nested and not facts["nested"]:
            yield f"The tuner {entry.name} takes no nested choices, and {where!r} is one."
        elif domain.is_choice and facts["numeric_choices_only"] and not _is_numeric(domain.values):
            yield f"The tuner {entry.name} takes choices among numbers only, and {where!r} has others."


def _is_numeric(values: tuple[object, ...]) -> bool:
    return all(isinstance(value, int | float) and not isinstance(value, bool) for value in values)
