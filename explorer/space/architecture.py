"""An architecture: one assignment label -> choice, as plain, final data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from explorer.space.mutables import Choice


class Architecture(Mapping[str, Choice]):
    """A frozen mapping label -> choice; lists of indices are kept as tuples so that it can be hashed.

    >>> Architecture({"conv1": "conv3x3", "skip": [0]}).to_json()
    {'conv1': 'conv3x3', 'skip': [0]}
    """

    __slots__ = ("_choices",)

    def __init__(self, choices: Mapping[str, Choice]) -> None:
        self._choices = {
            label: tuple(choice) if isinstance(choice, list) else choice for label, choice in choices.items()
        }

    def __getitem__(self, label: str) -> Choice:
        return self._choices[label]

    def __iter__(self) -> Iterator[str]:
        return iter(self._choices)

    def __len__(self) -> int:
        return len(self._choices)

    def __hash__(self) -> int:
        return hash(tuple(sorted(self._choices.items(), key=lambda item: item[0])))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Architecture) and self._choices == other._choices

    def __repr__(self) -> str:
        return f"Architecture({self._choices!r})"

    def with_choice(self, label: str, choice: Choice) -> Architecture:
        """The same architecture with one choice exchanged."""
        return Architecture({**self._choices, label: choice})

    def to_json(self) -> dict[str, Any]:
        """A plain dict: names, values, and sorted lists of indices."""
        return {
            label: list(choice) if isinstance(choice, tuple) else choice for label, choice in self.items()
        }
