"""What is still undecided in a search space: LayerChoice, InputChoice and ValueChoice.

A mutable has a label and a finite, ordered list of options; everything that counts, samples, enumerates or encodes
architectures is built on `count`, `option` and `index`. What an option *does* to the network is the space's business.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

Choice = Any  # a candidate's name, a tuple of chosen indices, or a value


@dataclass(frozen=True)
class Operation:
    """A catalogue operation with its parameters; a parameter may itself be a ValueChoice."""

    name: str
    parameters: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "parameters", MappingProxyType(dict(self.parameters)))

    def __hash__(self) -> int:
        return hash((self.name, tuple(sorted(self.parameters.items(), key=lambda item: item[0]))))


@dataclass(frozen=True)
class LayerChoice:
    """Choose one operation among named candidates; a choice is the candidate's name."""

    label: str
    candidates: tuple[tuple[str, Operation], ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The candidates' names, in order."""
        return tuple(name for name, _ in self.candidates)

    @property
    def count(self) -> int:
        """How many options there are."""
        return len(self.candidates)

    def option(self, index: int) -> str:
        """The option at `index`."""
        return self.names[index]

    def index(self, choice: Choice) -> int | None:
        """Where `choice` stands, or None when it is no option."""
        return self.names.index(choice) if choice in self.names else None

    def neighbours(self, choice: Choice) -> Iterator[Choice]:
        """Every option one edit away from `choice`."""
        return (name for name in self.names if name != choice)

    def expected(self) -> str:
        """What would be right, as the end of a sentence."""
        return "pick one of " + ", ".join(self.names)

    def operation(self, choice: str) -> Operation:
        """The candidate called `choice`."""
        return dict(self.candidates)[choice]


@dataclass(frozen=True)
class ValueChoice:
    """Choose one value among some, for example a width; a choice is the value itself."""

    label: str
    values: tuple[Any, ...]

    @property
    def count(self) -> int:
        """How many options there are."""
        return len(self.values)

    def option(self, index: int) -> Any:
        """The option at `index`."""
        return self.values[index]

    def index(self, choice: Choice) -> int | None:
        """Where `choice` stands, or None when it is no option."""
        found = [
            at for at, value in enumerate(self.values) if value == choice and type(value) is type(choice)
        ]
        return found[0] if found else None

    def neighbours(self, choice: Choice) -> Iterator[Choice]:
        """Every option one edit away from `choice`."""
        return (value for value in self.values if value != choice)

    def expected(self) -> str:
        """What would be right, as the end of a sentence."""
        return "pick one of " + ", ".join(str(value) for value in self.values)


@dataclass(frozen=True)
class InputChoice:
    """Choose which earlier outputs are added to the output of layer `into`: this is how skip connections are written.

    A choice is the sorted tuple of chosen indices into `sources`. `n_chosen=None` means any number, none included
    (what NNI 1 meant by leaving `n_chosen` out; NNI 3 then means exactly one). `align` says what happens when the
    shapes differ: "none" adds as they are, "crop" puts a bias-free 1x1 convolution (when channels differ) and a
    centre crop (when sides differ) between.
    """

    label: str
    sources: tuple[str, ...]
    into: str
    n_chosen: int | None = None
    align: str = "crop"

    @property
    def count(self) -> int:
        """How many options there are."""
        total = len(self.sources)
        return 2**total if self.n_chosen is None else math.comb(total, self.n_chosen)

    def option(self, index: int) -> tuple[int, ...]:
        """The option at `index`: a bit mask for any number, lexicographic order for a fixed number."""
        total = len(self.sources)
        if self.n_chosen is None:
            return tuple(at for at in range(total) if index >> at & 1)
        chosen: list[int] = []
        for at in range(total):
            left = self.n_chosen - len(chosen)
            if left == 0:
                break
            with_it = math.comb(total - at - 1, left - 1)
            if index < with_it:
                chosen.append(at)
            else:
                index -= with_it
        return tuple(chosen)

    def index(self, choice: Choice) -> int | None:
        """Where `choice` stands, or None when it is no option."""
        total = len(self.sources)
        if not isinstance(choice, (tuple, list)) or not all(
            type(at) is int and 0 <= at < total for at in choice
        ):
            return None
        if list(choice) != sorted(set(choice)):
            return None
        if self.n_chosen is None:
            mask: int = sum(1 << at for at in choice)
            return mask
        if len(choice) != self.n_chosen:
            return None
        rank, left = 0, self.n_chosen
        for at in range(total):
            if left and at in choice:
                left -= 1
            elif left:
                rank += math.comb(total - at - 1, left - 1)
        return rank

    def neighbours(self, choice: Choice) -> Iterator[tuple[int, ...]]:
        """Every option one edit away: one source switched, or one exchanged when the number is fixed."""
        held, free = set(choice), set(range(len(self.sources))) - set(choice)
        if self.n_chosen is None:
            for at in range(len(self.sources)):
                yield tuple(sorted(held ^ {at}))
            return
        for out in sorted(held):
            for new in sorted(free):
                yield tuple(sorted(held - {out} | {new}))

    def expected(self) -> str:
        """What would be right, as the end of a sentence."""
        number = "any number" if self.n_chosen is None else f"exactly {self.n_chosen}"
        return f"give a sorted list with {number} of the indices 0 to {len(self.sources) - 1}"


Mutable = LayerChoice | InputChoice | ValueChoice
