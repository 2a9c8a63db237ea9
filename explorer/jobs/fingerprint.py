"""A hash of this package's source: tells a supervisor that the code on the disk is newer than its own."""

from __future__ import annotations

import hashlib
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[1]


def code_hash(package: Path = PACKAGE) -> str:
    """16 hexadecimal digits over every .py file, names included."""
    digest = hashlib.sha256()
    for path in sorted(package.rglob("*.py")):
        digest.update(f"{path.relative_to(package)}\0".encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


class Fingerprint:
    """Remembers the code at its making; `changed` looks at file times first and reads files only when those
    differ.
    """

    def __init__(self, package: Path = PACKAGE) -> None:
        self._package = package
        self._stamps = self._read_stamps()
        self.hash = code_hash(package)

    def changed(self) -> bool:
        """Whether the code on the disk differs from what it was at the making."""
        try:
            stamps = self._read_stamps()
            if stamps == self._stamps or code_hash(self._package) == self.hash:
                self._stamps = stamps
                return False
        except OSError:  # a file vanished while we looked: an edit is under way, look again later
            return False
        return True

    def _read_stamps(self) -> tuple[tuple[str, int, int], ...]:
        found = ((str(path), path.stat()) for path in sorted(self._package.rglob("*.py")))
        return tuple((name, stat.st_mtime_ns, stat.st_size) for name, stat in found)
