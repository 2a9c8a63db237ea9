"""What every search space can do, whatever its family: count, sample, enumerate, encode, measure, compare.

A family adds `mutables`, `lower` and its JSON form. Architectures are numbered 0 .. size - 1 in mixed radix (first
mutable fastest), so sampling is one whole number and enumeration is counting.
"""

from __future__ import annotations

import hashlib
import json
import random
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, ClassVar, Self

from explorer.errors import SpaceError
from explorer.space.architecture import Architecture
from explorer.space.mutables import Mutable
from explorer.space.network import Network
from explorer.space.shapes import Shape

SCHEMA = 1
DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


@dataclass(frozen=True)
class Input:
    """What arrives: channels and side in pixels; `from_dataset` lets the dataset decide instead."""

    channels: int
    side: int
    from_dataset: bool = False

    @property
    def shape(self) -> Shape:
        """(channels, side, side)"""
        return (self.channels, self.side, self.side)


@dataclass(frozen=True)
class SearchSpace(ABC):
    """Everything that may be chosen: ordered, labelled choices over a network."""

    family: ClassVar[str]

    name: str
    input: Input
    title: str = ""
    remarks: tuple[str, ...] = ()

    @cached_property
    @abstractmethod
    def mutables(self) -> tuple[Mutable, ...]:
        """Every choice, in the order in which the code writes them."""

    @abstractmethod
    def lower(self, architecture: Mapping[str, Any]) -> Network:
        """The network of one architecture, as a plain graph."""

    @abstractmethod
    def body_json(self) -> dict[str, Any]:
        """The family's own part of the JSON form."""

    @abstractmethod
    def for_classes(self, classes: int) -> Self:
        """The same space for a dataset with so many classes; only a space that follows its dataset changes."""

    # -- identity ---------------------------------------------------------------------------------------

    def to_json(self) -> dict[str, Any]:
        """A plain dict that `codec.space_from_json` reads back."""
        where: Any = {"channels": self.input.channels, "side": self.input.side}
        form = {"schema": SCHEMA, "family": self.family, "name": self.name, "title": self.title}
        form |= {"input": "dataset" if self.input.from_dataset else where}
        return form | self.body_json() | {"remarks": list(self.remarks)}

    @cached_property
    def hash(self) -> str:
        """16 hexadecimal digits over what is built; name, title and remarks do not count."""
        form = {
            key: value for key, value in self.to_json().items() if key not in ("name", "title", "remarks")
        }
        canonical = json.dumps(form, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(canonical.encode()).hexdigest()[:16]

    def bound_to(self, channels: int, side: int, classes: int) -> Self:
        """The space as it stands on a dataset: a space that follows its dataset takes over shape and classes."""
        if not self.input.from_dataset:
            return self
        return replace(self, input=Input(channels, side, from_dataset=True)).for_classes(classes)

    # -- counting ---------------------------------------------------------------------------------------

    @cached_property
    def size(self) -> int:
        """Exactly how many architectures there are."""
        total = 1
        for mutable in self.mutables:
            total *= mutable.count
        return total

    def architecture_at(self, index: int) -> Architecture:
        """The architecture with number `index` (0 .. size - 1)."""
        choices = {}
        for mutable in self.mutables:
            index, at = divmod(index, mutable.count)
            choices[mutable.label] = mutable.option(at)
        return Architecture(choices)

    def index_of(self, architecture: Mapping[str, Any]) -> int:
        """The number of an architecture; the inverse of `architecture_at`."""
        checked = self.architecture(architecture)
        index, weight = 0, 1
        for mutable in self.mutables:
            index += weight * (mutable.index(checked[mutable.label]) or 0)
            weight *= mutable.count
        return index

    def __iter__(self) -> Iterator[Architecture]:
        return (self.architecture_at(index) for index in range(self.size))

    def sample(self, count: int, rng: random.Random) -> list[Architecture]:
        """`count` distinct architectures drawn uniformly; all of them, shuffled, when the space holds fewer."""
        if count >= self.size:
            return [self.architecture_at(index) for index in rng.sample(range(self.size), self.size)]
        drawn: dict[int, None] = {}  # a range beyond 2**63 cannot be sampled, so draw until enough differ
        while len(drawn) < count:
            drawn.setdefault(rng.randrange(self.size))
        return [self.architecture_at(index) for index in drawn]

    def neighbours(self, architecture: Mapping[str, Any]) -> Iterator[Architecture]:
        """Every architecture that differs in one edit of one choice."""
        here = self.architecture(architecture)
        for mutable in self.mutables:
            for choice in mutable.neighbours(here[mutable.label]):
                yield here.with_choice(mutable.label, choice)

    @property
    def default(self) -> Architecture:
        """Architecture number 0: the first option of every choice."""
        return self.architecture_at(0)

    # -- architectures ----------------------------------------------------------------------------------

    def architecture(self, choices: Mapping[str, Any]) -> Architecture:
        """`choices` checked and in order; raises SpaceError with every problem at once."""
        labels = [mutable.label for mutable in self.mutables]
        problems = [
            f"{self.name} has no choice called {label!r}; its choices are {', '.join(labels) or 'none'}."
            for label in choices
            if label not in labels
        ]
        given = Architecture(choices)
        for mutable in self.mutables:
            if mutable.label not in given:
                problems.append(f"The choice {mutable.label!r} is missing; {mutable.expected()}.")
            elif mutable.index(given[mutable.label]) is None:
                problems.append(f"{mutable.label} is {choices[mutable.label]!r}; {mutable.expected()}.")
        if problems:
            raise SpaceError(*problems)
        return Architecture({label: given[label] for label in labels})

    def code(self, architecture: Mapping[str, Any]) -> str:
        """The compact form: one base-36 number a choice, as many digits as its options need; "340213" for a cell."""
        checked = self.architecture(architecture)
        return "".join(
            _to_base36(mutable.index(checked[mutable.label]) or 0, code_width(mutable))
            for mutable in self.mutables
        )

    def from_code(self, code: str) -> Architecture:
        """The architecture behind `code`; raises SpaceError that says what a code looks like here."""
        widths = [code_width(mutable) for mutable in self.mutables]
        example = self.code(self.default)
        if len(code) != sum(widths) or any(digit not in DIGITS for digit in code):
            raise SpaceError(
                f"{code!r} is no architecture code of {self.name}; "
                f"give {sum(widths)} characters from 0-9 and a-z, for example {example!r}."
            )
        choices, at = {}, 0
        for mutable, width in zip(self.mutables, widths, strict=True):
            index, at = int(code[at : at + width], 36), at + width
            if index >= mutable.count:
                raise SpaceError(
                    f"{code!r} asks for option {index} of {mutable.label}, which has {mutable.count}; "
                    f"count from 0 to {mutable.count - 1}."
                )
            choices[mutable.label] = mutable.option(index)
        return Architecture(choices)


def code_width(mutable: Mutable) -> int:
    """Base-36 digits that the options of a mutable need."""
    width, room = 1, 36
    while room < mutable.count:
        width, room = width + 1, room * 36
    return width


def _to_base36(number: int, width: int) -> str:
    digits = ""
    for _ in range(width):
        number, digit = divmod(number, 36)
        digits = DIGITS[digit] + digits
    return digits
