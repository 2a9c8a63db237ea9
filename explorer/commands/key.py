"""`key ARCHITECTURE`: what the answer key says about one architecture, for people or as JSON.

`--retrain N` asks whether that is true: the architecture is trained with N seeds that the key has not, in a process of
its own, by the code that runs train with and not by the grouped training that made the key.
"""

from __future__ import annotations

import argparse
import json
from typing import Any

from explorer.catalogue import DATASETS
from explorer.commands.reading import space_or_architecture
from explorer.commands.telling import print_json
from explorer.errors import OutsideKey, SpecError, TrialFailed
from explorer.jobs.processes import ask_module
from explorer.key import Key, answer, load, posterior, regret, trials_to_match
from explorer.key.agreement import Agreement, agreement

CHECKING = "explorer.nas.key_checking"
MOST = 100  # trainings of one command


def key_answer(options: argparse.Namespace) -> int:
    """`key ARCHITECTURE [--dataset NAME] [--retrain N]`"""
    space, architecture = space_or_architecture(options.architecture)
    if architecture is None:
        raise SpecError(
            f"{options.architecture!r} is a whole space; give one architecture, like 'cell:340213'."
        )
    key = load(DATASETS.find(options.dataset).name)
    why = key.covers(space, options.dataset)
    if why:
        raise OutsideKey(why)
    place = key.place(architecture)
    if options.retrain is None:
        print_json(answer(key, place)) if options.json else _print_answer(key, place)
        return 0
    if not 1 <= options.retrain <= MOST:
        raise SpecError(f"--retrain is {options.retrain}; give 1 to {MOST} seeds.")
    done = ask_module(CHECKING, [key.dataset, str(options.retrain), str(place)])
    if done.returncode > 0:  # it has said why
        return done.returncode
    if done.returncode < 0:
        raise TrialFailed(f"The process that trained was ended by signal {-done.returncode}.")
    found = json.loads(done.stdout)
    agreed = agreement(key, place, [read for (read,) in found["test"]])
    if options.json:
        print_json({**answer(key, place), "retrained": {**_plain(agreed), "expected": _expected(key, place)}})
    else:
        _print_answer(key, place)
        _print_agreement(agreed)
        print(
            f"  expected             {_expected(key, place):.4f}: what was best or worst of many was also lucky or "
            "unlucky, and this is the key's mean without it"
        )
    return 0


def _expected(key: Key, place: int) -> float:
    return float(posterior(key)[0][key.position[place]])


def _plain(agreed: Agreement) -> dict[str, Any]:
    again = agreed.retrained
    known = agreed.within_luck is not None
    return {
        "seeds": again.seeds,
        "test": again.mean,
        "interval": [again.low, again.high] if known else None,
        "difference": agreed.difference,
        "standard_errors": agreed.errors if known else None,
        "within_luck": agreed.within_luck,
    }


def _print_agreement(agreed: Agreement) -> None:
    again, points = agreed.retrained, 100 * agreed.difference
    seeds = "one new seed" if again.seeds == 1 else f"mean of {again.seeds} new seeds"
    if agreed.within_luck is None:
        print(f"  retrained            {again.mean:.4f}, {seeds}")
        print(
            f"  difference           {points:+.2f} points; how much of it is luck is not known from one seed a cell"
        )
        return
    verdict = "within luck" if agreed.within_luck else "more than luck explains in 95 of 100 cells"
    print(
        f"  retrained            {again.mean:.4f}, 95 % interval {again.low:.4f} to {again.high:.4f}, {seeds}"
    )
    print(f"  difference           {points:+.2f} points, {abs(agreed.errors):.1f} standard errors: {verdict}")


def _print_answer(key: Key, place: int) -> None:
    said, luck = answer(key, place), trials_to_match(key, place)
    bounds = said["interval"]
    band = "" if bounds is None else f", 95 % interval {bounds[0]:.4f} to {bounds[1]:.4f}"
    seeds = "one seed" if said["seeds"] == 1 else f"mean of {said['seeds']} seeds"
    print(f"{said['architecture']} on {said['dataset']}, {seeds}")
    print(f"  test accuracy        {said['test']:.4f}{band}")
    print(f"  validation accuracy  {said['validation']:.4f}, what a search sees")
    print(
        f"  rank                 {said['rank']:,} of {said['of']:,}; with 95 % confidence "
        f"{said['rank_low']:,} to {said['rank_high']:,}"
    )
    print(f"  percentile           {said['percentile']:.1f}")
    print(
        f"  regret               {said['regret']:.4f}; {regret(key, place).shrunken:.4f} "
        "when the luck of the best is taken out"
    )
    print(
        f"  random search        finds one as good after {luck.expected:,.0f} trials on average, "
        f"after {luck.enough:,} with 95 % confidence"
    )
