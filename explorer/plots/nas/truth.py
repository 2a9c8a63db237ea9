"""What the answer key says of a search, as plain data: whoever reads the key makes it, charts and lists show it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any


@dataclass(frozen=True)
class Place:
    """One architecture in the key: accuracies as shares of 1; the true rank lies between `low` and `high` of `of`.

    `regret` is the best mean of the searched space minus this one's.
    """

    test: float
    regret: float
    rank: int
    low: int
    high: int
    of: int

    @property
    def band(self) -> str:
        """The ranks between which the truth lies, in brackets; "" where it is one."""
        return f" (with 95 % confidence {self.low:,} to {self.high:,})" if self.low < self.high else ""

    def stands(self, band: str | None = None) -> str:
        """`rank **1,204** (with 95 % confidence 800 to 1,700) of 15,625, …`, in Markdown and without a full stop."""
        below = f"{100 * self.regret:.1f} points below " if self.regret > 0 else ""
        return (
            f"rank **{self.rank:,}**{self.band if band is None else band} of {self.of:,}, "
            f"**{100 * self.test:.1f} %** test accuracy, {below}the best of the space"
        )


def trials_words(expected: float) -> str:
    """So many trials, expected on average: `1 trial`, `1,204 trials`."""
    return "1 trial" if round(expected) == 1 else f"{expected:,.0f} trials"


@dataclass(frozen=True, eq=False)
class Truth:
    """Trial -> its place in the key; a trial that the key does not hold is left out.

    `best` is the best mean test accuracy of the searched space, `resolution` the difference to it that its seeds
    resolve (NaN: unknown), `epochs` what the key's cells were trained for. `field` (size of the whole space,) holds
    the mean test accuracy of every cell, NaN where it was not trained.

    `note` is a sentence where the run trains by another recipe than the key, "" where by the same. Only then `ghosts`
    has, for each trial that ended before its time, the key's mean validation accuracy after every epoch.
    """

    dataset: str
    places: Mapping[int, Place]
    best: float
    resolution: float
    epochs: int
    field: Any
    note: str = ""
    ghosts: Mapping[int, tuple[float, ...]] = field(default_factory=lambda: MappingProxyType({}))
