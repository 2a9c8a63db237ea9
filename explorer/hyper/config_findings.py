"""What reading a configuration finds: fields, the v3 form, a note about each key, and what is wrong."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from explorer.catalogue import shown
from explorer.hyper import nni_names
from explorer.hyper.located import Located, Path, Told, line_of
from explorer.hyper.nni_names import Key, folded


@dataclass
class Findings:
    """Grows while a configuration is read; `found` are fields of ConfigReading."""

    located: Located
    found: dict[str, Any] = field(default_factory=dict)
    v3: dict[str, Any] = field(default_factory=dict)
    notes: list[Told] = field(default_factory=list)
    problems: list[Told] = field(default_factory=list)

    def note(self, path: Path, sentence: str) -> None:
        """Explain what stands at `path`."""
        self.notes.append(Told(line_of(self.located.lines, path), sentence))

    def refuse(self, path: Path, sentence: str) -> None:
        """Say what is wrong at `path`."""
        self.problems.append(Told(line_of(self.located.lines, path), sentence))

    def moved(self, key: Key, value: Any, path: Path, into: dict[str, Any]) -> None:
        """A key that only moves to its place in v3, or is left out because v3 has none."""
        if key.v3 is None:
            self.note(path, f"{key.name} is left out: {key.why}.")
            return
        if key.v3 in into:
            self.refuse(path, f"{key.name} says again what another key says; keep one of them.")
        into[key.v3] = value
        become = "stays in the v3 text" if key.v3 == key.name else f"became {key.v3}"
        self.note(path, f"{key.name} {become}; {key.why}.")

    def unknown(self, path: Path, known: Mapping[str, Key], where: str) -> None:
        """A key that NNI does not know."""
        name = str(path[-1])
        if name in nni_names.FOREIGN:
            self.note(path, f"{name} is left out: other training services are not translated here.")
            return
        near = difflib.get_close_matches(folded(name), known, n=1)
        hint = f"; did you mean {known[near[0]].name!r}?" if near else "."
        self.note(path, f"NNI knows no key {shown(name)}{where}, so it is left out{hint}")


def in_order(told: Iterable[Told]) -> list[Told]:
    """Sentences in the order of the text's lines, those about the whole first."""
    return sorted(told, key=lambda one: one.line)


def short(value: Any) -> str:
    """A value as UnknownName quotes it."""
    return value if isinstance(value, str) and len(value) <= 40 else shown(value)
