"""What an engine hears of a strategy's proposal: the rung, the descent, and nothing that means something else."""

from __future__ import annotations

import pytest

from explorer.catalogue import STRATEGIES
from explorer.catalogue.strategies import OWN_STRATEGIES
from explorer.nas.asking import Asked, AskTell, build
from explorer.runs.spec import RunSpec
from explorer.space import load_space

TRIALS = 40


def asked(name: str, **settings: object) -> list[Asked]:
    """The first proposals, each told one after the other that it reached what its number says."""
    spec = RunSpec(
        kind="nas", space="cell", method={"strategy": name}, settings={"strategy": settings}, epochs=9
    )
    strategy: AskTell = build(spec, load_space("cell"))
    found = []
    for number in range(TRIALS):
        one = strategy.ask()
        assert one is not None
        strategy.tell(one, number / TRIALS)
        found.append(one)
    return found


def test_the_first_rung_of_every_bracket_is_rung_0() -> None:
    proposals = asked("hyperband", min_epochs=1, eta=3)
    starts = [one for one in proposals if one.continues is None]
    assert len({one.epochs for one in starts}) > 1  # of several brackets
    assert {one.phase for one in starts} == {0}
    by_number = {one.number: one for one in proposals}
    goes_on = [one for one in proposals if one.continues is not None]
    assert goes_on and all(one.phase == by_number[one.continues].phase + 1 for one in goes_on)  # type: ignore[index]


def test_the_first_population_is_generation_0_and_so_is_a_newcomer_later_on() -> None:
    proposals = asked("aging_evolution", population_size=5, sample_size=2)
    by_number = {one.number: one for one in proposals}
    for one in proposals:
        assert one.phase == (by_number[one.parents[0]].phase + 1 if one.parents else 0)


@pytest.mark.parametrize("name", OWN_STRATEGIES)
def test_what_is_counted_has_a_name(name: str) -> None:
    facts = STRATEGIES[name].facts
    assert facts["generation"] or not facts["phase"]  # the phase of an event counts the generation
    if not facts["generation"]:
        assert {one.phase for one in asked(name)} == {0}
