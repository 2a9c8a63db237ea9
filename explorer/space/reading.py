"""Search spaces from JSON: every mistake at once, each named by its place; nothing is guessed or executed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from explorer.catalogue import shown
from explorer.errors import SpaceError
from explorer.space.base import SCHEMA, Input, SearchSpace
from explorer.space.cell import CellSpace, full_edges
from explorer.space.check import structure
from explorer.space.darts import PRIMITIVES, DartsSpace
from explorer.space.macro import Layer, MacroSpace
from explorer.space.mutables import InputChoice, LayerChoice, Operation, ValueChoice

COMMON = {"schema", "family", "name", "title", "input", "remarks"}
MACRO = COMMON | {"layers", "skips"}
CELL = COMMON | {"nodes", "edges", "operations", "channels", "stages"}
DARTS = COMMON | {"nodes", "cells", "channels", "stem_multiplier", "operations"}


def space_from_json(form: Any) -> SearchSpace:
    """The space that `form` describes; raises SpaceError with every problem at once."""
    if not isinstance(form, Mapping):
        raise SpaceError(f"A search space is a JSON object, not {_kind(form)}.")
    schema = form.get("schema", SCHEMA)
    if type(schema) is int and schema > SCHEMA:
        raise SpaceError(
            f"This search space has schema {schema}, newer than the {SCHEMA} read here; update the app."
        )
    if schema != SCHEMA:
        raise SpaceError(f"schema is {schema!r}; this app writes and reads {SCHEMA}.")
    readers = {"macro": _macro, "cell": _cell, "darts": _darts}
    family = form.get("family")
    if not isinstance(family, str) or family not in readers:
        raise SpaceError(f"family is {family!r}; pick 'macro', 'cell' or 'darts'.")
    reader = _Reader()
    space = readers[family](reader, form)
    problems = reader.problems or structure(space)
    if problems:
        raise SpaceError(*problems)
    return space


def _kind(value: Any) -> str:
    names = {dict: "an object", list: "a list", str: "a text", bool: "true or false", type(None): "null"}
    return names.get(type(value), "a number" if isinstance(value, (int, float)) else type(value).__name__)


class _Reader:
    """Takes typed values out of JSON and keeps a sentence about each that is missing or of the wrong kind."""

    def __init__(self) -> None:
        self.problems: list[str] = []

    def known(self, form: Mapping[str, Any], where: str, allowed: set[str]) -> None:
        """Complain about keys nobody reads."""
        for key in form:
            if key not in allowed:
                self.problems.append(
                    f"{where} has an unknown key {key!r}; known are {', '.join(sorted(allowed))}."
                )

    def text(self, form: Mapping[str, Any], key: str, where: str, default: str | None = None) -> str:
        """A short text."""
        value = form.get(key, default)
        if isinstance(value, str) and (value or default == "") and len(value) <= 200 and value.isprintable():
            return value
        self._complain(form, key, where, "a text of 1 to 200 printable characters")
        return default or "?"

    def _complain(self, form: Mapping[str, Any], key: str, where: str, right: str) -> None:
        found = f"is {shown(form[key])}" if key in form else "is missing"
        self.problems.append(f"{where}: {key} {found}; give {right}.")

    def whole(self, form: Mapping[str, Any], key: str, where: str, default: int | None = None) -> int:
        """A whole number."""
        value = form.get(key, default)
        if type(value) is int:
            return value
        self._complain(form, key, where, "a whole number")
        return default or 1

    def items(
        self, form: Mapping[str, Any], key: str, where: str, default: list[Any] | None = None
    ) -> list[Any]:
        """A list."""
        value = form.get(key, default)
        if isinstance(value, list):
            return value
        self._complain(form, key, where, "a list")
        return []

    def object(self, value: Any, where: str) -> Mapping[str, Any]:
        """An object."""
        if isinstance(value, Mapping):
            return value
        self.problems.append(f"{where} is {_kind(value)}; give an object.")
        return {}

    def texts(
        self, form: Mapping[str, Any], key: str, where: str, default: list[str] | None = None
    ) -> tuple[str, ...]:
        """A list of texts."""
        found = self.items(form, key, where, default)
        wrong = [value for value in found if not (isinstance(value, str) and value.isprintable())]
        if wrong:
            self.problems.append(f"{where}: {key} holds {shown(wrong[0])}; give printable texts only.")
        return tuple(value for value in found if isinstance(value, str))


def _common(reader: _Reader, form: Mapping[str, Any], allowed: set[str]) -> dict[str, Any]:
    reader.known(form, "The space", allowed)
    return {
        "name": reader.text(form, "name", "The space"),
        "title": reader.text(form, "title", "The space", default=""),
        "input": _input(reader, form.get("input")),
        "remarks": reader.texts(form, "remarks", "The space", default=[]),
    }


def _input(reader: _Reader, given: Any) -> Input:
    if given == "dataset":
        return Input(channels=1, side=8, from_dataset=True)
    if not isinstance(given, Mapping):
        reader.problems.append(
            f'input is {_kind(given)}; give "dataset", or an object with channels and side.'
        )
        return Input(1, 1)
    reader.known(given, "input", {"channels", "side"})
    taken = Input(reader.whole(given, "channels", "input"), reader.whole(given, "side", "input"))
    if not (1 <= taken.channels <= 64 and 1 <= taken.side <= 256):
        reader.problems.append(
            f"input is {taken.channels} channels and {taken.side} pixels a side; give 1 to 64 and 1 to 256."
        )
    return taken


def _macro(reader: _Reader, form: Mapping[str, Any]) -> MacroSpace:
    common = _common(reader, form, MACRO)
    layers = [_layer(reader, layer, at) for at, layer in enumerate(reader.items(form, "layers", "The space"))]
    skips = [
        _skip(reader, skip, at)
        for at, skip in enumerate(reader.items(form, "skips", "The space", default=[]))
    ]
    return MacroSpace(**common, layers=tuple(layers), skips=tuple(skips))


def _layer(reader: _Reader, value: Any, at: int) -> Layer:
    where = f"Layer {at + 1}"
    form = reader.object(value, where)
    name = reader.text(form, "name", where)
    if "candidates" not in form:
        reader.known(form, where, {"name", "operation", "parameters"})
        return Layer(name, _operation(reader, form, where))
    reader.known(form, where, {"name", "candidates"})
    candidates = []
    for number, candidate in enumerate(reader.items(form, "candidates", where)):
        place = f"{where}, candidate {number + 1}"
        inner = reader.object(candidate, place)
        reader.known(inner, place, {"name", "operation", "parameters"})
        candidates.append((reader.text(inner, "name", place), _operation(reader, inner, place)))
    return Layer(name, LayerChoice(name, tuple(candidates)))


def _operation(reader: _Reader, form: Mapping[str, Any], where: str) -> Operation:
    name = reader.text(form, "operation", where)
    parameters = reader.object(form.get("parameters", {}), f"{where}: parameters")
    return Operation(
        name, {key: _value(reader, value, f"{where}: {key}") for key, value in parameters.items()}
    )


def _value(reader: _Reader, value: Any, where: str) -> Any:
    if not isinstance(value, (Mapping, list)):
        return value
    form = reader.object(value, where)
    reader.known(form, where, {"label", "values"})
    values = reader.items(form, "values", where)
    if any(isinstance(option, (Mapping, list)) for option in values):
        reader.problems.append(f"{where}: values hold lists or objects; give numbers and texts only.")
        values = []
    return ValueChoice(reader.text(form, "label", where), tuple(values))


def _skip(reader: _Reader, value: Any, at: int) -> InputChoice:
    where = f"Skip {at + 1}"
    form = reader.object(value, where)
    reader.known(form, where, {"label", "from", "into", "n_chosen", "align"})
    n_chosen = form.get("n_chosen")
    if n_chosen is not None:
        n_chosen = reader.whole(form, "n_chosen", where)
    return InputChoice(
        label=reader.text(form, "label", where),
        sources=reader.texts(form, "from", where),
        into=reader.text(form, "into", where),
        n_chosen=n_chosen,
        align=reader.text(form, "align", where, default="crop"),
    )


def _cell(reader: _Reader, form: Mapping[str, Any]) -> CellSpace:
    common = _common(reader, form, CELL)
    nodes = reader.whole(form, "nodes", "The space", default=4)
    drawn = [list(edge) for edge in full_edges(min(max(nodes, 0), 8))]
    edges = []
    for edge in reader.items(form, "edges", "The space", default=drawn):
        if isinstance(edge, list) and len(edge) == 2 and all(type(end) is int for end in edge):
            edges.append((edge[0], edge[1]))
        else:
            reader.problems.append(
                f"The edge {shown(edge)} is not understood; give [from, to], two node numbers."
            )
    return CellSpace(
        **common,
        nodes=nodes,
        edges=tuple(edges),
        operations=reader.texts(form, "operations", "The space"),
        channels=reader.whole(form, "channels", "The space", default=4),
        stages=reader.whole(form, "stages", "The space", default=2),
    )


def _darts(reader: _Reader, form: Mapping[str, Any]) -> DartsSpace:
    return DartsSpace(
        **_common(reader, form, DARTS),
        nodes=reader.whole(form, "nodes", "The space", default=DartsSpace.nodes),
        cells=reader.whole(form, "cells", "The space", default=DartsSpace.cells),
        channels=reader.whole(form, "channels", "The space", default=DartsSpace.channels),
        stem_multiplier=reader.whole(
            form, "stem_multiplier", "The space", default=DartsSpace.stem_multiplier
        ),
        operations=reader.texts(form, "operations", "The space", default=list(PRIMITIVES)),
    )
