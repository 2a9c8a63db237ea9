"""Checkpoints of one-shot searches: files that a search goes on from, and a branch of it begins with.

`$EXPLORER_HOME/checkpoints/RUN/step-000100.pt` holds tensors and plain data, never code, with the version of the format
and with what the search was about; so a file of another search or of a newer app is told apart from a damaged one.
"""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from explorer.errors import CodecError
from explorer.runs.places import home
from explorer.runs.spec import RunSpec
from explorer.trials.fitting import read_checkpoint

FORMAT = 1
_NAME = re.compile(r"step-(\d{6,})\.pt")


def folder(run_id: str) -> Path:
    """Where the checkpoints of a run are."""
    return home() / "checkpoints" / run_id


def file_of(run_id: str, step: int) -> Path:
    """The file of one step."""
    return folder(run_id) / f"step-{step:06d}.pt"


def kept(run_id: str) -> tuple[int, ...]:
    """The steps whose files are there, from the first to the last."""
    with contextlib.suppress(OSError):
        found = [_NAME.fullmatch(name) for name in os.listdir(folder(run_id))]
        return tuple(sorted(int(match[1]) for match in found if match))
    return ()


def subject(spec: RunSpec, space_hash: str) -> dict[str, Any]:
    """What a checkpoint must agree on with the search that takes it up; what a branch may change is not in it."""
    return {"space": space_hash, "dataset": spec.dataset, "method": spec.method["method"]}


def write(run_id: str, step: int, about: Mapping[str, Any], state: Mapping[str, Any]) -> bool:
    """Keep `state`; whether that worked. A full disk costs only the time that the file would have saved."""
    path = file_of(run_id, step)
    beside = path.with_suffix(".part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        torch.save({"format": FORMAT, "about": dict(about), "step": step, "state": dict(state)}, beside)
        os.replace(beside, path)
    except (OSError, RuntimeError):
        with contextlib.suppress(OSError):
            beside.unlink(missing_ok=True)
        return False
    return True


def read(run_id: str, step: int, about: Mapping[str, Any]) -> dict[str, Any]:
    """The state that `write` kept; raises CodecError, one sentence for each way in which a file cannot serve."""
    path = file_of(run_id, step)
    whose = f"The checkpoint of step {step} of run {run_id}"
    if not path.exists():
        there = ", ".join(map(str, kept(run_id)[-10:])) or "none"
        raise CodecError(f"{whose} is not on this machine; there are {there}.")
    found = read_checkpoint(str(path))
    if found is None or not isinstance(found.get("about"), dict):
        raise CodecError(f"{whose} is damaged or is no checkpoint; take an earlier one.")
    version = found.get("format")
    if version != FORMAT:
        raise CodecError(
            f"{whose} was written by another version of this app (format {version!r:.20}, this one reads {FORMAT}); "
            "take the app that wrote it, or search anew."
        )
    for name, value in about.items():
        if found["about"].get(name) != value:
            raise CodecError(
                f"{whose} is of another search: its {name} is {found['about'].get(name)!r:.60}, not {value!r:.60}."
            )
    if not isinstance(found.get("state"), dict):
        raise CodecError(f"{whose} is damaged or is no checkpoint; take an earlier one.")
    return found["state"]


def drop(run_id: str, step: int) -> None:
    """Remove a checkpoint that nobody was told of."""
    with contextlib.suppress(OSError):
        file_of(run_id, step).unlink(missing_ok=True)
