"""An engine's ear: signs of life given in the middle of long work lose no request that comes with them."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any


class Ear:
    """`control`, kept alive where nobody may answer yet: a request is told once, so it is kept for `hear`."""

    def __init__(self, control: Callable[[], Any]) -> None:
        self._control, self._kept = control, deque[Any]()

    def nod(self) -> Any:
        """A sign of life that raises nothing for a wish to cancel."""
        wish = self._control()
        self._kept.extend(wish.requests)
        return wish

    def listen(self) -> Any:
        """A sign of life; raises what a wish to cancel raises."""
        wish = self.nod()
        wish.raise_if_cancelled()
        return wish

    def hear(self) -> Any:
        """The wishes in force, with every request since the last call."""
        wish = self.nod()
        requests = tuple(self._kept)
        self._kept.clear()
        return type(wish)(wish.cancel, wish.pause, requests)
