"""What an answer key would say of a made-up search, from numbers told one by one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from explorer.plots.nas.truth import Place
from explorer.plots.oneshot.worth import Known, Worth

OF, BEST, MEDIAN = 1_000, 0.70, 0.50


def worth_of(
    test: float, code: str = "", half: float = 0.01, rank: int | None = None, seeds: int = 3
) -> Worth:
    """An architecture of this test accuracy; its rank falls in step with it, ten places to either side are luck."""
    stands = round(OF * (BEST - test)) + 1 if rank is None else rank
    place = Place(test, BEST - test, stands, max(1, stands - 10), stands + 10, OF)
    return Worth(code or f"{test:g}", place, half, test - 0.05, seeds, 12.4)


def known(course: Iterable[Worth | None], probed: Mapping[str, float] | None = None) -> Known:
    """A key of noisy digits."""
    return Known("noisy-digits", tuple(course), BEST, MEDIAN, 20, probed or {})


def steps(*steps: int, **more: Any) -> list[dict[str, Any]]:
    """Snapshots of which only the step is known, and an epoch of ten steps."""
    return [{"step": step, "epoch": step / 10, **more} for step in steps]
