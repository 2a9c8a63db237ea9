"""A loop that somebody else drives, taken step by step."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from explorer.adapters.steps import Steps


def counting(seen: list[int], last: int) -> Callable[[Callable[[], None]], None]:
    def run(halt: Callable[[], None]) -> None:
        for number in range(last):
            seen.append(number)
            halt()

    return run


def test_nothing_happens_between_two_steps_and_the_end_is_said() -> None:
    seen: list[int] = []
    steps = Steps(counting(seen, 2))
    assert seen == []
    assert steps.next() and seen == [0]
    assert steps.next() and seen == [0, 1]
    assert not steps.next() and steps.is_over and not steps.next()


def test_what_the_function_raises_is_raised_where_it_was_asked() -> None:
    def fails(halt: Callable[[], None]) -> None:
        halt()
        raise ValueError("in the middle")

    steps = Steps(fails)
    assert steps.next()
    with pytest.raises(ValueError, match="in the middle"):
        steps.next()
    assert steps.is_over


def test_a_closed_one_puts_its_things_away_and_goes_no_further() -> None:
    seen: list[int] = []

    def tidy(halt: Callable[[], None]) -> None:
        try:
            counting(seen, 9)(halt)
        finally:
            seen.append(-1)

    steps = Steps(tidy)
    steps.next()
    steps.close()
    assert seen == [0, -1]
