"""One parameter of a hyper-parameter search space: which values it may take and how they are distributed.

The ten types are NNI's, with NNI's arithmetic: `randint` leaves its upper bound out, the log types draw the logarithm,
the q types round to a multiple of q and then clip into the range.
"""

from __future__ import annotations

import math
import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from explorer.catalogue import shown

if TYPE_CHECKING:
    from explorer.hyper.space import HyperSpace

TYPES = (
    *("choice", "randint", "uniform", "quniform", "loguniform", "qloguniform"),
    *("normal", "qnormal", "lognormal", "qlognormal"),
)
COMBINED = "combine_params"
"""The one name under which NNI's Batch tuner takes a list of complete assignments."""


@dataclass(frozen=True)
class Option:
    """One option of a nested choice: a name, and the parameters that exist only while it is chosen."""

    name: str
    space: HyperSpace

    @property
    def size(self) -> int | None:
        """How many assignments this option has."""
        return self.space.size

    def to_json(self) -> dict[str, Any]:
        """NNI's form."""
        return {"_name": self.name, **self.space.to_json()}


@dataclass(frozen=True)
class Combination:
    """One complete assignment out of a list for NNI's Batch tuner."""

    items: tuple[tuple[str, Any], ...]


@dataclass(frozen=True)
class Domain:
    """A parameter's name, its type, and what stands in `_value`: options, or the numbers that say the distribution."""

    name: str
    type: str
    values: tuple[Any, ...]

    # -- what kind it is --------------------------------------------------------------------------------

    @property
    def is_nested(self) -> bool:
        """Whether the options are named and hold parameters of their own."""
        return any(isinstance(value, Option) for value in self.values)

    @property
    def is_choice(self) -> bool:
        """Whether the values are listed one by one."""
        return self.type == "choice"

    @property
    def is_log(self) -> bool:
        """Whether the logarithm is what is drawn."""
        return "log" in self.type

    @property
    def is_normal(self) -> bool:
        """Whether it is a bell instead of a range."""
        return "normal" in self.type

    @property
    def low(self) -> float:
        """The lower end of a range; of a bell, its mean (of the logarithm for the log types)."""
        return self.values[0]

    @property
    def high(self) -> float:
        """The upper end of a range; of a bell, its standard deviation."""
        return self.values[1]

    @property
    def q(self) -> float | None:
        """The step to whose multiples values are rounded, or None."""
        return float(self.values[2]) if self.type.startswith("q") else None

    @property
    def size(self) -> int | None:
        """Exactly how many values there are; None when there are infinitely many."""
        if self.is_nested:
            sizes = [option.size for option in self.values]
            return None if None in sizes else sum(size for size in sizes if size is not None)
        if self.is_choice:
            return len(self.values)
        if self.type == "randint":
            return int(self.high - self.low)
        if self.q is None or self.is_normal:
            return None
        first, last = self.steps
        return last - first + 1

    @property
    def steps(self) -> tuple[int, int]:
        """The first and the last multiple of q that a q range reaches before it is clipped, ends included."""
        q = self.q or 1.0
        return math.floor(self.low / q + 0.5), math.ceil(self.high / q + 0.5) - 1

    @property
    def ends(self) -> tuple[Any, ...]:
        """What can come out at worst: every option's value or name, the ends of a range, four deviations of a bell."""
        if self.is_choice:
            return tuple(value.name if isinstance(value, Option) else plain(value) for value in self.values)
        if self.type == "randint":
            return (self.low, self.high - 1)
        if self.is_normal:
            return tuple(self.finished(self.low + side * 4 * self.high) for side in (-1, 1))
        inner = math.log if self.is_log else float
        return tuple(self.finished(inner(end)) for end in (self.low, self.high))

    # -- values -----------------------------------------------------------------------------------------

    def finished(self, drawn: float) -> float:
        """The value behind a draw: exponential for the log types, then rounded to q, then clipped, as NNI does it."""
        value = math.exp(drawn) if self.is_log else drawn
        if self.q is not None:
            value = round(value / self.q) * self.q
            if not self.is_normal:
                value = min(max(value, self.low), self.high)
        return float(value)

    def sample(self, rng: random.Random) -> Any:
        """One value, drawn as NNI's Random tuner draws."""
        if self.is_choice:
            chosen = self.values[rng.randrange(len(self.values))]
            if isinstance(chosen, Option):
                return {"_name": chosen.name, **chosen.space.sample(rng)}
            return plain(chosen)
        if self.type == "randint":
            return rng.randrange(int(self.low), int(self.high))
        if self.is_normal:
            return self.finished(rng.normalvariate(self.low, self.high))
        inner = math.log if self.is_log else float
        return self.finished(rng.uniform(inner(self.low), inner(self.high)))

    def problem_with(self, value: Any, where: str = "") -> str | None:
        """One sentence about why `value` lies outside, or None; `where` is the path of a nested choice."""
        name = where + self.name
        if self.is_nested:
            return self._problem_with_option(value, name)
        if self._holds(value):
            return None
        return f"{name} is {shown(value)}; {self.expected()}."

    def _problem_with_option(self, value: Any, name: str) -> str | None:
        options = {option.name: option for option in self.values}
        chosen = value.get("_name") if isinstance(value, Mapping) else None
        if not isinstance(chosen, str) or chosen not in options:
            return f"{name} is {shown(value)}; {self.expected()}."
        inner = {key: part for key, part in value.items() if key != "_name"}
        return options[chosen].space.problem_with(inner, f"{name}/{chosen}/")

    def _holds(self, value: Any) -> bool:
        if self.is_choice:
            return identity(value) in {identity(option) for option in self.values}
        if not is_finite(value):
            return False
        if self.type == "randint":
            return isinstance(value, int) and self.low <= value < self.high
        if self.q is not None:
            return self._holds_multiple(value, self.q)
        if self.is_normal:
            return value > 0 if self.is_log else True
        slack = 1e-12 if self.is_log else 0.0  # exp(log(high)) may miss high by a rounding error
        return self.low * (1 - slack) <= value <= self.high * (1 + slack)

    def _holds_multiple(self, value: float, q: float) -> bool:
        at = round(value / q) if math.isfinite(value / q) else 0
        is_multiple = abs(at * q - value) <= 1e-9 * max(q, abs(value))
        if self.is_normal:
            return is_multiple and (at >= 0 or not self.is_log)
        first, last = self.steps
        first, last = (
            min(first, round(self.low / q)),
            max(last, round(self.high / q)),
        )  # tuners also try the ends
        if (value == self.low and first * q < self.low) or (value == self.high and last * q > self.high):
            return True  # an end that is no multiple, reached by clipping
        slack = 1e-9 * q
        return is_multiple and first <= at <= last and self.low - slack <= value <= self.high + slack

    def expected(self) -> str:
        """What would be right, as the end of a sentence."""
        if self.is_nested:
            names = ", ".join(repr(option.name) for option in self.values[:8])
            return f"give an object whose _name is one of {names}"
        if self.is_choice:
            return f"pick one of {listed(self.values)}"
        if self.type == "randint":
            return f"give a whole number from {self.low:g} to {self.high - 1:g}"
        noun = "a number" if self.q is None else f"a multiple of {self.q:g}"
        if self.is_normal:
            above = " of at least 0" if self.q is not None else " above 0"
            return f"give {noun}{above if self.is_log else ''}"
        return f"give {noun} from {self.low:g} to {self.high:g}"

    def to_json(self) -> dict[str, Any]:
        """NNI's form: {"_type": ..., "_value": [...]}."""
        return {"_type": self.type, "_value": [plain(value) for value in self.values]}


def listed(values: tuple[Any, ...]) -> str:
    """A few options as a sentence lists them."""
    head = ", ".join(shown(plain(value)) for value in values[:8])
    return head if len(values) <= 8 else f"{head} and {len(values) - 8} more"


def is_finite(value: Any) -> bool:
    """Whether `value` is a number (no truth value) that a float can hold."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return False
    try:
        return math.isfinite(value)
    except OverflowError:  # a whole number beyond every float
        return False


def frozen(value: Any) -> Any:
    """A JSON value as final data: lists become tuples, objects Combinations."""
    if isinstance(value, (list, tuple)):
        return tuple(frozen(part) for part in value)
    if isinstance(value, Mapping):
        return Combination(tuple((key, frozen(part)) for key, part in value.items()))
    return value


def plain(value: Any) -> Any:
    """The inverse of `frozen`, nested options included."""
    if isinstance(value, Option):
        return value.to_json()
    if isinstance(value, Combination):
        return {key: plain(part) for key, part in value.items}
    if isinstance(value, (list, tuple)):
        return [plain(part) for part in value]
    return value


def identity(value: Any) -> Any:
    """What makes two options the same: 1 and 1.0 are, 1 and true and "1" are not; usable as a key."""
    if isinstance(value, Combination):
        value = dict(value.items)
    if isinstance(value, Mapping):
        parts = sorted(value.items(), key=lambda item: str(item[0]))
        return ("object", tuple((str(key), identity(part)) for key, part in parts))
    if isinstance(value, (list, tuple)):
        return ("list", tuple(identity(part) for part in value))
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return ("number", value)
    if value is None or isinstance(value, (bool, str)):
        return (type(value).__name__, value)
    return ("other", id(value))
