"""Search by a zero-cost proxy: a pool is drawn and scored untrained, then trained from the most promising on."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from explorer.errors import TrialFailed
from explorer.nas.asking import Asked
from explorer.runs.spec import RunSpec
from explorer.space import Architecture, SearchSpace
from explorer.trials.crew import POLL_SECONDS
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


def ranked_pool(
    spec: RunSpec,
    space: SearchSpace,
    settings: Mapping[str, Any],
    executor: Any,
    control: Callable[[], Any],
    report: Report,
) -> list[Architecture]:
    """Architectures drawn by the run's seed, the most promising first; tells the measurement `proxy_scores`.

    The executor scores them, a piece a process. Raises TrialFailed when a piece cannot be scored, and what
    `control().raise_if_cancelled()` raises.
    """
    pool = space.sample(min(settings["pool"], space.size), random.Random(spec.seed))
    begun = time.monotonic()
    scores = _scored(spec, pool, settings, executor, control)
    order = sorted(range(len(pool)), key=lambda at: (-scores[at], at))
    report(
        "measurement",
        {
            "name": SCORES,
            "step": 0,
            "data": {
                "proxy": settings["proxy"],
                "pool": len(pool),
                "seconds": round(time.monotonic() - begun, 2),
                "best": [[space.code(pool[at]), _finite(scores[at])] for at in order[:SHOWN]],
            },
        },
    )
    return [pool[at] for at in order]


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
    found: dict[int, Sequence[float | None]] = {}
    for number, piece in enumerate(pieces):
        asked = payload(
            spec.space,
            [architecture.to_json() for architecture in piece],
            dataset=spec.dataset,
            proxy=settings["proxy"],
            images=settings["images"],
            seeds=settings["seeds"],
        )
        executor.submit(number, TARGET, asked)
    while len(found) < len(pieces):
        control().raise_if_cancelled()
        for heard in executor.poll(POLL_SECONDS):
            if heard.kind != "final":
                raise TrialFailed(
                    f"The pool could not be scored: {heard.data.get('reason') or 'no reason given'}"
                )
            found[heard.trial_id] = heard.data["metrics"]["scores"]
    flat = [score for number in range(len(pieces)) for score in found[number]]
    return [float("-inf") if score is None else score for score in flat]
