"""The architecture that a search comes to, by the run's selection rule.

Rules that need nothing but probabilities are arithmetic (`space.derive`); the others score architectures or mixtures
with the trained weights, and people are listened to between two scores.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

from explorer.catalogue import SELECTION_RULES
from explorer.oneshot.conversation import Conversation
from explorer.oneshot.finetune import tune
from explorer.oneshot.judging import RECALIBRATED, RUNNING, Judge
from explorer.oneshot.search import Search
from explorer.oneshot.selection.context import SelectionContext
from explorer.space import Architecture

PROGRESS_SECONDS = 1.0


def choose(
    search: Search,
    judge: Judge,
    talk: Conversation,
    clock: Callable[[], float],
    tell: Callable[[Mapping[str, Any]], None],
) -> Architecture:
    """By the rule of `search`; `tell` hears how far a scoring one is, about once a second and at its end.

    Waits while the run is paused; raises Interrupted when it is to be cancelled.
    """
    entry = SELECTION_RULES.find(search.rule)
    if entry.facts["needs"] == "probabilities":
        return search.derived(search.rule)
    module, attribute = entry.path.split(":")
    choosing = getattr(import_module(module), attribute)(_context(search, judge, talk))
    told, progress = clock(), None
    while True:
        talk.wait()
        try:
            progress = next(choosing)
        except StopIteration as end:
            if progress is not None:
                tell(progress)
            return end.value
        if clock() - told >= PROGRESS_SECONDS:
            told = clock()
            tell(progress)


def _context(search: Search, judge: Judge, talk: Conversation) -> SelectionContext:
    settings = SELECTION_RULES.find(search.rule).settings(search.spec.settings.get("selection", {}))
    batch_norm = RECALIBRATED if settings.get("recalibrate") else RUNNING
    return SelectionContext(
        space=search.space,
        method=search.method,
        net=search.net,
        score=lambda architecture: judge.score(architecture, batch_norm),
        mixture_score=judge.mixture_score,
        settings=settings,
        rng=random.Random(f"selection/{search.spec.seed}"),
        tune=lambda epochs, settled: tune(search, epochs, settled, talk.beat),
    )
