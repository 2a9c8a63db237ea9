"""A space made smaller: fewer candidates, fewer values, skips taken out or always on.

In a cell space every edge chooses from the same list, so what can be restricted is that list and the edges;
an edge taken out equals one whose operation is always `none`. In a DARTS cell it is the list alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from explorer.errors import SpaceError, UnknownName
from explorer.space.architecture import Architecture
from explorer.space.base import SearchSpace
from explorer.space.cell import CellSpace, edge_label
from explorer.space.darts import DartsSpace
from explorer.space.macro import Layer, MacroSpace
from explorer.space.mutables import InputChoice, LayerChoice, Mutable, Operation, ValueChoice


@dataclass(frozen=True)
class Restriction:
    """What is kept; a label that is left out keeps everything.

    `kept`: label -> candidate names, values, or names of a skip's sources. `always`: labels of skips whose
    kept sources are all taken. `operations` is for cell and DARTS spaces, `edges` (labels) for cell spaces; None keeps
    all.
    """

    kept: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)
    always: frozenset[str] = frozenset()
    operations: tuple[str, ...] | None = None
    edges: tuple[str, ...] | None = None


def restrict(space: SearchSpace, restriction: Restriction) -> SearchSpace:
    """`space` with only what `restriction` keeps, in its own order; the same space when that is everything.

    A choice with one option left stays a choice, so labels and drawings stay. A choice left without any is
    kept empty: `structure` names it. Raises SpaceError for what the space does not have.
    """
    problems = _unknown(space, restriction)
    if problems:
        raise SpaceError(*problems)
    smaller = space
    if isinstance(space, MacroSpace):
        smaller = _macro(space, restriction)
    elif isinstance(space, CellSpace):
        smaller = _cell(space, restriction)
    elif isinstance(space, DartsSpace):
        smaller = replace(space, operations=_operations(space, restriction))
    if smaller == space:
        return space
    return replace(
        smaller, name=f"{space.name}-restricted"[:200], title=f"{space.title or space.name}, restricted"[:200]
    )


def _unknown(space: SearchSpace, restriction: Restriction) -> list[str]:
    options = {mutable.label: _options(mutable) for mutable in space.mutables}
    problems = [
        str(UnknownName("choice", label, options))
        for label in [*restriction.kept, *sorted(restriction.always)]
        if label not in options
    ]
    for label, names in restriction.kept.items():
        problems += [
            str(UnknownName(f"option of {label}", name, map(str, options[label])))
            for name in names
            if label in options and name not in options[label]
        ]
    if isinstance(space, (CellSpace, DartsSpace)):
        edges = [edge_label(edge) for edge in space.edges] if isinstance(space, CellSpace) else []
        wanted: tuple[tuple[str, Iterable[str] | None, Iterable[str]], ...] = (
            ("operation", restriction.operations, space.operations),
            ("edge", restriction.edges, edges),
        )
        for noun, given, known in wanted:
            problems += [str(UnknownName(noun, name, known)) for name in given or () if name not in known]
    return problems


def _options(mutable: Mutable) -> tuple[Any, ...]:
    if isinstance(mutable, LayerChoice):
        return mutable.names
    return mutable.values if isinstance(mutable, ValueChoice) else mutable.sources


def _macro(space: MacroSpace, restriction: Restriction) -> MacroSpace:
    layers = tuple(Layer(layer.name, _content(layer.content, restriction)) for layer in space.layers)
    skips = (_skip(skip, restriction) for skip in space.skips)
    return replace(space, layers=layers, skips=tuple(skip for skip in skips if skip is not None))


def _content(content: Operation | LayerChoice, restriction: Restriction) -> Operation | LayerChoice:
    if isinstance(content, Operation):
        return _operation(content, restriction)
    kept = restriction.kept.get(content.label, content.names)
    return LayerChoice(
        content.label,
        tuple(
            (name, _operation(operation, restriction))
            for name, operation in content.candidates
            if name in kept
        ),
    )


def _operation(operation: Operation, restriction: Restriction) -> Operation:
    return Operation(
        operation.name,
        {
            name: ValueChoice(
                value.label,
                tuple(v for v in value.values if v in restriction.kept.get(value.label, value.values)),
            )
            if isinstance(value, ValueChoice)
            else value
            for name, value in operation.parameters.items()
        },
    )


def _skip(skip: InputChoice, restriction: Restriction) -> InputChoice | None:
    kept = restriction.kept.get(skip.label, skip.sources)
    sources = tuple(source for source in skip.sources if source in kept)
    if not sources:
        return None
    always = skip.label in restriction.always
    number = len(sources) if always else skip.n_chosen
    return replace(skip, sources=sources, n_chosen=number)


def _cell(space: CellSpace, restriction: Restriction) -> CellSpace:
    edges = tuple(
        edge for edge in space.edges if restriction.edges is None or edge_label(edge) in restriction.edges
    )
    return replace(space, operations=_operations(space, restriction), edges=edges)


def _operations(space: CellSpace | DartsSpace, restriction: Restriction) -> tuple[str, ...]:
    kept = space.operations if restriction.operations is None else restriction.operations
    return tuple(name for name in space.operations if name in kept)


def fit(space: SearchSpace, choices: Mapping[str, Any]) -> Architecture:
    """The architecture of `space` nearest to `choices`: what exists is taken over, the rest is the first
    option.

    Indices of skips are those of `space`; what is unknown is dropped, so no stale choice can break a page.
    """
    default = space.default
    fitted = {}
    for mutable in space.mutables:
        choice = choices.get(mutable.label)
        choice = tuple(choice) if isinstance(choice, list) else choice
        fitted[mutable.label] = default[mutable.label] if mutable.index(choice) is None else choice
    return Architecture(fitted)
