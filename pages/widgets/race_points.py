"""One-shot searches beside a race: those that come with the answer key, and the visitor's own finished runs."""

from __future__ import annotations

from explorer.errors import ExplorerError
from explorer.export import key_says
from explorer.key.oneshot import found_by, recorded
from explorer.plots.nas.race_story import Point, Race, points
from explorer.runs.state import RunState
from explorer.space import load_space
from pages.widgets import runs_at_hand
from pages.widgets.place import may_control, store

NEWEST = 12  # runs of the store that are looked at; each is a whole story to read
BASIS = (
    "Each run is a real search. Its cost in trainings: the search's seconds, derivation included, over those of one "
    "training alone, one thread each; your own runs are reckoned as if this machine were as fast as the one that made "
    "the others. Its accuracy: what the derived cell reaches in the answer key. The range is the 95 % interval of the "
    "mean over the runs (Student's t), wide where there are few."
)


def points_beside(state: RunState, race: Race) -> tuple[Point, ...]:
    """What one-shot searches came to on the race's space and data; empty where the key cannot say."""
    key, _ = key_says.key_of(state.spec.space, state.spec.dataset)
    if key is None:
        return ()
    space = load_space(state.spec.space)
    found = (*recorded(key, space), *found_by(_mine(state.spec.dataset), key, space))
    return points(((one.words, one.trainings, one.seconds, one.test) for one in found), race)


def _mine(dataset: str) -> list[RunState]:
    """The newest finished one-shot runs of this visitor; on an own machine everybody's."""
    read = []
    for summary in store().summaries():
        if summary.kind != "oneshot" or summary.dataset != dataset or not summary.is_over:
            continue
        if not may_control(summary):
            continue
        try:
            read.append(runs_at_hand.state(summary.run_id))
        except ExplorerError:
            continue  # deleted meanwhile, or its story cannot be read
        if len(read) == NEWEST:
            break
    return read
