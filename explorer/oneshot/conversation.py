"""What people want of a search while it goes on: asked for a few times a second, kept until there is time to answer.

A step takes milliseconds and asking costs a look into the store, so the clock paces the questions. Long computations
(a selection, a measure) call `beat` between their parts.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

PACE_SECONDS = 0.05


class Interrupted(Exception):
    """A long computation was given up because the run is to be cancelled."""


class Asked(NamedTuple):
    """One request; `in_pause`: whether the run was paused when it was made."""

    kind: str
    data: Mapping[str, Any]
    in_pause: bool


class Conversation:
    """The line to a person: the wishes in force and the requests not answered yet."""

    def __init__(self, control: Callable[[], Any], clock: Callable[[], float]) -> None:
        self._control, self._clock = control, clock
        self._asked: float | None = None
        self._wish: Any = None
        self.requests: deque[Asked] = deque()

    @property
    def cancel(self) -> bool:
        """Whether the run is to end now."""
        return self._wish is not None and self._wish.cancel

    @property
    def pause(self) -> bool:
        """Whether the run is to wait."""
        return self._wish is not None and self._wish.pause

    @property
    def is_quiet(self) -> bool:
        """Whether there is nothing to answer."""
        return not (self.cancel or self.pause or self.requests)

    def listen(self) -> None:
        """Ask when it is time to."""
        now = self._clock()
        if self._asked is None or not 0 <= now - self._asked < PACE_SECONDS:  # a clock may be set back
            self.ask()

    def ask(self) -> None:
        """Ask now; while the run is paused the answer takes its time."""
        was_paused = self.pause
        self._asked = self._clock()
        self._wish = self._control()
        in_pause = was_paused or self.pause  # what comes together with the end of a pause was asked before it
        self.requests += [Asked(each.kind, each.data, in_pause) for each in self._wish.requests]

    def beat(self) -> None:
        """A sign of life from within a long computation; raises Interrupted when the run is to be cancelled."""
        self.listen()
        if self.cancel:
            raise Interrupted

    def wait(self) -> None:
        """A beat that also lasts as long as a pause does."""
        self.beat()
        while self.pause:
            self.ask()
            self.beat()

    def raise_if_cancelled(self) -> None:
        """Raise what ends a cancelled run."""
        if self.cancel:
            self._wish.raise_if_cancelled()
