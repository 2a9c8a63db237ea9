"""What an entry of the catalogue is: a name with its words, its source and its parameters; and a registry of them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from explorer.errors import SpecError, UnknownName


def shown(value: Any) -> str:
    """A value as a sentence quotes it: never longer than a line."""
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


@dataclass(frozen=True)
class Parameter:
    """One setting: its kind (int, float, bool, choice, str), default and closed range [low, high]."""

    name: str
    kind: str
    default: Any
    help: str
    low: float | None = None
    high: float | None = None
    choices: tuple[Any, ...] = ()

    def problem(self, value: Any) -> str | None:
        """One sentence about what is wrong with `value`, or None."""
        return f"{self.name} is {shown(value)}; {self.expected()}." if self._is_wrong(value) else None

    def _is_wrong(self, value: Any) -> bool:
        if value is None and self.default is None:
            return False
        if self.kind == "choice":
            return value not in self.choices
        if self.kind in ("bool", "str"):
            return not isinstance(value, bool if self.kind == "bool" else str)
        whole = isinstance(value, int) and not isinstance(value, bool)
        if not whole and (self.kind == "int" or not isinstance(value, float) or not math.isfinite(value)):
            return True
        return (self.low is not None and value < self.low) or (self.high is not None and value > self.high)

    def expected(self) -> str:
        """What would be right, as the end of a sentence."""
        if self.kind == "choice":
            return "pick " + " or ".join(repr(choice) for choice in self.choices)
        if self.kind == "bool":
            return "give true or false"
        if self.kind == "str":
            return "give a text"
        noun = "a whole number" if self.kind == "int" else "a number"
        if self.low is not None and self.high is not None:
            return f"give {noun} from {self.low:g} to {self.high:g}"
        if self.low is not None:
            return f"give {noun} of at least {self.low:g}"
        return f"give {noun}"


@dataclass(frozen=True)
class Entry:
    """One thing that can be chosen by name."""

    name: str
    label: str
    summary: str
    path: str
    parameters: tuple[Parameter, ...] = ()
    paper: str = ""
    facts: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))

    def defaults(self) -> dict[str, Any]:
        """Parameter name -> default."""
        return {parameter.name: parameter.default for parameter in self.parameters}

    def problems(self, given: Mapping[str, Any]) -> list[str]:
        """Every sentence about unknown or impossible parameters in `given`."""
        known = {parameter.name: parameter for parameter in self.parameters}
        unknown = [
            str(UnknownName(f"parameter of {self.name}", name, known)) for name in given if name not in known
        ]
        found = [known[name].problem(value) for name, value in given.items() if name in known]
        return unknown + [problem for problem in found if problem]

    def settings(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Defaults overlaid with `given`; raises SpecError with every problem at once."""
        problems = self.problems(given)
        if problems:
            raise SpecError(*problems)
        return self.defaults() | dict(given)


class Registry(Mapping[str, Entry]):
    """Entries by name, in the order in which people should meet them."""

    def __init__(self, noun: str, *entries: Entry) -> None:
        self.noun = noun
        self._entries = {entry.name: entry for entry in entries}

    def __getitem__(self, name: str) -> Entry:
        return self._entries[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)

    def find(self, name: object) -> Entry:
        """The entry called `name`; raises UnknownName with the nearest ones."""
        if isinstance(name, str) and name in self._entries:
            return self._entries[name]
        raise UnknownName(self.noun, name, self._entries)


def facts(**named: Any) -> Mapping[str, Any]:
    """What is known of an entry, by name, final."""
    return MappingProxyType(named)
