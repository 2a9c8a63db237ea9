"""The folder in which a real NNI experiment's processes of ours meet: executor, dispatcher and trials.

    orders/N.json     what trial N is to do, written by the executor before NNI hears of it
    turns/S           NNI's S-th job has its parameters
    trials/N.jsonl    what trial N says, line by line, before it tells NNI
    answers/N.jsonl   whether trial N may go on after a result, a line each
    dispatcher.jsonl  what NNI told its dispatcher: ready, ended, error

Lines are appended and never changed; a reader takes whole lines only.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

FOLDER = "EXPLORER_NNI_FOLDER"  # environment variable of NNI's manager, and so of dispatcher and trials
DISPATCHER = "dispatcher.jsonl"


def make_folder(folder: Path) -> None:
    """A meeting place."""
    for name in ("orders", "turns", "trials", "answers"):
        (folder / name).mkdir(parents=True, exist_ok=True)


def order_path(folder: Path, number: int) -> Path:
    """What trial `number` is to do."""
    return folder / "orders" / f"{number}.json"


def trial_path(folder: Path, number: int) -> Path:
    """What trial `number` says."""
    return folder / "trials" / f"{number}.jsonl"


def answer_path(folder: Path, number: int) -> Path:
    """What trial `number` is told."""
    return folder / "answers" / f"{number}.jsonl"


def write_json(path: Path, form: Any) -> None:
    """Written aside and renamed, so that nobody reads half of it."""
    draft = path.with_suffix(".new")
    draft.write_text(json.dumps(form))
    draft.replace(path)


def read_json(path: Path) -> Any:
    """What `write_json` wrote."""
    return json.loads(path.read_text())


def say(path: Path, *line: Any) -> None:
    """Append one line; its end goes out in the same write, so that a reader never takes half of it for whole."""
    with path.open("a") as lines:
        lines.write(json.dumps(line) + "\n")


class Tail:
    """Reads a growing file; each line is given once."""

    def __init__(self, path: Path) -> None:
        self.path, self._offset = path, 0

    def fresh(self) -> Iterator[list[Any]]:
        """The whole lines that came since the last call."""
        try:
            with self.path.open("rb") as lines:
                lines.seek(self._offset)
                text = lines.read()
        except FileNotFoundError:
            return
        whole = text[: text.rfind(b"\n") + 1]
        self._offset += len(whole)
        for line in whole.splitlines():
            yield json.loads(line)
