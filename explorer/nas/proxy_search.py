"""Zero-cost proxies: a pool is drawn and scored untrained; its best are all that is trained, or how a search begins.

The second is the warmup of Abdelfattah, Mehrotra, Dudziak & Lane 2021, arXiv:2101.08134.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from explorer.catalogue import WARM_START
from explorer.errors import ExplorerError, TrialFailed
from explorer.jobs.crew import POLL_SECONDS
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


def wants_warm_start(spec: RunSpec) -> bool:
    """Whether the run's settings name a proxy to begin with."""
    return spec.settings.get("warm_start", {}).get("proxy") is not None


def warm_start(
    spec: RunSpec,
    state: RunState,
    space: SearchSpace,
    executor: Any,
    control: Callable[[], Any],
    report: Report,
) -> list[Architecture]:
    """The architectures that the strategy is given to begin with, the most promising first.

    What an earlier attempt told is read from the run's story and not scored again. Raises as `ranked_pool`.
    """
    settings = WARM_START.settings(spec.settings["warm_start"])
    told = _told(state, space, min(settings["count"], settings["pool"], space.size))
    ranked = ranked_pool(spec, space, settings, executor, control, report) if told is None else told
    return ranked[: settings["count"]]


def _told(state: RunState, space: SearchSpace, count: int) -> list[Architecture] | None:
    """The first `count` of the ranking that the run told; None where there is none, or it is not of this space."""
    found = [each["data"] for each in state.measurements if each["name"] == SCORES]
    try:
        codes = [code for code, _ in found[0]["best"][:count]]
        return [space.from_code(code) for code in codes] if len(codes) == count else None
    except (IndexError, KeyError, TypeError, ValueError, ExplorerError):
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
