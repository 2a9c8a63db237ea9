"""What a race of strategies came to: read from its measurements, and said in words and numbers; `race` draws it.

`explorer.nas.race` tells the measurements, and a recorded run is a stranger's file: what does not fit is left out.
Accuracies are percent here.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, median, stdev
from typing import Any

from explorer.catalogue import STRATEGIES
from explorer.runs.bounds import is_number, is_whole
from explorer.runs.race_checks import seconds_of
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
    """What is known of a race so far; the best mean at the end first. `unit` is that of its budget and of the duels."""

    racers: tuple[Racer, ...]
    duels: Mapping[str, Duel]
    seed: int
    unit: str = TRAININGS

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
        tuple(ordered),
        {name: duel for name, duel in duels.items() if name in racers},
        state.spec.seed,
        TRAININGS if seconds_of(state.spec) is None else SECONDS,
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
    spent = f"after {max(duel.spent[-1] for duel in ordered):,.0f} {race.unit}"
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


# -- one-shot searches beside it --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Point:
    """One-shot searches of one kind: what each of the runs reached, percent and sorted, and the mean's 95 % interval.

    `spent` is what a run cost on average, in trainings and in simulated seconds; `random` where the median random
    search of the race is for that much, None beyond what it did.
    """

    words: str
    reached: Numbers
    spent: Mapping[str, float]
    interval: tuple[float, float] | None
    random: float | None

    @property
    def runs(self) -> int:
        """How many."""
        return len(self.reached)

    @property
    def accuracy(self) -> float:
        """Their mean."""
        return fmean(self.reached)

    @property
    def label(self) -> str:
        """Its name with the number of runs."""
        return f"{self.words} ({self.runs} {'run' if self.runs == 1 else 'runs'})"


def points(found: Iterable[tuple[str, float, float, float]], race: Race) -> tuple[Point, ...]:
    """Runs as (words, trainings, simulated seconds, true accuracy 0 .. 1) -> a point a kind, the cheapest first."""
    kinds: dict[str, list[tuple[float, float, float]]] = {}
    for words, trainings, seconds, test in found:
        kinds.setdefault(words, []).append((trainings, seconds, 100 * test))
    made = []
    for words, runs in kinds.items():
        spent = {unit: fmean(run[at] for run in runs) for at, unit in enumerate((TRAININGS, SECONDS))}
        reached = tuple(sorted(run[2] for run in runs))
        at_that = _random_at(race, spent[race.unit])
        made.append(Point(words, reached, spent, _interval(reached), at_that))
    return tuple(sorted(made, key=lambda one: one.spent[TRAININGS]))


# two-sided 95 % points of Student's t with 1 to 10 degrees of freedom; beyond them two terms of its expansion
# (Abramowitz & Stegun 26.7.5), good to 0.002
_STUDENT = (12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228)


def _interval(values: Sequence[float]) -> tuple[float, float] | None:
    freedom = len(values) - 1
    if freedom < 1:
        return None
    student = _STUDENT[freedom - 1] if freedom <= 10 else 1.96 + 2.37 / freedom + 2.82 / freedom**2
    mean, half = fmean(values), student * stdev(values) / len(values) ** 0.5
    return max(0.0, mean - half), min(100.0, mean + half)


def _random_at(race: Race, spent: float) -> float | None:
    """The median of random search's repeats once so much is spent, in the race's unit."""
    band = next((racer.bands.get(race.unit) for racer in race.racers if racer.name == RANDOM), None)
    if band is None or not band.spent[0] <= spent <= band.spent[-1]:
        return None
    return band.middle[bisect_right(band.spent, spent) - 1]


def amount(spent: float) -> str:
    """A cost as it is said: with a decimal where it is small."""
    return f"{spent:,.0f}" if spent >= 10 else f"{spent:.1f}"


def beside(race: Race, found: Sequence[Point]) -> str:
    """What the one-shot searches came to and where random search is at that cost, in one sentence each."""
    told = []
    for point in found:
        cost = f"{amount(point.spent[race.unit])} {race.unit}"
        within = "" if point.interval is None else f" ({point.interval[0]:.1f} to {point.interval[1]:.1f})"
        random = (
            "random search was not followed that far"
            if point.random is None
            else f"random search at the same cost {point.random:.1f} % (median)"
        )
        told.append(f"{point.label}, {cost}: {point.accuracy:.1f} %{within}; {random}.")
    return "  \n".join(told)
