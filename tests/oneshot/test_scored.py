"""Selection by scores: the budget is kept, nothing is scored twice, and the best that was scored is returned."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any, cast

import pytest

from explorer.oneshot.selection import scored
from explorer.oneshot.selection.context import SelectionContext
from explorer.oneshot.selection.scored import Progress, crossover, mutation
from explorer.space import (
    Architecture,
    CellSpace,
    Input,
    InputChoice,
    Layer,
    LayerChoice,
    MacroSpace,
    Operation,
)

OPERATIONS = ("none", "skip_connect", "conv_1x1", "conv_3x3", "avg_pool_3x3")
CELL = CellSpace(
    "cell",
    Input(1, 8),
    nodes=4,
    edges=((0, 1), (0, 2), (1, 2), (0, 3), (1, 3), (2, 3)),
    operations=OPERATIONS,
)
SMALL = CellSpace("small", Input(1, 8), nodes=2, edges=((0, 1),), operations=OPERATIONS)
MACRO = MacroSpace(
    "macro",
    Input(4, 8),
    layers=(
        Layer("one", LayerChoice("one", (("a", Operation("relu")), ("b", Operation("identity"))))),
        *(Layer(f"layer_{at}", Operation("relu")) for at in range(6)),
    ),
    skips=(
        InputChoice("any", tuple(f"layer_{at}" for at in range(5)), "layer_5", None, "none"),
        InputChoice("two", tuple(f"layer_{at}" for at in range(4)), "layer_4", 2, "none"),
    ),
)


class Scorer:
    """Accuracy by a rule, and every architecture that was asked for."""

    def __init__(self, rule: Callable[[Architecture], float]) -> None:
        self.rule, self.asked = rule, []  # type: ignore[var-annotated]

    def __call__(self, architecture: Architecture) -> float:
        self.asked.append(architecture)
        return self.rule(architecture)


def _convolutions(architecture: Architecture) -> float:
    """How many of the edges convolve 3x3: one architecture of 15,625 has 1.0."""
    return sum(choice == "conv_3x3" for choice in architecture.values()) / len(architecture)


class Policy:
    """A method that samples what it was told."""

    def __init__(self, *samples: Architecture) -> None:
        self.samples = samples

    def sample(self, count: int) -> list[Architecture]:
        return list(self.samples[:count])


def _context(
    space: object, score: Scorer, settings: dict[str, Any], seed: int = 0, **more: Any
) -> SelectionContext:
    fields = {"space": space, "score": score, "settings": settings, "rng": random.Random(seed), **more}
    return cast(SelectionContext, type("Context", (), fields)())


def _played(rule: Progress) -> tuple[list[dict[str, Any]], Architecture]:
    told = []
    while True:
        try:
            told.append(next(rule))
        except StopIteration as end:
            return told, end.value


EVOLUTION = {"population": 20, "generations": 5, "parents": 5, "mutation_probability": 0.1}


def test_evolution_scores_population_times_generations_distinct_architectures() -> None:
    """The budget, one progress for each, and the best so far never falls."""
    scorer = Scorer(_convolutions)
    told, best = _played(scored.select_evolution(_context(CELL, scorer, EVOLUTION)))
    assert len(scorer.asked) == len(set(scorer.asked)) == 100
    assert [each["evaluated"] for each in told] == list(range(1, 101))
    assert [each["best"] for each in told] == sorted(each["best"] for each in told)
    assert _convolutions(best) == told[-1]["best"] == max(map(_convolutions, scorer.asked))


def test_evolution_finds_more_than_random_draws_of_the_same_number() -> None:
    """Over ten seeds; a mutant whose parents are any architecture instead of the best does not."""

    def mean_best(parents: int) -> float:
        total = 0.0
        for seed in range(10):
            context = _context(CELL, Scorer(_convolutions), EVOLUTION | {"parents": parents}, seed)
            total += _convolutions(_played(scored.select_evolution(context))[1])
        return total / 10

    drawn = 0.0
    for seed in range(10):
        context = _context(CELL, Scorer(_convolutions), {"count": 100}, seed)
        drawn += _convolutions(_played(scored.select_random(context))[1]) / 10
    assert mean_best(5) > drawn + 0.15
    assert mean_best(1000) < drawn + 0.15  # the mutant: everybody is a parent


def test_evolution_is_the_same_for_the_same_seed() -> None:
    """All its randomness comes from the context."""
    one, two = Scorer(_convolutions), Scorer(_convolutions)
    _played(scored.select_evolution(_context(CELL, one, EVOLUTION, 3)))
    _played(scored.select_evolution(_context(CELL, two, EVOLUTION, 3)))
    assert one.asked == two.asked


def test_evolution_in_a_space_smaller_than_its_budget_scores_all_of_it() -> None:
    """Five architectures, and no endless search for a sixth."""
    scorer = Scorer(lambda each: float(each["edge_0_1"] == "conv_1x1"))
    told, best = _played(scored.select_evolution(_context(SMALL, scorer, EVOLUTION | {"population": 4})))
    assert len(told) == len(set(scorer.asked)) == 5
    assert best["edge_0_1"] == "conv_1x1"


def test_random_selection_scores_distinct_architectures_and_takes_the_best() -> None:
    """`count` of them."""
    scorer = Scorer(_convolutions)
    told, best = _played(scored.select_random(_context(CELL, scorer, {"count": 50})))
    assert len(told) == len(set(scorer.asked)) == 50
    assert _convolutions(best) == max(map(_convolutions, scorer.asked))


def test_samples_of_the_policy_are_scored_once_each_and_the_first_of_equals_wins() -> None:
    """A converged policy samples the same again and again."""
    one, two = CELL.architecture_at(1), CELL.architecture_at(2)
    scorer = Scorer(lambda each: 0.5)
    context = _context(CELL, scorer, {"count": 20}, method=Policy(two, one, two, two))
    told, best = _played(scored.select_samples(context))
    assert scorer.asked == [two, one] and len(told) == 2
    assert best == two


@pytest.mark.parametrize("space", [CELL, MACRO], ids=["cell", "macro"])
def test_children_are_architectures_of_the_space(space: CellSpace | MacroSpace) -> None:
    """Crossover takes every choice from a parent; mutation with chance 1 changes every choice, with 0 none."""
    rng = random.Random(0)
    for _ in range(50):
        one, two = space.sample(2, rng)
        child = crossover(space, one, two, rng)
        assert child == space.architecture(child)
        assert all(choice in (one[label], two[label]) for label, choice in child.items())
        changed = mutation(space, one, 1.0, rng)
        assert changed == space.architecture(changed)
        assert all(choice != one[label] for label, choice in changed.items())
        assert mutation(space, one, 0.0, rng) == one
