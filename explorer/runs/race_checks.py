"""What keeps a race of strategies on the answer key from being started."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from explorer.catalogue import STRATEGIES
from explorer.errors import UnknownName
from explorer.runs.spec import RunSpec

REPEATS, MOST_REPEATS = 100, 500
MOST_BUDGET = 2_000  # whole trainings of one search
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
        if name != "repeats":
            yield str(UnknownName("setting of a race", name, ("repeats",)))
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
