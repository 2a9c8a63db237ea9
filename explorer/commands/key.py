"""`key ARCHITECTURE`: what the answer key says about one architecture, for people or as JSON."""

from __future__ import annotations

import argparse

from explorer.catalogue import DATASETS
from explorer.commands.reading import space_or_architecture
from explorer.commands.telling import print_json
from explorer.errors import OutsideKey, SpecError
from explorer.key import Key, answer, load, regret, trials_to_match


def key_answer(options: argparse.Namespace) -> None:
    """`key ARCHITECTURE [--dataset NAME]`"""
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
    if options.json:
        print_json(answer(key, place))
    else:
        _print_answer(key, place)


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
