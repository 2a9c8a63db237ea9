"""What keeps a race of strategies on the answer key from being started, and how long one takes.

Strategies with lanes step all repeats at once and take no time. The others are asked one repeat after the other: they
share `SLOW_SECONDS`, and each gets as many repeats as fit, but at least 2.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from explorer.catalogue import STRATEGIES
from explorer.errors import UnknownName
from explorer.runs.bounds import is_number
from explorer.runs.spec import RunSpec

REPEATS, MOST_REPEATS = 100, 500
MOST_BUDGET = 2_000  # whole trainings of one search
MOST_SECONDS = 1_000_000  # simulated
SLOW_SECONDS = 45.0  # for all strategies that are asked one repeat after the other
LEAST_REPEATS = 2  # of each, so that there is something to compare
START_SECONDS = 3.0  # a worker, the key, the table
LOOK_SECONDS = 6e-6  # of the slowest strategy with lanes
# Seconds that a repeat of an asked strategy takes: (a training, a training squared), on one core; one that is not
# listed is taken for slow.
A_REPEAT: Mapping[str, tuple[float, float]] = {
    "grid": (5e-5, 0.0),
    "reinforce": (4e-4, 0.0),
    "reinforce_controller": (5e-3, 0.0),
    "predictor": (1e-3, 3e-6),
    "nni-random": (6.5e-4, 0.0),
    "nni-grid": (5e-4, 0.0),
    "nni-evolution": (1e-3, 0.0),
    "nni-tpe": (4e-4, 1.8e-5),
}
UNKNOWN = (0.02, 0.0)
DEFAULT = ("random", "local_search", "aging_evolution", "successive_halving", "hyperband")


def race_problems(spec: RunSpec) -> Iterator[str]:
    """Sentences about strategies, repeats and the budget (`trials`); whether the key answers is the engine's to say."""
    names = spec.method.get("strategies", []) if isinstance(spec.method, dict) else []
    if not isinstance(names, list) or not names:
        yield f"A race has a list of strategies; {names!r:.60} is none. Give at least one, for example random."
        return
    for name in names:
        if not isinstance(name, str) or name not in STRATEGIES:
            yield str(UnknownName("strategy", name, STRATEGIES))
        elif STRATEGIES[name].facts["replay"] == "none":
            yield f"{STRATEGIES[name].label} trains nothing that the answer key knows; leave it out of a race."
    if len(set(map(str, names))) < len(names):
        yield f"A strategy races once; {', '.join(map(str, names))} names one twice."
    if isinstance(spec.trials, int) and spec.trials > MOST_BUDGET:
        yield f"The budget is {spec.trials:,} trainings; a race takes at most {MOST_BUDGET:,}."
    given = spec.settings.get("race", {}) if isinstance(spec.settings, dict) else {}
    yield from race_setting_problems(given)


def race_setting_problems(given: Any) -> Iterator[str]:
    """What is wrong with the settings of the group `race`."""
    if not isinstance(given, dict):
        return  # said where all groups are looked at
    for name, value in given.items():
        if name == "seconds":
            if not is_number(value) or not 0 < value <= MOST_SECONDS:
                yield f"seconds is {value!r:.60}; give a number above 0, up to {MOST_SECONDS:,}."
        elif name != "repeats":
            yield str(UnknownName("setting of a race", name, ("repeats", "seconds")))
        elif not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= MOST_REPEATS:
            yield f"repeats is {value!r:.60}; give a whole number from 1 to {MOST_REPEATS}."


def race_strategy_problems(given: Any) -> Iterator[str]:
    """What is wrong with the parameters of the strategies, by name."""
    for name, values in given.items():
        if name not in STRATEGIES:
            yield str(UnknownName("strategy", name, STRATEGIES))
        elif not isinstance(values, dict):
            yield f"The parameters of {name} are {values!r:.60}; give an object parameter -> value."
        else:
            yield from STRATEGIES[name].problems(values)


# -- a budget in simulated seconds ------------------------------------------------------------------------------------


def seconds_of(spec: RunSpec) -> float | None:
    """The simulated seconds that end each search; None where trainings alone do."""
    given = spec.settings.get("race", {}).get("seconds")
    return None if given is None else float(given)


def seconds_problem(seconds: float, longest: float, mean: float) -> str:
    """Why the budget does not fit trainings that take `mean` and at most `longest` seconds; "" if it does."""
    if seconds < longest:
        return (
            f"A budget of {seconds:g} simulated seconds is shorter than one training, which takes up to {longest:.2f} "
            "s; give more."
        )
    most = MOST_BUDGET * mean
    if seconds > most:
        return (
            f"A budget of {seconds:,.0f} simulated seconds is more than {MOST_BUDGET:,} trainings take; give at most "
            f"{most:,.0f}."
        )
    return ""


# -- how long it takes ------------------------------------------------------------------------------------------------


def repeat_seconds(name: str, trainings: float) -> float:
    """About what one repeat of an asked strategy takes, in seconds; 0 for one with lanes."""
    if STRATEGIES[name].facts["replay"] == "lanes":
        return 0.0
    once, squared = A_REPEAT.get(name, UNKNOWN)
    return once * trainings + squared * trainings**2


def planned(names: Sequence[str], trainings: float, repeats: int) -> tuple[dict[str, int], float]:
    """Strategy -> how many repeats fit, and about how many seconds the whole race takes.

    Whoever is asked gets its share of what is left of `SLOW_SECONDS`, one strategy after the other, as in the race.
    """
    slow = [name for name in names if STRATEGIES[name].facts["replay"] == "asked"]
    fitting, left, told = dict.fromkeys(names, repeats), SLOW_SECONDS, 0.0
    for at, name in enumerate(slow):
        one, share = repeat_seconds(name, trainings), max(0.0, left) / (len(slow) - at)
        fitting[name] = min(repeats, max(LEAST_REPEATS, int(share / one)))
        left -= fitting[name] * one
        told += fitting[name] * one
    quick = (len(names) - len(slow)) * repeats * trainings * LOOK_SECONDS
    return fitting, START_SECONDS + quick + told


def time_problem(names: Sequence[str], trainings: float, repeats: int) -> str:
    """Why the race would take too long even with the fewest repeats; "" if it does not."""
    least = {name: min(repeats, LEAST_REPEATS) * repeat_seconds(name, trainings) for name in names}
    if sum(least.values()) <= SLOW_SECONDS:
        return ""
    worst = max(least, key=least.__getitem__)
    return (
        f"{LEAST_REPEATS} repeats of {STRATEGIES[worst].label} alone take about {least[worst]:,.0f} s, and a race has "
        f"{SLOW_SECONDS:.0f} s for all that are asked step by step; give a smaller budget, or leave it out."
    )
