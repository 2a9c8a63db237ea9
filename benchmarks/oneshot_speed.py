"""Steps a second of one-shot searches: our DARTS against NNI's, second order against first, snapshots on and off.

    python -m benchmarks.oneshot_speed [--parts nni orders snapshots runs] [--spaces cell tiny] [--steps 60]
                                       [--rounds 5] [--cpu]

A step is one of the alphas and one of the weights. `cell` is NAS-Bench-201's cell (4 nodes, 6 edges, 5 operations)
twice, with 8 and 16 channels; `tiny` one cell of a single edge. Digits, batches of 64, half of the images for the
alphas. One process, one thread of torch; in each round everybody has their turn, and the ratio of a round is what
counts. The first steps of a turn (`--warm`) are not timed, nor is anybody's start.

Ours is the search as a run does it: the fused supernet, and every 10 steps a snapshot, appended to a store on disk.
NNI's is DARTS with its Classification evaluator and torch's dataloaders as its documentation has them, without logger,
checkpoints and bar; its own logging of probabilities every 10 steps stays. Its candidates are our modules, the pooling
by matrix product included; a third turn gives it torch's pooling, as a model written for NNI has.

`--parts runs` times whole runs from the command line: `explorer run oneshot --space cell --dataset noisy-digits` with
the methods' defaults, imports included. `--cpu` counts the process's own time, for a machine with other work.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import partial
from typing import Any

RATE, MOMENTUM, DECAY, ALPHA_RATE, BATCH = 0.025, 0.9, 3e-4, 3e-3, 64
SNAPSHOT_EVERY = 10

Turn = Callable[[int, int], float]  # (steps that are timed, steps before) -> seconds

_clock = [time.perf_counter]


def main() -> None:
    """Print each round, then medians and ratios."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parts = {"nni": against_nni, "orders": orders, "snapshots": snapshots}
    parser.add_argument("--parts", nargs="+", default=[*parts, "runs"], choices=[*parts, "runs"])
    parser.add_argument("--spaces", nargs="+", default=["cell", "tiny"], choices=["cell", "tiny"])
    parser.add_argument("--steps", type=int, default=60)
    parser.add_argument("--warm", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument(
        "--cpu", action="store_true", help="the process's own time, for a machine with other work"
    )
    parser.add_argument("--epochs", type=int, default=50, help="of the whole runs")
    options = parser.parse_args()
    _clock[0] = time.process_time if options.cpu else time.perf_counter
    os.environ["OMP_NUM_THREADS"] = "1"
    with tempfile.TemporaryDirectory() as home:
        os.environ["EXPLORER_HOME"] = home
        print(f"load {os.getloadavg()[0]:.1f}")
        for part in options.parts:
            if part == "runs":
                whole_runs(options.epochs)
                continue
            for name in options.spaces:
                print(f"\n{part}, {name}")
                compare(parts[part](name), options)


def compare(turns: dict[str, Turn], options: argparse.Namespace) -> None:
    """Rounds of turns; the first is what the others are divided by."""
    rates: dict[str, list[float]] = {name: [] for name in turns}
    for number in range(options.rounds):
        order = list(turns.items())
        for name, turn in order if number % 2 == 0 else reversed(order):  # nobody always goes second
            rates[name].append(options.steps / turn(options.steps, options.warm))
        row = ", ".join(f"{name} {found[-1]:.1f}" for name, found in rates.items())
        print(f"  steps/s: {row} (load {os.getloadavg()[0]:.1f})")
    (first, base), *others = rates.items()
    for name, found in others:
        ratios = sorted(one / two for one, two in zip(base, found, strict=True))
        shown = ", ".join(f"{ratio:.2f}" for ratio in ratios)
        print(f"  {first} / {name}: median {statistics.median(ratios):.2f} ({shown})")
    for name, found in rates.items():
        rate = statistics.median(found)
        print(f"  {name}: median {rate:.1f} steps/s, {1000 / rate:.1f} ms a step")


# -- who takes part ---------------------------------------------------------------------------------------------------


def against_nni(name: str) -> dict[str, Turn]:
    """Ours as a run does it, NNI on the modules of ours, and NNI with the pooling that torch has."""
    return {
        "ours": partial(ours, name),
        "NNI": partial(by_nni, name),
        "NNI, torch's pooling": partial(by_nni, name, own_pooling=False),
    }


def orders(name: str) -> dict[str, Turn]:
    """DARTS of first and second order."""
    return {"first order": partial(ours, name), "second order": partial(ours, name, order="second")}


def snapshots(name: str) -> dict[str, Turn]:
    """At the default rate and none at all."""
    return {"without": partial(ours, name, shows=False), "with snapshots": partial(ours, name)}


def space_of(name: str) -> Any:
    """The space of that name on digits."""
    from dataclasses import replace

    from explorer.space import full_edges, preset

    cell = replace(preset("cell"), name=f"bench-{name}", channels=8)
    if name == "tiny":
        cell = replace(cell, nodes=2, edges=full_edges(2), stages=1)
    return cell


def spec_of(name: str, **settings: Any) -> Any:
    """A search long enough that no turn comes to its end."""
    from explorer.runs.spec import RunSpec

    return RunSpec(
        kind="oneshot",
        space=space_of(name).to_json(),
        dataset="digits",
        epochs=10_000,
        method={"method": "darts"},
        settings={"method": {"batch_size": BATCH, **settings}},
    )


def ours(name: str, steps: int, warm: int, shows: bool = True, **settings: Any) -> float:
    """Seconds of `steps` steps of ours."""
    import torch

    from explorer.oneshot.search import Search

    torch.set_num_threads(1)
    spec = spec_of(name, **settings)
    search = Search(spec)
    with told(spec) as tell:
        for number in range(-warm, steps):
            if number == 0:
                begun = _clock[0]()
            search.advance()
            if shows and search.step % SNAPSHOT_EVERY == 0:
                tell(search.snapshot() | {"seconds": 0.0})
        return _clock[0]() - begun


@contextmanager
def told(spec: Any) -> Iterator[Callable[[dict[str, Any]], None]]:
    """A run in the store that snapshots are appended to."""
    from explorer.runs.store import Store

    with closing(Store()) as store:
        run_id = store.create_run(spec, owner="benchmark")
        store.append(run_id, "run_started", {"attempt": 1, "workers": 1}, owner="benchmark")

        def tell(snapshot: dict[str, Any]) -> None:
            store.append(run_id, "architecture_snapshot", snapshot, owner="benchmark")

        yield tell
        store.append(run_id, "run_finished", {}, owner="benchmark")


def by_nni(name: str, steps: int, warm: int, own_pooling: bool = True) -> float:
    """Seconds of `steps` steps of NNI's, seen by a callback of Lightning's."""
    import torch
    from torch.utils.data import TensorDataset

    from explorer.adapters import oneshot as nni
    from explorer.data import load_dataset
    from explorer.nets.model_space import build_model_space
    from explorer.nets.operations import AveragePool3x3
    from explorer.oneshot.feed import cut

    from nni.nas.evaluator.pytorch import Classification, DataLoader  # after the shim  # isort: skip
    from pytorch_lightning import Callback  # isort: skip

    class Watch(Callback):
        def __init__(self) -> None:
            self.times: list[float] = []

        def on_train_batch_end(self, trainer: Any, *_: Any) -> None:
            self.times.append(_clock[0]())
            if len(self.times) == warm + steps:
                trainer.should_stop = True

    torch.set_num_threads(1)
    halves = cut(load_dataset("digits").train, 0.5, seed=0)
    train, validation = (
        DataLoader(TensorDataset(half.images, half.labels), batch_size=BATCH, shuffle=True) for half in halves
    )
    watch = Watch()
    with nni.quiet():
        evaluator = Classification(
            learning_rate=RATE,
            weight_decay=DECAY,
            optimizer=partial(torch.optim.SGD, momentum=MOMENTUM),
            train_dataloaders=train,
            val_dataloaders=validation,
            num_classes=10,
            max_epochs=10_000,
            accelerator="cpu",
            callbacks=[watch],
            logger=False,
            enable_checkpointing=False,
            enable_progress_bar=False,
            enable_model_summary=False,
            num_sanity_val_steps=0,
        )
        model = build_model_space(space_of(name).bound_to(1, 8, 10))
        if not own_pooling:
            for parent in list(model.modules()):
                for child, module in list(parent.named_children()):
                    if isinstance(module, AveragePool3x3):
                        setattr(parent, child, torch.nn.AvgPool2d(3, 1, 1, count_include_pad=False))
        strategy = nni.DARTS(arc_learning_rate=ALPHA_RATE, gradient_clip_val=5.0)
        strategy(nni.RawFormatModelSpace(model, evaluator), nni.SequentialExecutionEngine())
    return watch.times[-1] - watch.times[warm - 1]


def whole_runs(epochs: int) -> None:
    """Default searches from the command line."""
    print(f"\nwhole runs on noisy-digits, {epochs} epochs")
    for method in ("darts", "enas"):
        for engine in ("own", "nni"):
            command = [sys.executable, "-m", "explorer", "run", "oneshot", "--space", "cell"]
            command += ["--dataset", "noisy-digits", "--method", method, "--engine", engine]
            begun = time.perf_counter()
            done = subprocess.run(
                [*command, "--epochs", str(epochs)], capture_output=True, text=True, check=False
            )
            seconds = time.perf_counter() - begun
            state = "" if done.returncode == 0 else f", failed: {done.stderr.strip()[-200:]}"
            print(f"  {method}, engine {engine}: {seconds:.1f} s (load {os.getloadavg()[0]:.1f}){state}")


if __name__ == "__main__":
    main()
