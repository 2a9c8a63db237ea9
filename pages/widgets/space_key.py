"""The answer key on the drawing board: how good the pinned cell really is, what an edit changed, what another would.

Nothing is trained: where the key holds the cell the answer is there as soon as the edge was clicked.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import streamlit as st

from explorer.board import Board
from explorer.catalogue import DATASETS
from explorer.errors import KeyDamaged, NoKey
from explorer.export import key_says
from explorer.key import Key, accuracy, available, load, margin, neighbours, trials_to_match
from explorer.plots.nas.edits import Edit, EditsInfo, edge_words, edits_of, edits_svg
from explorer.plots.nas.truth import trials_words
from explorer.space import CellSpace
from pages.widgets import desk
from pages.widgets.drawing import facts, picture
from pages.widgets.words import percent, term

SEEN = "space/key/seen"  # (place before the last edit or None, place now)
MANY = 3  # edges that changed together; more are counted


@dataclass(frozen=True)
class Found:
    """A cell that is pinned, and the key that knows its space."""

    key: Key
    space: CellSpace
    place: int

    @property
    def is_known(self) -> bool:
        """Whether the key holds this very cell."""
        return bool(self.key.position[self.place] >= 0)


def standing(board: Board) -> Found | None:
    """Accuracy, true rank, regret, what luck would take; and what the last edit changed. None where no key knows."""
    space = board.allowed
    keys = _keys(space) if isinstance(space, CellSpace) else []
    if not keys or not isinstance(space, CellSpace):
        st.session_state.pop(SEEN, None)
        return None
    key = _picked(keys)
    found = Found(key, space, int(key.places([board.architecture])[0]))
    before = _before(found.place)
    if not found.is_known:
        st.caption(
            f"The answer key of {key.dataset} holds {len(key.cells):,} of {key.space.size:,} cells, and not this one."
        )
        return found
    _facts(found)
    told = "" if before is None else change(key, before, found.place)
    if told:
        st.markdown(told)
    return found


def _keys(space: CellSpace) -> list[Key]:
    """Every key that is about this space; a damaged one is one sentence."""
    found = []
    for dataset in available():
        try:
            key = load(dataset)
        except NoKey:
            continue
        except KeyDamaged as problem:
            st.caption(f":material/warning: {problem}")
            continue
        if not key.covers(space, dataset):
            found.append(key)
    return found


def _picked(keys: list[Key]) -> Key:
    if len(keys) == 1:
        return keys[0]
    named = {key.dataset: key for key in keys}
    chosen = st.segmented_control(
        "Answer key",
        list(named),
        default=keys[0].dataset,
        format_func=lambda name: DATASETS[name].label,
        required=True,
        key="space/key/dataset",
        help=term("answer key"),
        persist_state="session",
    )
    return named.get(str(chosen), keys[0])


def _before(place: int) -> int | None:
    """The place before the last edit, kept until the next one."""
    before, now = st.session_state.get(SEEN, (None, place))
    if now != place:
        before = now
    st.session_state[SEEN] = before, place
    return before


def _facts(found: Found) -> None:
    key, place = found.key, found.place
    scored = accuracy(key, place).test
    stands = key_says.place_of(key, place, key.means[key_says.held_of(key, found.space)])
    count = f"{scored.seeds} {'seed' if scored.seeds == 1 else 'seeds'}"
    told = [
        ("Test accuracy", key_says.interval(scored), f"{term('test accuracy')} Mean of {count}."),
        ("True rank", key_says.true_rank(stands), f"{term('true rank')} There are {stands.of:,}."),
        ("Regret", f"{100 * stands.regret:.1f} points", term("regret")),
    ]
    if len(key.cells) == found.space.size and not key.missing(found.space):
        draws = trials_to_match(key, place).expected
        told.append(("Random search needs", trials_words(draws), "To find one as good, on average."))
    facts(told)
    st.caption(
        f"By the answer key of {key.dataset}: {count}, {key.epochs} epochs each, by its own recipe. "
        "Click an edge and see what it changes."
    )


def change(key: Key, before: int, now: int) -> str:
    """What an edit changed, in one sentence; "" where nothing did or the key does not hold both."""
    one, two = key.position[[before, now]]
    old, new = key.digits(np.array([before, now]))
    edges = [at for at in range(len(key.labels)) if old[at] != new[at]]
    if not edges or one < 0 or two < 0:
        return ""
    names = key.space.operations
    what = f"{len(edges)} edges changed"
    if len(edges) <= MANY:
        each = (f"{edge_words(key.labels[at])}: {names[old[at]]} became {names[new[at]]}" for at in edges)
        what = "; ".join(each)
    first, last = float(key.means[one]), float(key.means[two])
    points = 100 * (last - first)
    amount = f"{points:+.1f} points ({100 * first:.1f} → {percent(last)})".replace("-", "−")
    return f"{what}. **{amount}**, {_luck(abs(last - first), float(margin(key, key.seeds[one], key.seeds[two])))}."


def _luck(difference: float, resolved: float) -> str:
    if math.isnan(resolved):
        return "from one seed each, so nobody can tell it from luck"
    if difference > resolved:
        return "more than luck"
    return f"which may be luck: the seeds tell apart {100 * resolved:.1f} points"


def edits(found: Found | None) -> None:
    """What each edit of one edge would change, and the best of them at a click."""
    if found is None or not found.is_known:
        return
    info = _edits(found)
    if not info.edits:
        st.caption("None of the allowed cells one edit away is in this key.")
        return
    st.markdown(f"**{info.question}**", help=term("edit"))
    picture(edits_svg(info))
    best = info.best
    if best is None:
        st.caption(
            "Points of test accuracy, bold where more than luck. No edit that the key knows is better than what is "
            "pinned."
        )
        return
    luck = "" if best.is_sure else " The best of these edits may be luck."
    st.caption(f"Points of test accuracy, bold where more than luck.{luck}")
    st.button(
        f"Apply {edge_words(best.label)}: {best.operation} ({best.points:+.1f})",
        icon=":material/auto_fix_high:",
        on_click=desk.tell,
        args=({"kind": "pin", "label": best.label, "choice": best.operation},),
        help="The edit of one edge that wins most by the answer key.",
    )


def _edits(found: Found) -> EditsInfo:
    key, space = found.key, found.space
    pinned = key.space.architecture_at(found.place)
    here = {mutable.label: str(pinned[mutable.label]) for mutable in space.mutables}
    around = (
        Edit(each.label, each.operation, 100 * each.difference, each.significant)
        for each in neighbours(key, found.place)
    )
    return edits_of(here, space.operations, around)
