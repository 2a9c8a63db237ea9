"""Places and choices: a space's own numbering (mixed radix, first decision fastest) and what is one change away."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Choices = tuple[int, ...]
Ints = npt.NDArray[np.int64]


def place_of(choices: Choices, counts: tuple[int, ...]) -> int:
    """The place of an architecture in its space, of any size; `space.index_of`."""
    place, weight = 0, 1
    for choice, count in zip(choices, counts, strict=True):
        place, weight = place + weight * choice, weight * count
    return place


def choices_at(place: int, counts: tuple[int, ...]) -> Choices:
    """The choices at a place; the inverse of `place_of`."""
    choices = []
    for count in counts:
        place, choice = divmod(place, count)
        choices.append(choice)
    return tuple(choices)


def weights_of(counts: tuple[int, ...]) -> Ints:
    """What a step of each decision adds to the place, for spaces that an array can hold."""
    return np.cumprod([1, *counts[:-1]], dtype=np.int64)


@dataclass(frozen=True, eq=False)
class Neighbourhood:
    """What differs in one decision: neighbour j moves decision `decision[j]` on by `offset[j]` options.

    Every other option of a decision is a neighbour, also of an InputChoice, where `space.neighbours` switches one
    source at a time.
    """

    counts: tuple[int, ...]
    decision: Ints  # (neighbours,)
    offset: Ints  # (neighbours,)

    @classmethod
    def of(cls, counts: tuple[int, ...]) -> Neighbourhood:
        """The neighbourhood of a space with so many options a decision."""
        decision = [at for at, count in enumerate(counts) for _ in range(1, count)]
        offset = [step for count in counts for step in range(1, count)]
        return cls(counts, np.array(decision, np.int64), np.array(offset, np.int64))

    def __len__(self) -> int:
        return len(self.decision)

    def choices(self, here: Choices) -> list[Choices]:
        """The neighbours of one architecture, in order."""
        moved = []
        for at, step in zip(self.decision.tolist(), self.offset.tolist(), strict=True):
            moved.append((*here[:at], (here[at] + step) % self.counts[at], *here[at + 1 :]))
        return moved

    def places(self, here: Ints) -> Ints:
        """The neighbours' places of many architectures at once, in the same order."""
        weights, counts = weights_of(self.counts), np.array(self.counts)
        at, step = self.decision, self.offset
        choice = here[:, None] // weights[at] % counts[at]  # (architectures, neighbours)
        return (
            here[:, None] + ((choice + step) % counts[at] - choice) * weights[at]
        )  # (architectures, neighbours)
