"""Selection by scores: try architectures with the weights they inherit, and take the one that does best.

Every rule here is a generator: it yields {"evaluated": n, "best": accuracy} after each architecture that it scored and
returns the best one (the first among equals). No architecture is scored twice.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Generator, Iterable, Mapping
from typing import Any

from explorer.oneshot.selection.context import SelectionContext
from explorer.space import Architecture, SearchSpace

Progress = Generator[dict[str, Any], None, Architecture]
PATIENCE = 50  # draws in vain after which a child is drawn at random instead


class Scores:
    """What was scored so far: architecture -> accuracy, in the order of scoring."""

    def __init__(self, score: Callable[[Architecture], float]) -> None:
        self._score = score
        self.known: dict[Architecture, float] = {}

    def add(self, architecture: Architecture) -> dict[str, Any]:
        """Score one that is not known yet; returns the progress to yield."""
        self.known[architecture] = self._score(architecture)
        return {"evaluated": len(self.known), "best": self.known[self.best(1)[0]]}

    def best(self, count: int) -> list[Architecture]:
        """The `count` best so far; of equals the earlier."""
        return sorted(self.known, key=self.known.__getitem__, reverse=True)[:count]


def select_samples(context: SelectionContext) -> Progress:
    """The best of `count` architectures that the method's policy draws (Pham et al. 2018, section 2.2)."""
    return _best_of(context.method.sample(context.settings["count"]), context)


def select_random(context: SelectionContext) -> Progress:
    """The best of `count` distinct architectures drawn uniformly (Li & Talwalkar 2019)."""
    return _best_of(context.space.sample(context.settings["count"], context.rng), context)


def _best_of(candidates: Iterable[Architecture], context: SelectionContext) -> Progress:
    scores = Scores(context.score)
    for candidate in candidates:
        if candidate not in scores.known:
            yield scores.add(candidate)
    return scores.best(1)[0]


def select_evolution(context: SelectionContext) -> Progress:
    """Evolution (Guo et al. 2019, section 3.4 and algorithm 1) over `generations` of `population` architectures.

    The first generation is random. In the others one half are crossovers of two and the other half mutations of one
    of the `parents` best so far, whenever they lived. All are distinct; where no new child is found a random
    architecture stands in. A space smaller than the budget is scored as a whole.
    """
    space, settings, rng = context.space, context.settings, context.rng
    scores = Scores(context.score)
    population: int = settings["population"]
    for architecture in space.sample(population, rng):
        yield scores.add(architecture)
    for _ in range(settings["generations"] - 1):
        parents = scores.best(settings["parents"])
        for at in range(min(population, space.size - len(scores.known))):
            crossing = at < population // 2
            child = _new_child(space, parents, scores.known, crossing, settings["mutation_probability"], rng)
            yield scores.add(child)
    return scores.best(1)[0]


def _new_child(
    space: SearchSpace,
    parents: list[Architecture],
    known: Mapping[Architecture, float],
    crossing: bool,
    probability: float,
    rng: random.Random,
) -> Architecture:
    for _ in range(PATIENCE):
        if crossing and len(parents) > 1:
            one, other = rng.sample(parents, 2)
            child = crossover(space, one, other, rng)
        else:
            child = mutation(space, rng.choice(parents), probability, rng)
        if child not in known:
            return child
    return _new_random(space, known, rng)


def _new_random(space: SearchSpace, known: Mapping[Architecture, float], rng: random.Random) -> Architecture:
    """A random architecture that is not known yet; there must be one."""
    start = rng.randrange(space.size)
    for step in range(len(known) + 1):  # so many neighbours in the numbering cannot all be known
        architecture = space.architecture_at((start + step) % space.size)
        if architecture not in known:
            return architecture
    raise AssertionError("every architecture is known")


def crossover(space: SearchSpace, one: Architecture, other: Architecture, rng: random.Random) -> Architecture:
    """Each choice from either parent, evenly."""
    return Architecture(
        {mutable.label: (one if rng.random() < 0.5 else other)[mutable.label] for mutable in space.mutables}
    )


def mutation(
    space: SearchSpace, parent: Architecture, probability: float, rng: random.Random
) -> Architecture:
    """Each choice changes with `probability`: to another candidate, or by one source switched or exchanged."""
    child = dict(parent)
    for mutable in space.mutables:
        if mutable.count > 1 and rng.random() < probability:
            child[mutable.label] = rng.choice(list(mutable.neighbours(parent[mutable.label])))
    return Architecture(child)
