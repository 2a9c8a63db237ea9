"""NNI's multi-trial strategies, asked and told in NNI's samples."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import closing
from typing import Any

import pytest
from nni.mutable import Categorical, CategoricalMultiple

from explorer.adapters.strategies import STRATEGIES, NniStrategy

PARAMETERS: Mapping[str, Mapping[str, Any]] = {
    "nni-random": {},
    "nni-grid": {"shuffle": True},
    "nni-evolution": {"population_size": 8, "sample_size": 4, "mutation_prob": 0.2, "crossover": False},
    "nni-tpe": {},
}
CELL = {f"edge_{number}": list("abcde") for number in range(6)}
SKIPS = {
    "first": ["a", "b"],
    "second": ["a", "b"],
    "skip": [[], [0]],
}  # eight, one of them any number of inputs


def strategy(space: Mapping[str, list[Any]], name: str, seed: int = 0, **changes: Any) -> NniStrategy:
    mutables = {
        label: CategoricalMultiple([0], label=label)
        if label == "skip"
        else Categorical(list(values), label=label)
        for label, values in space.items()
    }
    return NniStrategy(mutables, space, name, {**PARAMETERS[name], **changes}, seed)


@pytest.fixture(params=list(STRATEGIES))
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def worth(sample: Mapping[str, Any]) -> float:
    """A landscape with one top: all choices the third option."""
    return sum(value == "c" for value in sample.values()) / len(sample)


def searched(
    space: Mapping[str, list[Any]], name: str, count: int, at_once: int = 1, seed: int = 0
) -> Iterator[str]:
    """Samples in the order in which they were asked for, with so many out at once; told in that order."""
    with closing(strategy(space, name, seed)) as asked_one:
        out: list[tuple[int, Mapping[str, Any]]] = []
        for _ in range(count):
            if len(out) == at_once:
                number, sample = out.pop(0)
                asked_one.tell(number, worth(sample))
            asked = asked_one.ask()
            while asked is None and out:
                number, sample = out.pop(0)
                asked_one.tell(number, worth(sample))
                asked = asked_one.ask()
            if asked is None:
                return
            out.append(asked)
            yield str(asked[1])


def test_it_asks_for_samples_of_the_space_and_never_twice_the_same(name: str) -> None:
    samples = list(searched(CELL, name, 60, at_once=3))
    assert len(samples) == len(set(samples)) == 60


def test_it_tries_a_small_space_whole_and_ends(name: str) -> None:
    assert len(set(searched(SKIPS, name, 20))) == len(list(searched(SKIPS, name, 20))) == 8


def test_the_same_seed_asks_the_same(name: str) -> None:
    one, same, other = (list(searched(CELL, name, 30, seed=seed)) for seed in (4, 4, 5))
    assert one == same != other


def test_with_as_many_out_as_the_population_holds_it_waits_for_results() -> None:
    with closing(strategy(CELL, "nni-evolution")) as evolution:
        out = [evolution.ask() for _ in range(8)]
        assert all(out) and evolution.ask() is None and not evolution.is_over
        evolution.tell(3, 0.5)
        assert evolution.ask() is not None


def test_a_failed_model_is_no_parent() -> None:
    changes = {"population_size": 3, "sample_size": 3, "mutation_prob": 0.0}
    with closing(strategy(CELL, "nni-evolution", **changes)) as evolution:
        for number in range(3):
            assert evolution.ask() is not None
            evolution.tell(number, None if number else 0.25)
        assert [each.y for each in evolution.strategy._population] == [0.25]


@pytest.mark.parametrize("learns", ["nni-evolution", "nni-tpe"])
def test_what_learns_finds_more_than_chance(learns: str) -> None:
    def late(name: str) -> float:
        found = [
            sample.count("'c'") / 6
            for seed in range(3)
            for sample in [*searched(CELL, name, 100, seed=seed)][70:]
        ]
        return sum(found) / len(found)

    assert late(learns) > late("nni-random") + 0.1
