"""Layers and training settings in one search space: an architecture's choices as parameters that a tuner sees.

Each label becomes a `choice`: a LayerChoice of its candidates' names, an InputChoice of its lists of indices, a
ValueChoice of its values. A label that is called like a training setting gets the prefix "layer/".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from explorer.catalogue import TRAINING, shown
from explorer.errors import SpecError
from explorer.hyper.domain import Domain, frozen, plain
from explorer.hyper.reading import MAX_DIMENSIONS, RESERVED, first_few
from explorer.hyper.space import HyperSpace
from explorer.hyper.value_rules import MAX_OPTIONS
from explorer.space import Mutable, SearchSpace

PREFIX = "layer/"


def parameter_names(space: SearchSpace) -> dict[str, str]:
    """Label of the space -> the name of its parameter."""
    labels = [mutable.label for mutable in space.mutables]
    taken = {parameter.name for parameter in TRAINING.parameters} | set(RESERVED)
    names: dict[str, str] = {}
    for label in labels:
        name = label
        while name in taken or (name != label and name in labels):
            name = PREFIX + name
        names[label] = name
        taken.add(name)
    return names


def joint(space: SearchSpace, hyper: HyperSpace) -> HyperSpace:
    """`hyper` and, behind it, one `choice` for each label of `space` that it does not restrict itself.

    Raises SpecError when a restricted label offers what the space does not have, or when a label has too many options.
    """
    problems = joint_problems(space, hyper)
    if problems:
        raise SpecError(*problems)
    names = parameter_names(space)
    added = [
        Domain(names[mutable.label], "choice", _options(mutable))
        for mutable in space.mutables
        if names[mutable.label] not in hyper
    ]
    return HyperSpace((*hyper.domains, *added))


def joint_problems(space: SearchSpace, hyper: HyperSpace) -> list[str]:
    """Sentences about why the two cannot be tuned together; empty when they can."""
    if hyper.combinations is not None:
        return [
            f"{hyper.names[0]} lists complete assignments, so {space.name}'s choices cannot be added; "
            "pin an architecture, or write a choice for each parameter."
        ]
    names = parameter_names(space)
    problems: list[str] = []
    for mutable in space.mutables:
        name = names[mutable.label]
        if name in hyper:
            problems += _restriction_problems(mutable, hyper.domain(name))
        elif mutable.count > MAX_OPTIONS:
            problems.append(
                f"{mutable.label} has {mutable.count:,} options, and a tuner is given at most {MAX_OPTIONS:,}; "
                f"list those that matter as a choice called {name!r} in the search space."
            )
    total = hyper.dimensions + sum(1 for name in names.values() if name not in hyper)
    if total > MAX_DIMENSIONS:
        problems.append(
            f"Together they are {total:,} parameters; at most {MAX_DIMENSIONS} are taken: pin an architecture."
        )
    return first_few(problems)


def split(space: SearchSpace, parameters: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """(what is left for training, label -> choice), the inverse of `joint`; choices are plain JSON."""
    labels = {name: label for label, name in parameter_names(space).items()}
    rest = {name: value for name, value in parameters.items() if name not in labels}
    choices = {labels[name]: plain(value) for name, value in parameters.items() if name in labels}
    return rest, choices


def _options(mutable: Mutable) -> tuple[Any, ...]:
    return tuple(frozen(mutable.option(index)) for index in range(mutable.count))


def _restriction_problems(mutable: Mutable, domain: Domain) -> list[str]:
    if not domain.is_choice or domain.is_nested:
        what = "a nested choice" if domain.is_nested else f"a {domain.type}"
        return [
            f"{domain.name} is {what}, but it stands for a choice of the network; "
            'give {"_type": "choice"} with some of its options.'
        ]
    wrong = [value for value in domain.values if mutable.index(value) is None]
    return [
        f"{domain.name} offers {shown(plain(value))}, which the network does not have; {mutable.expected()}."
        for value in wrong
    ]
