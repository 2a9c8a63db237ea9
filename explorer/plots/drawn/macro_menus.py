"""The menus of a chain of layers: what is pinned and offered, and how the chain itself is built."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

from explorer.board import Board
from explorer.plots.drawn.menu_items import CHECK, DO, RADIO, Group, Items, Menu, item
from explorer.plots.drawn.offers import candidates_between, cost_words, count_words, layers_behind
from explorer.space import (
    INPUT,
    Architecture,
    InputChoice,
    Layer,
    LayerChoice,
    MacroSpace,
    Operation,
    Shape,
    ValueChoice,
    show,
)
from explorer.space.restrict import ALWAYS, FREE, OFF
from explorer.space.shapes import RULES, ShapeProblem

LISTED = 24  # places that a new skip may lead to; the nearest come first
PAIRS = 24  # combinations of a skip with a fixed number of sources
SKIP_WORDS = {
    OFF: ("Off", "the search never takes it"),
    FREE: ("Let the search decide", "on in some architectures, off in others"),
    ALWAYS: ("Always on", "in every architecture"),
}
ALIGN_WORDS = "Align: a 1x1 convolution and a centre crop"


def macro_menus(board: Board, space: MacroSpace) -> Iterator[tuple[str, Menu]]:
    """(id of the layer or arc, its menu): arcs are called as the scene calls them."""
    seen = _Seen(board, space)
    yield INPUT, Menu(INPUT, show(space.input.shape), tuple(_building(seen, INPUT, space.input.shape)))
    for at, layer in enumerate(space.layers):
        yield layer.name, _layer(seen, at, layer)
    for skip in space.skips:
        for at, source in enumerate(skip.sources):
            yield arc_id(skip, at), _arc(seen, skip, at, source)


def arc_id(skip: InputChoice, at: int) -> str:
    """How the scene calls the arc from a skip's source."""
    return skip.label if len(skip.sources) == 1 else f"{skip.label}/{at}"


class _Seen:
    """A board with the shapes that its pinned architecture has."""

    def __init__(self, board: Board, space: MacroSpace) -> None:
        self.board, self.space = board, space
        self.arriving, self.leaving, self.parameters = _measured(space, board.pinned)
        self.names = [INPUT, *(layer.name for layer in space.layers)]

    def is_offered(self, label: str, at: int) -> bool:
        """Whether option `at` of a choice may be chosen."""
        return self.board.states[label][at] != OFF


@lru_cache(maxsize=64)
def _measured(
    space: MacroSpace, pinned: Architecture
) -> tuple[Mapping[str, Shape], Mapping[str, Shape], Mapping[str, int]]:
    """Layer -> the shape that arrives, the shape that leaves, its parameters."""
    rows = {row.node.name: row for row in space.lower(pinned).rows}
    leaving = {INPUT: space.input.shape} | {name: row.shape for name, row in rows.items()}
    return (
        {name: row.shapes_in[0] for name, row in rows.items()},
        leaving,
        {name: row.parameters for name, row in rows.items()},
    )


# -- layers -----------------------------------------------------------------------------------------------------------


def _layer(seen: _Seen, at: int, layer: Layer) -> Menu:
    arriving, leaving = seen.arriving[layer.name], seen.leaving[layer.name]
    about = f"{count_words(seen.parameters[layer.name])} · {show(arriving)} → {show(leaving)}"
    groups = list(_choosing(seen, layer, arriving))
    for value in layer.values:
        groups += _value(seen, value)
    groups += _building(seen, layer.name, leaving)
    groups.append(_add_candidate(layer, arriving, leaving))
    if isinstance(layer.content, LayerChoice):
        groups.append(_remove_candidate(layer.content))
    return Menu(layer.name, about, (*groups, Group("This layer", _whole_layer(seen, at, layer))))


def _choosing(seen: _Seen, layer: Layer, arriving: Shape) -> Iterator[Group]:
    """One is pinned; each is offered or not."""
    choice = layer.content
    if not isinstance(choice, LayerChoice):
        return
    pinned = seen.board.pinned
    about = [cost_words(_decided(operation, pinned), arriving) for _, operation in choice.candidates]
    yield Group(
        "Pinned: one of them",
        tuple(
            item(
                RADIO,
                name,
                {"kind": "pin", "label": choice.label, "choice": name},
                words,
                pinned[choice.label] == name,
            )
            for name, words in zip(choice.names, about, strict=True)
        ),
    )
    yield Group("Offered to the search", _offered(seen, choice.label, choice.names))


def _decided(operation: Operation, pinned: Architecture) -> Operation:
    """The operation with its values as they are pinned."""
    if not any(isinstance(value, ValueChoice) for value in operation.parameters.values()):
        return operation
    return Operation(
        operation.name,
        {
            name: pinned[value.label] if isinstance(value, ValueChoice) else value
            for name, value in operation.parameters.items()
        },
    )


def _offered(seen: _Seen, label: str, options: tuple[Any, ...]) -> Items:
    held = [seen.is_offered(label, at) for at in range(len(options))]
    last = "It is the last one that is offered; offer another one first."
    return tuple(
        item(
            CHECK,
            str(option),
            {"kind": "keep", "label": label, "option": option, "on": not on},
            on=on,
            no=last if on and sum(held) == 1 else "",
        )
        for option, on in zip(options, held, strict=True)
    )


def _value(seen: _Seen, value: ValueChoice) -> Iterator[Group]:
    chosen = seen.board.pinned[value.label]
    yield Group(
        f"{value.label}: pinned",
        tuple(
            item(RADIO, str(one), {"kind": "pin", "label": value.label, "choice": one}, on=one == chosen)
            for one in value.values
        ),
    )
    yield Group(f"{value.label}: offered", _offered(seen, value.label, value.values))


# -- building ---------------------------------------------------------------------------------------------------------


def _building(seen: _Seen, name: str, leaving: Shape) -> Iterator[Group]:
    """What may be put behind a layer, and the skips that may begin at it."""
    title = "Add the first layer" if name == INPUT else "Add a layer after this"
    yield Group(title, _new_layers(leaving), folded=True, shared=True, common={"after": name})
    yield Group("Add a skip from here into", tuple(_new_skips(seen, name, leaving)), folded=True)


@lru_cache(maxsize=512)
def _new_layers(shape: Shape) -> Items:
    return tuple(
        item(DO, offer.name, {"kind": "add_layer", **offer.fields}, offer.about, no=offer.problem)
        for offer in layers_behind(shape)
    )


def _new_skips(seen: _Seen, source: str, leaving: Shape) -> Iterator[dict[str, Any]]:
    at = seen.names.index(source)
    there = {skip.into for skip in seen.space.skips if source in skip.sources}
    for into in seen.names[at + 1 : at + 1 + LISTED]:
        if into in there:
            continue
        align, about, problem = _fit(leaving, seen.leaving[into])
        event = {"kind": "add_skip", "source": source, "into": into, "align": align}
        yield item(DO, into, event, about, no=problem)


@lru_cache(maxsize=4096)
def _fit(source: Shape, target: Shape) -> tuple[str, str, str]:
    """How a skip between two shapes is aligned, what to say about it, and why it cannot be ("" if it can)."""
    if source == target:
        return "none", show(target), ""
    try:
        RULES["align"]({}, source, target)
    except ShapeProblem as problem:
        return "crop", "", f"It {problem.message}."
    return "crop", f"{show(source)} → {show(target)}, aligned by a 1x1 convolution and a centre crop", ""


def _add_candidate(layer: Layer, arriving: Shape, leaving: Shape) -> Group:
    title = (
        "Add a candidate" if isinstance(layer.content, LayerChoice) else "Make it a choice: add a candidate"
    )
    return Group(
        title,
        _new_candidates(arriving, leaving),
        folded=True,
        shared=True,
        common={"layer": layer.name},
    )


@lru_cache(maxsize=512)
def _new_candidates(arriving: Shape, leaving: Shape) -> Items:
    return tuple(
        item(DO, offer.name, {"kind": "add_candidate", **offer.fields}, offer.about)
        for offer in candidates_between(arriving, leaving)
    )


def _remove_candidate(choice: LayerChoice) -> Group:
    items = (
        item(DO, name, {"kind": "remove_candidate", "layer": choice.label, "name": name})
        for name in choice.names
    )
    return Group("Remove a candidate", tuple(items), folded=True)


def _whole_layer(seen: _Seen, at: int, layer: Layer) -> Items:
    layers = seen.space.layers
    up = "It is the first layer." if at == 0 else _turned(seen, layers[at - 1].name, layer.name)
    down = (
        "It is the last layer." if at + 1 == len(layers) else _turned(seen, layer.name, layers[at + 1].name)
    )
    last = "It is the only layer; add another one first." if len(layers) == 1 else ""
    move = {"kind": "move_layer", "layer": layer.name}
    return (
        item(DO, "Move up", {**move, "to": max(0, at - 1)}, no=up),
        item(DO, "Move down", {**move, "to": at + 1}, no=down),
        item(DO, "Remove", {"kind": "remove_layer", "layer": layer.name}, no=last),
    )


def _turned(seen: _Seen, here: str, there: str) -> str:
    """Why two neighbours cannot change places: a skip between them would turn round."""
    between = [skip.label for skip in seen.space.skips if skip.into == there and here in skip.sources]
    return f"The skip {between[0]} leads from {here} to {there} and would turn round." if between else ""


# -- arcs -------------------------------------------------------------------------------------------------------------


def _arc(seen: _Seen, skip: InputChoice, at: int, source: str) -> Menu:
    here, there = seen.leaving[source], seen.leaving[skip.into]
    state = seen.board.states[skip.label][at]
    event = {"kind": "skip", "label": skip.label, "source": source}
    groups = [
        Group(
            "In the search",
            tuple(
                item(RADIO, name, {**event, "state": each}, about, each == state)
                for each, (name, about) in SKIP_WORDS.items()
            ),
        )
    ]
    if state == FREE:
        groups.append(Group("In the pinned architecture", _taken(seen, skip, at)))
    if here != there or skip.align == "crop":
        is_wrong = here != there and skip.align == "none"  # then this is what one came for
        groups.insert(
            0 if is_wrong else len(groups), Group("Where shapes differ", _aligning(skip, here, there))
        )
    gone = (
        "Remove this skip"
        if len(skip.sources) == 1
        else f"Remove all {len(skip.sources)} arcs of {skip.label}"
    )
    groups.append(Group("This skip", (item(DO, gone, {"kind": "remove_skip", "label": skip.label}),)))
    return Menu(f"{source} → {skip.into}", _sum_words(skip, here, there), tuple(groups))


def _sum_words(skip: InputChoice, here: Shape, there: Shape) -> str:
    if here == there:
        return f"{skip.label} · adds {show(here)}"
    how = "cannot be added as it is" if skip.align == "none" else "is aligned to it first"
    return f"{skip.label} · {show(here)} meets {show(there)} and {how}"


def _taken(seen: _Seen, skip: InputChoice, at: int) -> Items:
    """On or off; where the number of sources is fixed, which of them."""
    chosen = seen.board.pinned[skip.label]
    event = {"kind": "pin", "label": skip.label}
    if skip.n_chosen is None:
        wanted = sorted(set(chosen) ^ {at})
        return ({**item(CHECK, "On", {**event, "choice": wanted}, on=at in chosen), "at": at},)
    options = [skip.option(index) for index in range(min(skip.count, PAIRS))]
    return tuple(
        item(
            RADIO,
            " + ".join(skip.sources[one] for one in option),
            {**event, "choice": list(option)},
            on=option == chosen,
        )
        for option in options
    )


def _aligning(skip: InputChoice, here: Shape, there: Shape) -> Items:
    event = {"kind": "align", "label": skip.label}
    _, _, problem = _fit(here, there)
    plain = f"{show(here)} cannot be added to {show(there)}" if here != there else "shapes are the same here"
    weights = 0 if here == there or problem else RULES["align"]({}, here, there).parameters
    about = "" if here == there else f"{show(here)} → {show(there)} · {count_words(weights)}"
    return (
        item(RADIO, ALIGN_WORDS, {**event, "align": "crop"}, about, skip.align == "crop", problem),
        item(RADIO, "Add as they are", {**event, "align": "none"}, plain, skip.align == "none"),
    )
