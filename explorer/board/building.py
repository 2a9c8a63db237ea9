"""A chain of layers, built up and changed: layers, candidates, parameters.

Each edit makes a new space and checks it as a whole; whether its shapes fit is not asked here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from explorer.board.board import Board, one_of
from explorer.board.carrying import rebuilt
from explorer.board.names import candidate_name, layer_name, new_name, taken_names
from explorer.catalogue import OPERATIONS, shown
from explorer.errors import SpaceError
from explorer.space import INPUT, InputChoice, Layer, LayerChoice, MacroSpace, Operation, ValueChoice


def chain_of(board: Board) -> MacroSpace:
    """The board's space when it is a chain; raises SpaceError."""
    if isinstance(board.space, MacroSpace):
        return board.space
    raise SpaceError(
        f"{board.space.title or board.space.name} is a cell, and its make-up is fixed; begin with a chain of layers."
    )


def layer_called(space: MacroSpace, name: str) -> Layer:
    """The layer of that name; raises UnknownName."""
    known = {layer.name: layer for layer in space.layers}
    return known[one_of("layer", name, known)]


# -- layers -------------------------------------------------------------------------------------------


def add_layer(
    board: Board,
    after: str,
    operation: str,
    parameters: Mapping[str, Any] | None = None,
    name: str | None = None,
) -> Board:
    """A fixed layer behind `after` (a layer, or the input); without a name each time another one."""
    space = chain_of(board)
    names = [INPUT, *(layer.name for layer in space.layers)]
    at = names.index(one_of("layer", after, names))
    content = operation_of(operation, parameters)
    is_there = at < len(space.layers) and space.layers[at] == Layer(str(name), content)
    if is_there:
        return board
    name = layer_name(operation, space) if name is None else new_name(name, taken_names(space))
    layers = (*space.layers[:at], Layer(name, content), *space.layers[at:])
    return rebuilt(board, replace(space, layers=layers))


def remove_layer(board: Board, layer: str) -> Board:
    """Without a layer, and without what the skips had to do with it."""
    space = chain_of(board)
    gone = layer_called(space, layer)
    if len(space.layers) == 1:
        raise SpaceError(f"{layer} is the last layer; add another one first.")
    layers = tuple(each for each in space.layers if each is not gone)
    skips = (_without(skip, layer) for skip in space.skips)
    return rebuilt(
        board, replace(space, layers=layers, skips=tuple(skip for skip in skips if skip is not None))
    )


def _without(skip: InputChoice, layer: str) -> InputChoice | None:
    """The skip when `layer` is gone; a fixed number of sources cannot be more than are left."""
    sources = tuple(source for source in skip.sources if source != layer)
    if skip.into == layer or not sources:
        return None
    number = None if skip.n_chosen is None else min(skip.n_chosen, len(sources))
    return replace(skip, sources=sources, n_chosen=number)


def move_layer(board: Board, layer: str, to: int) -> Board:
    """A layer to another place (0 is the first), where no skip would turn round."""
    space = chain_of(board)
    moved = layer_called(space, layer)
    if not 0 <= to < len(space.layers):
        raise SpaceError(f"There is no place {to}; give 0 to {len(space.layers) - 1}.")
    rest = [each for each in space.layers if each is not moved]
    layers = (*rest[:to], moved, *rest[to:])
    order = {INPUT: -1} | {each.name: at for at, each in enumerate(layers)}
    for skip in space.skips:
        turned = [source for source in skip.sources if order[source] >= order[skip.into]]
        if turned:
            raise SpaceError(
                f"{layer} cannot move there: the skip {skip.label!r} leads from {turned[0]!r} to {skip.into!r} "
                "and would turn round; take the skip out first."
            )
    return rebuilt(board, replace(space, layers=layers))


def rename_layer(board: Board, layer: str, name: str) -> Board:
    """Another name for a layer; its choice, its skips and its pin follow."""
    space = chain_of(board)
    renamed = layer_called(space, layer)
    if name == layer:
        return board
    new_name(name, taken_names(space))
    layers = tuple(_renamed(each, name) if each is renamed else each for each in space.layers)
    skips = tuple(
        replace(
            skip,
            sources=tuple(name if source == layer else source for source in skip.sources),
            into=name if skip.into == layer else skip.into,
        )
        for skip in space.skips
    )
    return rebuilt(board, replace(space, layers=layers, skips=skips), {layer: name})


def _renamed(layer: Layer, name: str) -> Layer:
    content = layer.content
    return Layer(name, replace(content, label=name) if isinstance(content, LayerChoice) else content)


# -- candidates ---------------------------------------------------------------------------------------


def add_candidate(
    board: Board,
    layer: str,
    operation: str,
    parameters: Mapping[str, Any] | None = None,
    name: str | None = None,
) -> Board:
    """One more candidate of a layer; a fixed layer becomes a choice of two."""
    space = chain_of(board)
    place = layer_called(space, layer)
    added = operation_of(operation, parameters)
    if isinstance(place.content, LayerChoice):
        candidates = place.content.candidates
    else:
        candidates = ((candidate_name(place.content, ()), place.content),)
    if (name, added) in candidates:
        return board
    taken = [each for each, _ in candidates]
    name = candidate_name(added, taken) if name is None else new_name(name, taken)
    choice = LayerChoice(layer, (*candidates, (name, added)))
    return rebuilt(board, _with_content(space, layer, choice))


def remove_candidate(board: Board, layer: str, name: str) -> Board:
    """Without one candidate; the last but one makes the layer a fixed one again."""
    space = chain_of(board)
    choice = layer_called(space, layer).content
    if not isinstance(choice, LayerChoice):
        raise SpaceError(f"{layer} is a fixed layer and has no candidates; remove the layer instead.")
    one_of(f"candidate of {layer}", name, choice.names)
    left = tuple(candidate for candidate in choice.candidates if candidate[0] != name)
    if not left:
        raise SpaceError(f"{name} is the last candidate of {layer}; remove the layer instead.")
    content = left[0][1] if len(left) == 1 else replace(choice, candidates=left)
    return rebuilt(board, _with_content(space, layer, content))


def _with_content(space: MacroSpace, layer: str, content: Operation | LayerChoice) -> MacroSpace:
    layers = tuple(Layer(layer, content) if each.name == layer else each for each in space.layers)
    return replace(space, layers=layers)


# -- parameters ---------------------------------------------------------------------------------------


def set_parameter(
    board: Board, layer: str, parameter: str, value: Any = None, candidate: str | None = None
) -> Board:
    """One parameter of a fixed layer or of a candidate; null is the default, {"label", "values"} a ValueChoice."""
    space = chain_of(board)
    content = layer_called(space, layer).content
    if isinstance(content, Operation):
        if candidate is not None:
            raise SpaceError(
                f"{layer} is a fixed layer and has no candidate {shown(candidate)}; leave it out."
            )
        return rebuilt(board, _with_content(space, layer, _set(content, parameter, value)))
    if candidate is None:
        raise SpaceError(f"{layer} is a choice; say which candidate: {', '.join(content.names)}.")
    one_of(f"candidate of {layer}", candidate, content.names)
    candidates = tuple(
        (name, _set(operation, parameter, value) if name == candidate else operation)
        for name, operation in content.candidates
    )
    return rebuilt(board, _with_content(space, layer, replace(content, candidates=candidates)))


def _set(operation: Operation, parameter: str, value: Any) -> Operation:
    one_of(f"parameter of {operation.name}", parameter, OPERATIONS[operation.name].defaults())
    given = {name: held for name, held in operation.parameters.items() if name != parameter}
    if value is None:
        return replace(operation, parameters=given)
    return replace(operation, parameters=given | {parameter: _value(operation.name, parameter, value)})


def operation_of(name: str, parameters: Mapping[str, Any] | None) -> Operation:
    """A layer's operation with its parameters, checked against the catalogue; raises UnknownName or SpaceError."""
    fitting = [each for each, entry in OPERATIONS.items() if entry.facts["family"] == "layer"]
    one_of("operation", name, fitting)
    given = parameters or {}
    for parameter in given:
        one_of(f"parameter of {name}", parameter, OPERATIONS[name].defaults())
    return Operation(name, {parameter: _value(name, parameter, value) for parameter, value in given.items()})


def _value(operation: str, parameter: str, value: Any) -> Any:
    """A value that the catalogue takes, or a ValueChoice of such; raises SpaceError."""
    if isinstance(value, Mapping):
        return _value_choice(operation, parameter, value)
    problems = OPERATIONS[operation].problems({parameter: value})
    if problems:
        raise SpaceError(problems[0])
    return value


def _value_choice(operation: str, parameter: str, form: Mapping[str, Any]) -> ValueChoice:
    label, values = form.get("label"), form.get("values")
    if set(form) != {"label", "values"} or not isinstance(label, str) or not isinstance(values, list):
        raise SpaceError(f"{parameter} is {shown(form)}; give a value, or an object with label and values.")
    if any(isinstance(value, Mapping) for value in values):
        raise SpaceError(f"{parameter} offers {shown(values)}; give plain values.")
    options = tuple(_value(operation, parameter, value) for value in values)
    return ValueChoice(new_name(label, ()), options)
