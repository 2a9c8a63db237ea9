"""The supervisor's lock: one per store and machine. Held means alive; its file says who and in what state.

The operating system releases it however the holder ends, so there is no stale pid to guess about.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from explorer.errors import SupervisorUnavailable
from explorer.runs import places


def lock_path(url: str) -> Path:
    """The lock file of a store's supervisor."""
    return places.home() / f"supervisor-{places.store_key(url)}.lock"


@dataclass
class Lock:
    """An open lock file, perhaps held."""

    descriptor: int

    def write(self, facts: Mapping[str, Any]) -> None:
        """Say who holds it."""
        text = json.dumps(facts).encode()
        os.pwrite(self.descriptor, text, 0)
        os.ftruncate(self.descriptor, len(text))

    def release(self) -> None:
        """Let go."""
        os.close(self.descriptor)


def acquire(path: Path) -> Lock | None:
    """The lock, held; None when somebody else holds it."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise SupervisorUnavailable(f"The lock {path} cannot be opened: {error.strerror}.") from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        return None
    return Lock(descriptor)


def holder(path: Path) -> dict[str, Any] | None:
    """What the holder says of itself; None when nobody holds the lock."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return _facts(descriptor)
    finally:
        os.close(descriptor)
    return None


def last_facts(path: Path) -> dict[str, Any]:
    """What the last holder said of itself, whether it still lives or not; empty when there was none."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return {}
    try:
        return _facts(descriptor)
    finally:
        os.close(descriptor)


def _facts(descriptor: int) -> dict[str, Any]:
    with contextlib.suppress(ValueError):
        facts = json.loads(os.pread(descriptor, 10_000, 0))
        return facts if isinstance(facts, dict) else {}
    return {}
