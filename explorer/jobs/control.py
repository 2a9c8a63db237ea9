"""What an engine hears from outside while it runs: a small frozen record, fetched by calling `control()`.

Calling it is also the engine's sign of life, so an engine calls it at least once a second, also while it is
paused.
"""

from __future__ import annotations

from dataclasses import dataclass

from explorer.runs.store import Request


class Cancelled(Exception):
    """Raised by an engine that was asked to cancel and has cleaned up; the worker writes `run_cancelled`."""


@dataclass(frozen=True)
class Control:
    """`cancel` and `pause` are the wishes in force; `requests` those that are new since the last call."""

    cancel: bool = False
    pause: bool = False
    requests: tuple[Request, ...] = ()

    def raise_if_cancelled(self) -> None:
        """Raise Cancelled when the run is to end."""
        if self.cancel:
            raise Cancelled
