"""Zero-cost proxies: a pool is drawn and scored untrained; its best are all that is trained, or how a search begins.

The second is the warmup of Abdelfattah, Mehrotra, Dudziak & Lane 2021, arXiv:2101.08134.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from explorer.errors import ExplorerError, TrialFailed
from explorer.jobs.crew import Job, work
from explorer.nas.asking import Asked
from explorer.runs.spec import RunSpec
from explorer.runs.state import RunState
from explorer.space import Architecture, SearchSpace
from explorer.trials.proxies import TARGET, payload

SCORES = "proxy_scores"
PIECE = 16  # architectures that are scored in one go
SHOWN = 200  # of the ranking that is kept in the run's story
Report = Callable[[str, dict[str, Any]], None]


class Ranked:
    """Asks for a pool's architectures in the order of their scores; what comes of them changes nothing."""

    def __init__(self, order: Sequence[Architecture]) -> None:
        self._order, self._asked = order, 0

    def ask(self) -> Asked | None:
        """See AskTell."""
        if self._asked == len(self._order):
            return None
        self._asked += 1
        return Asked(self._asked - 1, self._order[self._asked - 1], first=self._asked - 1)

    def tell(self, asked: Asked, value: float) -> None:
        """Nothing is learnt."""

    def close(self) -> None:
        """Nothing is held."""


def most_promising(
    spec: RunSpec,
    state: RunState,
    space: SearchSpace,
    settings: Mapping[str, Any],
    count: int,
    executor: Any,
    control: Callable[[], Any],
    report: Report,
) -> list[Architecture]:
    """The `count` of a pool, drawn by the run's seed, with the highest scores, the best first; all where it is smaller.

    The executor scores them, a piece a process, and the measurement `proxy_scores` tells them, once a run: what an
    earlier attempt told is not scored again, unless the run's story does not reach so far. Raises TrialFailed when a
    piece cannot be scored, and what `control().raise_if_cancelled()` raises.
    """
    size = min(settings["pool"], space.size)
    told = [each["data"] for each in state.measurements if each["name"] == SCORES]
    known = _read(told[0], space, min(count, size)) if told else None
    if known is not None:
        return known
    pool = space.sample(size, random.Random(spec.seed))
    begun = time.monotonic()
    scores = _scored(spec, pool, settings, executor, control)
    order = sorted(range(size), key=lambda at: (-scores[at], at))
    if not told:
        data = {
            "proxy": settings["proxy"],
            "pool": size,
            "seconds": round(time.monotonic() - begun, 2),
            "best": [[space.code(pool[at]), _finite(scores[at])] for at in order[:SHOWN]],
        }
        report("measurement", {"name": SCORES, "step": 0, "data": data})
    return [pool[at] for at in order[:count]]


def wants_warm_start(spec: RunSpec) -> bool:
    """Whether the run's settings name a proxy to begin with."""
    return spec.settings.get("warm_start", {}).get("proxy") is not None


def _read(told: Any, space: SearchSpace, count: int) -> list[Architecture] | None:
    """The first `count` of the ranking that was told; None where it is shorter, or not of this space."""
    try:
        codes = [code for code, _ in told["best"][:count]]
        return [space.from_code(code) for code in codes] if len(codes) == count else None
    except (KeyError, TypeError, ValueError, ExplorerError):
        return None


def _finite(score: float) -> float | None:
    return score if score > float("-inf") else None


def _scored(
    spec: RunSpec,
    pool: Sequence[Architecture],
    settings: Mapping[str, Any],
    executor: Any,
    control: Callable[[], Any],
) -> list[float]:
    pieces = [pool[start : start + PIECE] for start in range(0, len(pool), PIECE)]
    jobs = [
        Job(
            number,
            TARGET,
            payload(
                spec.space,
                [architecture.to_json() for architecture in piece],
                dataset=spec.dataset,
                proxy=settings["proxy"],
                images=settings["images"],
                seeds=settings["seeds"],
            ),
        )
        for number, piece in enumerate(pieces)
    ]
    found: dict[int, Sequence[float | None]] = {}

    def hear(number: int, kind: str, data: Mapping[str, Any]) -> None:
        if kind != "final":
            raise TrialFailed(f"The pool could not be scored: {data.get('reason') or 'no reason given'}")
        found[number] = data["metrics"]["scores"]

    work(jobs, executor, control, hear)
    flat = [score for number in range(len(pieces)) for score in found[number]]
    return [float("-inf") if score is None else score for score in flat]
