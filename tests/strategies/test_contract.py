"""What every strategy of the catalogue promises, whatever it does inside."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest

from explorer.catalogue import OWN_STRATEGIES, STRATEGIES
from explorer.errors import Conflict, SpaceError, SpecError, UnknownName
from explorer.strategies.building import build, strategy_class
from explorer.strategies.contract import FAILED, Proposal, Strategy
from explorer.strategies.radix import place_of
from tests.strategies.tables import SMALL, TINY, table_of

EPOCHS = {"max_epochs": 9}
SETTINGS: Mapping[str, tuple[Mapping[str, Any], ...]] = {
    "local_search": ({}, {"improvement": "first"}),
    "aging_evolution": (
        {"population_size": 6, "sample_size": 3},
        {"population_size": 6, "sample_size": 3, "duplicates": "redraw"},
    ),
    "successive_halving": (EPOCHS, EPOCHS | {"architectures": 5, "eta": 2}),
    "hyperband": (EPOCHS, EPOCHS | {"min_epochs": 2, "eta": 2}),
    "reinforce_controller": ({"controller_units": 8, "learning_rate": 0.03},),
    "predictor": (
        {"initial": 4, "batch": 3},
        {"initial": 4, "batch": 3, "acquisition": "ucb", "regressor": "ridge"},
        {"initial": 4, "batch": 10, "regressor": "forest"},
    ),
}
CASES = [(name, settings) for name in OWN_STRATEGIES for settings in SETTINGS.get(name, ({},))]
LEARNING = ("predictor", "reinforce_controller")
ENOUGH = {"reinforce_controller": 130}  # asks, of a policy that never ends and takes its time
every = pytest.mark.parametrize(
    "name, settings",
    # what learns a model takes its time
    [pytest.param(*case, marks=[pytest.mark.slow] if case[0] in LEARNING else []) for case in CASES],
    ids=lambda case: case if isinstance(case, str) else "",
)


@pytest.fixture(autouse=True)
def few_trees(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is promised here does not hang on how well a forest predicts."""
    monkeypatch.setattr("explorer.nas.regressors.TREES", 5)


def promises_distinct(name: str, settings: Mapping[str, Any]) -> bool:
    promise = STRATEGIES[name].facts["distinct"]
    return promise is True or promise == settings.get("duplicates")


def made(name: str, settings: Mapping[str, Any], counts: tuple[int, ...] = SMALL, seed: int = 0) -> Strategy:
    return build(name, counts, settings, np.random.default_rng(seed))


def value_of(counts: tuple[int, ...]) -> Callable[[Proposal], float]:
    """Values without noise, whose order is the same after every epoch."""
    truth = table_of(counts).truth
    return lambda proposal: float(
        truth[place_of(proposal.choices, counts)] * (1 - 1 / (1 + (proposal.epochs or 9)))
    )


def in_turn(strategy: Strategy, most: int = 400) -> list[Proposal]:
    """Result by result, until it is done or for `most` asks."""
    value, asked, most = value_of(strategy.counts), [], min(most, ENOUGH.get(strategy.name, most))
    while len(asked) < most and (proposal := strategy.ask()):
        asked.append(proposal)
        strategy.tell(proposal, value(proposal))
    assert len(asked) == most or strategy.done
    return asked


def side_by_side(
    strategy: Strategy, workers: int, most: int = 400, seed: int = 1
) -> list[tuple[str, Proposal]]:
    """The story ("ask" or "tell", proposal) with several out at once, their results in any order."""
    rng, value = np.random.default_rng(seed), value_of(strategy.counts)
    story: list[tuple[str, Proposal]] = []
    out: list[Proposal] = []
    most = min(most, ENOUGH.get(strategy.name, most))
    while len(story) < 2 * most:
        proposal = strategy.ask() if len(out) < workers else None
        if proposal:
            out.append(proposal)
            story.append(("ask", proposal))
        elif out:
            told = out.pop(int(rng.integers(len(out))))
            strategy.tell(told, value(told))
            story.append(("tell", told))
        else:
            assert strategy.done, "nothing is out, nothing is asked for, and it is not done"
            break
    return story


@pytest.mark.parametrize("name", OWN_STRATEGIES)
def test_the_catalogue_names_the_class(name: str) -> None:
    assert strategy_class(name).name == name
    facts = {"distinct", "partial", "phase", "generation", "replay", "warm", "engine"}
    assert set(STRATEGIES[name].facts) == facts


@every
def test_choices_are_options_and_proposals_are_numbered(name: str, settings: Mapping[str, Any]) -> None:
    asked = in_turn(made(name, settings))
    assert [proposal.number for proposal in asked] == list(range(len(asked)))
    for proposal in asked:
        assert len(proposal.choices) == len(SMALL)
        assert all(
            type(choice) is int and 0 <= choice < count
            for choice, count in zip(proposal.choices, SMALL, strict=True)
        )
        assert all(parent < proposal.number for parent in proposal.parents)


@every
@pytest.mark.parametrize("workers", [1, 4])
def test_what_promises_distinct_begins_no_architecture_twice_and_all_of_them(
    name: str, settings: Mapping[str, Any], workers: int
) -> None:
    strategy = made(name, settings)
    begun = [
        proposal.choices
        for kind, proposal in side_by_side(strategy, workers)
        if kind == "ask" and proposal.continues is None
    ]
    if promises_distinct(name, settings):
        assert strategy.done and strategy.ask() is None
        assert len(begun) == len(set(begun)) == strategy.size == 120
    else:
        assert not strategy.done and len(set(begun)) < len(begun)


@every
def test_only_partial_trainings_say_epochs_and_they_go_on_from_shorter_ones(
    name: str, settings: Mapping[str, Any]
) -> None:
    asked = in_turn(made(name, settings))
    partial = STRATEGIES[name].facts["partial"]
    assert all((proposal.epochs is not None) == partial for proposal in asked)
    assert any(proposal.continues is not None for proposal in asked) == partial
    for proposal in asked:
        if proposal.continues is not None:
            before = asked[proposal.continues]
            assert before.choices == proposal.choices and before.generation == proposal.generation - 1
            assert (before.epochs or 0) < (proposal.epochs or 0)
    assert len({one.continues for one in asked if one.continues is not None}) == sum(
        one.continues is not None for one in asked
    ), "a training goes on once"


@every
@pytest.mark.parametrize("cut", [7, 60])
def test_a_story_told_again_goes_on_with_the_same_proposals(
    name: str, settings: Mapping[str, Any], cut: int
) -> None:
    story, value = side_by_side(made(name, settings), workers=3), value_of(SMALL)
    again = made(name, settings)
    for kind, proposal in story[:cut]:
        if kind == "tell":
            again.tell(proposal, value(proposal))
        else:
            assert again.ask() == proposal
    for kind, proposal in story[cut:]:
        if kind == "tell":
            again.tell(proposal, value(proposal))
        else:
            assert again.ask() == proposal


@every
def test_an_ask_that_gives_nothing_changes_nothing(name: str, settings: Mapping[str, Any]) -> None:
    """Six workers who ask again and again while they wait, against asks where there is something to get."""
    eager, value = made(name, settings), value_of(SMALL)
    story: list[tuple[str, Proposal]] = []
    out: list[Proposal] = []
    for _ in range(150):
        proposal = eager.ask() if len(out) < 40 else None
        if proposal:
            out.append(proposal)
            story.append(("ask", proposal))
            continue
        for _ in range(3 if len(out) < 40 else 0):
            assert eager.ask() is None
        if not out:
            break
        told = out.pop(0)
        eager.tell(told, value(told))
        story.append(("tell", told))
    calm = made(name, settings)
    for kind, proposal in story:
        if kind == "ask":
            assert calm.ask() == proposal
        else:
            calm.tell(proposal, value(proposal))


@every
def test_the_seed_decides(name: str, settings: Mapping[str, Any]) -> None:
    first, same, other = (in_turn(made(name, settings, seed=seed), 60) for seed in (3, 3, 4))
    assert first == same
    assert (first == other) == (name == "grid")


@every
def test_given_the_whole_of_a_tiny_space_it_finds_the_best(name: str, settings: Mapping[str, Any]) -> None:
    value = value_of(TINY)
    for seed in range(5):
        asked = in_turn(made(name, settings, TINY, seed), 500)
        best = max(asked, key=value)
        assert place_of(best.choices, TINY) == int(table_of(TINY).truth.argmax())
        assert best.epochs in (None, 9)


@every
def test_failed_trials_are_survived(name: str, settings: Mapping[str, Any]) -> None:
    strategy, asked = made(name, settings), 0
    while asked < 200 and (proposal := strategy.ask()):
        strategy.tell(proposal, FAILED if asked % 3 else 0.5)
        asked += 1
    assert asked == 200 or strategy.done
    strategy, asked = made(name, settings), 0
    while asked < 60 and (proposal := strategy.ask()):
        strategy.tell(proposal, FAILED)
        asked += 1
    assert asked == 60


@every
def test_a_space_of_one_and_a_space_beyond_64_bits_can_be_searched(
    name: str, settings: Mapping[str, Any]
) -> None:
    only = made(name, settings, (1, 1))
    proposal = only.ask()
    assert proposal is not None and proposal.choices == (0, 0)
    vast = made(name, settings, (2,) * 80)
    for _ in range(30):
        proposal = vast.ask()
        assert proposal is not None
        vast.tell(proposal, float(sum(proposal.choices)))


@every
def test_a_value_is_told_once_and_is_a_number(name: str, settings: Mapping[str, Any]) -> None:
    strategy = made(name, settings)
    proposal = strategy.ask()
    assert proposal is not None
    with pytest.raises(SpecError, match="proposal 0 is nan; give a number"):
        strategy.tell(proposal, float("nan"))
    with pytest.raises(SpecError, match="proposal 0 is inf; give a number"):
        strategy.tell(proposal, float("inf"))
    strategy.tell(proposal, 0.5)
    with pytest.raises(Conflict, match="Proposal 0 is not out"):
        strategy.tell(proposal, 0.5)


@every
def test_a_space_without_options_and_an_unknown_parameter_are_refused(
    name: str, settings: Mapping[str, Any]
) -> None:
    with pytest.raises(SpaceError, match=r"\(3, 0\); give at least one decision"):
        made(name, settings, (3, 0))
    with pytest.raises(SpaceError):
        made(name, settings, ())
    with pytest.raises(SpecError, match="tempo"):
        made(name, {**settings, "tempo": 3})


@every
def test_a_warm_start_comes_first_in_its_order_and_once(name: str, settings: Mapping[str, Any]) -> None:
    given = [(0, 1, 2, 1), (3, 2, 4, 0), (0, 1, 2, 1), (1, 0, 0, 0)]
    strategy = made(name, settings)
    if not STRATEGIES[name].facts["warm"]:
        with pytest.raises(SpecError, match="no first draws that a warm start could replace"):
            strategy.give(given)
        return
    strategy.give(given)
    asked = in_turn(strategy)
    wanted = [given[0], given[1], given[3]]
    starts = [one for one in asked if not one.parents]
    own = next(one.number for one in starts if one.choices not in wanted)
    begun = [
        one.choices for one in starts if one.number < own
    ]  # a neighbour of another may have come by already
    assert begun == [one for one in wanted if one in begun] and begun[0] == wanted[0]
    assert set(wanted) <= {one.choices for one in asked[:own]}
    if promises_distinct(name, settings):
        begun = [one.choices for one in asked if one.continues is None]
        assert len(set(begun)) == len(begun) == 120
    again = made(name, settings)
    again.give(given)
    assert in_turn(again) == asked
    with pytest.raises(Conflict, match="give a warm start before the first ask"):
        again.give(given)


@pytest.mark.parametrize("wrong", [(0, 1, 2), (0, 1, 5, 0), (-1, 0, 0, 0)])
def test_a_warm_start_from_outside_the_space_is_refused(wrong: tuple[int, ...]) -> None:
    with pytest.raises(SpaceError, match="is no architecture of a space with"):
        made("random", {}).give([wrong])


def test_an_unknown_strategy_is_named_with_the_nearest() -> None:
    with pytest.raises(UnknownName, match="did you mean 'local_search'"):
        build("localsearch", SMALL, {}, np.random.default_rng(0))
