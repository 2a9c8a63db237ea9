"""Real one-shot searches on the answer key's space and data, kept as points that races of strategies draw.

    python -m benchmarks.oneshot_points [--methods darts enas spos] [--seeds 3] [--epochs 100]

Each is one whole run of the engine with the method's own settings, derivation included. What it costs is told in the
race's unit: its seconds over those of one training of the key alone. Both are processor time of this process, with one
thread, the training's measured just before each search (cells drawn by a fixed seed, validation after every epoch
included, as the key has it), so that the ratio hangs neither on the machine nor on what else it does.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import json
import random
import time
from collections.abc import Callable, Mapping
from typing import Any

import torch

from explorer.jobs.control import Control
from explorer.key.oneshot import COLUMNS, FILE
from explorer.key.recipe import NOISY, SPACE, space
from explorer.nas.key_timing import measured
from explorer.oneshot.engine import run
from explorer.runs.spec import RunSpec
from explorer.runs.state import RunState
from explorer.space import Architecture

CELLS = 10  # that are trained alone
DERIVED = "derived"
PART = 4  # epochs of each: the first step's costs are small beside them


def training_seconds() -> float:
    """Seconds of one whole training of the key, one cell at a time: the mean over drawn cells."""
    return float(measured(NOISY, space().sample(CELLS, random.Random(0)), PART).mean())


def searched(spec: RunSpec) -> Mapping[str, Any]:
    """What the run `spec` derived, its `seconds` being processor time."""
    told: dict[str, dict[str, Any]] = {}

    def report(kind: str, data: dict[str, Any]) -> None:
        if kind == "measurement":
            told[data["name"]] = data["data"]

    def clock() -> float:
        """Processor time until all is derived; then the engine waits a moment for late wishes, by the wall's clock."""
        return time.monotonic() if DERIVED in told else time.process_time()

    control: Callable[[], Any] = Control
    state = RunState(f"points-{spec.method['method']}-{spec.seed}", spec)
    run(spec, state, executor=None, report=report, control=control, clock=clock)  # type: ignore[arg-type]
    return told[DERIVED]


def row(spec: RunSpec) -> list[Any]:
    """A line of the file, as `COLUMNS` has it."""
    alone = training_seconds()
    found = searched(spec)
    chosen: Architecture = space().architecture(found["architecture"])
    text = json.dumps(spec.to_json(), sort_keys=True)
    return [
        spec.dataset,
        spec.method["method"],
        spec.epochs,
        spec.seed,
        space().code(chosen),
        f"{found['seconds']:.2f}",
        f"{alone:.3f}",
        hashlib.sha256(text.encode()).hexdigest()[:12],
    ]


def main() -> None:
    """Search what the file does not have yet."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--methods", nargs="+", default=["darts", "enas", "spos"])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=100)
    options = parser.parse_args()
    torch.set_num_threads(1)
    known: list[list[str]] = []
    if FILE.exists():
        with FILE.open(newline="") as file:
            known = list(csv.reader(file))[1:]
    have = {tuple(each[:4]) for each in known}
    with FILE.open("a", newline="") as file:
        lines = csv.writer(file, lineterminator="\n")
        if not known:
            lines.writerow(COLUMNS)
        for method in options.methods:
            for seed in range(options.seeds):
                if (NOISY, method, str(options.epochs), str(seed)) in have:
                    continue
                spec = RunSpec(
                    kind="oneshot",
                    space=SPACE,
                    dataset=NOISY,
                    method={"method": method, "engine": "own"},
                    epochs=options.epochs,
                    workers=1,
                    seed=seed,
                )
                found = row(spec)
                lines.writerow(found)
                file.flush()
                print(*found, flush=True)


if __name__ == "__main__":
    main()
