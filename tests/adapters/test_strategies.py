"""NNI's multi-trial strategies, asked and told."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import closing
from typing import Any

import pytest

from explorer.adapters.strategies import STRATEGIES, NniStrategy
from explorer.errors import SpecError
from explorer.space import SearchSpace, preset

PARAMETERS: Mapping[str, Mapping[str, Any]] = {
    "nni-random": {},
    "nni-grid": {"shuffle": True},
    "nni-evolution": {"population_size": 8, "sample_size": 4, "mutation_prob": 0.2, "crossover": False},
    "nni-tpe": {},
}


@pytest.fixture(params=list(STRATEGIES))
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def worth(space: SearchSpace, code: str) -> float:
    """A landscape with one top: all choices the third option."""
    return sum(digit == "2" for digit in code) / len(space.mutables)


def searched(space: SearchSpace, name: str, count: int, at_once: int = 1, seed: int = 0) -> Iterator[str]:
    """Codes in the order in which they were asked for, with so many out at once; told in that order."""
    with closing(NniStrategy(space, name, PARAMETERS[name], seed)) as strategy:
        out: list[tuple[int, str]] = []
        for _ in range(count):
            if len(out) == at_once:
                number, code = out.pop(0)
                strategy.tell(number, worth(space, code))
            asked = strategy.ask()
            while asked is None and out:
                number, code = out.pop(0)
                strategy.tell(number, worth(space, code))
                asked = strategy.ask()
            if asked is None:
                return
            out.append((asked[0], space.code(asked[1])))
            yield out[-1][1]


def test_it_asks_for_architectures_of_the_space_and_never_twice_the_same(name: str) -> None:
    codes = list(searched(preset("cell"), name, 60, at_once=3))
    assert len(codes) == len(set(codes)) == 60


def test_it_tries_a_small_space_whole_and_ends(name: str) -> None:
    space = preset("notes-net")  # eight architectures, a skip among its choices
    codes = list(searched(space, name, 20))
    assert sorted(codes) == sorted(space.code(one) for one in space)


def test_the_same_seed_asks_the_same(name: str) -> None:
    one, same, other = (list(searched(preset("cell"), name, 30, seed=seed)) for seed in (4, 4, 5))
    assert one == same != other


def test_with_as_many_out_as_the_population_holds_it_waits_for_results() -> None:
    space = preset("cell")
    with closing(NniStrategy(space, "nni-evolution", PARAMETERS["nni-evolution"], 0)) as strategy:
        out = [strategy.ask() for _ in range(8)]
        assert all(out) and strategy.ask() is None and not strategy.is_over
        strategy.tell(3, 0.5)
        assert strategy.ask() is not None


def test_a_failed_model_is_no_parent() -> None:
    space = preset("cell")
    parameters = {"population_size": 3, "sample_size": 3, "mutation_prob": 0.0, "crossover": False}
    with closing(NniStrategy(space, "nni-evolution", parameters, 0)) as strategy:
        for number in range(3):
            assert strategy.ask() is not None
            strategy.tell(number, None if number else 0.25)
        population = strategy.strategy._population
        assert [each.y for each in population] == [0.25]


@pytest.mark.parametrize("learns", ["nni-evolution", "nni-tpe"])
def test_what_learns_finds_more_than_chance(learns: str) -> None:
    space = preset("cell")

    def late(name: str) -> float:
        found = [
            worth(space, code) for seed in range(4) for code in [*searched(space, name, 120, seed=seed)][80:]
        ]
        return sum(found) / len(found)

    assert late(learns) > late("nni-random") + 0.1


def test_tpe_says_which_choice_has_too_many_options() -> None:
    with pytest.raises(SpecError, match="TPE takes at most"):
        NniStrategy(preset("enas-macro", layers=12), "nni-tpe", {}, 0)
