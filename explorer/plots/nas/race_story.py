"""What a race of strategies came to: read from its measurements, and said in words and numbers; `race` draws it.

`explorer.nas.race` tells the measurements, and a recorded run is a stranger's file: what does not fit is left out.
Accuracies are percent here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from explorer.catalogue import STRATEGIES
from explorer.runs.bounds import is_number, is_whole
from explorer.runs.state import RunState

RANDOM = "random"
TRAININGS, SECONDS = "trainings", "simulated seconds"
AHEAD, OPEN, BEHIND = "ahead", "not told apart", "behind"
_QUARTERS = slice(1, 4)  # of the told 5, 25, 50, 75 and 95 %
Numbers = tuple[float, ...]


@dataclass(frozen=True)
class Band:
    """What half of the repeats lie between, `low` to `high`, and their median, at each of `spent`."""

    spent: Numbers
    low: Numbers
    middle: Numbers
    high: Numbers


@dataclass(frozen=True)
class Racer:
    """One strategy: `final` and `ranks` are sorted, one a repeat; `interval` is the 95 % one of the mean at the end."""

    name: str
    repeats: int
    bands: Mapping[str, Band]
    mean: float
    interval: tuple[float, float]
    final: Numbers
    ranks: Numbers
    best: float

    @property
    def label(self) -> str:
        """The strategy's name for people."""
        return STRATEGIES[self.name].label


@dataclass(frozen=True)
class Duel:
    """A strategy against random search: difference of the means in points with its 95 % interval, and the verdict."""

    name: str
    spent: Numbers
    difference: Numbers
    low: Numbers
    high: Numbers
    verdict: tuple[str, ...]

    @property
    def told(self) -> str:
        """The difference at the end with its interval."""
        return f"{self.difference[-1]:+.2f} points, {self.low[-1]:+.2f} to {self.high[-1]:+.2f}"


@dataclass(frozen=True)
class Race:
    """What is known of a race so far; the best mean at the end first."""

    racers: tuple[Racer, ...]
    duels: Mapping[str, Duel]
    seed: int

    @property
    def basis(self) -> str:
        """What the numbers rest on."""
        counts = sorted({racer.repeats for racer in self.racers})
        many = f"{counts[0]:,}" if len(counts) == 1 else f"{counts[0]:,} to {counts[-1]:,}"
        return (
            f"{many} {'repeat' if counts == [1] else 'repeats'} a strategy, seed {self.seed}. A search sees validation "
            "accuracy of one recorded training; what is drawn is the mean test accuracy that the answer key has of "
            "its best so far."
        )


def race_of(state: RunState) -> Race:
    """Strategies and duels that were told; of one that a resumed run told twice, the newer."""
    told = [each for each in state.measurements if isinstance(each.get("data"), Mapping)]
    racers = {one.name: one for one in _read(told, "race", _racer)}
    duels = {one.name: one for one in _read(told, "race_pair", _duel)}
    ordered = sorted(racers.values(), key=lambda one: -one.mean)
    return Race(
        tuple(ordered), {name: duel for name, duel in duels.items() if name in racers}, state.spec.seed
    )


def _read(told: Sequence[Mapping[str, Any]], name: str, reader: Any) -> Iterator[Any]:
    for each in told:
        if each.get("name") != name:
            continue
        try:
            found = reader(each["data"])
        except (KeyError, TypeError, ValueError, IndexError):
            continue  # a stranger's file
        if found is not None:
            yield found


def _racer(data: Mapping[str, Any]) -> Racer:
    points = _numbers(data["points"])
    bands = {TRAININGS: _band(points, data["bands"])}
    if "seconds" in data:
        bands[SECONDS] = _band(_numbers(data["seconds"]), data["bands_by_seconds"])
    low, high = (_share(row[-1]) for row in data["interval"])
    final = tuple(100 * value for value in _numbers(data["final"]))
    if not is_whole(data["repeats"]) or not len(final) == len(data["ranks"]) == data["repeats"] > 0:
        raise ValueError(data["repeats"])
    return Racer(
        _name(data["strategy"]),
        data["repeats"],
        bands,
        _share(data["mean"][-1]),
        (low, high),
        final,
        _numbers(data["ranks"]),
        _share(data["best"]),
    )


def _duel(data: Mapping[str, Any]) -> Duel | None:
    """The pair from the other's side where random search is named first; None for a pair without it."""
    one, other = _name(data["one"]), _name(data["other"])
    if RANDOM not in (one, other) or one == other:
        return None
    name, sign = (other, -100) if one == RANDOM else (one, 100)
    spent = _numbers(data["points"])
    difference, low, high = (
        tuple(sign * value for value in _numbers(data[key], len(spent)))
        for key in ("difference", "low", "high")
    )
    if len(data["verdict"]) != len(spent):
        raise ValueError(data["verdict"])
    verdict = tuple({name: AHEAD, RANDOM: BEHIND}.get(each, OPEN) for each in data["verdict"])
    return Duel(name, spent, difference, *((low, high) if sign > 0 else (high, low)), verdict)


def _name(value: Any) -> str:
    if value not in STRATEGIES:
        raise ValueError(value)
    return str(value)


def _numbers(values: Any, count: int | None = None) -> Numbers:
    if not isinstance(values, list) or not values or not all(map(is_number, values)):
        raise ValueError(values)
    if count not in (None, len(values)):
        raise ValueError(values)
    return tuple(map(float, values))


def _share(value: Any) -> float:
    return 100 * _numbers([value])[0]


def _band(spent: Numbers, told: Any) -> Band:
    """Percent; points before every repeat has a result, where nothing is known, are left out."""
    rows = list(told)[_QUARTERS]
    known = [at for at, value in enumerate(rows[1]) if value is not None]
    if not known or any(len(row) != len(spent) for row in rows):
        raise ValueError(told)
    low, middle, high = (tuple(_share(row[at]) for at in known) for row in rows)
    return Band(tuple(spent[at] for at in known), low, middle, high)


# -- in words --------------------------------------------------------------------------------------------------------


def answer(race: Race) -> str:
    """Whether any is better than random search here, by the verdicts at the end; "" before anything is known."""
    names = [racer.name for racer in race.racers]
    if not names:
        return ""
    if RANDOM not in names:
        return "Random search did not race, so nothing says whether these beat it; add it and race again."
    if len(names) == 1:
        return "Only random search has raced; it takes another strategy to compare it with."
    if not race.duels:
        return "Nothing is compared yet: that takes the end of the race, and at least 2 repeats of each strategy."
    ordered = [race.duels[name] for name in names if name in race.duels]
    ahead = [duel for duel in ordered if duel.verdict[-1] == AHEAD]
    spent = f"after {max(duel.spent[-1] for duel in ordered):,.0f} trainings"
    parts = [f"**No**: none is ahead of random search with 95 % confidence {spent}."]
    if ahead:
        verb = "is" if len(ahead) == 1 else "are"
        parts = [f"**Yes**: {_listed(ahead)} {verb} ahead of random search with 95 % confidence {spent}."]
    for verdict, words in ((OPEN, "Not told apart from it"), (BEHIND, "Behind it")):
        found = [duel for duel in ordered if duel.verdict[-1] == verdict]
        parts += [f"{words}: {_listed(found)}."] if found else []
    alone = [STRATEGIES[name].label for name in names if name not in race.duels and name != RANDOM]
    parts += [f"Too few repeats to compare: {', '.join(alone)}."] if alone else []
    return " ".join(parts)


def _listed(duels: Sequence[Duel]) -> str:
    words = [f"{STRATEGIES[duel.name].label} ({duel.told})" for duel in duels]
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


@dataclass(frozen=True)
class Standing:
    """A row of the table: percent; `interval` is the mean's, None of one repeat; `against` is what random search is."""

    label: str
    repeats: int
    median: float
    mean: float
    interval: tuple[float, float] | None
    rank: float
    duel: Duel | None


def standings(race: Race) -> tuple[Standing, ...]:
    """How each strategy ended, the best mean first."""
    return tuple(
        Standing(
            racer.label,
            racer.repeats,
            median(racer.final),
            racer.mean,
            racer.interval if racer.repeats > 1 else None,
            median(racer.ranks),
            race.duels.get(racer.name),
        )
        for racer in race.racers
    )
