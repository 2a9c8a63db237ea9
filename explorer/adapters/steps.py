"""A long-running function taken step by step: NNI drives its own loops, and a search wants to drive them.

The function runs in a thread of its own that works only while its owner waits, so nothing happens twice at once: `next`
lets it run up to its next `halt`.
"""

from __future__ import annotations

import threading
from collections.abc import Callable


class _Closed(BaseException):
    """Unwinds the function of an owner who has lost interest; no Exception, so that nobody in between catches it."""


class Steps:
    """`function(halt)` calls `halt()` after each step."""

    def __init__(self, function: Callable[[Callable[[], None]], None]) -> None:
        self._function = function
        self._go, self._back = threading.Semaphore(0), threading.Semaphore(0)
        self._is_closed = False
        self._error: BaseException | None = None
        self.is_over = False
        self._thread = threading.Thread(target=self._run, name="nni", daemon=True)
        self._thread.start()

    def next(self) -> bool:
        """Up to the next halt; False when the function has ended. Raises what it raised."""
        if self.is_over:
            return False
        self._go.release()
        self._back.acquire()  # a signal's handler may raise here; `close` follows
        if self._error is not None:
            error, self._error = self._error, None
            raise error
        return not self.is_over

    def close(self) -> None:
        """End the function where it halts, and wait until it has put its things away."""
        if not self.is_over:
            self._is_closed = True
            self._go.release()
        self._thread.join()

    def _run(self) -> None:
        self._go.acquire()
        try:
            if not self._is_closed:
                self._function(self._halt)
        except _Closed:
            pass
        except BaseException as error:
            self._error = error
        finally:
            self.is_over = True
            self._back.release()

    def _halt(self) -> None:
        self._back.release()
        self._go.acquire()
        if self._is_closed:
            raise _Closed
