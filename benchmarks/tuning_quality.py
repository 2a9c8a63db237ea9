"""How good the best of 60 trials is: TPE behind our adapter against NNI's own TpeTuner loop, same functions and seeds.

    python -m benchmarks.tuning_quality [--seeds 10] [--trials 60]

Both loops are sequential and in this process; ours makes the calls that the engine makes. A difference is ours minus
NNI's of one seed, larger is worse (everything is minimised); the interval is Student's over the seeds, 95 %.
"""

from __future__ import annotations

import argparse
import math
import random
import statistics
from collections.abc import Callable, Mapping
from typing import Any

LOOKS = (20, 40, 60)
OPTIONS, CHOICES = 4, 8


def main() -> None:
    """A line a function and a look."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--trials", type=int, default=60)
    options = parser.parse_args()
    print("function   trials      ours       NNI   difference, 95 % interval        wins, ties, losses")
    for name, (space, function) in functions().items():
        ours = [our_loop(space, function, seed, options.trials) for seed in range(options.seeds)]
        theirs = [nni_loop(space, function, seed, options.trials) for seed in range(options.seeds)]
        for look in [look for look in LOOKS if look <= options.trials]:
            print(row(name, look, [min(run[:look]) for run in ours], [min(run[:look]) for run in theirs]))


def functions() -> dict[str, tuple[dict[str, Any], Callable[[Mapping[str, Any]], float]]]:
    """Name -> (search space, what is minimised)."""
    from explorer.hyper import DEFAULT_SPACES
    from explorer.tuning.functions import branin, hartmann6

    names = [f"x{number}" for number in range(1, 7)]
    choices = {f"c{at}": {"_type": "choice", "_value": list(range(OPTIONS))} for at in range(CHOICES)}
    return {
        "branin": (DEFAULT_SPACES["branin"], lambda given: branin(given["x1"], given["x2"])),
        "hartmann6": (DEFAULT_SPACES["hartmann6"], lambda given: hartmann6([given[name] for name in names])),
        "discrete": (choices, discrete),
    }


def discrete(given: Mapping[str, Any]) -> float:
    """A separable table with 0 as its one minimum, none of its best options the first: costs drawn once for all."""
    total = 0.0
    for at in range(CHOICES):
        draw = random.Random(at)
        costs = [draw.uniform(0.2, 1.0) for _ in range(OPTIONS)]
        costs[draw.randrange(1, OPTIONS)] = 0.0
        total += costs[given[f"c{at}"]]
    return total


def our_loop(space: Mapping[str, Any], function: Callable[..., float], seed: int, trials: int) -> list[float]:
    """The values in order; `suggest` and `end` as in `tuning.search`."""
    from explorer.adapters.tuners import build_tuner
    from explorer.catalogue import TUNERS

    settings = TUNERS["TPE"].settings({})
    tuner = build_tuner("TPE", space, settings, optimize_mode="minimize", seed=seed)
    values = []
    for number in range(trials):
        suggestion = tuner.suggest(number)
        values.append(function(suggestion.parameters))
        tuner.end(number, values[-1])
    return values


def nni_loop(space: Mapping[str, Any], function: Callable[..., float], seed: int, trials: int) -> list[float]:
    """The values in order, as NNI's dispatcher would drive its tuner."""
    import logging

    from nni.algorithms.hpo.tpe_tuner import TpeTuner

    logging.getLogger("nni").setLevel(logging.CRITICAL)
    tuner = TpeTuner(optimize_mode="minimize", seed=seed)
    tuner.update_search_space(dict(space))
    values = []
    for number in range(trials):
        parameters = tuner.generate_parameters(number)
        values.append(function(parameters))
        tuner.receive_trial_result(number, parameters, values[-1])
        tuner.trial_end(number, True)
    return values


def row(name: str, look: int, ours: list[float], theirs: list[float]) -> str:
    """Means, the paired difference with its interval, and how often who was ahead."""
    from scipy.stats import t

    differences = [mine - other for mine, other in zip(ours, theirs, strict=True)]
    mean = statistics.fmean(differences)
    spread = statistics.stdev(differences) / math.sqrt(len(differences))
    half = t.ppf(0.975, len(differences) - 1) * spread
    wins, losses = sum(one < 0 for one in differences), sum(one > 0 for one in differences)
    count = f"{wins}, {len(differences) - wins - losses}, {losses}"
    means = f"{statistics.fmean(ours):>9.4f} {statistics.fmean(theirs):>9.4f}"
    return f"{name:<10} {look:>6} {means}   {mean:+.4f} [{mean - half:+.4f}, {mean + half:+.4f}]      {count}"


if __name__ == "__main__":
    main()
