"""What members of a PBT population hand on: the two folders that NNI's tuner writes into the parameters.

In events they stand relative to the run's own folder, so that a run tells nothing of one machine; a name that leads out
of that folder, as a stranger's file may hold, is no folder.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

LOAD, SAVE = "load_checkpoint_dir", "save_checkpoint_dir"
PBT = "pbt"  # the folder's name below a run's checkpoints
_WEIGHTS = "weights.pt"


def with_relative_folders(parameters: Mapping[str, Any], root: Path) -> dict[str, Any]:
    """The parameters with both folders named below `root`."""
    told = dict(parameters)
    for key in (LOAD, SAVE):
        if isinstance(told.get(key), str):
            told[key] = Path(told[key]).relative_to(root).as_posix()
    return told


def without_folders(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """What the tuner suggested beside them."""
    return {name: value for name, value in parameters.items() if name not in (LOAD, SAVE)}


def inside(root: Path, name: Any) -> str | None:
    """The file of weights in the folder `name` below `root`; None for anything that would lie elsewhere."""
    if not isinstance(name, str) or not name:
        return None
    path = (root / name / _WEIGHTS).resolve()
    return str(path) if path.is_relative_to(root.resolve()) else None
