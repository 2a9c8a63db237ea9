"""What a parameter's draws look like, as data for a chart: exact probabilities, or bins whose shares the CDF gives."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from explorer.catalogue import shown
from explorer.hyper.domain import Domain, Option, plain

MAX_BARS = 40
REACH = 3.0
"""Bells are drawn to three standard deviations on either side; what lies outside is told as `rest`."""


@dataclass(frozen=True)
class Bar:
    """One bar: its label, its probability, and from where to where it stands on a numeric axis (None for options)."""

    label: str
    share: float
    low: float | None = None
    high: float | None = None

    @property
    def width(self) -> float | None:
        """How wide it is; 0 for a single value."""
        return None if self.low is None or self.high is None else self.high - self.low


@dataclass(frozen=True)
class Preview:
    """A distribution in at most 40 bars.

    `kind` is "options" (one bar an option), "values" (one bar a value) or "bins" (a bar is a stretch of the axis).
    `is_log` says that the axis, and the bins on it, are logarithmic. `rest` is the probability outside the picture.
    """

    name: str
    kind: str
    is_log: bool
    bars: tuple[Bar, ...]
    rest: float = 0.0

    @property
    def density(self) -> tuple[float, ...]:
        """Share per unit of the axis, as it is drawn (per decade on a logarithmic one); options count as one unit."""
        return tuple(bar.share / self._extent(bar) for bar in self.bars)

    def _extent(self, bar: Bar) -> float:
        if self.kind != "bins" or bar.low is None or bar.high is None or bar.low == bar.high:
            return 1.0
        return math.log10(bar.high / bar.low) if self.is_log and bar.low > 0 else bar.high - bar.low


def preview(domain: Domain, bars: int = MAX_BARS) -> Preview:
    """The distribution of `domain` in at most `bars` (40 at the most) bars."""
    bars = max(1, min(bars, MAX_BARS))
    if domain.is_choice:
        return _options(domain, bars)
    if domain.type == "randint":
        return _whole(domain, bars)
    if domain.q is not None:
        return _multiples(domain, domain.q, bars)
    return _continuous(domain, bars)


def below(domain: Domain, value: float) -> float:
    """The probability that a draw of a numeric type, before rounding to q and clipping, is at most `value`."""
    if domain.is_log:
        if value <= 0:
            return 0.0
        value = math.log(value)
    if domain.is_normal:
        return 0.5 * math.erfc((domain.low - value) / (domain.high * math.sqrt(2)))
    inner = math.log if domain.is_log else float
    low, high = inner(domain.low), inner(domain.high)
    return min(max((value - low) / (high - low), 0.0), 1.0)


def _options(domain: Domain, bars: int) -> Preview:
    labels = [value.name if isinstance(value, Option) else _label(plain(value)) for value in domain.values]
    share = 1 / len(labels)
    drawn = labels if len(labels) <= bars else labels[: bars - 1]
    found = [Bar(label, share) for label in drawn]
    if len(labels) > len(drawn):
        others = len(labels) - len(drawn)
        found.append(Bar(f"{others} more", others * share))
    return Preview(domain.name, "options", False, tuple(found))


def _whole(domain: Domain, bars: int) -> Preview:
    low, count = int(domain.low), domain.size or 1
    if count <= bars:
        return Preview(
            domain.name,
            "values",
            False,
            tuple(Bar(str(value), 1 / count, value, value) for value in range(low, low + count)),
        )
    found = []
    for first, last in _groups(low, low + count - 1, bars):
        found.append(Bar(f"{first} to {last}", (last - first + 1) / count, first - 0.5, last + 0.5))
    return Preview(domain.name, "bins", False, tuple(found))


def _groups(first: int, last: int, most: int) -> Iterator[tuple[int, int]]:
    """Whole numbers from `first` to `last` in at most `most` runs of nearly equal length."""
    count = last - first + 1
    number = min(count, most)
    for at in range(number):
        yield first + count * at // number, first + count * (at + 1) // number - 1


def _multiples(domain: Domain, q: float, bars: int) -> Preview:
    """Values k q, each with what the rounding sends to it; the ends of a range collect what is clipped."""
    first, last = _reach(domain, q)
    found = []
    for start, end in _groups(first, last, bars):
        # a range's end value takes everything beyond it: that is nothing, because nothing is drawn there
        share = below(domain, (end + 0.5) * q) - below(domain, (start - 0.5) * q)
        low, high = _clipped(domain, start * q), _clipped(domain, end * q)
        label = f"{low:.6g}" if start == end else f"{low:.6g} to {high:.6g}"
        found.append(Bar(label, share, low, high))
    one_each = last - first + 1 <= bars
    rest = max(0.0, 1.0 - math.fsum(bar.share for bar in found)) if domain.is_normal else 0.0
    if not one_each:
        found = [Bar(b.label, b.share, (b.low or 0.0) - q / 2, (b.high or 0.0) + q / 2) for b in found]
    return Preview(domain.name, "values" if one_each else "bins", False, tuple(found), rest)


def _reach(domain: Domain, q: float) -> tuple[int, int]:
    if not domain.is_normal:
        return domain.steps
    low, high = (domain.low + side * REACH * domain.high for side in (-1, 1))
    if domain.is_log:
        low, high = math.exp(low), math.exp(high)
    return round(low / q), round(high / q)


def _clipped(domain: Domain, value: float) -> float:
    return value if domain.is_normal else min(max(value, domain.low), domain.high)


def _continuous(domain: Domain, bars: int) -> Preview:
    if domain.is_normal:
        ends = [domain.low + side * REACH * domain.high for side in (-1, 1)]
    else:
        ends = [math.log(end) if domain.is_log else float(end) for end in (domain.low, domain.high)]
    width = (ends[1] - ends[0]) / bars
    edges = [ends[0] + at * width for at in range(bars)] + [ends[1]]
    if domain.is_log:
        edges = [math.exp(edge) for edge in edges]
    shares = [below(domain, high) - below(domain, low) for low, high in pairwise(edges)]
    found = tuple(
        Bar(f"{low:.3g} to {high:.3g}", share, low, high)
        for (low, high), share in zip(pairwise(edges), shares, strict=True)
    )
    rest = max(0.0, 1.0 - math.fsum(shares)) if domain.is_normal else 0.0
    return Preview(domain.name, "bins", domain.is_log, found, rest)


def _label(value: object) -> str:
    return value if isinstance(value, str) and len(value) <= 40 else shown(value)
