"""Small pictures for lists: the best, or the derived, architecture of a run, drawn once and kept."""

from __future__ import annotations

from functools import lru_cache

from explorer.errors import ExplorerError
from explorer.jobs.asking import derived_of
from explorer.plots import scene_of
from explorer.plots.drawn.film import derived_at
from explorer.plots.leaderboard import space_of
from explorer.plots.svg import svg
from explorer.runs.state import RunState
from explorer.runs.summary import RunSummary
from pages.widgets.place import store

MOST_EVENTS = 3_000  # of a run that is read for a picture: some hundredths of a second


def still_of(summary: RunSummary) -> str:
    """The picture of a run as SVG text; "" while it has no architecture, or where reading it would take long."""
    if summary.kind == "hpo" or summary.last_seq > MOST_EVENTS:
        return ""
    if summary.best_trial_id is None and not summary.snapshots:
        return ""
    # While it runs the picture may lag behind: it is drawn anew for every tenth event only.
    version = summary.last_seq if summary.is_over else summary.last_seq // 10 * 10
    return _still(store().url, summary.run_id, version)


@lru_cache(maxsize=256)
def _still(address: str, run_id: str, version: int) -> str:
    try:
        return _drawn(store().state(run_id))
    except ExplorerError:
        return ""


def _drawn(state: RunState) -> str:
    space = space_of(state.spec)
    chosen = (derived_of(state) or {}).get("architecture")
    if chosen is None and state.best is not None:
        chosen = state.best.architecture
    if chosen is None and state.snapshots:
        chosen = derived_at(state, len(state.snapshots) - 1)
    if space is None or not chosen:
        return ""
    return svg(scene_of(space, space.architecture(chosen)))
