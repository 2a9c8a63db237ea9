"""Architectures one after another over the drawing of their space, in the format of a film; a still is one alone.

A frame holds 1 where the architecture takes a candidate and 0 elsewhere, and has a title where a film has a step.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from explorer.plots.drawn.film import MOST_FRAMES, changes
from explorer.plots.drawn.rows import Layout, Told, layout_of
from explorer.plots.drawn.text import shown
from explorer.space import SearchSpace

TITLE = 100


@dataclass(frozen=True)
class Moment:
    """An architecture and what to call it."""

    architecture: Mapping[str, Any]
    title: str


def reel(space: SearchSpace, moments: Sequence[Moment]) -> dict[str, Any]:
    """The first 2,000 of `moments`; one that is none of the space is an empty frame, so that frames keep their numbers.

    The keys are those of `film`, with `titles` instead of `steps`.
    """
    layout = layout_of(space)
    held = moments[:MOST_FRAMES]
    told = [layout.told(moment.architecture) for moment in held]
    frames = b"".join(frame_of(one, layout) for one in told)
    return {
        "scene": layout.scene,
        "live": False,
        "rows": layout.form,
        "n": len(held),
        "f": base64.b64encode(frames).decode(),
        "titles": [shown(moment.title, TITLE) for moment in held],
        "ep": [],
        "d": changes(told, layout, gaps=True),
        "s": "",
        "ev": [],
    }


def still(space: SearchSpace, architecture: Mapping[str, Any], title: str = "") -> dict[str, Any]:
    """A reel of one; raises SpaceError for an architecture of another space."""
    return reel(space, [Moment(space.architecture(architecture), title)])


def frame_of(told: Told | None, layout: Layout) -> bytes:
    """255 at the columns that an architecture takes."""
    frame = bytearray(layout.columns)
    for column in told.columns if told else ():
        frame[column] = 255
    return bytes(frame)
