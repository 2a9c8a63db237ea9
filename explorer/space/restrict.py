"""A space made smaller: fewer candidates, fewer values, skips taken out or always on, whole or source by source.

In a cell space every edge chooses from the same list, so what can be restricted is that list and the edges;
an edge taken out equals one whose operation is always `none`. In a DARTS cell it is the list alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from explorer.errors import CodecError, SpaceError, UnknownName
from explorer.space.architecture import Architecture
from explorer.space.base import SearchSpace
from explorer.space.cell import CellSpace, edge_label
from explorer.space.darts import DartsSpace
from explorer.space.macro import Layer, MacroSpace
from explorer.space.mutables import InputChoice, LayerChoice, Mutable, Operation, ValueChoice

OFF, FREE, ALWAYS = "off", "free", "always"


@dataclass(frozen=True)
class Restriction:
    """What is kept; a label that is left out keeps everything.

    `kept`: label -> candidate names, values, or names of a skip's sources. `always`: labels of skips whose kept
    sources are all taken, or `label/at` for the one source with that index. `operations` is for cell and DARTS spaces,
    `edges` (labels) for cell spaces; None keeps all.
    """

    kept: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)
    always: frozenset[str] = frozenset()
    operations: tuple[str, ...] | None = None
    edges: tuple[str, ...] | None = None

    def to_json(self) -> dict[str, Any]:
        """A plain dict without what says nothing; {} for no restriction."""
        form: dict[str, Any] = {}
        if self.kept:
            form["kept"] = {label: list(names) for label, names in self.kept.items()}
        if self.always:
            form["always"] = sorted(self.always)
        if self.operations is not None:
            form["operations"] = list(self.operations)
        if self.edges is not None:
            form["edges"] = list(self.edges)
        return form


def restriction_from_json(form: Any) -> Restriction:
    """The inverse of `to_json`; raises CodecError. Whether a space has these names is `restrict`'s business."""
    if not isinstance(form, Mapping) or not isinstance(form.get("kept", {}), Mapping):
        raise CodecError("These restrictions are damaged; copy the whole of them.")
    return Restriction(
        {str(label): _names(names) for label, names in form.get("kept", {}).items()},
        frozenset(_names(form.get("always", []))),
        _names(form["operations"]) if "operations" in form else None,
        _names(form["edges"]) if "edges" in form else None,
    )


def _names(value: Any) -> tuple[Any, ...]:
    if not isinstance(value, list) or not all(isinstance(item, str | int | float) for item in value):
        raise CodecError("These restrictions are damaged; copy the whole of them.")
    return tuple(value)


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
    skips = space.skips if isinstance(space, MacroSpace) else ()
    single = {f"{skip.label}/{at}" for skip in skips for at in range(len(skip.sources))}
    problems = [
        str(UnknownName("choice", label, options))
        for label in [*restriction.kept, *sorted(restriction.always - single)]
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
    skips = tuple(left for skip in space.skips for left in _skip(space, skip, restriction))
    return replace(space, layers=layers, skips=skips)


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


def skip_states(skip: InputChoice, restriction: Restriction) -> tuple[str, ...]:
    """Of each source of a macro space's skip: OFF, FREE (may be chosen) or ALWAYS."""
    kept = restriction.kept.get(skip.label, skip.sources)
    whole = skip.label in restriction.always
    return tuple(
        OFF if source not in kept else ALWAYS if whole or f"{skip.label}/{at}" in restriction.always else FREE
        for at, source in enumerate(skip.sources)
    )


def always_label(space: MacroSpace, label: str) -> str:
    """What the sources of the skip `label` are called that are always on while others are free: `label_always`."""
    taken = [layer.name for layer in space.layers] + [mutable.label for mutable in space.mutables]
    name = f"{label}_always"
    while any(other == name or other.startswith(f"{name}/") for other in taken):
        name += "_"
    return name


def _skip(space: MacroSpace, skip: InputChoice, restriction: Restriction) -> tuple[InputChoice, ...]:
    """What is left of a skip: nothing, one InputChoice, or two where some sources are always on and others free."""
    states = skip_states(skip, restriction)
    fixed = tuple(source for source, state in zip(skip.sources, states, strict=True) if state == ALWAYS)
    free = tuple(source for source, state in zip(skip.sources, states, strict=True) if state == FREE)
    if not fixed:
        return (replace(skip, sources=free),) if free else ()
    left = None if skip.n_chosen is None else skip.n_chosen - len(fixed)
    if not free or (left is not None and left <= 0):
        return (replace(skip, sources=fixed, n_chosen=len(fixed)),)
    always = replace(skip, label=always_label(space, skip.label), sources=fixed, n_chosen=len(fixed))
    return always, replace(skip, sources=free, n_chosen=left)


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
