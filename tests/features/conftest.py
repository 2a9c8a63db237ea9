"""One torch thread, as in the workers."""

from tests.one_thread import one_thread

__all__ = ["one_thread"]
