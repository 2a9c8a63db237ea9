"""Each strategy does what its paper says, seen from what it asks."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from explorer.errors import SpecError
from explorer.strategies.contract import Proposal
from explorer.strategies.evolution import AgingEvolution
from explorer.strategies.halving import Hyperband, Rung, SuccessiveHalving, brackets_of
from explorer.strategies.local_search import LocalSearch
from explorer.strategies.plain import GridSearch, RandomSearch
from explorer.strategies.predictor import PredictorSearch, one_hot_pairs
from explorer.strategies.radix import Choices, Neighbourhood, choices_at, place_of
from explorer.strategies.reinforce import Reinforce
from explorer.strategies.ridge import ridge_ensemble
from tests.strategies.tables import SMALL, table_of

VALUES = dict(
    zip((choices_at(place, SMALL) for place in range(120)), table_of(SMALL).truth.tolist(), strict=True)
)


def value(proposal: Proposal) -> float:
    return VALUES[proposal.choices]


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def changes(a: Choices, b: Choices) -> int:
    return sum(one != other for one, other in zip(a, b, strict=True))


def asked(strategy: Any, most: int, told: Callable[[Proposal], float] = value) -> list[Proposal]:
    found = []
    while len(found) < most and (proposal := strategy.ask()):
        found.append(proposal)
        strategy.tell(proposal, told(proposal))
    return found


# -- places ---------------------------------------------------------------------------------------------------------


def test_places_are_those_of_the_space() -> None:
    from explorer.space import preset

    space = preset("cell")
    counts = tuple(mutable.count for mutable in space.mutables)
    for place in (0, 1, 5, 3124, 15624):
        choices = choices_at(place, counts)
        architecture = space.architecture_at(place)
        assert [architecture[one.label] for one in space.mutables] == [
            one.option(choice) for one, choice in zip(space.mutables, choices, strict=True)
        ]
        assert place_of(choices, counts) == place


def test_neighbours_are_all_that_differ_in_one_decision_and_both_forms_agree() -> None:
    near = Neighbourhood.of(SMALL)
    for place in (0, 37, 119):
        here = choices_at(place, SMALL)
        found = near.choices(here)
        assert set(found) == {one for one in VALUES if changes(one, here) == 1}
        assert len(found) == len(near) == 3 + 2 + 4 + 1
        assert near.places(np.array([place]))[0].tolist() == [place_of(one, SMALL) for one in found]


# -- random and grid ------------------------------------------------------------------------------------------------


def test_random_search_is_uniform_from_the_first_to_the_last_draw() -> None:
    runs = [[place_of(one.choices, (2, 3)) for one in asked(RandomSearch((2, 3), {}, rng(seed)), 6, lambda _: 0.0)]
            for seed in range(1200)]  # fmt: skip
    for at in range(6):
        counts = np.bincount([run[at] for run in runs], minlength=6)
        assert ((counts - 200) ** 2 / 200).sum() < 20.5, "chi squared, 5 degrees of freedom, p = 0.001"


def test_grid_search_is_the_order_of_the_space() -> None:
    found = asked(GridSearch(SMALL, {}, rng()), 200)
    assert [place_of(one.choices, SMALL) for one in found] == list(range(120))


# -- local search ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(8))
def test_local_search_moves_to_the_best_of_all_neighbours_until_none_is_better(seed: int) -> None:
    found = asked(LocalSearch(SMALL, {}, rng(seed)), 200)
    known: dict[Choices, float] = {}
    story = iter(found)
    climbs = 0
    for start in story:
        assert not start.parents and start.phase == climbs and start.choices not in known
        here, climbs = start.choices, climbs + 1
        known[here] = VALUES[here]
        while True:
            around = {one for one in VALUES if changes(one, here) == 1}
            for _ in range(len(around - set(known))):
                looked = next(story)
                assert looked.choices in around and found[looked.parents[0]].choices == here
                known[looked.choices] = VALUES[looked.choices]
            best = max(around, key=VALUES.__getitem__)
            if VALUES[best] <= VALUES[here]:
                break
            here = best
    assert len(known) == 120 and climbs > 1


def test_local_search_with_first_improvement_moves_at_once() -> None:
    found = asked(LocalSearch(SMALL, {"improvement": "first"}, rng(2)), 120)
    moved = 0
    for before, after in pairwise(found):
        if before.parents and value(before) > value(found[before.parents[0]]) and after.parents:
            assert after.parents == (before.number,) or set(VALUES) == {one.choices for one in found}
            moved += after.parents == (before.number,)
    assert moved > 3


def test_local_search_refuses_a_crowd_of_neighbours() -> None:
    with pytest.raises(SpecError, match="here are 199999; take a space with at most 100000"):
        LocalSearch((200_000,), {}, rng())


# -- evolution ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("duplicates", ["allow", "redraw"])
def test_a_child_has_one_change_and_its_parent_was_alive(duplicates: str) -> None:
    settings = {"population_size": 8, "sample_size": 3, "duplicates": duplicates}
    found = asked(AgingEvolution(SMALL, settings, rng(1)), 90)
    children = [one for one in found[8:] if one.parents]
    assert len(children) > 60 and (duplicates == "redraw" or len(children) == 82)
    for newcomer in set(found[8:]) - set(children):
        before = {one.choices for one in found[: newcomer.number]}
        alive = found[newcomer.number - 8 : newcomer.number]
        assert newcomer.generation == 0 and newcomer.choices not in before
        assert any(
            all(near in before for near in Neighbourhood.of(SMALL).choices(one.choices)) for one in alive
        )
    for child in children:
        (parent,) = child.parents
        assert child.number - 8 <= parent < child.number, "the oldest dies"
        assert changes(found[parent].choices, child.choices) == 1
        assert child.generation == found[parent].generation + 1
    assert all(not one.parents and one.generation == 0 for one in found[:8])


def test_the_parent_is_the_best_of_a_sample_drawn_with_replacement() -> None:
    """The k-th best of 5 wins a sample of 2 with ((6-k)^2 - (5-k)^2) / 25."""
    wins = np.zeros(5)
    for seed in range(1500):
        strategy = AgingEvolution(SMALL, {"population_size": 5, "sample_size": 2}, rng(seed))
        for number in range(5):
            proposal = strategy.ask()
            assert proposal is not None
            strategy.tell(proposal, -float(number))
        child = strategy.ask()
        assert child is not None
        wins[child.parents[0]] += 1
    expected = np.array([9, 7, 5, 3, 1]) / 25 * 1500
    assert ((wins - expected) ** 2 / expected).sum() < 18.5, "chi squared, 4 degrees of freedom, p = 0.001"


# -- REINFORCE ------------------------------------------------------------------------------------------------------


def test_reinforce_follows_the_gradient_of_the_expected_reward() -> None:
    """Against finite differences: with a baseline of 0 the mean step over the policy is the gradient."""
    counts, rewards = (2, 3), np.random.default_rng(5).random((2, 3))
    start = [np.array([0.3, -0.2]), np.array([0.1, 0.5, -0.4])]

    def policy(logits: list[Any]) -> list[Any]:
        return [np.exp(row) / np.exp(row).sum() for row in logits]

    def expected(logits: list[Any]) -> float:
        first, second = policy(logits)
        return float(first @ rewards @ second)

    mean = [np.zeros(2), np.zeros(3)]
    for choices in np.ndindex(*counts):
        strategy = Reinforce(counts, {"learning_rate": 1.0, "baseline_decay": 0.9999}, rng())
        strategy._logits = [row.copy() for row in start]
        strategy._baseline = 0.0
        chance = policy(start)[0][choices[0]] * policy(start)[1][choices[1]]
        strategy.tell(strategy._propose(choices), float(rewards[choices]) / 0.9999)
        for total, after, before in zip(mean, strategy._logits, start, strict=True):
            total += chance * (after - before)
    for decision, row in enumerate(start):
        for at in range(len(row)):
            up, down = [one.copy() for one in start], [one.copy() for one in start]
            up[decision][at] += 1e-5
            down[decision][at] -= 1e-5
            assert mean[decision][at] == pytest.approx((expected(up) - expected(down)) / 2e-5, abs=1e-8)


def test_reinforce_begins_uniform_and_comes_to_prefer_what_pays() -> None:
    strategy = Reinforce((4, 3), {}, rng())
    assert [row.tolist() for row in strategy.probabilities()] == [[0.25] * 4, pytest.approx([1 / 3] * 3)]
    asked(strategy, 300, lambda one: float(one.choices[0] == 2))
    assert strategy.probabilities()[0][2] > 0.9
    assert strategy.probabilities()[1].max() < 0.8


# -- halving --------------------------------------------------------------------------------------------------------


def test_hyperbands_brackets_are_those_of_algorithm_1() -> None:
    """R = 81, eta = 3 as in the paper's Table 1; its n are by the formula, of which the table's are a rounded form."""
    brackets = brackets_of("hyperband", {"min_epochs": 1, "max_epochs": 81, "eta": 3})
    assert brackets == (
        (Rung(81, 1), Rung(27, 3), Rung(9, 9), Rung(3, 27), Rung(1, 81)),
        (Rung(34, 3), Rung(11, 9), Rung(3, 27), Rung(1, 81)),
        (Rung(15, 9), Rung(5, 27), Rung(1, 81)),
        (Rung(8, 27), Rung(2, 81)),
        (Rung(5, 81),),
    )


def test_epochs_are_rounded_and_end_with_a_whole_training() -> None:
    settings = {"architectures": 27, "min_epochs": 1, "max_epochs": 20, "eta": 3}
    assert brackets_of("successive_halving", settings) == ((Rung(27, 2), Rung(9, 7), Rung(3, 20)),)


def test_the_best_of_a_rung_go_on_and_the_next_round_is_new() -> None:
    settings = {"architectures": 9, "max_epochs": 9}
    found = asked(SuccessiveHalving(SMALL, settings, rng(4)), 26)
    assert [one.generation for one in found] == 2 * ([0] * 9 + [1] * 3 + [2])
    assert [one.epochs for one in found] == 2 * ([1] * 9 + [3] * 3 + [9])
    best = sorted(found[:9], key=value, reverse=True)[:3]
    assert [one.continues for one in found[9:12]] == [one.number for one in best]
    assert found[12].continues == 9
    assert [one.phase for one in found] == [0] * 13 + [1] * 13


def test_a_rung_waits_for_all_of_its_results() -> None:
    strategy = SuccessiveHalving(SMALL, {"architectures": 3, "max_epochs": 9, "min_epochs": 3}, rng())
    out = [strategy.ask() for _ in range(3)]
    assert strategy.ask() is None and not strategy.done
    for proposal in out[:2]:
        assert proposal is not None
        strategy.tell(proposal, 0.5)
    assert strategy.ask() is None
    assert out[2] is not None
    strategy.tell(out[2], 0.6)
    promoted = strategy.ask()
    assert promoted is not None and promoted.continues == 2 and promoted.epochs == 9


def test_epochs_that_do_not_fit_are_refused() -> None:
    with pytest.raises(SpecError, match="max_epochs is left out; give the epochs"):
        Hyperband(SMALL, {}, rng())
    with pytest.raises(SpecError, match="min_epochs is 5; give at most max_epochs, 3"):
        Hyperband(SMALL, {"max_epochs": 3, "min_epochs": 5}, rng())


# -- predictor ------------------------------------------------------------------------------------------------------


def test_the_code_has_a_one_for_every_choice_and_every_pair() -> None:
    code = one_hot_pairs([(1, 0, 2), (0, 1, 0)], (2, 2, 3))
    assert code.shape == (2, 7 + 4 + 6 + 6) and set(np.unique(code)) == {0.0, 1.0}
    assert code[0, :7].tolist() == [0, 1, 1, 0, 0, 0, 1]
    assert code.sum(axis=1).tolist() == [6, 6]
    every = one_hot_pairs([choices_at(place, (2, 2, 3)) for place in range(12)], (2, 2, 3))
    assert len(np.unique(every, axis=0)) == 12


def test_the_ensemble_solves_ridge_regression_on_bootstrap_samples() -> None:
    features, values = rng(1).random((30, 50)), rng(2).normal(size=30)
    drawn = rng(7).multinomial(30, np.full(30, 1 / 30), 4)
    found = ridge_ensemble(features, values, rng(7), members=4, penalty=0.5)(np.eye(50))
    for weights, often in zip(found, drawn, strict=True):
        normal = features.T @ (often[:, None] * features) + 0.5 * np.eye(50)
        assert weights == pytest.approx(np.linalg.solve(normal, features.T @ (often * values)), abs=1e-4)


def test_a_regressor_that_is_right_is_followed() -> None:
    """With the truth as its prediction the first batch is the best of the candidates, all changes of the best."""

    def oracle(features: Any, values: Any, random: Any) -> Callable[[Any], Any]:
        ends = np.cumsum(SMALL)

        def predict(rows: Any) -> Any:
            at = [
                np.argmax(rows[:, end - count : end], axis=1) for end, count in zip(ends, SMALL, strict=True)
            ]
            return np.array([[VALUES[tuple(one)] for one in np.stack(at, axis=1).tolist()]] * 3)

        return predict

    settings = {"initial": 10, "batch": 5, "candidates": 200}  # what is injected comes before what is named
    strategy = PredictorSearch(SMALL, settings, rng(3), oracle)
    found = asked(strategy, 40)
    left = sorted((VALUES[one] for one in set(VALUES) - {one.choices for one in found[:10]}), reverse=True)
    assert value(found[10]) >= left[2]
    assert [value(one) for one in found[10:15]] == sorted((value(one) for one in found[10:15]), reverse=True)
    assert all(one.parents and one.phase == 1 for one in found[10:15])
    assert max(VALUES.values()) in {value(one) for one in found}
