"""Trials a minute: `run random` against the same eight trials as a real local NNI experiment, in one session.

    python -m benchmarks.throughput [--epochs 1] [--workers 2] [--repeats 3]

Both train the eight architectures of notes-net on digits with the same trainer; what differs is everything
around it. The NNI side counts from the experiment's first job to its last one's end, so that NNI's own start
and stop are not held against it.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

ARCHITECTURES = 8
PORT = 18_917


def main() -> None:
    """Print each repeat and the medians."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--epochs", type=int, default=1)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    os.environ["OMP_NUM_THREADS"] = "1"
    ratios = []
    with tempfile.TemporaryDirectory() as home:
        os.environ["EXPLORER_HOME"] = home
        with supervised():
            ours(options.epochs, options.workers)  # warms the supervisor
            for _ in range(options.repeats):
                mine, share = ours(options.epochs, options.workers)
                theirs = nni_experiment(options.epochs, options.workers, home)
                ratios.append(theirs / mine)
                print(
                    f"ours {60 * ARCHITECTURES / mine:7.1f} trials/min "
                    f"(training {share:.0%} of the wall time)   "
                    f"NNI {60 * ARCHITECTURES / theirs:6.1f} trials/min   ratio {ratios[-1]:.1f}",
                    flush=True,
                )
    print(f"median ratio {statistics.median(ratios):.1f} over {options.repeats} repeats")


@contextmanager
def supervised() -> Iterator[None]:
    """A supervisor for the time of the block."""
    from explorer.jobs import launch
    from explorer.runs.store import Store

    try:
        yield
    finally:
        with closing(Store()) as store:
            launch.stop_supervisor(store)


def ours(epochs: int, workers: int) -> tuple[float, float]:
    """(seconds from creating the run to its end, share of workers' wall time spent training)."""
    from explorer.jobs import launch
    from explorer.runs.spec import RunSpec
    from explorer.runs.store import Store

    with closing(Store()) as store:
        begun = time.perf_counter()
        run_id = launch.start_run(store, RunSpec(trials=ARCHITECTURES, epochs=epochs, workers=workers))
        while not store.summary(run_id).is_over:
            time.sleep(0.01)
        seconds = time.perf_counter() - begun
        state = store.state(run_id)
    if state.status != "finished":
        raise SystemExit(f"our run ended as {state.status}: {state.reason}")
    training = sum(trial.metrics["train_seconds"] for trial in state.trials.values())
    return seconds, training / (workers * seconds)


def nni_experiment(epochs: int, workers: int, home: str) -> float:
    """Seconds from the first job's start to the last job's end, as NNI's own records have them."""
    from nni.experiment import Experiment

    from explorer.trials.evaluate import payload

    given = payload("notes-net", {}, dataset="digits", training={}, epochs=epochs, seed=0)
    experiment = Experiment("local")
    config = experiment.config
    config.experiment_name = "notes-net"
    config.experiment_working_directory = home
    config.trial_command = f"{sys.executable} -m benchmarks.nni_trial '{json.dumps(given)}'"
    config.trial_code_directory = os.getcwd()
    config.search_space = {
        "conv1": {"_type": "choice", "_value": ["conv3x3", "conv5x5"]},
        "mid_conv": {"_type": "choice", "_value": ["conv3x3", "conv5x5"]},
        "skip": {"_type": "choice", "_value": ["[]", "[0]"]},
    }
    config.tuner.name = "GridSearch"
    config.max_trial_number = ARCHITECTURES
    config.trial_concurrency = workers
    config.log_level = "error"
    experiment.start(PORT)
    try:
        jobs: list[Any] = []
        while sum(job.status in ("SUCCEEDED", "FAILED") for job in jobs) < ARCHITECTURES:
            time.sleep(0.1)
            jobs = experiment.list_trial_jobs()
    finally:
        experiment.stop()
    if [job.status for job in jobs] != ["SUCCEEDED"] * ARCHITECTURES:
        raise SystemExit(f"the NNI experiment's jobs ended as {[job.status for job in jobs]}")
    return (max(job.endTime for job in jobs) - min(job.startTime for job in jobs)) / 1000


if __name__ == "__main__":
    main()
