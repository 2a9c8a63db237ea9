"""The ENAS controller asked and told: it learns what pays, decides any space, and repeats its story."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from explorer.errors import SpaceError
from explorer.nas.controller_search import ControllerSearch, plain_space
from explorer.space import (
    Input,
    InputChoice,
    Layer,
    LayerChoice,
    MacroSpace,
    Operation,
    SearchSpace,
    ValueChoice,
    preset,
)
from explorer.strategies.contract import FAILED
from explorer.strategies.radix import place_of

QUICK = {"controller_units": 8, "learning_rate": 0.1}


def made(counts: tuple[int, ...], space: SearchSpace | None = None, seed: int = 0) -> ControllerSearch:
    return ControllerSearch(counts, QUICK, np.random.default_rng(seed), space)


def counts_of(space: SearchSpace) -> tuple[int, ...]:
    return tuple(mutable.count for mutable in space.mutables)


def chance(strategy: ControllerSearch, option: int) -> float:
    """How probable it is that the first decision takes `option`."""
    paths = [one for one in strategy.space if strategy.space.mutables[0].index(one["decision_0"]) == option]
    with torch.no_grad():
        return float(strategy.controller.teach(paths).log_probability.exp().sum())


def test_it_comes_to_prefer_what_pays() -> None:
    strategy = made((4, 3))
    assert chance(strategy, 2) == pytest.approx(0.25, abs=0.05)
    for _ in range(120):
        proposal = strategy.ask()
        assert proposal is not None
        strategy.tell(proposal, float(proposal.choices[0] == 2))
    assert chance(strategy, 2) > 0.9


def test_an_update_makes_what_was_better_than_usual_likelier() -> None:
    strategy = made((4, 3))
    strategy._baseline = 0.5
    proposal = strategy.ask()
    assert proposal is not None
    chosen = strategy.space.architecture_at(place_of(proposal.choices, strategy.counts))
    with torch.no_grad():
        before = float(strategy.controller.teach([chosen]).log_probability)
    strategy.tell(proposal, 0.9)
    with torch.no_grad():
        assert float(strategy.controller.teach([chosen]).log_probability) > before
    assert strategy._baseline == pytest.approx(0.52, abs=1e-3)  # what entropy is worth aside


def test_the_first_result_is_the_baseline_and_moves_nothing() -> None:
    strategy = made((4, 3))
    before = [weight.detach().clone() for weight in strategy.controller.parameters()]
    proposal = strategy.ask()
    assert proposal is not None
    strategy.tell(proposal, 0.7)
    assert all(
        torch.equal(old, new) for old, new in zip(before, strategy.controller.parameters(), strict=True)
    )
    failed = strategy.ask()
    assert failed is not None
    kept = strategy._baseline
    strategy.tell(failed, FAILED)
    assert strategy._baseline == kept == pytest.approx(0.7, abs=1e-3)


def _widths() -> MacroSpace:
    width = Operation("conv", {"out_channels": ValueChoice("width", (4, 8, 16))})
    return MacroSpace("widths", Input(1, 8), layers=(Layer("conv", width),))


@pytest.mark.parametrize("name", ["cell", "notes-net", "darts-cell", "widths"])
def test_every_proposal_is_of_the_space_whatever_it_decides(name: str) -> None:
    space = _widths() if name == "widths" else preset(name)
    strategy = made(counts_of(space), space)
    knows = any(isinstance(one, InputChoice) for one in strategy.space.mutables)
    assert knows == any(isinstance(one, InputChoice) for one in space.mutables)
    for step in range(4):
        proposal = strategy.ask()
        assert proposal is not None
        space.architecture_at(place_of(proposal.choices, strategy.counts))
        strategy.tell(proposal, 0.1 * step)
    assert strategy.ask() is not None


def test_numbers_of_options_are_a_space_whose_decisions_share_nothing() -> None:
    space = plain_space((3, 3, 1))
    assert counts_of(space) == (3, 3, 1) and all(isinstance(one, LayerChoice) for one in space.mutables)
    assert len(made((3, 3, 1)).controller.softmaxes) == 3
    with pytest.raises(SpaceError, match="30,000 options, and the controller weighs at most 20,000"):
        plain_space((2, 30_000))


def test_nothing_but_its_own_generator_is_drawn_from() -> None:
    first = made((4, 3))
    torch.manual_seed(5)
    strategy = made((4, 3))
    for one, other in zip(first.controller.parameters(), strategy.controller.parameters(), strict=True):
        assert torch.equal(one, other)
    before = torch.get_rng_state()  # torch's layers draw weights of their own, which the controller replaces
    for _ in range(3):
        proposal = strategy.ask()
        assert proposal is not None
        strategy.tell(proposal, 0.5)
    assert torch.equal(before, torch.get_rng_state())
