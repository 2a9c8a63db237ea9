"""One-shot searches beside a race: what each cost in whole trainings, and how good its cell is by the answer key.

Some come with the key: whole runs made by `benchmarks.oneshot_points`, which measured searches and trainings on one
machine, one thread each, in turn. Others are finished runs of a store; they know their seconds only, and are reckoned
as if they had run on that machine. Both are divided by what one training of the same dataset alone took there (the
median of its measures); on a dataset without measures there are no points. In simulated seconds a run costs as many
mean trainings of the key, however the key's own seconds were measured. Recorded examples are none of them: they were
picked for what they show.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from explorer.catalogue import METHODS
from explorer.errors import ExplorerError, OutsideKey
from explorer.key.record import Key
from explorer.runs.spec import RunSpec
from explorer.runs.state import RunState
from explorer.space import SearchSpace, load_space

FILE = Path(__file__).resolve().parents[2] / "assets" / "key" / "oneshot.csv"
COLUMNS = ("dataset", "method", "epochs", "seed", "architecture", "seconds", "training_seconds", "spec")
HERE = "yours"


@dataclass(frozen=True)
class OneShot:
    """A run: `words` say method and length, `trainings` and simulated `seconds` what it cost, `test` what its cell
    reaches (0 .. 1).
    """

    words: str
    trainings: float
    seconds: float
    test: float


@dataclass(frozen=True)
class _Row:
    """A line of the file: a search of `epochs` took `seconds`, a whole training alone `training_seconds`."""

    method: str
    epochs: int
    code: str
    seconds: float
    training_seconds: float


def recorded(key: Key, space: SearchSpace, file: Path | None = None) -> tuple[OneShot, ...]:
    """The runs that come with the key and searched this very space; empty where there is no such file."""
    rows = _rows(key.dataset, file)
    alone = _alone_seconds(rows)
    if alone is None or space.to_json() != key.space.to_json():
        return ()
    found = []
    for row in rows:
        try:
            test = _test(key, key.space.from_code(row.code))
        except ExplorerError:
            continue  # a partial key
        found.append(_costing(_words(row.method, row.epochs), row.seconds / alone, key, test))
    return tuple(found)


def _alone_seconds(rows: Iterable[_Row]) -> float | None:
    """What one whole training took alone on the machine of the recorded runs; None without them."""
    measured = [row.training_seconds for row in rows]
    return median(measured) if measured else None


def found_by(
    states: Iterable[RunState], key: Key, space: SearchSpace, file: Path | None = None
) -> tuple[OneShot, ...]:
    """The finished searches among `states` that were made on this space and the key's data and derived a cell of it.

    Runs of one spec are one search made again, seed included: only the first of them counts. Runs of other settings
    are named apart, numbered in the order in which they come.
    """
    alone = _alone_seconds(_rows(key.dataset, file))
    if alone is None:
        return ()
    found, known, settings = [], set[str](), dict[str, list[str]]()
    for state in states:
        derived = _derived(state)
        if derived is None or state.spec.dataset != key.dataset:
            continue
        spec = json.dumps(state.spec.to_json(), sort_keys=True)
        if spec in known:
            continue
        try:
            searched = load_space(state.spec.space)
            if key.covers(searched, key.dataset) or searched.to_json() != space.to_json():
                continue
            test = _test(key, searched.architecture(derived["architecture"]))
        except ExplorerError:
            continue  # a stranger's file, or a cell that a partial key lacks
        known.add(spec)
        method = state.spec.method
        words = _words(str(method.get("method")), state.spec.epochs, method.get("engine") == "nni")
        words += _variant(state.spec, settings.setdefault(words, []))
        found.append(_costing(f"{words}, {HERE}", float(derived["seconds"]) / alone, key, test))
    return tuple(found)


def _costing(words: str, trainings: float, key: Key, test: float) -> OneShot:
    return OneShot(words, trainings, trainings * float(key.seconds.mean()), test)


def _words(method: str, epochs: int, is_nni: bool = False) -> str:
    label = METHODS[method].label if method in METHODS else method
    return f"{'NNI: ' if is_nni else ''}{label}, {epochs:,} {'epoch' if epochs == 1 else 'epochs'}"


def _variant(spec: RunSpec, known: list[str]) -> str:
    """ "" for a method's own settings; else that they are changed, and which of those `known` they are."""
    own = {name: values for name, values in spec.settings.items() if values}
    if not own and "selection" not in spec.method:
        return ""
    text = json.dumps([own, dict(spec.method)], sort_keys=True)
    if text not in known:
        known.append(text)
    number = known.index(text) + 1
    return ", changed settings" + (f" {number}" if number > 1 else "")


def _derived(state: RunState) -> Mapping[str, Any] | None:
    """What a finished one-shot search came to, with the seconds that it took; None for everything else."""
    if state.spec.kind != "oneshot" or not state.is_over or state.spec.parent is not None:
        return None  # a branch spent its parent's time as well
    for each in reversed(state.measurements):
        if each["name"] == "derived":
            data: Mapping[str, Any] = each["data"]
            return data if isinstance(data.get("seconds"), int | float) and data["seconds"] > 0 else None
    return None


def _test(key: Key, architecture: Mapping[str, Any]) -> float:
    """Mean test accuracy; raises OutsideKey for what was not trained."""
    at = key.places([architecture])
    if key.position[at[0]] < 0:
        raise OutsideKey(f"{key.text(int(at[0]))} was not trained.")
    return float(key.means[key.position[at[0]]])


def _rows(dataset: str, file: Path | None) -> tuple[_Row, ...]:
    """The lines of one dataset; what does not fit is left out, and so is everything where there is no file."""
    try:
        with (file or FILE).open(newline="") as opened:
            lines = list(csv.DictReader(opened))
    except (OSError, ValueError, csv.Error):
        return ()
    found = []
    for line in lines:
        try:
            row = _Row(
                line["method"],
                int(line["epochs"]),
                line["architecture"],
                float(line["seconds"]),
                float(line["training_seconds"]),
            )
        except (KeyError, TypeError, ValueError):
            continue  # a damaged line
        if line.get("dataset") == dataset and row.method in METHODS and row.training_seconds > 0:
            found.append(row)
    return tuple(found)
