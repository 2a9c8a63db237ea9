"""The one way in which a board changes: `apply(board, event) -> board`, an event being a JSON object with a `kind`.

`KINDS` lists every kind with its fields; nothing else is understood. An event says the state that is wanted, never
"the other one", so that hearing it twice is hearing it once (only what adds without naming adds each time). What is
unknown, impossible or tampered with raises SpaceError or UnknownName in one sentence, and the board is as it was.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from explorer.board import building, choosing, whole, wiring
from explorer.board.board import Board, one_of
from explorer.catalogue import shown
from explorer.errors import SpaceError

TESTS: Mapping[str, Callable[[Any], bool]] = {
    "a text": lambda value: isinstance(value, str),
    "a whole number": lambda value: type(value) is int,
    "true or false": lambda value: isinstance(value, bool),
    "an object": lambda value: isinstance(value, Mapping),
    "a value": lambda value: True,
}
TEXT, WHOLE, FLAG, OBJECT, ANY = TESTS


@dataclass(frozen=True)
class Kind:
    """One kind of event: what it does, the fields that it must have and those that may be left out or null."""

    name: str
    act: Callable[..., Board]
    required: Mapping[str, str]
    optional: Mapping[str, str] = field(default_factory=dict)

    def read(self, event: Mapping[str, Any]) -> dict[str, Any]:
        """The event's fields, each of its type; raises SpaceError or UnknownName."""
        known = {**self.required, **self.optional}
        given = {name: value for name, value in event.items() if name != "kind"}
        for name in given:
            one_of(f"field of the edit {self.name!r}", name, known)
        for name, type_ in known.items():
            is_left_out = name in self.optional and given.get(name) is None
            if not is_left_out and (name not in given or not TESTS[type_](given[name])):
                found = f"it is {shown(given[name])}" if name in given else "it is missing"
                raise SpaceError(f"The edit {self.name!r} needs {name}, {type_}; {found}.")
        return {name: value for name, value in given.items() if value is not None or name in self.required}


_NEW = {"parameters": OBJECT, "name": TEXT}

KINDS: Mapping[str, Kind] = MappingProxyType(
    {
        kind.name: kind
        for kind in (
            Kind("pin", choosing.pin, {"label": TEXT, "choice": ANY}),
            Kind("keep", choosing.keep, {"label": TEXT, "option": ANY, "on": FLAG}),
            Kind("skip", choosing.set_skip, {"label": TEXT, "state": TEXT}, {"source": TEXT}),
            Kind("operation", choosing.operation, {"name": TEXT, "on": FLAG}),
            Kind("edge", choosing.edge, {"label": TEXT, "on": FLAG}),
            Kind("allow_all", choosing.allow_all, {}),
            Kind("add_layer", building.add_layer, {"after": TEXT, "operation": TEXT}, _NEW),
            Kind("remove_layer", building.remove_layer, {"layer": TEXT}),
            Kind("move_layer", building.move_layer, {"layer": TEXT, "to": WHOLE}),
            Kind("rename_layer", building.rename_layer, {"layer": TEXT, "name": TEXT}),
            Kind("add_candidate", building.add_candidate, {"layer": TEXT, "operation": TEXT}, _NEW),
            Kind("remove_candidate", building.remove_candidate, {"layer": TEXT, "name": TEXT}),
            Kind(
                "set_parameter",
                building.set_parameter,
                {"layer": TEXT, "parameter": TEXT},
                {"candidate": TEXT, "value": ANY},
            ),
            Kind("add_skip", wiring.add_skip, {"source": TEXT, "into": TEXT}, {"align": TEXT, "label": TEXT}),
            Kind("remove_skip", wiring.remove_skip, {"label": TEXT}),
            Kind("align", wiring.align, {"label": TEXT, "align": TEXT}),
            Kind("input", whole.set_input, {}, {"channels": WHOLE, "side": WHOLE, "dataset": FLAG}),
            Kind("title", whole.set_title, {"title": TEXT}),
            Kind("repair", whole.repair, {}),
        )
    }
)


def apply(board: Board, event: Any) -> Board:
    """The board after `event`; raises SpaceError or UnknownName, and then nothing has changed."""
    if not isinstance(event, Mapping):
        raise SpaceError(f"An edit is an object with a 'kind', not {shown(event)}.")
    kind = KINDS[one_of("kind of edit", event.get("kind"), KINDS)]
    return kind.act(board, **kind.read(event))
